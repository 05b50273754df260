//! What forming and deforming need to know of a row's columns, prepared once a relation.

use std::sync::Arc;

use types::{Align, Physical, TupleDesc};

/// How a column's values lie in a tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// By value, of 1, 2, 4 or 8 bytes.
    W1,
    W2,
    W4,
    W8,
    /// Of fixed length, by reference.
    Fixed,
    /// 64 bytes, padded with zeroes, held without them.
    Name,
    Varlena,
    Cstring,
}

/// One column's layout. (PostgreSQL: `CompactAttribute`)
#[derive(Clone, Copy, Debug)]
pub struct AttLayout {
    pub kind: Kind,
    /// Bytes of a fixed-length type.
    pub len: usize,
    pub align: Align,
    /// Short headers may be used. (PostgreSQL: `attispackable`)
    pub packable: bool,
    pub not_null: bool,
    pub has_missing: bool,
    /// Where values lie in the data of a tuple that has no null in an earlier column, if that is always the same place.
    /// (PostgreSQL: `attcacheoff`)
    pub offset: Option<u16>,
}

/// A row's layout. Cheap to share; index tuples use it as well.
#[derive(Debug)]
pub struct TupleLayout {
    pub(super) attrs: Vec<AttLayout>,
    /// The columns before this one have a known place (`offset`).
    pub(super) fixed: usize,
    desc: Arc<TupleDesc>,
}

impl TupleLayout {
    pub fn new(desc: &Arc<TupleDesc>) -> TupleLayout {
        let mut next = Some(0usize);
        let mut fixed = None;
        let mut attrs = Vec::with_capacity(desc.len());
        for (i, a) in desc.attrs.iter().enumerate() {
            let kind = match (a.len, a.physical()) {
                (-1, _) => Kind::Varlena,
                (-2, _) => Kind::Cstring,
                (_, Physical::W1) => Kind::W1,
                (_, Physical::W2) => Kind::W2,
                (_, Physical::W4) => Kind::W4,
                (_, Physical::W8) => Kind::W8,
                _ if a.is_name() => Kind::Name,
                _ => Kind::Fixed,
            };
            let varying = matches!(kind, Kind::Varlena | Kind::Cstring);
            let len = if varying { 0 } else { a.len as usize };
            // A variable-length value's own place is known only if no padding can lie before it.
            let at = next.map(|n| (n, a.align.up(n)));
            let offset = at.and_then(|(n, up)| (!varying || n == up).then_some(up));
            let offset = offset.and_then(|o| u16::try_from(o).ok());
            if offset.is_none() {
                fixed.get_or_insert(i);
            }
            next = if varying || offset.is_none() { None } else { at.map(|(_, up)| up + len) };
            attrs.push(AttLayout {
                kind,
                len,
                align: a.align,
                packable: a.len == -1 && a.storage != b'p',
                not_null: a.not_null,
                has_missing: a.missing.is_some(),
                offset,
            });
        }
        let fixed = fixed.unwrap_or(attrs.len());
        TupleLayout { attrs, fixed, desc: desc.clone() }
    }
    pub fn desc(&self) -> &Arc<TupleDesc> {
        &self.desc
    }
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.attrs.len()
    }
    pub fn attrs(&self) -> &[AttLayout] {
        &self.attrs
    }
}
