use std::sync::Arc;

use base::{Oid, RelFileLocator};
use storage::Persistence;
use types::{Align, Attribute, Comparator, Datum, DatumRef, TupleDesc};

use super::*;
use crate::heap::{AttrSet, Fetcher, InsertOptions, Look, ModifyOptions, Outcome};
use crate::index::{BuildSource, IndexAm, IndexRelation, KeyOrder};
use crate::nbtree::Nbtree;
use crate::testing::{Cluster, DB};
use crate::tuple::Projection;

/// A table `(a int4, b text, c text external, d text main)` with its TOAST table.
fn table(c: &Cluster, txn: &Transaction, method: Compression) -> Arc<HeapRelation> {
    let locator = |n| RelFileLocator { spc: Oid(1663), db: DB, rel: Oid(n) };
    let layout = |attrs| Arc::new(TupleLayout::new(&Arc::new(TupleDesc::new(attrs))));
    let text = |name: &str, storage| {
        let mut a = Attribute::new(name, Oid(25), -1, false, Align::Int);
        a.storage = storage;
        a
    };
    let id = Attribute::new("chunk_id", Oid(26), 4, true, Align::Int);
    let seq = Attribute::new("chunk_seq", Oid(23), 4, true, Align::Int);
    for n in [30000, 30001, 30002] {
        txn.create_storage(locator(n), Persistence::Permanent).unwrap();
    }
    let chunks = layout(vec![id.clone(), seq.clone(), text("chunk_data", b'p')]);
    let mut heap = HeapRelation::new(Oid(30001), "pg_toast_30000", locator(30001), chunks);
    heap.is_toast = true;
    heap.indexed = AttrSet::from_iter([0, 1]);
    let key = |compare| KeyOrder { compare, descending: false, nulls_first: false, collation: Oid(0) };
    let am = Arc::new(Nbtree::new());
    let index = Arc::new(IndexRelation {
        oid: Oid(30002),
        name: "pg_toast_30000_index".into(),
        locator: locator(30002),
        heap: Oid(30001),
        layout: layout(vec![id, seq]),
        keys: vec![key(Comparator::Oid), key(Comparator::Int4)],
        unique: true,
        nulls_not_distinct: false,
        persistence: Persistence::Permanent,
        is_catalog: false,
        is_shared: false,
        fillfactor: 0,
        deduplicate: false,
        start: crate::index::IndexStart::default(),
        am: am.clone(),
    });
    let nothing: &mut BuildSource<'_> = &mut |_| Ok(());
    am.build(txn, &index, nothing, 1 << 20).unwrap();
    let a = Attribute::new("a", Oid(23), 4, true, Align::Int);
    let attrs = vec![a, text("b", b'x'), text("c", b'e'), text("d", b'm')];
    let mut rel = HeapRelation::new(Oid(30000), "t", locator(30000), layout(attrs));
    rel.toast = Some(Arc::new(ToastRelation { heap: Arc::new(heap), index }));
    rel.default_compression = method;
    let _ = c;
    Arc::new(rel)
}

fn noise(n: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as u8
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn long_values_come_back() {
    for method in [Compression::Pglz, Compression::Lz4] {
        let c = Cluster::new(9, 256);
        let p = c.session(1);
        let txn = c.begin(&p);
        let rel = table(&c, &txn, method);
        let toast = rel.toast.clone();
        let values: Vec<Vec<Datum>> =
            [(10, 10, 10), (3000, 0, 0), (5000, 5000, 5000), (100_000, 0, 3000), (0, 70_000, 9000)]
                .iter()
                .flat_map(|&(b, e, m)| {
                    let plain = |n: usize| Datum::bytes("abcdefgh".repeat(n / 8 + 1).into_bytes());
                    let row = |f: &dyn Fn(usize) -> Datum| vec![Datum::i32(1), f(b), f(e), f(m)];
                    [row(&plain), row(&|n| Datum::bytes(noise(n, n as u64)))]
                })
                .collect();
        let mut tids = Vec::new();
        for row in &values {
            tids.push(rel.insert(&txn, row, InsertOptions::default(), None).unwrap());
        }
        txn.commit().unwrap();
        let txn = c.begin(&p);
        let read = |txn: &Transaction, tid| -> Vec<Datum> {
            let mut f = Fetcher::new(rel.clone(), Projection::default());
            let raw = f.fetch_with(txn, tid, Look::SelfNow, |b| {
                let mut all = Vec::new();
                rel.layout.deform_all(b, &mut all)?;
                Ok(all.iter().map(|&d| d.to_owned()).collect::<Vec<_>>())
            });
            raw.unwrap().expect("the row is there")
        };
        for (row, tid) in values.iter().zip(&tids) {
            for (i, (stored, value)) in read(&txn, *tid).iter().zip(row).enumerate() {
                assert_eq!(detoast(&txn, toast.as_deref(), stored.as_ref()).unwrap(), *value, "column {i}");
                let bytes = value.as_ref().as_bytes();
                if bytes.len() > 2500 {
                    let slice = detoast_slice(&txn, toast.as_deref(), stored.as_ref(), 2001, Some(30)).unwrap();
                    assert_eq!(slice.as_ref().as_bytes(), &bytes[2001..2031]);
                }
            }
        }
        // An update that leaves a long value alone keeps its pointer; one that changes it deletes the chunks.
        let mut row = read(&txn, tids[5]);
        let DatumRef::Toasted(b) = row[1].as_ref() else { panic!("not moved out") };
        let pointer = ToastPointer::read(b).unwrap();
        row[0] = Datum::i32(2);
        let u = rel.update(&txn, tids[5], &row, ModifyOptions::new(txn.command_id())).unwrap();
        assert_eq!((u.outcome, &read(&txn, u.tid)[1]), (Outcome::Ok, &row[1]));
        assert_eq!(fetch(&txn, toast.as_deref(), &pointer, None).unwrap().len(), pointer.ext_size as usize);
        txn.command_counter_increment().unwrap();
        row[1] = Datum::text("short now");
        let u = rel.update(&txn, u.tid, &row, ModifyOptions::new(txn.command_id())).unwrap();
        txn.command_counter_increment().unwrap();
        assert_eq!(rel.delete(&txn, u.tid, ModifyOptions::new(txn.command_id())).unwrap(), Outcome::Ok);
        txn.commit().unwrap();
    }
}
