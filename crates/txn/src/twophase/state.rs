//! A prepared transaction's state as it lies in the log (XLOG_XACT_PREPARE) and in `pg_twophase`: a header, lists, and
//! records of what the transaction holds. Every part is padded to 8 bytes; a file ends with a checksum.
//! (PostgreSQL: `xl_xact_prepare`, "2PC state file format" in `twophase.c`)

use base::sqlstate::DATA_CORRUPTED;
use base::{Lsn, MultiXactId, Oid, PgError, RelFileLocator, Result, Xid};
use wal::bytes::{Put, Reader};

use crate::lock::{LockMode, LockTag};
use crate::stats::PreparedChange;
use crate::transaction::InvalidationMessage;

const MAGIC: u32 = 0x57F9_4534;
const ALIGN: usize = 8;
const END: u8 = 0;
const LOCK: u8 = 1;
const STATISTICS: u8 = 2;
const MULTIXACT: u8 = 3;
const CHECKSUM: usize = 4;

/// See the module's head.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub xid: Xid,
    pub database: Oid,
    /// Microseconds since 2000-01-01 UTC.
    pub prepared_at: i64,
    pub owner: Oid,
    pub gid: String,
    pub subs: Vec<Xid>,
    /// Files that go at commit.
    pub dropped: Vec<RelFileLocator>,
    /// Files that go at rollback.
    pub created: Vec<RelFileLocator>,
    pub invalidations: Vec<InvalidationMessage>,
    pub relcache_init_file: bool,
    pub locks: Vec<(LockTag, LockMode)>,
    pub changes: Vec<PreparedChange>,
    pub oldest_member: Option<MultiXactId>,
}

impl State {
    /// As the log has it: without the checksum, which the file's length counts nevertheless.
    pub fn encode(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(256);
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        b.put_u32(MAGIC);
        b.put_u32(0);
        b.put_u32(self.xid.0);
        b.put_u32(self.database.0);
        b.put_i64(self.prepared_at);
        b.put_u32(self.owner.0);
        b.put_i32(count(self.subs.len()));
        b.put_i32(count(self.dropped.len()));
        b.put_i32(count(self.created.len()));
        b.put_i32(0);
        b.put_i32(0);
        b.put_i32(count(self.invalidations.len()));
        b.put_u8(self.relcache_init_file.into());
        b.put_u8(0);
        b.put_u16(u16::try_from(self.gid.len() + 1).unwrap_or(u16::MAX));
        b.put_u64(Lsn::INVALID.0);
        b.put_i64(0);
        b.put(self.gid.as_bytes());
        b.put_u8(0);
        pad(&mut b);
        self.subs.iter().for_each(|x| b.put_u32(x.0));
        pad(&mut b);
        self.dropped.iter().for_each(|l| b.put_locator(*l));
        pad(&mut b);
        self.created.iter().for_each(|l| b.put_locator(*l));
        pad(&mut b);
        self.invalidations.iter().for_each(|m| b.put(m));
        pad(&mut b);
        for (tag, mode) in &self.locks {
            let mut data = lock_tag(*tag);
            data.put_i32(*mode as i32);
            record(&mut b, LOCK, &data);
        }
        self.changes.iter().for_each(|c| record(&mut b, STATISTICS, &change(c)));
        if let Some(multi) = self.oldest_member {
            record(&mut b, MULTIXACT, &multi.0.to_le_bytes());
        }
        record(&mut b, END, &[]);
        let total = u32::try_from(b.len() + CHECKSUM).unwrap_or(u32::MAX);
        b[4..8].copy_from_slice(&total.to_le_bytes());
        b
    }

    pub fn decode(bytes: &[u8]) -> Result<State> {
        let mut r = Reader::new(bytes);
        if r.u32()? != MAGIC {
            return Err(PgError::new(DATA_CORRUPTED, "invalid magic number stored in two-phase state"));
        }
        r.skip(4)?;
        let (xid, database, prepared_at, owner) = (r.xid()?, r.oid()?, r.i64()?, r.oid()?);
        let mut counts = [0usize; 6];
        for n in &mut counts {
            *n = usize::try_from(r.i32()?).map_err(|_| damaged())?;
        }
        let [subs, dropped, created, stats_commit, stats_abort, messages] = counts;
        let relcache_init_file = r.u8()? != 0;
        r.skip(1)?;
        let gid_len = usize::from(r.u16()?);
        r.skip(16)?;
        let gid = r.bytes(gid_len)?;
        let gid = String::from_utf8_lossy(gid.strip_suffix(b"\0").unwrap_or(gid)).into_owned();
        r.align(ALIGN)?;
        let subs = (0..subs).map(|_| r.xid()).collect::<Result<_>>()?;
        r.align(ALIGN)?;
        let dropped = (0..dropped).map(|_| r.locator()).collect::<Result<_>>()?;
        r.align(ALIGN)?;
        let created = (0..created).map(|_| r.locator()).collect::<Result<_>>()?;
        r.align(ALIGN)?;
        // Statistics that go with dropped objects: ours go by themselves.
        r.skip(16usize.checked_mul(stats_commit + stats_abort).ok_or_else(damaged)?)?;
        let mut invalidations = Vec::new();
        for _ in 0..messages {
            let mut message = [0; 16];
            message.copy_from_slice(r.bytes(16)?);
            invalidations.push(message);
        }
        let mut state = State {
            xid,
            database,
            prepared_at,
            owner,
            gid,
            subs,
            dropped,
            created,
            invalidations,
            relcache_init_file,
            ..State::default()
        };
        loop {
            r.align(ALIGN)?;
            let (len, kind) = (r.u32()?, r.u8()?);
            r.skip(3)?;
            let mut data = Reader::new(r.bytes(len as usize)?);
            match kind {
                END => return Ok(state),
                LOCK => state.locks.extend(read_lock(&mut data)?),
                STATISTICS => state.changes.push(read_change(&mut data)?),
                MULTIXACT => state.oldest_member = Some(data.multi()?),
                // Locks of SERIALIZABLE: a conflict with a transaction from before a restart is not looked for.
                _ => {}
            }
        }
    }

    /// A file's content.
    pub fn to_file(encoded: &[u8]) -> Vec<u8> {
        let mut file = encoded.to_vec();
        file.put_u32(crc32c::crc32c(encoded));
        file
    }
    /// Checks a file's length and checksum; what is left is as in the log.
    pub fn check_file(path: &str, file: &[u8]) -> Result<Vec<u8>> {
        let corrupted = |text: String| Err(PgError::new(DATA_CORRUPTED, text));
        let Some((content, sum)) = file.split_last_chunk::<CHECKSUM>().filter(|(c, _)| c.len() >= 80) else {
            return corrupted(format!("incorrect size of file \"{path}\": {} bytes", file.len()));
        };
        if content[..4] != MAGIC.to_le_bytes() {
            return corrupted(format!("invalid magic number stored in file \"{path}\""));
        }
        if content[4..8] != (file.len() as u32).to_le_bytes() {
            return corrupted(format!("invalid size stored in file \"{path}\""));
        }
        if crc32c::crc32c(content).to_le_bytes() != *sum {
            return corrupted(format!("calculated CRC checksum does not match value stored in file \"{path}\""));
        }
        Ok(content.to_vec())
    }
}

#[cold]
fn damaged() -> PgError {
    PgError::new(DATA_CORRUPTED, "two-phase state is damaged")
}

fn pad(b: &mut Vec<u8>) {
    b.resize(b.len().next_multiple_of(ALIGN), 0);
}

/// (PostgreSQL: `TwoPhaseRecordOnDisk`)
fn record(b: &mut Vec<u8>, kind: u8, data: &[u8]) {
    b.put_u32(data.len() as u32);
    b.put(&[kind, 0, 0, 0]);
    b.put(data);
    pad(b);
}

/// (PostgreSQL: `LOCKTAG`)
fn lock_tag(tag: LockTag) -> Vec<u8> {
    let (a, b, c, d, kind) = match tag {
        LockTag::Relation { db, rel } => (db.0, rel.0, 0, 0, 0),
        LockTag::Extend { db, rel } => (db.0, rel.0, 0, 0, 1),
        LockTag::FrozenIds { db } => (db.0, 0, 0, 0, 2),
        LockTag::Page { db, rel, block } => (db.0, rel.0, block.0, 0, 3),
        LockTag::Tuple { db, rel, block, offset } => (db.0, rel.0, block.0, offset, 4),
        LockTag::Transaction(xid) => (xid.0, 0, 0, 0, 5),
        LockTag::VirtualTransaction { proc, local_xid } => (proc, local_xid, 0, 0, 6),
        LockTag::SpeculativeToken { xid, token } => (xid.0, token, 0, 0, 7),
        LockTag::Object { db, class, object, sub } => (db.0, class.0, object.0, sub, 8),
        LockTag::Advisory { db, key1, key2, sub } => (db.0, key1, key2, sub, 10),
    };
    let mut bytes = Vec::with_capacity(20);
    [a, b, c].into_iter().for_each(|n| bytes.put_u32(n));
    bytes.put_u16(d);
    bytes.put_u8(kind);
    // (PostgreSQL: `DEFAULT_LOCKMETHOD`, `USER_LOCKMETHOD`)
    bytes.put_u8(if kind == 10 { 2 } else { 1 });
    bytes
}

/// `None`: of a kind that means nothing here.
fn read_lock(r: &mut Reader<'_>) -> Result<Option<(LockTag, LockMode)>> {
    let (a, b, c, d) = (r.u32()?, r.u32()?, r.u32()?, r.u16()?);
    let (kind, _method, mode) = (r.u8()?, r.u8()?, r.i32()?);
    let mode = u8::try_from(mode).ok().and_then(LockMode::from_u8).ok_or_else(damaged)?;
    let (db, block) = (Oid(a), base::BlockNumber(c));
    let tag = match kind {
        0 => LockTag::Relation { db, rel: Oid(b) },
        1 => LockTag::Extend { db, rel: Oid(b) },
        2 => LockTag::FrozenIds { db },
        3 => LockTag::Page { db, rel: Oid(b), block },
        4 => LockTag::Tuple { db, rel: Oid(b), block, offset: d },
        5 => LockTag::Transaction(Xid(a)),
        7 => LockTag::SpeculativeToken { xid: Xid(a), token: b },
        8 => LockTag::Object { db, class: Oid(b), object: Oid(c), sub: d },
        10 => LockTag::Advisory { db, key1: b, key2: c, sub: d },
        _ => return Ok(None),
    };
    Ok(Some((tag, mode)))
}

/// (PostgreSQL: `TwoPhasePgStatRecord`)
fn change(c: &PreparedChange) -> Vec<u8> {
    let mut b = Vec::with_capacity(56);
    c.rows.iter().chain(&c.before).for_each(|n| b.put_i64(*n));
    b.put_u32(c.table.0);
    b.put(&[c.shared.into(), c.truncated.into(), 0, 0]);
    b
}

fn read_change(r: &mut Reader<'_>) -> Result<PreparedChange> {
    let mut six = [0; 6];
    for n in &mut six {
        *n = r.i64()?;
    }
    let [a, b, c, d, e, f] = six;
    let (table, shared, truncated) = (r.oid()?, r.u8()? != 0, r.u8()? != 0);
    Ok(PreparedChange { table, shared, truncated, rows: [a, b, c], before: [d, e, f] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let db = Oid(5);
        let locator = |rel: Oid| RelFileLocator { spc: Oid(1663), db, rel };
        let state = State {
            xid: Xid(740),
            database: db,
            prepared_at: 123_456_789,
            owner: Oid(10),
            gid: "a gid".into(),
            subs: vec![Xid(741), Xid(742), Xid(745)],
            dropped: vec![locator(Oid(16400))],
            created: vec![locator(Oid(16401)), locator(Oid(16402))],
            invalidations: vec![[7; 16]],
            relcache_init_file: true,
            locks: vec![
                (LockTag::Relation { db, rel: Oid(16400) }, LockMode::AccessExclusive),
                (LockTag::Transaction(Xid(740)), LockMode::Exclusive),
                (LockTag::Advisory { db, key1: 1, key2: 2, sub: 2 }, LockMode::Share),
            ],
            changes: vec![PreparedChange {
                table: Oid(16400),
                shared: false,
                truncated: true,
                rows: [1, 2, 3],
                before: [4, 5, 6],
            }],
            oldest_member: Some(MultiXactId(9)),
        };
        let bytes = state.encode();
        assert_eq!(bytes.len() % ALIGN, 0);
        assert_eq!(State::decode(&bytes).unwrap(), state);
        let mut file = State::to_file(&bytes);
        assert_eq!(State::check_file("f", &file).unwrap(), bytes);
        file[60] ^= 1;
        let error = State::check_file("f", &file).unwrap_err();
        assert!(error.message().starts_with("calculated CRC checksum"), "{}", error.message());
    }
}
