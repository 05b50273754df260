//! Queued insertions against one by one.

use base::{Result, TupleId};
use types::{Datum, DatumRef};
use wal::ResourceManager;

use super::queue::{Entries, Progress};
use super::search::Tree;
use super::tests::{Fixture, Random, int, text_};
use crate::heap::UniqueRow;

fn tid(n: u32) -> TupleId {
    TupleId::new(base::BlockNumber(n / 100), (n % 100 + 1) as u16)
}

/// Inserts the values in sorted portions; tells the rows refused.
fn insert_all(tree: &Tree<'_>, rows: &[(Datum, TupleId)], portion: usize, check: bool) -> Result<Vec<TupleId>> {
    let mut refused = Vec::new();
    for part in rows.chunks(portion) {
        let mut entries = Entries::default();
        let mut t = Vec::new();
        for (n, (value, tid)) in part.iter().enumerate() {
            let values: [DatumRef<'_>; 1] = [value.as_ref()];
            tree.form(&values, *tid, &mut t)?;
            entries.push(tree, &t, n as u32)?;
        }
        entries.sort(tree)?;
        let mut at = 0;
        while at < part.len() {
            let alive = &mut |row| Ok(UniqueRow::Alive(row));
            match tree.insert_some(&entries, at, check, alive, &mut |_| Ok(base::Xid(3)))? {
                Progress::Done(n) => at += n,
                Progress::Duplicate => {
                    refused.push(super::tuple::raw_tid(entries.tuple(at)));
                    at += 1;
                }
                Progress::Wait { .. } => unreachable!(),
            }
        }
    }
    Ok(refused)
}

#[test]
fn queued_rows_are_found_as_inserted_ones() {
    for (seed, values, portion, wide) in [
        (1, 100_000, 100_000, false),
        (2, 300, 1000, false),
        (3, 50_000, 37, false),
        (4, 10_000, 2000, true),
        (5, 20, 5000, false),
    ] {
        let f = Fixture::new(vec![if wide { text_() } else { int() }], false, seed == 3);
        let mut random = Random(seed);
        let mut rows = Vec::new();
        for n in 0..30_000u32 {
            let value = random.below(values);
            let null = random.below(100) == 0;
            let datum = match wide {
                _ if null => Datum::Null,
                true => Datum::text(&format!("{value:0>200}")),
                false => Datum::i32(value as i32),
            };
            rows.push((datum, tid((n * 7919) % 30_011)));
        }
        insert_all(&f.tree(), &rows, portion, false).unwrap();
        let mut found = f.verify();
        found.sort_unstable();
        let mut expected: Vec<TupleId> = rows.iter().map(|r| r.1).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "seed {seed}");
    }
}

#[test]
fn of_equal_rows_one_is_taken() {
    let f = Fixture::new(vec![int()], true, false);
    let mut random = Random(9);
    let rows: Vec<(Datum, TupleId)> = (0..5000)
        .map(|n| (if n % 7 == 0 { Datum::Null } else { Datum::i32(random.below(2000) as i32) }, tid(n)))
        .collect();
    let refused = insert_all(&f.tree(), &rows, 777, true).unwrap();
    let mut model = std::collections::BTreeMap::new();
    let mut expected = Vec::new();
    for (value, tid) in &rows {
        match value {
            Datum::Word(w) if model.contains_key(w) => expected.push(*tid),
            Datum::Word(w) => drop(model.insert(*w, *tid)),
            _ => {}
        }
    }
    let mut sorted = refused.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(f.verify().len(), rows.len() - refused.len());
}

#[test]
fn redo_repeats_queued_insertions() {
    for (seed, values) in [(1u64, 100_000), (2, 200)] {
        let cluster = crate::testing::Cluster::new(seed, 2000);
        let mut f = Fixture::new(vec![int()], false, false);
        f.pool = cluster.pool().clone();
        f.pool.smgr().create(f.index.locator, base::ForkNumber::Main, true).unwrap();
        f.tree().build_empty(base::ForkNumber::Main, true).unwrap();
        let replica = Fixture::new(vec![int()], false, false);
        let begin = cluster.wal.insert_position();
        let mut random = Random(seed);
        let rows: Vec<(Datum, TupleId)> =
            (0..30_000).map(|n| (Datum::i32(random.below(values) as i32), tid((n * 7919) % 30_011))).collect();
        let tree = Tree { log: Some(&*cluster.wal), ..f.tree() };
        insert_all(&tree, &rows[..10_000], 10_000, false).unwrap();
        insert_all(&tree, &rows[10_000..20_000], 300, false).unwrap();
        insert_all(&tree, &rows[20_000..], 10_000, false).unwrap();
        cluster.wal.flush(cluster.wal.insert_position()).unwrap();

        let vfs: std::sync::Arc<dyn storage::Vfs> = std::sync::Arc::new(cluster.vfs.clone());
        let cx = wal::RedoContext::new(replica.pool.clone(), vfs.clone());
        let mut reader = wal::reader::Reader::new(vfs, cluster.wal.segments(), base::TimelineId(1), 4711);
        reader.seek(begin);
        let mut images = 0;
        while let wal::reader::Next::Record(record) = reader.next().unwrap() {
            if record.rmgr == wal::RmgrId::BTREE.0 {
                super::wal::NbtreeRmgr.redo(&cx, &record).unwrap();
            } else if record.rmgr == wal::RmgrId::XLOG.0 && record.info & 0xF0 == 0xB0 {
                images += 1;
                assert!(cx.read_buffer_for_redo(&record, 0).unwrap().into_page().is_some());
            }
        }
        assert!(images > 0);
        assert_eq!(replica.verify(), f.verify());
    }
}
