//! Sequences: a relation of one page with one tuple, overwritten in place.
//!
//! To write a record every 32 values only, a record tells a value 32 further on than what was handed out; `log_cnt` on the
//! page counts how many of them are left. After a crash the sequence goes on from there, leaving a gap. The first change
//! after a checkpoint writes a record in any case: the page may be torn.
//!
//! PostgreSQL: `sequence.c`.

use std::sync::Arc;

use base::sqlstate::DATA_CORRUPTED;
use base::{BlockNumber, ForkNumber, PgError, RelFileLocator, Result, TupleId, Xid};
use storage::page::{AddItem, Page};
use storage::{BufferTag, Critical, OwnedExclusive, critical};
use txn::Transaction;
use wal::{Record, RecordBuilder, RedoContext, RegBuf, ResourceManager, RmgrId};

use crate::tuple::{HEADER_SIZE, header, infomask};

/// In the page's special space. (PostgreSQL: `SEQ_MAGIC`)
const MAGIC: u32 = 0x1717;
/// Values that one record covers. (PostgreSQL: `SEQ_LOG_VALS`)
const LOG_VALUES: i64 = 32;
/// Where the data begins in the tuple.
const DATA: usize = 24;
const TUPLE_LEN: usize = DATA + 17;
const OP_LOG: u8 = 0;

/// What the page holds. (PostgreSQL: `FormData_pg_sequence_data`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceData {
    pub last_value: i64,
    pub log_cnt: i64,
    pub is_called: bool,
}

impl SequenceData {
    /// A new sequence's.
    pub fn starting_at(start: i64) -> SequenceData {
        SequenceData { last_value: start, log_cnt: 0, is_called: false }
    }
    fn put(self, t: &mut [u8]) {
        t[DATA..DATA + 8].copy_from_slice(&self.last_value.to_le_bytes());
        t[DATA + 8..DATA + 16].copy_from_slice(&self.log_cnt.to_le_bytes());
        t[DATA + 16] = u8::from(self.is_called);
    }
    fn read(t: &[u8]) -> Option<SequenceData> {
        let i64_at = |at: usize| t.get(at..at + 8).and_then(|b| b.try_into().ok()).map(i64::from_le_bytes);
        Some(SequenceData { last_value: i64_at(DATA)?, log_cnt: i64_at(DATA + 8)?, is_called: *t.get(DATA + 16)? != 0 })
    }
}

/// The sequence's parameters. (PostgreSQL: `pg_sequence`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceDef {
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
}

/// Values taken at once: `first`, and so on by the increment up to `last` (starting over where the sequence cycles).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    pub first: i64,
    pub last: i64,
}

/// The page of a new sequence; needs no running server.
pub fn new_page(data: SequenceData) -> Box<Page> {
    let mut page = Page::boxed();
    page.init(4);
    page.special_mut()[..4].copy_from_slice(&MAGIC.to_le_bytes());
    let mut t = vec![0; TUPLE_LEN];
    header::set_xmin(&mut t, Xid::FROZEN);
    header::set_infomask(&mut t, infomask::XMIN_FROZEN | infomask::XMAX_INVALID);
    header::set_infomask2(&mut t, 3);
    header::set_ctid(&mut t, TupleId::new(BlockNumber(0), 1));
    t[HEADER_SIZE - 1] = DATA as u8;
    data.put(&mut t);
    page.add_item(&t, AddItem::Anywhere).expect("an empty page has room");
    page
}

/// Writes the first page of a new sequence, whose file (`fork`: main, or init of an unlogged one) exists and is empty.
/// (PostgreSQL: `fill_seq_fork_with_data`)
pub fn create(
    txn: &Transaction,
    locator: RelFileLocator,
    fork: ForkNumber,
    needs_wal: bool,
    data: SequenceData,
) -> Result<()> {
    let xid = if needs_wal { txn.top_xid()? } else { Xid::INVALID };
    let mut page = txn.manager().pool().extend(locator, fork, None)?;
    let new = new_page(data);
    critical(|section| {
        page.write(section).copy_from(&new);
        if needs_wal || fork == ForkNumber::Init {
            log(txn, section, &mut page, locator, xid, None);
        }
    });
    Ok(())
}

/// (PostgreSQL: `read_seq_tuple`)
fn open(txn: &Transaction, locator: RelFileLocator) -> Result<(OwnedExclusive, SequenceData)> {
    let page = txn.manager().pool().read_exclusive(locator, BlockNumber(0))?;
    let magic = page.special().get(..4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    if magic != MAGIC {
        let text = format!("bad magic number in sequence \"{}\": {magic:08X}", locator.rel);
        return Err(PgError::new(DATA_CORRUPTED, text));
    }
    let data = page.item(1).filter(|t| t.len() == TUPLE_LEN).and_then(SequenceData::read);
    let data = data.ok_or_else(|| PgError::new(DATA_CORRUPTED, "the tuple of a sequence is damaged"))?;
    Ok((page, data))
}

/// What the page holds now.
pub fn read(txn: &Transaction, locator: RelFileLocator) -> Result<SequenceData> {
    open(txn, locator).map(|(_, data)| data)
}

/// `logged`: what the record shall say, if not what the page holds.
fn log(
    txn: &Transaction,
    section: &Critical,
    page: &mut OwnedExclusive,
    locator: RelFileLocator,
    xid: Xid,
    logged: Option<SequenceData>,
) {
    let mut main = Vec::with_capacity(12 + TUPLE_LEN);
    for oid in [locator.spc, locator.db, locator.rel] {
        main.extend_from_slice(&oid.0.to_le_bytes());
    }
    let mut t = page.item(1).unwrap_or(&[]).to_vec();
    if let Some(data) = logged {
        data.put(&mut t);
    }
    main.extend_from_slice(&t);
    let record =
        RecordBuilder::new(RmgrId::SEQ, OP_LOG).xid(xid).main_data(&main).register_buffer(0, &*page, RegBuf::WILL_INIT);
    let lsn = txn.manager().wal().insert(section, record);
    page.set_lsn(section, lsn);
    txn.note_wal(lsn);
}

/// The value after `at`; `None` beyond the limit.
fn step(at: i64, def: &SequenceDef) -> Option<i64> {
    let next = at.checked_add(def.increment)?;
    let beyond = if def.increment > 0 { next > def.max } else { next < def.min };
    (!beyond).then_some(next)
}

/// Takes `def.cache` values. `None`: the limit is reached and it does not cycle (2200H is the caller's to raise).
/// (PostgreSQL: `nextval_internal`)
pub fn next(txn: &Transaction, l: RelFileLocator, needs_wal: bool, def: &SequenceDef) -> Result<Option<Taken>> {
    let (mut page, data) = open(txn, l)?;
    let cache = def.cache.max(1);
    let (mut next, mut last, mut first) = (data.last_value, data.last_value, data.last_value);
    let (mut fetch, mut log_cnt, mut taken) = (cache, data.log_cnt, 0);
    if !data.is_called {
        taken = 1;
        fetch -= 1;
    }
    let mut logit = log_cnt < fetch || !data.is_called;
    logit |= page.lsn() <= txn.manager().wal().redo_pointer();
    if logit {
        fetch += LOG_VALUES;
        log_cnt = fetch;
    }
    while fetch > 0 {
        next = match step(next, def) {
            Some(n) => n,
            // Some values are better than none.
            None if taken > 0 => break,
            None if !def.cycle => return Ok(None),
            None if def.increment > 0 => def.min,
            None => def.max,
        };
        fetch -= 1;
        if taken < cache {
            log_cnt -= 1;
            taken += 1;
            last = next;
            if taken == 1 {
                first = next;
            }
        }
    }
    log_cnt -= fetch;
    let xid = if logit && needs_wal { txn.top_xid()? } else { Xid::INVALID };
    let new = SequenceData { last_value: last, log_cnt, is_called: true };
    critical(|section| {
        new.put(page.write(section).item_mut(1).expect("looked at above"));
        if logit && needs_wal {
            let ahead = SequenceData { last_value: next, log_cnt: 0, is_called: true };
            log(txn, section, &mut page, l, xid, Some(ahead));
        }
    });
    if needs_wal {
        // The value may be promised by a record of a transaction that is still open. Ours waits for it too, so that no value is
        // given out again after a crash.
        txn.note_wal(page.lsn());
    }
    Ok(Some(Taken { first, last }))
}

/// (PostgreSQL: `do_setval`, and ALTER SEQUENCE)
pub fn set(txn: &Transaction, l: RelFileLocator, needs_wal: bool, data: SequenceData) -> Result<()> {
    let xid = if needs_wal { txn.top_xid()? } else { Xid::INVALID };
    let (mut page, _) = open(txn, l)?;
    critical(|section| {
        data.put(page.write(section).item_mut(1).expect("looked at above"));
        if needs_wal {
            log(txn, section, &mut page, l, xid, None);
        }
    });
    Ok(())
}

/// The resource manager of [`RmgrId::SEQ`].
pub struct SequenceManager;

impl ResourceManager for SequenceManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        let t = record.main.get(12..).filter(|t| t.len() >= HEADER_SIZE);
        let t = t.ok_or_else(|| record.damaged("a sequence record is too short"))?;
        let mut page = cx.init_buffer_for_redo(record, 0)?;
        let mut new = Page::boxed();
        new.init(4);
        new.special_mut()[..4].copy_from_slice(&MAGIC.to_le_bytes());
        if new.add_item(t, AddItem::Anywhere).is_none() {
            return Err(record.damaged("failed to add item to page"));
        }
        critical(|section| {
            page.write(section).copy_from(&new);
            page.set_lsn(section, record.end);
        });
        Ok(())
    }
    fn identify(&self, info: u8) -> Option<String> {
        (info & 0xF0 == OP_LOG).then(|| "LOG".to_owned())
    }
    fn desc(&self, record: &Record, out: &mut String) {
        let mut r = record.main_reader();
        if let Ok(l) = r.locator() {
            out.push_str(&format!("rel {}/{}/{}", l.spc, l.db, l.rel));
        }
    }
}

/// Registers the resource manager.
pub fn register(table: &mut wal::RmgrTable) {
    table.register(RmgrId::SEQ, Arc::new(SequenceManager));
}

/// A page of a sequence by name, for tools.
pub fn tag(locator: RelFileLocator) -> BufferTag {
    BufferTag::main(locator, BlockNumber(0))
}

#[cfg(test)]
mod tests {
    use base::Oid;
    use storage::Persistence;

    use super::*;
    use crate::testing::{Cluster, DB};

    #[test]
    fn values_in_order() {
        let c = Cluster::new(7, 32);
        let p = c.session(1);
        let txn = c.begin(&p);
        let l = RelFileLocator { spc: Oid(1663), db: DB, rel: Oid(777) };
        txn.create_storage(l, Persistence::Permanent).unwrap();
        create(&txn, l, ForkNumber::Main, true, SequenceData::starting_at(1)).unwrap();
        let def = SequenceDef { increment: 1, min: 1, max: 40, cache: 1, cycle: false };
        for i in 1..=40 {
            assert_eq!(next(&txn, l, true, &def).unwrap(), Some(Taken { first: i, last: i }));
        }
        assert_eq!(next(&txn, l, true, &def).unwrap(), None);
        let cycling = SequenceDef { cycle: true, cache: 3, ..def };
        assert_eq!(next(&txn, l, true, &cycling).unwrap(), Some(Taken { first: 1, last: 3 }));
        set(&txn, l, true, SequenceData { last_value: 10, log_cnt: 0, is_called: false }).unwrap();
        assert_eq!(next(&txn, l, true, &def).unwrap(), Some(Taken { first: 10, last: 10 }));
        let down = SequenceDef { increment: -5, min: -20, max: 40, cache: 1, cycle: false };
        assert_eq!(next(&txn, l, true, &down).unwrap(), Some(Taken { first: 5, last: 5 }));
        assert_eq!(read(&txn, l).unwrap(), SequenceData { last_value: 5, log_cnt: 29, is_called: true });
        txn.commit().unwrap();
    }
}
