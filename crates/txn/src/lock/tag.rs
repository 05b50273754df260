//! What can be locked. (PostgreSQL: `LOCKTAG`)

use base::{BlockNumber, OffsetNumber, Oid, Xid};

use super::LockMode;

/// A lockable thing. The relation's database is invalid for shared relations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockTag {
    Relation {
        db: Oid,
        rel: Oid,
    },
    Extend {
        db: Oid,
        rel: Oid,
    },
    FrozenIds {
        db: Oid,
    },
    Page {
        db: Oid,
        rel: Oid,
        block: BlockNumber,
    },
    Tuple {
        db: Oid,
        rel: Oid,
        block: BlockNumber,
        offset: OffsetNumber,
    },
    Transaction(Xid),
    /// A session's transaction, with or without xid: (proc number, local xid).
    VirtualTransaction {
        proc: u32,
        local_xid: u32,
    },
    SpeculativeToken {
        xid: Xid,
        token: u32,
    },
    Object {
        db: Oid,
        class: Oid,
        object: Oid,
        sub: u16,
    },
    /// `sub` is 1 for one 64-bit key (high half, low half), 2 for two 32-bit keys.
    Advisory {
        db: Oid,
        key1: u32,
        key2: u32,
        sub: u16,
    },
}

/// In two steps, since a statement looks its relations' locks up some times.
impl std::hash::Hash for LockTag {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let (kind, a, b, c, d) = match *self {
            LockTag::Relation { db, rel } => (0, db.0, rel.0, 0, 0),
            LockTag::Extend { db, rel } => (1, db.0, rel.0, 0, 0),
            LockTag::FrozenIds { db } => (2, db.0, 0, 0, 0),
            LockTag::Page { db, rel, block } => (3, db.0, rel.0, block.0, 0),
            LockTag::Tuple { db, rel, block, offset } => (4, db.0, rel.0, block.0, offset),
            LockTag::Transaction(xid) => (5, xid.0, 0, 0, 0),
            LockTag::VirtualTransaction { proc, local_xid } => (6, proc, local_xid, 0, 0),
            LockTag::SpeculativeToken { xid, token } => (7, xid.0, token, 0, 0),
            LockTag::Object { db, class, object, sub } => (8, db.0, class.0, object.0, sub),
            LockTag::Advisory { db, key1, key2, sub } => (9, db.0, key1, key2, sub),
        };
        state.write_u64(u64::from(a) << 32 | u64::from(b));
        state.write_u64(u64::from(c) << 32 | u64::from(d) << 8 | kind);
    }
}

impl LockTag {
    /// `locktype` of `pg_locks`.
    pub fn type_name(self) -> &'static str {
        match self {
            LockTag::Relation { .. } => "relation",
            LockTag::Extend { .. } => "extend",
            LockTag::FrozenIds { .. } => "frozenid",
            LockTag::Page { .. } => "page",
            LockTag::Tuple { .. } => "tuple",
            LockTag::Transaction(_) => "transactionid",
            LockTag::VirtualTransaction { .. } => "virtualxid",
            LockTag::SpeculativeToken { .. } => "spectoken",
            LockTag::Object { .. } => "object",
            LockTag::Advisory { .. } => "advisory",
        }
    }
    /// As deadlock reports name it. (PostgreSQL: `DescribeLockTag`)
    pub fn describe(self) -> String {
        match self {
            LockTag::Relation { db, rel } => format!("relation {rel} of database {db}"),
            LockTag::Extend { db, rel } => format!("extension of relation {rel} of database {db}"),
            LockTag::FrozenIds { db } => format!("pg_database.datfrozenxid of database {db}"),
            LockTag::Page { db, rel, block } => format!("page {block} of relation {rel} of database {db}"),
            LockTag::Tuple { db, rel, block, offset } => {
                format!("tuple ({block},{offset}) of relation {rel} of database {db}")
            }
            LockTag::Transaction(xid) => format!("transaction {xid}"),
            LockTag::VirtualTransaction { proc, local_xid } => format!("virtual transaction {proc}/{local_xid}"),
            LockTag::SpeculativeToken { xid, token } => format!("speculative token {token} of transaction {xid}"),
            LockTag::Object { db, class, object, .. } => format!("object {object} of class {class} of database {db}"),
            LockTag::Advisory { db, key1, key2, sub } => format!("advisory lock [{db},{key1},{key2},{sub}]"),
        }
    }
    /// Is it an id that its owner locks in its own table only?
    pub(crate) fn is_own_id(self) -> bool {
        matches!(self, LockTag::Transaction(_) | LockTag::VirtualTransaction { .. })
    }
    /// The modes that may be noted in the session only.
    pub(crate) fn fast_modes(self) -> &'static [LockMode] {
        match self {
            LockTag::Relation { .. } => &[LockMode::AccessShare, LockMode::RowShare, LockMode::RowExclusive],
            LockTag::Transaction(_) | LockTag::VirtualTransaction { .. } => &[LockMode::Exclusive],
            _ => &[],
        }
    }
    /// Weak modes on this are noted in the session only.
    pub(crate) fn has_weak_modes(self) -> bool {
        matches!(self, LockTag::Relation { .. })
    }
}
