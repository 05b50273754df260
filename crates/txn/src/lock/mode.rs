//! The eight modes and which of them conflict. (PostgreSQL: manual, "Conflicting Lock Modes")

/// (PostgreSQL: `LOCKMODE`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum LockMode {
    AccessShare = 1,
    RowShare = 2,
    RowExclusive = 3,
    ShareUpdateExclusive = 4,
    Share = 5,
    ShareRowExclusive = 6,
    Exclusive = 7,
    AccessExclusive = 8,
}

impl LockMode {
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];

    pub fn from_u8(n: u8) -> Option<LockMode> {
        LockMode::ALL.into_iter().find(|m| *m as u8 == n)
    }
    /// The bit of this mode in a set of modes.
    pub(crate) const fn bit(self) -> u16 {
        1 << self as u8
    }
    /// The modes that conflict with this one.
    pub(crate) const fn conflicts(self) -> u16 {
        use LockMode::{
            AccessExclusive, AccessShare, Exclusive, RowExclusive, RowShare, Share, ShareRowExclusive,
            ShareUpdateExclusive,
        };
        let weak = Exclusive.bit() | AccessExclusive.bit();
        match self {
            AccessShare => AccessExclusive.bit(),
            RowShare => weak,
            RowExclusive => weak | Share.bit() | ShareRowExclusive.bit(),
            ShareUpdateExclusive => weak | Share.bit() | ShareRowExclusive.bit() | ShareUpdateExclusive.bit(),
            Share => weak | RowExclusive.bit() | ShareUpdateExclusive.bit() | ShareRowExclusive.bit(),
            ShareRowExclusive => {
                weak | RowExclusive.bit() | ShareUpdateExclusive.bit() | Share.bit() | ShareRowExclusive.bit()
            }
            Exclusive => {
                weak | RowShare.bit()
                    | RowExclusive.bit()
                    | ShareUpdateExclusive.bit()
                    | Share.bit()
                    | ShareRowExclusive.bit()
            }
            AccessExclusive => 0x1FE,
        }
    }
    /// (PostgreSQL: `DoLockModesConflict`)
    pub fn conflicts_with(self, other: LockMode) -> bool {
        self.conflicts() & other.bit() != 0
    }
    /// The name in `pg_locks` and deadlock reports.
    pub fn as_str(self) -> &'static str {
        match self {
            LockMode::AccessShare => "AccessShareLock",
            LockMode::RowShare => "RowShareLock",
            LockMode::RowExclusive => "RowExclusiveLock",
            LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            LockMode::Share => "ShareLock",
            LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
            LockMode::Exclusive => "ExclusiveLock",
            LockMode::AccessExclusive => "AccessExclusiveLock",
        }
    }
    /// Does it conflict with weak modes, so that who wants it must look at all sessions?
    pub(crate) fn conflicts_with_weak(self) -> bool {
        self > LockMode::ShareUpdateExclusive
    }
    /// Locks of these modes on relations do not conflict with each other.
    pub(crate) fn is_weak(self) -> bool {
        self <= LockMode::RowExclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manuals_table() {
        // A row a mode, the columns in the same order; X: conflict.
        let table = [".......X", "......XX", "....XXXX", "...XXXXX", "..XX.XXX", "..XXXXXX", ".XXXXXXX", "XXXXXXXX"];
        for (a, row) in LockMode::ALL.into_iter().zip(table) {
            for (b, c) in LockMode::ALL.into_iter().zip(row.chars()) {
                assert_eq!(a.conflicts_with(b), c == 'X', "{a:?} {b:?}");
            }
        }
    }
}
