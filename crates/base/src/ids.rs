//! Numbers with a meaning: object ids, transaction ids, log positions, places in a relation.

use std::fmt;
use std::str::FromStr;

/// An object id. (PostgreSQL: `Oid`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Oid(pub u32);

impl Oid {
    pub const INVALID: Oid = Oid(0);
    /// Ids from here on belong to user objects. (PostgreSQL: `FirstNormalObjectId`)
    pub const FIRST_NORMAL: Oid = Oid(16384);

    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
    /// `None` for the invalid id.
    pub fn valid(self) -> Option<Oid> {
        self.is_valid().then_some(self)
    }
}
impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}

/// A transaction id. Ids wrap around, so there is no `Ord`: ask `precedes`. (PostgreSQL: `TransactionId`)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Xid(pub u32);

impl Xid {
    pub const INVALID: Xid = Xid(0);
    pub const BOOTSTRAP: Xid = Xid(1);
    pub const FROZEN: Xid = Xid(2);
    pub const FIRST_NORMAL: Xid = Xid(3);

    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
    pub fn is_normal(self) -> bool {
        self.0 >= 3
    }
    /// Of two normal ids, half the circle lies before the other; bootstrap and frozen lie before every normal one.
    /// (PostgreSQL: `TransactionIdPrecedes`)
    pub fn precedes(self, other: Xid) -> bool {
        match self.is_normal() && other.is_normal() {
            true => (self.0.wrapping_sub(other.0) as i32) < 0,
            false => self.0 < other.0,
        }
    }
    pub fn precedes_or_equals(self, other: Xid) -> bool {
        self == other || self.precedes(other)
    }
    pub fn follows(self, other: Xid) -> bool {
        other.precedes(self)
    }
    pub fn follows_or_equals(self, other: Xid) -> bool {
        self == other || other.precedes(self)
    }
    /// The id after this one; the special ids are skipped. (PostgreSQL: `TransactionIdAdvance`)
    #[must_use]
    pub fn next(self) -> Xid {
        let n = self.0.wrapping_add(1);
        Xid(if n < 3 { 3 } else { n })
    }
    /// The id before this one; the special ids are skipped. (PostgreSQL: `TransactionIdRetreat`)
    #[must_use]
    pub fn prev(self) -> Xid {
        let n = self.0.wrapping_sub(1);
        Xid(if n < 3 { u32::MAX } else { n })
    }
}
impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xid({})", self.0)
    }
}

/// A transaction id with its epoch: never wraps. (PostgreSQL: `FullTransactionId`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct FullXid(pub u64);

impl FullXid {
    pub fn new(epoch: u32, xid: Xid) -> FullXid {
        FullXid(u64::from(epoch) << 32 | u64::from(xid.0))
    }
    pub fn xid(self) -> Xid {
        Xid(self.0 as u32)
    }
    pub fn epoch(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// A set of transactions that lock one row. (PostgreSQL: `MultiXactId`)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct MultiXactId(pub u32);

impl MultiXactId {
    pub const INVALID: MultiXactId = MultiXactId(0);
    pub const FIRST: MultiXactId = MultiXactId(1);

    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
    pub fn precedes(self, other: MultiXactId) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }
}

/// A command's number within its transaction. (PostgreSQL: `CommandId`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct CommandId(pub u32);

impl CommandId {
    pub const FIRST: CommandId = CommandId(0);
    pub const INVALID: CommandId = CommandId(u32::MAX);
}

/// A timeline. (PostgreSQL: `TimeLineID`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimelineId(pub u32);

/// A position in the write-ahead log, in bytes. (PostgreSQL: `XLogRecPtr`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

impl Lsn {
    pub const INVALID: Lsn = Lsn(0);

    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
}
impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 as u32)
    }
}
impl fmt::Debug for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Lsn {
    type Err = ();
    fn from_str(s: &str) -> Result<Lsn, ()> {
        let part = |p: &str| match p.len() {
            1..=8 => u64::from_str_radix(p, 16).map_err(|_| ()),
            _ => Err(()),
        };
        let (hi, lo) = s.split_once('/').ok_or(())?;
        Ok(Lsn(part(hi)? << 32 | part(lo)?))
    }
}

/// The number of a page within a relation's fork. (PostgreSQL: `BlockNumber`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockNumber(pub u32);

impl BlockNumber {
    pub const INVALID: BlockNumber = BlockNumber(u32::MAX);

    pub fn is_valid(self) -> bool {
        self != BlockNumber::INVALID
    }
}
impl fmt::Display for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({})", self.0)
    }
}

/// The number of a line pointer on its page, from 1. (PostgreSQL: `OffsetNumber`)
pub type OffsetNumber = u16;

/// The place of a tuple: page and line pointer. (PostgreSQL: `ItemPointerData`, SQL type `tid`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TupleId {
    pub block: BlockNumber,
    pub offset: OffsetNumber,
}

impl TupleId {
    pub const INVALID: TupleId = TupleId { block: BlockNumber::INVALID, offset: 0 };

    pub fn new(block: BlockNumber, offset: OffsetNumber) -> TupleId {
        TupleId { block, offset }
    }
    pub fn is_valid(self) -> bool {
        self.offset != 0
    }
    /// The six bytes on disk: block high half, block low half, offset, each little endian.
    pub fn to_bytes(self) -> [u8; 6] {
        let b = self.block.0.to_le_bytes();
        let o = self.offset.to_le_bytes();
        [b[2], b[3], b[0], b[1], o[0], o[1]]
    }
    pub fn from_bytes(b: [u8; 6]) -> TupleId {
        TupleId {
            block: BlockNumber(u32::from_le_bytes([b[2], b[3], b[0], b[1]])),
            offset: u16::from_le_bytes([b[4], b[5]]),
        }
    }
}
impl fmt::Display for TupleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.block, self.offset)
    }
}
impl fmt::Debug for TupleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a relation's files lie. (PostgreSQL: `RelFileLocator`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelFileLocator {
    /// The tablespace; never invalid.
    pub spc: Oid,
    /// The database; invalid for shared relations.
    pub db: Oid,
    /// The file's number.
    pub rel: Oid,
}

/// The files of one relation. (PostgreSQL: `ForkNumber`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ForkNumber {
    Main = 0,
    Fsm = 1,
    Vm = 2,
    Init = 3,
}

impl ForkNumber {
    pub const ALL: [ForkNumber; 4] = [ForkNumber::Main, ForkNumber::Fsm, ForkNumber::Vm, ForkNumber::Init];

    pub fn from_u8(n: u8) -> Option<ForkNumber> {
        ForkNumber::ALL.get(usize::from(n)).copied()
    }
    /// What follows the file number in the file's name.
    pub fn suffix(self) -> &'static str {
        match self {
            ForkNumber::Main => "",
            ForkNumber::Fsm => "_fsm",
            ForkNumber::Vm => "_vm",
            ForkNumber::Init => "_init",
        }
    }
}

/// The session's id as clients see it. (PostgreSQL: a backend's process id)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub i32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xid_order_wraps() {
        for (a, b, expected) in [(3, 4, true), (4, 3, false), (u32::MAX, 3, true), (2, 3, true), (3, 2, false)] {
            assert_eq!(Xid(a).precedes(Xid(b)), expected, "{a} {b}");
        }
        assert_eq!(Xid(u32::MAX).next(), Xid(3));
        assert_eq!(Xid(3).prev(), Xid(u32::MAX));
    }

    #[test]
    fn lsn_text() {
        assert_eq!("1/A0".parse(), Ok(Lsn(0x1_0000_00A0)));
        assert_eq!(Lsn(0x1_0000_00A0).to_string(), "1/A0");
        assert!("1".parse::<Lsn>().is_err());
    }

    #[test]
    fn tid_bytes() {
        let t = TupleId::new(BlockNumber(0x0102_0304), 5);
        assert_eq!(t.to_bytes(), [2, 1, 4, 3, 5, 0]);
        assert_eq!(TupleId::from_bytes(t.to_bytes()), t);
    }
}
