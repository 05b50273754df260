use std::sync::Arc;

use base::{BlockNumber, Oid, TupleId};
use types::{Align, Attribute, Datum, DatumRef, TupleDesc};

use super::*;

/// A small seeded generator (xorshift).
pub(crate) struct Rng(pub u64);
impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

const SORTS: [(i16, bool, Align); 10] = [
    (1, true, Align::Char),
    (2, true, Align::Short),
    (4, true, Align::Int),
    (8, true, Align::Double),
    (-1, false, Align::Int),
    (-1, false, Align::Double),
    (-2, false, Align::Char),
    (64, false, Align::Char),
    (16, false, Align::Char),
    (12, false, Align::Double),
];

fn random_desc(r: &mut Rng) -> Arc<TupleDesc> {
    let n = r.below(12) as usize + 1;
    let attrs = (0..n).map(|i| {
        let (len, byval, align) = SORTS[r.below(10) as usize];
        let mut a = Attribute::new(&format!("c{i}"), Oid(1), len, byval, align);
        if r.below(5) == 0 {
            a.storage = b'p';
        }
        a
    });
    Arc::new(TupleDesc::new(attrs.collect()))
}

fn random_value(r: &mut Rng, a: &Attribute) -> Datum {
    let bytes = |r: &mut Rng, n: usize| -> Vec<u8> { (0..n).map(|_| r.below(255) as u8 + 1).collect() };
    match (a.len, a.byval) {
        _ if r.below(6) == 0 => Datum::Null,
        (1, true) => Datum::Word(r.next() & 0xFF),
        (2, true) => Datum::i16(r.next() as i16),
        (4, true) => Datum::i32(r.next() as i32),
        (_, true) => Datum::Word(r.next()),
        (-1, _) => match r.below(8) {
            0 => {
                let p = ToastPointer {
                    raw_size: 5000,
                    ext_size: 4000,
                    compression: Some(Compression::Lz4),
                    value_id: Oid(77),
                    toast_relation: Oid(88),
                };
                assert_eq!(ToastPointer::read(&p.to_bytes()), Some(p));
                Datum::Toasted(p.to_bytes()[..].into())
            }
            1 => {
                let mut b = vec![0; 4];
                b.extend(bytes(r, 40));
                b[..4].copy_from_slice(&(44u32 << 2 | 2).to_le_bytes());
                Datum::Toasted(b.into())
            }
            _ => {
                let n = r.below(300) as usize;
                Datum::bytes(bytes(r, n))
            }
        },
        (64, _) => {
            let n = r.below(64) as usize;
            Datum::bytes(bytes(r, n))
        }
        (-2, _) => {
            let n = r.below(20) as usize;
            Datum::bytes(bytes(r, n))
        }
        (n, _) => Datum::bytes(bytes(r, n as usize)),
    }
}

#[test]
fn round_trips() {
    let mut r = Rng(0x9E37_79B9_7F4A_7C15);
    for _ in 0..2000 {
        let desc = random_desc(&mut r);
        let layout = TupleLayout::new(&desc);
        let rows: Vec<Vec<Datum>> =
            (0..4).map(|_| desc.attrs.iter().map(|a| random_value(&mut r, a)).collect()).collect();
        let mut tuples = Vec::new();
        for row in &rows {
            let mut t = Vec::new();
            layout.form_heap(row, &mut t).unwrap();
            let mut all = Vec::new();
            layout.deform_all(&t, &mut all).unwrap();
            assert_eq!(all.iter().map(|&d| d.to_owned()).collect::<Vec<_>>(), *row);
            for (i, d) in row.iter().enumerate() {
                assert_eq!(layout.attr(&t, i).unwrap(), d.as_ref(), "{i} {:?} {row:?}", layout.attrs());
            }
            let wanted: Vec<u16> = (0..desc.len() as u16).filter(|_| r.below(2) == 0).collect();
            let mut some = Vec::new();
            layout.deform(&t, &wanted, &mut some).unwrap();
            let expected: Vec<DatumRef> = wanted.iter().map(|&i| row[usize::from(i)].as_ref()).collect();
            assert_eq!(some, expected);
            let payload = layout.form_composite(row).unwrap();
            let mut all = Vec::new();
            layout.deform_composite(&payload, &mut all).unwrap();
            assert_eq!(all.iter().map(|&d| d.to_owned()).collect::<Vec<_>>(), *row);
            tuples.push(t);
        }
        let wanted: Vec<Wanted> = (0..r.below(8)).map(|_| Wanted::Attr(r.below(desc.len() as u64) as u16)).collect();
        let projection = Projection::new(&layout, &wanted);
        let mut columns = projection.columns(&layout);
        let tid = TupleId::new(BlockNumber(0), 1);
        let bytes: Vec<RowBytes> = tuples.iter().map(|t| RowBytes { tid, bytes: t }).collect();
        projection.append(&layout, Oid(1), &bytes[..2], &mut columns).unwrap();
        projection.append(&layout, Oid(1), &bytes[2..], &mut columns).unwrap();
        for (k, w) in wanted.iter().enumerate() {
            let Wanted::Attr(i) = w else { continue };
            for (n, row) in rows.iter().enumerate() {
                assert_eq!(columns[k].get(n), row[usize::from(*i)].as_ref());
            }
        }
    }
}

#[test]
fn index_round_trips() {
    let mut r = Rng(42);
    for _ in 0..1000 {
        let desc = random_desc(&mut r);
        let layout = TupleLayout::new(&desc);
        let row: Vec<Datum> = desc.attrs.iter().map(|a| random_value(&mut r, a)).collect();
        let mut t = Vec::new();
        let tid = TupleId::new(BlockNumber(9), 3);
        if layout.form_index(&row, tid, &mut t).is_err() {
            continue; // an external value
        }
        let mut all = Vec::new();
        layout.deform_index(&t, desc.len(), &mut all).unwrap();
        assert_eq!(all.iter().map(|&d| d.to_owned()).collect::<Vec<_>>(), row);
        for (i, d) in row.iter().enumerate() {
            assert_eq!(layout.index_attr(&t, desc.len(), i).unwrap(), d.as_ref());
        }
        assert_eq!(index_tid(&t), tid);
    }
}

/// Whatever bytes come, reading them ends with a value or an error.
#[test]
fn damage_is_an_error() {
    let mut r = Rng(7);
    for _ in 0..3000 {
        let desc = random_desc(&mut r);
        let layout = TupleLayout::new(&desc);
        let row: Vec<Datum> = desc.attrs.iter().map(|a| random_value(&mut r, a)).collect();
        let mut t = Vec::new();
        layout.form_heap(&row, &mut t).unwrap();
        for _ in 0..4 {
            let at = r.below(t.len() as u64) as usize;
            t[at] = r.next() as u8;
        }
        t.truncate(r.below(t.len() as u64 + 1) as usize);
        let mut out = Vec::new();
        let _ = layout.deform_all(&t, &mut out);
        for i in 0..desc.len() {
            let _ = layout.attr(&t, i);
            let _ = layout.index_attr(&t, desc.len(), i);
        }
        let p = Projection::all(&layout);
        let row = RowBytes { tid: TupleId::INVALID, bytes: &t };
        let _ = p.append(&layout, Oid(1), &[row, row], &mut p.columns(&layout));
        let _ = layout.deform_composite(&t, &mut Vec::new());
    }
}

#[test]
fn columns_added_later() {
    let mut a = Attribute::new("a", Oid(23), 4, true, Align::Int);
    let old = Arc::new(TupleDesc::new(vec![a.clone()]));
    let mut t = Vec::new();
    TupleLayout::new(&old).form_heap(&[Datum::i32(5)][..], &mut t).unwrap();
    a.missing = Some(Datum::i32(7));
    let b = Attribute::new("b", Oid(25), -1, false, Align::Int);
    let new = Arc::new(TupleDesc::new(vec![old.attrs[0].clone(), a, b]));
    let layout = TupleLayout::new(&new);
    let mut out = Vec::new();
    layout.deform_all(&t, &mut out).unwrap();
    assert_eq!(out, [DatumRef::Word(5), DatumRef::Word(7), DatumRef::Null]);
}
