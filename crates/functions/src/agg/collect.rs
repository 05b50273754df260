//! Aggregates that keep values: min and max of by-reference types, string_agg, array_agg, any_value.

use std::any::Any;
use std::cmp::Ordering;

use base::{Oid, Result};
use types::array;
use types::{AggStates, Arg, BuiltinAggregate, Datum, DatumRef, FnCall, FnCx, Rows};

use super::{agg, each, mismatch, same};

/// A value with its toasted form opened.
fn plain(cx: &mut FnCx<'_>, d: DatumRef<'_>) -> Result<Datum> {
    match d {
        DatumRef::Toasted(t) => Ok(Datum::bytes(cx.rt.detoast(t)?)),
        d => Ok(d.to_owned()),
    }
}

/// Keeps the value that comes first in an order.
struct Extreme {
    values: Vec<Option<Vec<u8>>>,
    compare: fn(&[u8], &[u8]) -> Ordering,
    wanted: Ordering,
    text: bool,
}

impl Extreme {
    fn put(&mut self, g: usize, b: &[u8]) {
        match &mut self.values[g] {
            Some(old) if (self.compare)(b, old) == self.wanted => {
                old.clear();
                old.extend_from_slice(b);
            }
            Some(_) => {}
            none => *none = Some(b.to_vec()),
        }
    }
}
impl AggStates for Extreme {
    fn resize(&mut self, groups: usize) {
        self.values.resize(groups, None);
    }
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        if self.text && !crate::bytes::is_bytewise(cx) {
            return Err(base::PgError::unsupported("comparison under a collation other than C"));
        }
        each(groups, rows, |g, r| {
            match arg.get(r) {
                DatumRef::Null => {}
                DatumRef::Bytes(b) => self.put(g, b),
                DatumRef::Toasted(t) => {
                    let b = cx.rt.detoast(t)?;
                    self.put(g, &b);
                }
                DatumRef::Word(_) => return Err(mismatch()),
            }
            Ok(())
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        Ok(self.values[group].as_ref().map_or(Datum::Null, |b| Datum::bytes(b.as_slice())))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        if let Some(b) = same::<Self>(from)?.values[from_group].clone() {
            self.put(group, &b);
        }
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.values.iter().flatten().map(|v| v.capacity()).sum::<usize>() + self.values.capacity() * 24
    }
}
fn extreme(compare: fn(&[u8], &[u8]) -> Ordering, wanted: Ordering, text: bool) -> Box<dyn AggStates> {
    Box::new(Extreme { values: Vec::new(), compare, wanted, text })
}
fn bytewise(a: &[u8], b: &[u8]) -> Ordering {
    a.cmp(b)
}

/// `string_agg`: each value but the first is preceded by its delimiter.
struct Strings(Vec<Option<Vec<u8>>>);

impl AggStates for Strings {
    fn resize(&mut self, groups: usize) {
        self.0.resize(groups, None);
    }
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let [value, delimiter] = args else { return Err(mismatch()) };
        each(groups, rows, |g, r| {
            let v = value.get(r);
            if v.is_null() {
                return Ok(());
            }
            let v = plain(cx, v)?;
            match &mut self.0[g] {
                Some(s) => {
                    let d = plain(cx, delimiter.get(r))?;
                    s.extend_from_slice(d.as_ref().as_bytes());
                    s.extend_from_slice(v.as_ref().as_bytes());
                }
                none => *none = Some(v.as_ref().as_bytes().to_vec()),
            }
            Ok(())
        })
    }
    fn finish(&mut self, _: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        Ok(self.0[group].as_ref().map_or(Datum::Null, |b| Datum::bytes(b.as_slice())))
    }
    fn merge(&mut self, _: &mut FnCx<'_>, _: usize, _: &mut dyn AggStates, _: usize) -> Result<()> {
        // The delimiter before the other side's first value is not kept.
        Err(base::PgError::unsupported("merging string_agg states"))
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.0.iter().flatten().map(|v| v.capacity()).sum::<usize>() + self.0.capacity() * 24
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// `array_agg` of values.
    Elements,
    /// `array_agg` of arrays.
    Arrays,
    /// `any_value`
    First,
}

struct Values {
    groups: Vec<Vec<Datum>>,
    keep: Keep,
    type_oid: Oid,
    bytes: usize,
}

impl AggStates for Values {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, Vec::new());
    }
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        let Some(arg) = args.first() else { return Err(mismatch()) };
        each(groups, rows, |g, r| {
            let d = arg.get(r);
            if self.keep == Keep::First && (d.is_null() || !self.groups[g].is_empty()) {
                return Ok(());
            }
            if self.keep == Keep::Arrays && d.is_null() {
                let text = "cannot accumulate null arrays";
                return Err(crate::err::error(base::sqlstate::NULL_VALUE_NOT_ALLOWED, text));
            }
            let d = plain(cx, d)?;
            self.bytes += 24 + d.as_ref().as_bytes().len();
            self.groups[g].push(d);
            Ok(())
        })
    }
    fn finish(&mut self, cx: &mut FnCx<'_>, group: usize) -> Result<Datum> {
        let list = &self.groups[group];
        let Some(first) = list.first() else { return Ok(Datum::Null) };
        match self.keep {
            Keep::First => Ok(first.clone()),
            Keep::Elements => {
                let elem = crate::generic::element_type(cx.rt, self.type_oid)?;
                let refs: Vec<DatumRef<'_>> = list.iter().map(Datum::as_ref).collect();
                array::build_vector(&elem, &refs)
            }
            Keep::Arrays => stack(cx, list),
        }
    }
    fn merge(&mut self, _: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()> {
        let from = same::<Self>(from)?;
        self.groups[group].extend(from.groups[from_group].iter().cloned());
        if self.keep == Keep::First {
            self.groups[group].truncate(1);
        }
        Ok(())
    }
    fn as_any(&mut self) -> &mut (dyn Any + 'static) {
        self
    }
    fn memory(&self) -> usize {
        self.bytes + self.groups.capacity() * 24
    }
}
/// Arrays of equal dimensions become the slices of one.
fn stack(cx: &mut FnCx<'_>, list: &[Datum]) -> Result<Datum> {
    let mut whole: Option<crate::array_sql::Parts> = None;
    let bad = |text: &str| Err(crate::err::error(base::sqlstate::ARRAY_SUBSCRIPT_ERROR, text));
    for d in list {
        let mut p = crate::array_sql::Parts::open(cx.rt, d.as_ref().as_bytes())?;
        if p.dims.is_empty() {
            return bad("cannot accumulate empty arrays");
        }
        match &mut whole {
            None => {
                p.dims.insert(0, 1);
                p.lower.insert(0, 1);
                whole = Some(p);
            }
            Some(w) => {
                if w.dims[1..] != p.dims[..] {
                    return bad("cannot accumulate arrays of different dimensionality");
                }
                w.dims[0] += 1;
                w.values.append(&mut p.values);
            }
        }
    }
    whole.map_or(Ok(Datum::Null), |w| w.build())
}
fn values(call: &FnCall, keep: Keep) -> Box<dyn AggStates> {
    let type_oid = call.arg_types.first().copied().unwrap_or(Oid::INVALID);
    Box::new(Values { groups: Vec::new(), keep, type_oid, bytes: 0 })
}

pub static AGGREGATES: &[BuiltinAggregate] = &[
    agg("text_larger", "", |_| extreme(bytewise, Ordering::Greater, true)),
    agg("text_smaller", "", |_| extreme(bytewise, Ordering::Less, true)),
    agg("bytea_larger", "", |_| extreme(bytewise, Ordering::Greater, false)),
    agg("bytea_smaller", "", |_| extreme(bytewise, Ordering::Less, false)),
    agg("bpchar_larger", "", |_| extreme(crate::text::compare_bpchar, Ordering::Greater, true)),
    agg("bpchar_smaller", "", |_| extreme(crate::text::compare_bpchar, Ordering::Less, true)),
    agg("numeric_larger", "", |_| extreme(crate::numeric::compare_bytes, Ordering::Greater, false)),
    agg("numeric_smaller", "", |_| extreme(crate::numeric::compare_bytes, Ordering::Less, false)),
    agg("tidlarger", "", |_| extreme(crate::oid::compare_tids, Ordering::Greater, false)),
    agg("tidsmaller", "", |_| extreme(crate::oid::compare_tids, Ordering::Less, false)),
    agg("string_agg_transfn", "string_agg_finalfn", |_| Box::new(Strings(Vec::new()))),
    agg("bytea_string_agg_transfn", "bytea_string_agg_finalfn", |_| Box::new(Strings(Vec::new()))),
    agg("array_agg_transfn", "array_agg_finalfn", |c| values(c, Keep::Elements)),
    agg("array_agg_array_transfn", "array_agg_array_finalfn", |c| values(c, Keep::Arrays)),
    agg("any_value_transfn", "", |c| values(c, Keep::First)),
];
