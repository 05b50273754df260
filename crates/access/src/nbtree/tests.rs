//! The tree against an ordered list, and its structure against the rules (as amcheck checks them).

use std::cmp::Ordering;
use std::sync::Arc;

use base::{BlockNumber, FullXid, Interrupt, Oid, RelFileLocator, Result, TupleId, Xid};
use storage::{BufferPool, Persistence, PoolOptions, SimVfs, Smgr};
use types::{Align, Attribute, Comparator, Datum, DatumRef, TupleDesc};

use super::insert::{Attempt, InsertRequest};
use super::page::{HIGH_KEY, NONE, Opaque};
use super::search::{SearchKey, Tree};
use super::vacuum::VacuumRun;
use super::{Nbtree, VacuumCycles, scan::NbtreeScan, tuple};
use crate::heap::UniqueRow;
use crate::index::{
    Direction, IndexBatch, IndexBuild, IndexInsert, IndexRelation, IndexScanOptions, IndexVacuumStats, KeyOrder,
    ScanKey, ScanStrategy, UniqueCheck,
};
use crate::tuple::TupleLayout;

pub(super) struct Fixture {
    pub pool: Arc<BufferPool>,
    pub index: Arc<IndexRelation>,
    pub cycles: Arc<VacuumCycles>,
}

pub(super) struct Random(pub u64);
impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

pub(super) fn int() -> (Attribute, Comparator) {
    (Attribute::new("a", Oid(23), 4, true, Align::Int), Comparator::Int4)
}
pub(super) fn text_() -> (Attribute, Comparator) {
    (Attribute::new("b", Oid(25), -1, false, Align::Int), Comparator::Bytes)
}

impl Fixture {
    pub fn new(columns: Vec<(Attribute, Comparator)>, unique: bool, descending: bool) -> Fixture {
        let smgr = Arc::new(Smgr::new(Arc::new(SimVfs::new(1))));
        let locator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };
        smgr.create(locator, base::ForkNumber::Main, false).unwrap();
        let pool = BufferPool::new(PoolOptions { buffers: 8000, checksums: true }, smgr);
        let keys = columns.iter().map(|(_, compare)| KeyOrder {
            compare: compare.clone(),
            descending,
            nulls_first: descending,
            collation: Oid(0),
        });
        let keys = keys.collect();
        let desc = Arc::new(TupleDesc::new(columns.into_iter().map(|c| c.0).collect()));
        let index = Arc::new(IndexRelation {
            oid: Oid(16384),
            name: "i".into(),
            locator,
            heap: Oid(16000),
            layout: Arc::new(TupleLayout::new(&desc)),
            keys,
            unique,
            nulls_not_distinct: false,
            persistence: Persistence::Permanent,
            is_catalog: false,
            is_shared: false,
            fillfactor: 0,
            deduplicate: true,
            start: crate::index::IndexStart::default(),
            am: Arc::new(Nbtree::new()),
        });
        let f = Fixture { pool, index, cycles: Arc::default() };
        f.tree().build_empty(base::ForkNumber::Main, true).unwrap();
        f
    }
    pub fn tree(&self) -> Tree<'_> {
        const ALWAYS: &dyn Fn(FullXid) -> bool = &|_| true;
        Tree {
            pool: &self.pool,
            index: &self.index,
            log: None,
            xid: Xid::INVALID,
            cycles: &self.cycles,
            recyclable: ALWAYS,
            watched: None,
            ssi: None,
        }
    }
    fn insert_checked(&self, values: &[Datum], tid: TupleId, check: UniqueCheck, state: UniqueRow) -> Result<Attempt> {
        let tree = self.tree();
        let values: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
        let mut t = Vec::new();
        tree.form(&values, tid, &mut t)?;
        tree.insert(&mut InsertRequest {
            tuple: &t,
            check,
            never_equal: values.iter().any(|v| v.is_null()),
            row_state: &mut |_| Ok(state),
            dead_rows: &mut |_| Ok(Xid(3)),
        })
    }
    pub fn insert(&self, values: &[Datum], tid: TupleId) {
        let done = self.insert_checked(values, tid, UniqueCheck::No, UniqueRow::Dead { for_all: false }).unwrap();
        assert_eq!(done, Attempt::Done(IndexInsert::Inserted));
    }
    fn scan(&self, keys: Vec<ScanKey>, direction: Direction) -> Vec<TupleId> {
        let options = IndexScanOptions { want_tuples: false };
        let mut scan =
            NbtreeScan::new(self.pool.clone(), self.index.clone(), self.cycles.clone(), keys, options).unwrap();
        let mut out = IndexBatch::default();
        while scan.next_batch(direction, &mut out, None).unwrap() {}
        out.tids
    }
    pub fn vacuum(&self, mut is_dead: impl FnMut(TupleId) -> bool) -> IndexVacuumStats {
        let cycle = self.cycles.start(self.index.locator);
        let mut run = VacuumRun {
            strategy: None,
            interrupt: &Interrupt::new(),
            delay: &mut || Ok(()),
            next_xid: &|| FullXid(100),
            cycle_id: cycle.id,
            deleted: Vec::new(),
            stats: IndexVacuumStats::default(),
        };
        self.tree().vacuum(&mut run, Some(&mut is_dead)).unwrap();
        run.stats
    }
    /// Checks the structure; returns all row places in order.
    pub fn verify(&self) -> Vec<TupleId> {
        let tree = self.tree();
        let meta = tree.meta().unwrap();
        let mut all = Vec::new();
        if meta.root == NONE {
            return all;
        }
        let mut leftmost = meta.root;
        let mut expected_children: Option<Vec<BlockNumber>> = None;
        for level in (0..=meta.level).rev() {
            let (pages, children) = self.verify_level(&tree, leftmost, level, &mut all);
            if let Some(expected) = expected_children {
                assert_eq!(pages, expected, "the downlinks to level {level}");
            }
            leftmost = children.first().copied().unwrap_or(NONE);
            expected_children = Some(children);
        }
        all
    }
    fn verify_level(
        &self,
        tree: &Tree<'_>,
        first: BlockNumber,
        level: u32,
        all: &mut Vec<TupleId>,
    ) -> (Vec<BlockNumber>, Vec<BlockNumber>) {
        let (mut pages, mut children) = (Vec::new(), Vec::new());
        let (mut block, mut prev) = (first, NONE);
        let mut low: Option<Vec<u8>> = None;
        while block != NONE {
            let page = tree.read(block).unwrap();
            let o = Opaque::of(&page);
            assert_eq!((o.level, o.is_leaf()), (level, level == 0), "block {block}");
            assert!(!o.is_split_incomplete() && !o.is_deleted());
            assert_eq!(o.prev, prev, "left link of {block}");
            let high = (!o.is_rightmost()).then(|| page.item(HIGH_KEY).unwrap().to_vec());
            let mut last: Option<Vec<u8>> = low.clone();
            for n in o.first_data()..=page.max_offset() {
                let t = page.item(n).unwrap().to_vec();
                let minus_infinity = level > 0 && n == o.first_data();
                if !minus_infinity {
                    if let Some(last) = &last {
                        assert!(self.order(tree, last, &t) != Ordering::Greater, "order on {block} at {n}");
                    }
                    if let Some(high) = &high {
                        assert!(self.order(tree, &t, high) != Ordering::Greater, "high key of {block}, item {n}");
                    }
                    last = Some(t.clone());
                }
                match level {
                    0 => tuple::for_each_tid(&t, |tid| all.push(tid)),
                    _ => children.push(tuple::downlink(&t)),
                }
            }
            if !o.is_half_dead() {
                pages.push(block);
            }
            low = high.or(last);
            (prev, block) = (block, o.next);
        }
        (pages, children)
    }
    fn order(&self, tree: &Tree<'_>, a: &[u8], b: &[u8]) -> Ordering {
        let key = tree.key_of(a).unwrap();
        if key.columns.len() < tree.key_columns() || key.tid.is_none() {
            // A pivot's missing columns are lower than everything: not greater than what it separates.
            let natts = tuple::natts(b, tree.all_columns());
            let key = SearchKey::new(key.columns, None, false, true);
            let order = tree.compare_tuple(&key, b).unwrap();
            return if natts < key.columns.len() { order } else { order.then(Ordering::Less) };
        }
        tree.compare_tuple(&key, b).unwrap()
    }
}

fn tid(n: u32) -> TupleId {
    TupleId::new(BlockNumber(n / 100), (n % 100) as u16 + 1)
}
fn ints(n: i32) -> Vec<Datum> {
    vec![Datum::i32(n)]
}
fn cmp(column: u16, strategy: ScanStrategy, value: i32) -> ScanKey {
    ScanKey::Compare { column, strategy, value: Datum::i32(value), compare: Comparator::Int4 }
}

#[test]
fn ascending_descending_random() {
    for order in 0..3 {
        let f = Fixture::new(vec![int()], false, false);
        let mut random = Random(7);
        let n = 20_000u32;
        let mut values: Vec<i32> = (0..n as i32).collect();
        match order {
            0 => {}
            1 => values.reverse(),
            _ => (1..values.len()).rev().for_each(|i| values.swap(i, random.below(i as u64 + 1) as usize)),
        }
        for &v in &values {
            f.insert(&ints(v), tid(v as u32));
        }
        let expected: Vec<TupleId> = (0..n).map(tid).collect();
        assert_eq!(f.verify(), expected);
        assert_eq!(f.scan(vec![], Direction::Forward), expected);
        let mut reversed = f.scan(vec![], Direction::Backward);
        reversed.reverse();
        assert_eq!(reversed, expected);
        let pages = f.pool.nblocks(f.index.locator, base::ForkNumber::Main).unwrap();
        assert!(pages < [60, 125, 100][order], "{pages} pages");
    }
}

#[test]
fn duplicates_are_merged_and_split() {
    let f = Fixture::new(vec![int()], false, false);
    let mut random = Random(3);
    let mut model = Vec::new();
    for n in 0..30_000u32 {
        let value = random.below(50) as i32;
        // Row places come in no order, so that posting lists are split.
        let place = tid((n * 7919) % 30_011);
        f.insert(&ints(value), place);
        model.push((value, place));
    }
    model.sort_unstable();
    let expected: Vec<TupleId> = model.iter().map(|m| m.1).collect();
    assert_eq!(f.verify(), expected);
    let pages = f.pool.nblocks(f.index.locator, base::ForkNumber::Main).unwrap();
    assert!(pages < 60, "{pages} pages: deduplication saves");
    for value in [0, 17, 49, 50, -1] {
        let expected: Vec<TupleId> = model.iter().filter(|m| m.0 == value).map(|m| m.1).collect();
        assert_eq!(f.scan(vec![cmp(0, ScanStrategy::Equal, value)], Direction::Forward), expected);
    }
}

#[test]
fn conditions_against_a_filter() {
    for descending in [false, true] {
        let f = Fixture::new(vec![int(), text_()], false, descending);
        let mut random = Random(11);
        let mut model: Vec<(Option<i32>, String, TupleId)> = Vec::new();
        for n in 0..5000u32 {
            let a = (random.below(20) > 0).then(|| random.below(40) as i32);
            let b = format!(
                "{}{}",
                ["x", "yy", "a long text that fills more than a few bytes "][random.below(3) as usize],
                random.below(30)
            );
            let place = tid(n);
            f.insert(&[a.map_or(Datum::Null, Datum::i32), Datum::text(&b)], place);
            model.push((a, b, place));
        }
        f.verify();
        model.sort_by(|x, y| {
            let null = |v: &Option<i32>| v.is_none();
            let a = null(&x.0).cmp(&null(&y.0)).then(x.0.cmp(&y.0)).then_with(|| x.1.as_bytes().cmp(y.1.as_bytes()));
            (if descending { a.reverse() } else { a }).then(x.2.cmp(&y.2))
        });
        let text_is = |s: &str| ScanKey::Compare {
            column: 1,
            strategy: ScanStrategy::GreaterEqual,
            value: Datum::text(s),
            compare: Comparator::Bytes,
        };
        use ScanStrategy::*;
        type Case = (Vec<ScanKey>, Box<dyn Fn(&(Option<i32>, String, TupleId)) -> bool>);
        let any = |v: Vec<i32>| ScanKey::Any {
            column: 0,
            values: v.into_iter().map(Datum::i32).collect(),
            compare: Comparator::Int4,
        };
        let row = |s, a: i32, b: &str| ScanKey::Row {
            parts: vec![(0, Datum::i32(a), Comparator::Int4), (1, Datum::text(b), Comparator::Bytes)],
            strategy: s,
        };
        let cases: Vec<Case> = vec![
            (vec![], Box::new(|_| true)),
            (vec![cmp(0, Equal, 7)], Box::new(|r| r.0 == Some(7))),
            (vec![cmp(0, Less, 7)], Box::new(|r| r.0.is_some_and(|a| a < 7))),
            (vec![cmp(0, LessEqual, 7)], Box::new(|r| r.0.is_some_and(|a| a <= 7))),
            (vec![cmp(0, Greater, 33)], Box::new(|r| r.0.is_some_and(|a| a > 33))),
            (vec![cmp(0, GreaterEqual, 33)], Box::new(|r| r.0.is_some_and(|a| a >= 33))),
            (vec![cmp(0, Greater, 5), cmp(0, Less, 9)], Box::new(|r| r.0.is_some_and(|a| a > 5 && a < 9))),
            (vec![cmp(0, Greater, 9), cmp(0, Less, 5)], Box::new(|_| false)),
            (vec![ScanKey::IsNull { column: 0 }], Box::new(|r| r.0.is_none())),
            (vec![ScanKey::IsNotNull { column: 0 }], Box::new(|r| r.0.is_some())),
            (vec![cmp(0, Equal, 7), text_is("x2")], Box::new(|r| r.0 == Some(7) && r.1.as_str() >= "x2")),
            (vec![text_is("x2")], Box::new(|r| r.1.as_str() >= "x2")),
            (vec![any(vec![5, 3, 99, 3])], Box::new(|r| matches!(r.0, Some(3 | 5)))),
            (vec![any(vec![5, 3]), text_is("y")], Box::new(|r| matches!(r.0, Some(3 | 5)) && r.1.as_str() >= "y")),
            (vec![any(vec![5, 3]), cmp(0, Greater, 4)], Box::new(|r| r.0 == Some(5))),
            (vec![row(GreaterEqual, 20, "x2")], Box::new(|r| r.0.is_some_and(|a| (a, r.1.as_str()) >= (20, "x2")))),
            (vec![row(Less, 20, "x2")], Box::new(|r| r.0.is_some_and(|a| (a, r.1.as_str()) < (20, "x2")))),
            (
                vec![ScanKey::Compare { column: 0, strategy: Equal, value: Datum::Null, compare: Comparator::Int4 }],
                Box::new(|_| false),
            ),
        ];
        for (i, (keys, filter)) in cases.into_iter().enumerate() {
            let mut expected: Vec<TupleId> = model.iter().filter(|r| filter(r)).map(|r| r.2).collect();
            assert_eq!(f.scan(keys.clone(), Direction::Forward), expected, "case {i}, descending {descending}");
            expected.reverse();
            assert_eq!(f.scan(keys, Direction::Backward), expected, "case {i} backward, descending {descending}");
        }
    }
}

#[test]
fn unique_checks() {
    let f = Fixture::new(vec![int()], true, false);
    let alive = UniqueRow::Alive(tid(1));
    let none = UniqueRow::Dead { for_all: false };
    for n in 0..3000 {
        let done = f.insert_checked(&ints(n), tid(n as u32), UniqueCheck::Yes, alive).unwrap();
        assert_eq!(done, Attempt::Done(IndexInsert::Inserted), "{n}");
    }
    let again = |check, state| f.insert_checked(&ints(77), tid(9999), check, state).unwrap();
    assert_eq!(again(UniqueCheck::Yes, alive), Attempt::Done(IndexInsert::Duplicate(tid(1))));
    let wait = UniqueRow::Wait { xid: Xid(9), token: 0 };
    assert_eq!(again(UniqueCheck::Yes, wait), Attempt::Wait { xid: Xid(9), token: 0 });
    assert_eq!(again(UniqueCheck::Partial, wait), Attempt::Done(IndexInsert::MaybeDuplicate));
    assert_eq!(again(UniqueCheck::Existing, none), Attempt::Done(IndexInsert::Inserted));
    assert_eq!(again(UniqueCheck::Existing, alive), Attempt::Done(IndexInsert::Duplicate(tid(1))));
    // Dead rows do not conflict, however many there are; nulls never do.
    for n in 0..2000 {
        let dead = f.insert_checked(&ints(78), tid(20_000 + n), UniqueCheck::Yes, none).unwrap();
        assert_eq!(dead, Attempt::Done(IndexInsert::Inserted));
        f.insert_checked(&[Datum::Null], tid(30_000 + n), UniqueCheck::Yes, alive).unwrap();
    }
    assert_eq!(f.verify().len(), 3001 + 4000);
    // Known to be dead for everybody: entries are marked, and make room.
    let dead = UniqueRow::Dead { for_all: true };
    let before = f.verify().len();
    for n in 0..500 {
        f.insert_checked(&ints(78), tid(50_000 + n), UniqueCheck::Yes, dead).unwrap();
    }
    assert!(f.verify().len() < before);
}

#[test]
fn built_trees_are_as_inserted_ones() {
    // The second time in many runs, merged from a file.
    for (values, unique, memory) in
        [(1000, false, 1 << 30), (1000, false, 100_000), (100_000, true, 500_000), (300, false, 1 << 30), (0, false, 0)]
    {
        let f = Fixture::new(vec![int()], unique, false);
        let mut random = Random(5);
        let mut model: Vec<(i32, TupleId)> = match unique {
            true => (0..values).map(|n| ((n * 7919) % 100_003, tid(n as u32))).collect(),
            false => (0..values * 30).map(|n| (random.below(values.max(1) as u64) as i32, tid(n as u32))).collect(),
        };
        let rows = model.clone();
        let mut source = |sink: &mut dyn FnMut(&[DatumRef<'_>], TupleId, bool) -> Result<()>| {
            rows.iter().try_for_each(|(v, tid)| sink(&[Datum::i32(*v).as_ref()], *tid, true))
        };
        let built = f.tree().build(&mut source, memory, &mut || Ok(())).unwrap();
        assert!(matches!(built, IndexBuild::Built { index_tuples } if index_tuples == model.len() as f64));
        model.sort_unstable();
        let expected: Vec<TupleId> = model.iter().map(|m| m.1).collect();
        assert_eq!(f.verify(), expected);
        assert_eq!(f.scan(vec![], Direction::Forward), expected);
        assert!(f.pool.smgr().vfs().list("base/pgsql_tmp").map_or(true, |files| files.is_empty()));
        for n in 0..2000 {
            let v = random.below(values.max(1) as u64) as i32;
            f.insert(&ints(v), tid(5_000_000 + n));
            model.push((v, tid(5_000_000 + n)));
        }
        model.sort_unstable();
        assert_eq!(f.verify(), model.iter().map(|m| m.1).collect::<Vec<_>>());
    }
    let memory = 1 << 20;
    let f = Fixture::new(vec![int()], true, false);
    let mut source = |sink: &mut dyn FnMut(&[DatumRef<'_>], TupleId, bool) -> Result<()>| {
        sink(&[Datum::i32(1).as_ref()], tid(1), true)?;
        sink(&[Datum::i32(1).as_ref()], tid(2), false)?;
        sink(&[Datum::i32(1).as_ref()], tid(3), true)
    };
    let built = f.tree().build(&mut source, memory, &mut || Ok(())).unwrap();
    assert!(matches!(built, IndexBuild::Duplicate { first, second, .. } if (first, second) == (tid(1), tid(3))));
}

#[test]
fn vacuum_removes_deletes_recycles() {
    let f = Fixture::new(vec![int()], false, false);
    let n = 60_000u32;
    for v in 0..n {
        f.insert(&ints(v as i32 / 3), tid(v));
    }
    let pages = f.pool.nblocks(f.index.locator, base::ForkNumber::Main).unwrap();
    let gone = |t: TupleId| {
        let v = t.block.0 * 100 + u32::from(t.offset) - 1;
        (10_000..50_000).contains(&v) || v % 5 == 0
    };
    let stats = f.vacuum(gone);
    let left: Vec<TupleId> = (0..n).map(tid).filter(|t| !gone(*t)).collect();
    assert_eq!(f.verify(), left);
    assert_eq!(stats.tuples_removed as usize + left.len(), n as usize);
    assert_eq!(stats.tuples as usize, left.len());
    assert!(stats.pages_newly_deleted > pages / 2, "{stats:?} of {pages}");
    assert_eq!(f.scan(vec![], Direction::Forward), left);
    let mut back = f.scan(vec![], Direction::Backward);
    back.reverse();
    assert_eq!(back, left);
    for v in 10_000..50_000 {
        f.insert(&ints(v / 3), tid(v as u32));
    }
    // Splits in the middle leave pages half full: twice as many are needed as were deleted.
    let now = f.pool.nblocks(f.index.locator, base::ForkNumber::Main).unwrap();
    assert!(now < pages + 80, "{now} pages: deleted ones were used again");
    assert_eq!(f.verify().len(), left.len() + 40_000);
    f.vacuum(|_| true);
    assert!(f.verify().is_empty());
    assert!(f.scan(vec![], Direction::Backward).is_empty());
    f.insert(&ints(1), tid(1));
    assert_eq!(f.scan(vec![], Direction::Forward), [tid(1)]);
}

#[test]
fn concurrent_inserts_scans_and_vacuum() {
    let f = Fixture::new(vec![int()], false, false);
    let per_thread = 8000u32;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4u32)
            .map(|worker| {
                let f = &f;
                scope.spawn(move || {
                    let mut random = Random(u64::from(worker) + 1);
                    for n in 0..per_thread {
                        let value = random.below(10_000) as i32;
                        f.insert(&ints(value), tid(worker * per_thread + n));
                        if n % 500 == 0 {
                            let found = f.scan(vec![cmp(0, ScanStrategy::Equal, value)], Direction::Backward);
                            assert!(found.contains(&tid(worker * per_thread + n)));
                        }
                    }
                })
            })
            .collect();
        for _ in 0..5 {
            f.vacuum(|_| false);
        }
        workers.into_iter().for_each(|w| w.join().unwrap());
    });
    let mut all = f.verify();
    all.sort_unstable();
    assert_eq!(all, (0..4 * per_thread).map(tid).collect::<Vec<_>>());
}

/// What redo makes of the log is what was there.
#[test]
fn redo_repeats_everything() {
    use wal::ResourceManager;
    let mut kinds = std::collections::BTreeSet::new();
    for seed in 1..=4u64 {
        // Wide keys make a deep tree, whose inner pages are deleted as well.
        let wide = seed == 4;
        let column = || if wide { text_() } else { int() };
        let cluster = crate::testing::Cluster::new(seed, 2000);
        let mut f = Fixture::new(vec![column()], false, false);
        f.pool = cluster.pool().clone();
        f.pool.smgr().create(f.index.locator, base::ForkNumber::Main, true).unwrap();
        f.tree().build_empty(base::ForkNumber::Main, true).unwrap();
        let replica = Fixture::new(vec![column()], false, false);
        let begin = cluster.wal.insert_position();

        let mut random = Random(seed);
        let values = [100_000, 300, 20, 100_000][seed as usize - 1];
        for n in 0..20_000u32 {
            let value = random.below(values);
            let datum = if wide { Datum::text(&format!("{value:0>500}")) } else { Datum::i32(value as i32) };
            let tree = Tree { log: Some(&*cluster.wal), ..f.tree() };
            let mut t = Vec::new();
            tree.form(&[datum.as_ref()], tid((n * 7919) % 20_011), &mut t).unwrap();
            let mut request = InsertRequest {
                tuple: &t,
                // Now and then equal rows are found dead, and their entries marked.
                check: if n % 50 == 0 { UniqueCheck::Yes } else { UniqueCheck::No },
                never_equal: false,
                row_state: &mut |_| Ok(UniqueRow::Dead { for_all: true }),
                dead_rows: &mut |_| Ok(Xid(3)),
            };
            tree.insert(&mut request).unwrap();
            if n % 7000 == 6999 {
                let cycle = f.cycles.start(f.index.locator);
                let mut run = VacuumRun {
                    strategy: None,
                    interrupt: &Interrupt::new(),
                    delay: &mut || Ok(()),
                    next_xid: &|| FullXid(100),
                    cycle_id: cycle.id,
                    deleted: Vec::new(),
                    stats: IndexVacuumStats::default(),
                };
                let (from, to) = (n / 1000, n / 1000 + 100);
                let mut dead = |t: TupleId| wide || (from..to).contains(&t.block.0) || t.offset % 3 == 0;
                tree.vacuum(&mut run, Some(&mut dead)).unwrap();
                tree.set_cleanup_info(run.stats.pages_deleted).unwrap();
            }
        }
        let end = cluster.wal.insert_position();
        cluster.wal.flush(end).unwrap();

        let vfs: Arc<dyn storage::Vfs> = Arc::new(cluster.vfs.clone());
        let cx = wal::RedoContext::new(replica.pool.clone(), vfs.clone());
        let mut reader = wal::reader::Reader::new(vfs, cluster.wal.segments(), base::TimelineId(1), 4711);
        reader.seek(begin);
        while let wal::reader::Next::Record(record) = reader.next().unwrap() {
            if record.rmgr == wal::RmgrId::BTREE.0 {
                super::wal::NbtreeRmgr.redo(&cx, &record).unwrap();
                kinds.insert(super::wal::NbtreeRmgr.identify(record.info).unwrap());
                let mut text = String::new();
                super::wal::NbtreeRmgr.desc(&record, &mut text);
                assert!(!text.is_empty());
            }
        }
        assert_eq!(replica.verify(), f.verify());
        let n = f.pool.nblocks(f.index.locator, base::ForkNumber::Main).unwrap();
        for block in 0..n {
            let (a, b) = (page_text(&f, block), page_text(&replica, block));
            assert_eq!(a, b, "block {block}, seed {seed}");
        }
    }
    assert_eq!(kinds.len(), 15, "{kinds:?}");
}
/// A page but for what is only a hint.
fn page_text(f: &Fixture, block: u32) -> String {
    use super::page::flags;
    let page = f.pool.read_shared(f.index.locator, BlockNumber(block)).unwrap();
    let mut o = Opaque::of(&page);
    o.flags &= !(flags::HAS_GARBAGE | flags::SPLIT_END);
    o.cycle_id = 0;
    let items: Vec<Option<&[u8]>> = page.offsets().map(|n| page.item(n)).collect();
    format!("{} {o:?} {:?} {items:?}", page.lsn(), super::page::deleted_at(&page))
}

#[test]
fn long_keys_are_compressed_or_refused() {
    let f = Fixture::new(vec![text_()], false, false);
    let value = |n: u32| format!("{n:05}{}", "a long text of few different words ".repeat(300));
    for n in 0..500 {
        f.insert(&[Datum::text(&value((n * 7) % 500))], tid((n * 7) % 500));
    }
    assert_eq!(f.verify(), (0..500).map(tid).collect::<Vec<_>>());
    let key = |n| ScanKey::Compare {
        column: 0,
        strategy: ScanStrategy::Equal,
        value: Datum::text(&value(n)),
        compare: Comparator::Bytes,
    };
    assert_eq!(f.scan(vec![key(77)], Direction::Forward), [tid(77)]);
    let mut random = Random(5);
    let noise: String = (0..6000).map(|_| char::from(33 + random.below(90) as u8)).collect();
    let none = UniqueRow::Dead { for_all: false };
    let e = f.insert_checked(&[Datum::text(&noise)], tid(1000), UniqueCheck::No, none).unwrap_err();
    assert_eq!(e.sqlstate().as_str(), "54000");
    assert!(e.message().ends_with("exceeds btree version 4 maximum 2704 for index \"i\""), "{}", e.message());
}
