//! Columns: many values of one type in one place, and batches of them, as the executor's operators pass along.
//!
//! By-value types are plain vectors of their width; everything else is 16-byte views: the length, then either the bytes
//! themselves (up to 12) or a 4-byte prefix with the place of the bytes in a buffer. Buffers are shared between columns, so
//! that filters and joins move views, not bytes.

use std::sync::Arc;

use crate::datum::{Datum, DatumRef};

/// How a type's values are held. (PostgreSQL: `typlen`, `typbyval`)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Physical {
    W1,
    W2,
    W4,
    W8,
    Bytes,
}

impl Physical {
    pub fn of(typlen: i16, byval: bool) -> Physical {
        match (byval, typlen) {
            (true, 1) => Physical::W1,
            (true, 2) => Physical::W2,
            (true, 4) => Physical::W4,
            (true, 8) => Physical::W8,
            _ => Physical::Bytes,
        }
    }
}

/// One bit a row; set means the row has a value.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    pub fn filled(len: usize, value: bool) -> Bitmap {
        Bitmap { words: vec![if value { u64::MAX } else { 0 }; len.div_ceil(64)], len }
    }
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.words[i / 64] >> (i % 64) & 1 != 0
    }
    #[inline]
    pub fn set(&mut self, i: usize, value: bool) {
        let bit = 1 << (i % 64);
        if value { self.words[i / 64] |= bit } else { self.words[i / 64] &= !bit }
    }
    pub fn push(&mut self, value: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        self.len += 1;
        self.set(self.len - 1, value);
    }
    pub fn resize(&mut self, len: usize, value: bool) {
        while self.len < len {
            self.push(value);
        }
        self.len = len;
        self.words.truncate(len.div_ceil(64));
    }
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

/// The place of one by-reference value: see the module's head. Bit 31 of `len` marks a toasted value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct View {
    len: u32,
    data: [u8; 12],
}

impl View {
    const TOASTED: u32 = 1 << 31;
    const INLINE: usize = 12;

    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> usize {
        (self.len & !View::TOASTED) as usize
    }
    pub fn is_toasted(self) -> bool {
        self.len & View::TOASTED != 0
    }
    /// The first bytes, zero padded: decides most comparisons.
    pub fn prefix(self) -> u32 {
        u32::from_be_bytes([self.data[0], self.data[1], self.data[2], self.data[3]])
    }
    fn u32_at(self, i: usize) -> usize {
        u32::from_le_bytes([self.data[i], self.data[i + 1], self.data[i + 2], self.data[i + 3]]) as usize
    }
}

/// By-reference values.
#[derive(Clone, Default, Debug)]
pub struct BytesColumn {
    views: Vec<View>,
    /// Buffer 0 of the views: what this column itself copied.
    own: Vec<u8>,
    /// Buffers 1.. of the views.
    shared: Vec<Arc<Vec<u8>>>,
}

impl BytesColumn {
    pub fn len(&self) -> usize {
        self.views.len()
    }
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }
    pub fn views(&self) -> &[View] {
        &self.views
    }
    #[inline]
    pub fn get(&self, i: usize) -> &[u8] {
        let view = &self.views[i];
        let len = view.len();
        if len <= View::INLINE {
            return &view.data[..len];
        }
        let (buffer, offset) = (view.u32_at(4), view.u32_at(8));
        let bytes = if buffer == 0 { &self.own } else { &*self.shared[buffer - 1] };
        &bytes[offset..offset + len]
    }
    pub fn is_toasted(&self, i: usize) -> bool {
        self.views[i].is_toasted()
    }
    pub fn has_toasted(&self) -> bool {
        self.views.iter().any(|v| v.is_toasted())
    }
    fn make_view(&mut self, bytes: &[u8], toasted: bool) -> View {
        let mut view = View { len: bytes.len() as u32, data: [0; 12] };
        if toasted {
            view.len |= View::TOASTED;
        }
        if bytes.len() <= View::INLINE {
            view.data[..bytes.len()].copy_from_slice(bytes);
        } else {
            // An offset has 32 bits: a full buffer is put aside and a new one begun.
            if self.own.len() + bytes.len() > u32::MAX as usize {
                self.seal();
            }
            view.data[..4].copy_from_slice(&bytes[..4]);
            view.data[8..].copy_from_slice(&(self.own.len() as u32).to_le_bytes());
            self.own.extend_from_slice(bytes);
        }
        view
    }
    /// Turns the own buffer into a shared one, so that other columns may refer to it.
    pub fn seal(&mut self) {
        if self.own.is_empty() {
            return;
        }
        self.shared.push(Arc::new(std::mem::take(&mut self.own)));
        let number = (self.shared.len() as u32).to_le_bytes();
        for view in &mut self.views {
            if view.len() > View::INLINE && view.u32_at(4) == 0 {
                view.data[4..8].copy_from_slice(&number);
            }
        }
    }
    pub fn push(&mut self, bytes: &[u8], toasted: bool) {
        let view = self.make_view(bytes, toasted);
        self.views.push(view);
    }
    pub fn set(&mut self, i: usize, bytes: &[u8], toasted: bool) {
        let view = self.make_view(bytes, toasted);
        self.views[i] = view;
    }
    pub fn resize(&mut self, len: usize) {
        self.views.resize(len, View::default());
    }
    pub fn clear(&mut self) {
        self.views.clear();
        self.own.clear();
        self.shared.clear();
    }
    /// Appends the chosen rows of `from`. Where `from` is sealed, its bytes are shared, not copied.
    pub fn append(&mut self, from: &BytesColumn, rows: impl Iterator<Item = usize>) {
        if self.views.is_empty() && self.shared.is_empty() && self.own.is_empty() && from.own.is_empty() {
            self.shared = from.shared.clone();
            self.views.extend(rows.map(|i| from.views[i]));
            return;
        }
        for i in rows {
            let toasted = from.is_toasted(i);
            self.push(from.get(i), toasted);
        }
    }
    /// Bytes of memory held, shared buffers included.
    pub fn memory(&self) -> usize {
        self.views.capacity() * 16 + self.own.capacity() + self.shared.iter().map(|b| b.capacity()).sum::<usize>()
    }
}

/// The values of a column.
#[derive(Clone, Debug)]
pub enum ColumnData {
    /// `bool` (0 or 1) and `"char"`.
    W1(Vec<u8>),
    W2(Vec<i16>),
    /// `int4`, `oid`, `date`, `float4` (its bits), enums.
    W4(Vec<i32>),
    /// `int8`, `timestamp`, `float8` (its bits), ...
    W8(Vec<i64>),
    Bytes(BytesColumn),
}

/// Many values of one type. Rows without a value hold an unspecified one.
#[derive(Clone, Debug)]
pub struct Column {
    pub data: ColumnData,
    /// `None`: every row has a value.
    pub validity: Option<Bitmap>,
}

impl Column {
    pub fn new(physical: Physical) -> Column {
        Column::with_capacity(physical, 0)
    }
    pub fn with_capacity(physical: Physical, rows: usize) -> Column {
        let data = match physical {
            Physical::W1 => ColumnData::W1(Vec::with_capacity(rows)),
            Physical::W2 => ColumnData::W2(Vec::with_capacity(rows)),
            Physical::W4 => ColumnData::W4(Vec::with_capacity(rows)),
            Physical::W8 => ColumnData::W8(Vec::with_capacity(rows)),
            Physical::Bytes => ColumnData::Bytes(BytesColumn::default()),
        };
        Column { data, validity: None }
    }
    pub fn physical(&self) -> Physical {
        match &self.data {
            ColumnData::W1(_) => Physical::W1,
            ColumnData::W2(_) => Physical::W2,
            ColumnData::W4(_) => Physical::W4,
            ColumnData::W8(_) => Physical::W8,
            ColumnData::Bytes(_) => Physical::Bytes,
        }
    }
    pub fn len(&self) -> usize {
        match &self.data {
            ColumnData::W1(v) => v.len(),
            ColumnData::W2(v) => v.len(),
            ColumnData::W4(v) => v.len(),
            ColumnData::W8(v) => v.len(),
            ColumnData::Bytes(v) => v.len(),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn clear(&mut self) {
        match &mut self.data {
            ColumnData::W1(v) => v.clear(),
            ColumnData::W2(v) => v.clear(),
            ColumnData::W4(v) => v.clear(),
            ColumnData::W8(v) => v.clear(),
            ColumnData::Bytes(v) => v.clear(),
        }
        self.validity = None;
    }
    /// Makes it `rows` long; new rows hold an unspecified value and count as valid.
    pub fn resize(&mut self, rows: usize) {
        match &mut self.data {
            ColumnData::W1(v) => v.resize(rows, 0),
            ColumnData::W2(v) => v.resize(rows, 0),
            ColumnData::W4(v) => v.resize(rows, 0),
            ColumnData::W8(v) => v.resize(rows, 0),
            ColumnData::Bytes(v) => v.resize(rows),
        }
        if let Some(bits) = &mut self.validity {
            bits.resize(rows, true);
        }
    }
    #[inline]
    pub fn is_null(&self, i: usize) -> bool {
        self.validity.as_ref().is_some_and(|v| !v.get(i))
    }
    #[inline]
    pub fn get(&self, i: usize) -> DatumRef<'_> {
        if self.is_null(i) {
            return DatumRef::Null;
        }
        match &self.data {
            ColumnData::W1(v) => DatumRef::Word(u64::from(v[i])),
            ColumnData::W2(v) => DatumRef::Word(v[i] as u64),
            ColumnData::W4(v) => DatumRef::Word(v[i] as u64),
            ColumnData::W8(v) => DatumRef::Word(v[i] as u64),
            ColumnData::Bytes(v) if v.is_toasted(i) => DatumRef::Toasted(v.get(i)),
            ColumnData::Bytes(v) => DatumRef::Bytes(v.get(i)),
        }
    }
    pub fn set_null(&mut self, i: usize) {
        let len = self.len();
        self.validity.get_or_insert_with(|| Bitmap::filled(len, true)).set(i, false);
    }
    pub fn push(&mut self, value: DatumRef<'_>) {
        match (&mut self.data, value) {
            (ColumnData::W1(v), d) => v.push(d.word() as u8),
            (ColumnData::W2(v), d) => v.push(d.word() as i16),
            (ColumnData::W4(v), d) => v.push(d.word() as i32),
            (ColumnData::W8(v), d) => v.push(d.word() as i64),
            (ColumnData::Bytes(v), d) => v.push(d.as_bytes(), matches!(d, DatumRef::Toasted(_))),
        }
        if let Some(bits) = &mut self.validity {
            bits.push(!value.is_null());
        } else if value.is_null() {
            self.set_null(self.len() - 1);
        }
    }
    /// Overwrites row `i`, which must exist.
    pub fn set(&mut self, i: usize, value: DatumRef<'_>) {
        if value.is_null() {
            return self.set_null(i);
        }
        match &mut self.data {
            ColumnData::W1(v) => v[i] = value.word() as u8,
            ColumnData::W2(v) => v[i] = value.word() as i16,
            ColumnData::W4(v) => v[i] = value.word() as i32,
            ColumnData::W8(v) => v[i] = value.word() as i64,
            ColumnData::Bytes(v) => v.set(i, value.as_bytes(), matches!(value, DatumRef::Toasted(_))),
        }
        if let Some(bits) = &mut self.validity {
            bits.set(i, true);
        }
    }
    /// Appends the chosen rows of `from`, which must be of the same physical form.
    pub fn append(&mut self, from: &Column, rows: Rows<'_>) {
        let before = self.len();
        match (&mut self.data, &from.data) {
            (ColumnData::W1(a), ColumnData::W1(b)) => a.extend(rows.iter().map(|i| b[i])),
            (ColumnData::W2(a), ColumnData::W2(b)) => a.extend(rows.iter().map(|i| b[i])),
            (ColumnData::W4(a), ColumnData::W4(b)) => a.extend(rows.iter().map(|i| b[i])),
            (ColumnData::W8(a), ColumnData::W8(b)) => a.extend(rows.iter().map(|i| b[i])),
            (ColumnData::Bytes(a), ColumnData::Bytes(b)) => a.append(b, rows.iter()),
            _ => return rows.iter().for_each(|i| self.push(from.get(i))),
        }
        if from.validity.is_some() || self.validity.is_some() {
            let bits = self.validity.get_or_insert_with(|| Bitmap::filled(before, true));
            rows.iter().for_each(|i| bits.push(!from.is_null(i)));
        }
    }
    pub fn memory(&self) -> usize {
        let data = match &self.data {
            ColumnData::W1(v) => v.capacity(),
            ColumnData::W2(v) => v.capacity() * 2,
            ColumnData::W4(v) => v.capacity() * 4,
            ColumnData::W8(v) => v.capacity() * 8,
            ColumnData::Bytes(v) => v.memory(),
        };
        data + self.validity.as_ref().map_or(0, |v| v.words().len() * 8)
    }
}

/// Which rows of a batch are meant.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// Rows 0 to n-1.
    All(usize),
    /// These, ascending where nothing else is said.
    Some(&'a [u32]),
}

impl<'a> Rows<'a> {
    pub fn len(self) -> usize {
        match self {
            Rows::All(n) => n,
            Rows::Some(rows) => rows.len(),
        }
    }
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    pub fn iter(self) -> RowsIter<'a> {
        match self {
            Rows::All(n) => RowsIter::All(0..n),
            Rows::Some(rows) => RowsIter::Some(rows.iter()),
        }
    }
}

/// Iterates over row numbers.
#[derive(Clone)]
pub enum RowsIter<'a> {
    All(std::ops::Range<usize>),
    Some(std::slice::Iter<'a, u32>),
}

impl Iterator for RowsIter<'_> {
    type Item = usize;
    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            RowsIter::All(range) => range.next(),
            RowsIter::Some(rows) => rows.next().map(|&i| i as usize),
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            RowsIter::All(range) => range.size_hint(),
            RowsIter::Some(rows) => rows.size_hint(),
        }
    }
}

/// What operators pass: columns of equal length, and which of the rows count.
#[derive(Clone, Default, Debug)]
pub struct Batch {
    pub columns: Vec<Arc<Column>>,
    /// Rows in each column. Also meaningful without columns (`SELECT FROM t`).
    pub rows: usize,
    /// `None`: all of them, in order.
    pub selection: Option<Vec<u32>>,
}

impl Batch {
    /// The rows that count.
    pub fn selected(&self) -> Rows<'_> {
        match &self.selection {
            None => Rows::All(self.rows),
            Some(rows) => Rows::Some(rows),
        }
    }
    pub fn selected_len(&self) -> usize {
        self.selected().len()
    }
    /// Column `i` for writing; copied first if another batch shares it.
    pub fn column_mut(&mut self, i: usize) -> &mut Column {
        Arc::make_mut(&mut self.columns[i])
    }
    pub fn row(&self, i: usize) -> Vec<Datum> {
        self.columns.iter().map(|c| c.get(i).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_seal_and_append() {
        let mut a = Column::new(Physical::Bytes);
        let long = "a string longer than twelve bytes";
        for s in ["", "short", long] {
            a.push(DatumRef::Bytes(s.as_bytes()));
        }
        a.push(DatumRef::Null);
        a.push(DatumRef::Toasted(b"0123456789abcdefgh"));
        let copy = a.clone();
        if let ColumnData::Bytes(b) = &mut a.data {
            b.seal();
        }
        let mut c = Column::new(Physical::Bytes);
        c.append(&a, Rows::Some(&[4, 3, 2]));
        c.append(&copy, Rows::All(5));
        let expected: Vec<_> = [4, 3, 2, 0, 1, 2, 3, 4].iter().map(|&i| copy.get(i)).collect();
        assert_eq!((0..8).map(|i| c.get(i)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words() {
        for (p, v) in [(Physical::W1, 200i64), (Physical::W2, -3), (Physical::W4, -7), (Physical::W8, i64::MIN)] {
            let mut c = Column::new(p);
            c.push(DatumRef::Word(v as u64));
            c.push(DatumRef::Null);
            assert_eq!(c.get(0), DatumRef::Word(v as u64), "{p:?}");
            assert_eq!(c.get(1), DatumRef::Null);
            c.set(1, DatumRef::Word(1));
            assert_eq!(c.get(1), DatumRef::Word(1));
        }
    }
}
