//! The rarer nodes: arrays, rows, casts through text, domains, row comparison, GREATEST and LEAST.

use std::sync::Arc;

use access::tuple::TupleLayout;
use analyze::query::{RowCompareType, SvfOp};
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use hashbrown::HashSet;
use types::array::{self, ArrayRef};
use types::{Batch, Column, Datum, DatumRef, Rows, Runtime, SortKey, TupleDesc};

use super::function::{FuncNode, plain};
use super::{CExpr, Elem, Kind, array_assign, is_true};
use crate::state::Run;

/// `x op ANY (array)`.
pub(crate) struct ScalarArrayNode {
    args: Vec<CExpr>,
    func: FuncNode,
    use_or: bool,
    elem: Elem,
    hash: Option<ArrayHash>,
}

/// The elements of a constant list, hashed once they are many. (PostgreSQL: `ExecEvalHashedScalarArrayOp`)
#[derive(Default)]
pub(crate) struct ArrayHash {
    array: Option<Datum>,
    elements: HashSet<Datum>,
    has_null: bool,
}

/// (PostgreSQL: `MIN_ARRAY_SIZE_FOR_HASHED_SAOP`)
const HASH_FROM: usize = 9;

impl ScalarArrayNode {
    pub fn new(args: Vec<CExpr>, func: FuncNode, use_or: bool, elem: Elem, hash: Option<ArrayHash>) -> ScalarArrayNode {
        ScalarArrayNode { args, func, use_or, elem, hash }
    }

    fn eval(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        for a in &mut self.args {
            a.eval(run, input, rows)?;
        }
        for i in rows.iter() {
            let array = plain(run, self.args[1].value(input, i))?;
            if array.is_null() {
                out.set_null(i);
                continue;
            }
            let scalar = plain(run, self.args[0].value(input, i))?;
            match self.test(run, &scalar, &array)? {
                Some(b) => out.set(i, DatumRef::Word(u64::from(b))),
                None => out.set_null(i),
            }
        }
        Ok(())
    }

    fn test(&mut self, run: &mut Run<'_>, scalar: &Datum, array: &Datum) -> Result<Option<bool>> {
        let list = ArrayRef::new(array.as_ref().as_bytes())?;
        let count = list.count();
        if count == 0 {
            return Ok(Some(!self.use_or));
        }
        if scalar.is_null() && self.func.strict {
            return Ok(None);
        }
        if let Some(hash) = self.hash.as_mut().filter(|_| count >= HASH_FROM) {
            if hash.array.as_ref() != Some(array) {
                hash.elements.clear();
                hash.has_null = false;
                for e in list.elements(&self.elem) {
                    match e? {
                        DatumRef::Null => hash.has_null = true,
                        e => {
                            hash.elements.insert(e.to_owned());
                        }
                    }
                }
                hash.array = Some(array.clone());
            }
            let found = hash.elements.contains(scalar);
            return Ok(match (found, hash.has_null) {
                (true, _) => Some(self.use_or),
                (false, true) => None,
                (false, false) => Some(!self.use_or),
            });
        }
        let mut unknown = false;
        for e in list.elements(&self.elem) {
            let e = e?;
            if e.is_null() && self.func.strict {
                unknown = true;
                continue;
            }
            match self.func.call(run, &[scalar.as_ref(), e])?.as_ref() {
                DatumRef::Null => unknown = true,
                d if is_true(d) == self.use_or => return Ok(Some(self.use_or)),
                _ => {}
            }
        }
        Ok(if unknown { None } else { Some(!self.use_or) })
    }
}

/// `ARRAY[..]`.
pub(crate) struct ArrayNode {
    pub args: Vec<CExpr>,
    pub elem: Elem,
    pub multidims: bool,
}

impl ArrayNode {
    fn value(&self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let values: Result<Vec<Datum>> = self.args.iter().map(|a| plain(run, a.value(input, row))).collect();
        let values = values?;
        if !self.multidims {
            let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
            return array::build_vector(&self.elem, &refs);
        }
        let mut shape: Option<(Vec<i32>, Vec<i32>)> = None;
        let (mut all, mut some_empty) = (Vec::new(), false);
        for v in values.iter().filter(|v| !v.is_null()) {
            let a = ArrayRef::new(v.as_ref().as_bytes())?;
            if a.ndim() == 0 {
                some_empty = true;
                continue;
            }
            match &shape {
                None => shape = Some((a.dims(), a.lower_bounds())),
                Some(s) if s.0 == a.dims() && s.1 == a.lower_bounds() => {}
                Some(_) => return Err(unequal_dimensions()),
            }
            all.extend(a.to_vec(&self.elem)?);
        }
        let some_empty = some_empty || values.iter().any(Datum::is_null);
        let Some((mut dims, mut lbs)) = shape else { return Ok(array::build_empty(self.elem.oid)) };
        if some_empty {
            return Err(unequal_dimensions());
        }
        dims.insert(0, values.len() as i32);
        lbs.insert(0, 1);
        array::build(&self.elem, &dims, &lbs, &all)
    }
}

#[cold]
fn unequal_dimensions() -> PgError {
    let text = "multidimensional arrays must have array expressions with matching dimensions";
    PgError::new(ARRAY_SUBSCRIPT_ERROR, text)
}

/// The row types seen at a place, with their layouts.
pub(crate) type Layouts = Vec<(Oid, i32, Arc<TupleLayout>)>;

/// The layout of a composite value, by the type in its header.
pub(crate) fn layout_of(run: &mut Run<'_>, layouts: &mut Layouts, payload: &[u8]) -> Result<Arc<TupleLayout>> {
    let word = |at: usize| payload.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok()).map(u32::from_le_bytes);
    let (Some(typmod), Some(oid)) = (word(0), word(4)) else {
        return Err(PgError::new(DATA_CORRUPTED, "invalid composite value"));
    };
    let (typmod, oid) = (typmod as i32, Oid(oid));
    if let Some(known) = layouts.iter().find(|l| l.0 == oid && l.1 == typmod) {
        return Ok(known.2.clone());
    }
    let desc = run.cx.row_type(oid, typmod)?;
    let layout = Arc::new(TupleLayout::new(&desc));
    layouts.push((oid, typmod, layout.clone()));
    Ok(layout)
}

/// `(row).field`.
pub(crate) struct FieldSelectNode {
    pub arg: CExpr,
    pub field: i16,
    pub layouts: Layouts,
}

impl FieldSelectNode {
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let v = plain(run, self.arg.value(input, row))?;
        if v.is_null() {
            return Ok(Datum::Null);
        }
        let payload = v.as_ref();
        let layout = layout_of(run, &mut self.layouts, payload.as_bytes())?;
        let mut fields = Vec::new();
        layout.deform_composite(payload.as_bytes(), &mut fields)?;
        Ok(fields.get(self.field as usize - 1).copied().unwrap_or_default().to_owned())
    }
}

/// A row with some fields replaced.
pub(crate) struct FieldStoreNode {
    pub arg: CExpr,
    pub values: Vec<CExpr>,
    pub fields: Vec<i16>,
    pub layout: TupleLayout,
}

impl FieldStoreNode {
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let v = plain(run, self.arg.value(input, row))?;
        let mut fields: Vec<Datum> = vec![Datum::Null; self.layout.len()];
        if !v.is_null() {
            let mut refs = Vec::new();
            self.layout.deform_composite(v.as_ref().as_bytes(), &mut refs)?;
            fields = refs.into_iter().map(|d| d.to_owned()).collect();
        }
        for (e, n) in self.values.iter().zip(&self.fields) {
            fields[*n as usize - 1] = e.value(input, row).to_owned();
        }
        composite(run, &self.layout, fields)
    }
}

/// Makes a composite value; its fields are fetched where they are toasted.
pub(crate) fn composite(run: &mut Run<'_>, layout: &TupleLayout, fields: Vec<Datum>) -> Result<Datum> {
    let fields: Result<Vec<Datum>> = fields.into_iter().map(|d| plain(run, d.as_ref())).collect();
    Ok(Datum::bytes(layout.form_composite(&fields?)?))
}

/// `a[i]`, `a[i:j]` and assignments to them.
pub(crate) struct SubscriptNode {
    pub container: CExpr,
    pub upper: Vec<Option<CExpr>>,
    pub lower: Vec<Option<CExpr>>,
    pub slice: bool,
    pub assign: Option<CExpr>,
    pub elem: Elem,
    /// Of fixed-length array types (`point`, `name`).
    pub fixed_len: Option<usize>,
}

impl SubscriptNode {
    fn eval_parts(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>) -> Result<()> {
        self.container.eval(run, input, rows)?;
        for e in self.upper.iter_mut().chain(&mut self.lower).flatten().chain(&mut self.assign) {
            e.eval(run, input, rows)?;
        }
        Ok(())
    }

    fn subscripts(list: &[Option<CExpr>], input: &Batch, row: usize) -> Option<Vec<Option<i32>>> {
        let mut out = Vec::with_capacity(list.len());
        for e in list {
            match e {
                None => out.push(None),
                Some(e) => match e.value(input, row) {
                    DatumRef::Null => return None,
                    d => out.push(Some(d.word() as i32)),
                },
            }
        }
        Some(out)
    }

    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let container = plain(run, self.container.value(input, row))?;
        let upper = Self::subscripts(&self.upper, input, row);
        let lower = Self::subscripts(&self.lower, input, row);
        let (Some(upper), Some(lower)) = (upper, lower) else {
            return match &self.assign {
                None => Ok(Datum::Null),
                Some(_) => Err(PgError::new(NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null")),
            };
        };
        if self.assign.is_some() {
            return self.assigned(run, container, &upper, &lower, input, row);
        }
        if container.is_null() {
            return Ok(Datum::Null);
        }
        if let Some(len) = self.fixed_len {
            if self.slice {
                let text = "slices of fixed-length arrays not implemented";
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
            }
            return Ok(self.fixed_element(&container, len, upper.first().copied().flatten()));
        }
        let payload = container.as_ref();
        let array = ArrayRef::new(payload.as_bytes())?;
        if self.slice {
            return self.slice_of(&array, &upper, &lower);
        }
        let subscripts: Vec<i32> = upper.into_iter().map(Option::unwrap_or_default).collect();
        match array.position(&subscripts) {
            None => Ok(Datum::Null),
            Some(p) => array.elements(&self.elem).nth(p).transpose().map(|d| d.unwrap_or_default().to_owned()),
        }
    }

    fn fixed_element(&self, container: &Datum, len: usize, subscript: Option<i32>) -> Datum {
        let width = self.elem.len.max(1) as usize;
        let at = usize::try_from(subscript.unwrap_or(-1)).unwrap_or(usize::MAX / 64);
        if at >= len / width {
            return Datum::Null;
        }
        let bytes = container.as_ref();
        let part = bytes.as_bytes().get(at * width..(at + 1) * width).unwrap_or_default();
        if !self.elem.byval {
            return Datum::bytes(part);
        }
        let mut word = [0u8; 8];
        word[..part.len()].copy_from_slice(part);
        Datum::Word(u64::from_le_bytes(word))
    }
    /// One part of a `point` and such replaced; what is null leaves all as it was. (PostgreSQL: `array_set_element`)
    fn fixed_assigned(&self, container: Datum, value: &Datum, len: usize, upper: &[Option<i32>]) -> Result<Datum> {
        if self.slice {
            let text = "updates on slices of fixed-length arrays not implemented";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        if container.is_null() || value.is_null() {
            return Ok(container);
        }
        let width = self.elem.len.max(1) as usize;
        let at = upper.first().copied().flatten().and_then(|u| usize::try_from(u).ok()).filter(|u| *u < len / width);
        let (Some(at), 1) = (at, upper.len()) else {
            return Err(PgError::new(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range"));
        };
        let mut bytes = container.as_ref().as_bytes().to_vec();
        bytes.resize(len, 0);
        let part = &mut bytes[at * width..(at + 1) * width];
        match value.as_ref() {
            DatumRef::Word(w) => part.copy_from_slice(&w.to_le_bytes()[..width.min(8)]),
            v => part.copy_from_slice(v.as_bytes().get(..width).unwrap_or(&vec![0; width])),
        }
        Ok(Datum::bytes(bytes))
    }

    fn slice_of(&self, array: &ArrayRef<'_>, upper: &[Option<i32>], lower: &[Option<i32>]) -> Result<Datum> {
        let n = array.ndim();
        let empty = || Ok(array::build_empty(self.elem.oid));
        if n == 0 || upper.len() > n {
            return empty();
        }
        let (mut from, mut dims) = (Vec::new(), Vec::new());
        for i in 0..n {
            let (lb, dim) = (array.lower_bound(i), array.dim(i));
            let lo = lower.get(i).copied().flatten().unwrap_or(lb).max(lb);
            let hi = upper.get(i).copied().flatten().unwrap_or(lb + dim - 1).min(lb + dim - 1);
            if lo > hi {
                return empty();
            }
            from.push(lo);
            dims.push(hi - lo + 1);
        }
        let all = array.to_vec(&self.elem)?;
        let mut picked = Vec::new();
        let mut at = from.clone();
        'rows: loop {
            if let Some(p) = array.position(&at) {
                picked.push(all[p]);
            }
            for i in (0..n).rev() {
                at[i] += 1;
                if at[i] < from[i] + dims[i] {
                    continue 'rows;
                }
                at[i] = from[i];
            }
            break;
        }
        array::build(&self.elem, &dims, &vec![1; n], &picked)
    }

    fn assigned(
        &mut self,
        run: &mut Run<'_>,
        container: Datum,
        upper: &[Option<i32>],
        lower: &[Option<i32>],
        input: &Batch,
        row: usize,
    ) -> Result<Datum> {
        let value = match &self.assign {
            Some(a) => plain(run, a.value(input, row))?,
            None => Datum::Null,
        };
        if let Some(len) = self.fixed_len {
            return self.fixed_assigned(container, &value, len, upper);
        }
        let container = if container.is_null() { array::build_empty(self.elem.oid) } else { container };
        let payload = container.as_ref();
        if self.slice {
            if value.is_null() {
                return Ok(container);
            }
            let source = value.as_ref();
            return array_assign::set_slice(payload.as_bytes(), &self.elem, lower, upper, source.as_bytes());
        }
        let at: Vec<i32> = upper.iter().map(|u| u.unwrap_or_default()).collect();
        array_assign::set_element(payload.as_bytes(), &self.elem, &at, value.as_ref())
    }
}

/// An array converted element by element.
pub(crate) struct ArrayCoerceNode {
    pub arg: CExpr,
    pub from: Elem,
    pub to: Elem,
    /// Reads its element as input column 0.
    pub elem: CExpr,
    /// Only the element type's name changes.
    pub identity: bool,
}

impl ArrayCoerceNode {
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let v = plain(run, self.arg.value(input, row))?;
        if v.is_null() {
            return Ok(Datum::Null);
        }
        let payload = v.as_ref();
        let array = ArrayRef::new(payload.as_bytes())?;
        if self.identity {
            let mut bytes = payload.as_bytes().to_vec();
            bytes[8..12].copy_from_slice(&self.to.oid.0.to_le_bytes());
            return Ok(Datum::bytes(bytes));
        }
        let mut column = Column::new(types::Physical::of(self.from.len, self.from.byval));
        for e in array.elements(&self.from) {
            column.push(e?);
        }
        let batch = Batch { rows: column.len(), columns: vec![Arc::new(column)], selection: None };
        self.elem.eval(run, &batch, Rows::All(batch.rows))?;
        let values: Result<Vec<Datum>> = (0..batch.rows).map(|i| plain(run, self.elem.value(&batch, i))).collect();
        let values = values?;
        let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
        array::build(&self.to, &array.dims(), &array.lower_bounds(), &refs)
    }
}

/// A cast by output and input function.
pub(crate) struct ViaIoNode {
    pub arg: CExpr,
    pub output: FuncNode,
    pub input: FuncNode,
    pub ioparam: Oid,
}

impl ViaIoNode {
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let v = self.arg.value(input, row);
        let text = if v.is_null() { Datum::Null } else { self.output.call(run, &[v])? };
        let ioparam = Datum::oid(self.ioparam);
        self.input.call(run, &[text.as_ref(), ioparam.as_ref(), DatumRef::Word(-1i64 as u64)])
    }
}

pub(crate) struct DomainCheck {
    pub name: String,
    pub expr: CExpr,
}

/// A value checked against its domain's constraints.
pub(crate) struct DomainNode {
    pub arg: CExpr,
    pub name: String,
    pub schema: String,
    pub not_null: bool,
    pub checks: Vec<DomainCheck>,
}

impl DomainNode {
    fn eval(&mut self, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        self.arg.eval(run, input, rows)?;
        let a = self.arg.result(input);
        if self.not_null && rows.iter().any(|i| a.get(i).is_null()) {
            let text = format!("domain {} does not allow null values", self.name);
            return Err(PgError::new(NOT_NULL_VIOLATION, text).datatype(&*self.schema, &*self.name));
        }
        if !self.checks.is_empty() {
            let wider = super::eval::with_column(input, &self.arg, rows);
            for check in &mut self.checks {
                check.expr.eval(run, &wider, rows)?;
                let c = check.expr.result(&wider);
                if rows.iter().any(|i| !c.get(i).is_null() && !is_true(c.get(i))) {
                    let text = format!("value for domain {} violates check constraint \"{}\"", self.name, check.name);
                    let e = PgError::new(CHECK_VIOLATION, text).datatype(&*self.schema, &*self.name);
                    return Err(e.constraint(&*check.name));
                }
            }
        }
        super::eval::copy_rows(out, self.arg.result(input), rows);
        Ok(())
    }
}

/// `(a, b) < (c, d)`.
pub(crate) struct RowCompareNode {
    pub left: Vec<CExpr>,
    pub right: Vec<CExpr>,
    pub cmp: RowCompareType,
    pub keys: Vec<types::Comparator>,
    /// For `=` and `<>`.
    pub equal: Vec<FuncNode>,
}

impl RowCompareNode {
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let mut order = std::cmp::Ordering::Equal;
        for i in 0..self.left.len() {
            let (a, b) = (plain(run, self.left[i].value(input, row))?, plain(run, self.right[i].value(input, row))?);
            if a.is_null() || b.is_null() {
                return Ok(Datum::Null);
            }
            if let Some(f) = self.equal.get_mut(i) {
                let equal = is_true(f.call(run, &[a.as_ref(), b.as_ref()])?.as_ref());
                order = if equal { std::cmp::Ordering::Equal } else { std::cmp::Ordering::Less };
            } else if let Some(k) = self.keys.get(i) {
                order = k.compare(a.as_ref(), b.as_ref())?;
            }
            if order.is_ne() {
                break;
            }
        }
        Ok(Datum::bool(match self.cmp {
            RowCompareType::Lt => order.is_lt(),
            RowCompareType::Le => order.is_le(),
            RowCompareType::Eq => order.is_eq(),
            RowCompareType::Ge => order.is_ge(),
            RowCompareType::Gt => order.is_gt(),
            RowCompareType::Ne => order.is_ne(),
        }))
    }
}

/// GREATEST and LEAST.
pub(crate) struct MinMaxNode {
    pub args: Vec<CExpr>,
    pub key: SortKey,
    pub greatest: bool,
}

impl MinMaxNode {
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let mut best = Datum::Null;
        for a in &self.args {
            let v = plain(run, a.value(input, row))?;
            if v.is_null() {
                continue;
            }
            let order =
                if best.is_null() { None } else { Some(self.key.comparator.compare(v.as_ref(), best.as_ref())?) };
            if order.is_none_or(|o| if self.greatest { o.is_gt() } else { o.is_lt() }) {
                best = v;
            }
        }
        Ok(best)
    }
}

/// A row of one composite type as another's, columns matched by name.
pub(crate) struct ConvertRowNode {
    arg: CExpr,
    from: TupleLayout,
    to: TupleLayout,
    map: Vec<Option<usize>>,
}

impl ConvertRowNode {
    pub fn new(arg: CExpr, from: &Arc<TupleDesc>, to: &Arc<TupleDesc>) -> ConvertRowNode {
        let map = to.attrs.iter().map(|a| if a.dropped { None } else { from.find(&a.name).map(|n| n as usize - 1) });
        ConvertRowNode { arg, map: map.collect(), from: TupleLayout::new(from), to: TupleLayout::new(to) }
    }
    fn value(&mut self, run: &mut Run<'_>, input: &Batch, row: usize) -> Result<Datum> {
        let v = plain(run, self.arg.value(input, row))?;
        if v.is_null() {
            return Ok(v);
        }
        let mut fields = Vec::new();
        self.from.deform_composite(v.as_ref().as_bytes(), &mut fields)?;
        let fields = self.map.iter().map(|m| m.map_or(Datum::Null, |i| fields[i].to_owned())).collect();
        composite(run, &self.to, fields)
    }
}

/// `IS NULL` of a row: all its fields are.
fn row_null_test(run: &mut Run<'_>, v: DatumRef<'_>, not: bool) -> Result<bool> {
    let v = plain(run, v)?;
    if v.is_null() {
        return Ok(!not);
    }
    let payload = v.as_ref();
    let layout = layout_of(run, &mut Vec::new(), payload.as_bytes())?;
    let mut fields = Vec::new();
    layout.deform_composite(payload.as_bytes(), &mut fields)?;
    let live = layout.desc().attrs.iter().zip(&fields).filter(|(a, _)| !a.dropped);
    let mut live = live.map(|(_, f)| f.is_null());
    Ok(if not { !live.any(|n| n) } else { live.all(|n| n) })
}

/// CURRENT_DATE and its like.
pub(super) fn sql_value(run: &mut Run<'_>, op: SvfOp, typmod: i32) -> Result<Datum> {
    // The conversion from the transaction's time, and the one to a precision.
    let (convert, scale) = match op {
        SvfOp::CurrentDate => ("timestamptz_date", None),
        SvfOp::CurrentTime => ("timestamptz_timetz", None),
        SvfOp::CurrentTimeN => ("timestamptz_timetz", Some("timetz_scale")),
        SvfOp::CurrentTimestamp => ("", None),
        SvfOp::CurrentTimestampN => ("", Some("timestamptz_scale")),
        SvfOp::LocalTime => ("timestamptz_time", None),
        SvfOp::LocalTimeN => ("timestamptz_time", Some("time_scale")),
        SvfOp::LocalTimestamp => ("timestamptz_timestamp", None),
        SvfOp::LocalTimestampN => ("timestamptz_timestamp", Some("timestamp_scale")),
        SvfOp::CurrentRole | SvfOp::CurrentUser | SvfOp::User => {
            return Ok(Datum::text(&run.cx.catalog.role_name(run.cx.settings.current_user)?));
        }
        SvfOp::SessionUser => {
            return Ok(Datum::text(&run.cx.catalog.role_name(run.cx.settings.session_user)?));
        }
        SvfOp::CurrentCatalog => return Ok(Datum::text(&run.cx.settings.database_name)),
        SvfOp::CurrentSchema => return call_builtin(run, "current_schema", &[]),
    };
    let mut value = Datum::i64(run.cx.settings().transaction_timestamp);
    if !convert.is_empty() {
        value = call_builtin(run, convert, &[value.as_ref()])?;
    }
    match scale {
        Some(scale) => call_builtin(run, scale, &[value.as_ref(), Datum::i32(typmod).as_ref()]),
        None => Ok(value),
    }
}

/// A strict function of the registry, by its name there.
fn call_builtin(run: &mut Run<'_>, name: &str, args: &[DatumRef<'_>]) -> Result<Datum> {
    let builtin = *run.cx.registry.function(name).ok_or_else(|| PgError::unsupported(format!("function {name}")))?;
    let types::Body::Row(f) = builtin.body else { return Err(PgError::internal("not a row function")) };
    let call = types::FnCall::default();
    f(&mut types::FnCx { rt: run.cx, call: &call, state: &mut None }, args)
}

/// Evaluates the kinds of this file; `out` has the batch's length.
pub(super) fn eval(kind: &mut Kind, run: &mut Run<'_>, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    match kind {
        Kind::ScalarArray(n) => return n.eval(run, input, rows, out),
        Kind::Domain(n) => return n.eval(run, input, rows, out),
        Kind::RowNullTest { arg, not } => {
            arg.eval(run, input, rows)?;
            for i in rows.iter() {
                let yes = row_null_test(run, arg.value(input, i), *not)?;
                out.set(i, DatumRef::Word(u64::from(yes)));
            }
        }
        Kind::NextValue { seqid } => {
            for i in rows.iter() {
                let v = run.cx.next_value(*seqid)?;
                out.set(i, DatumRef::Word(v as u64));
            }
        }
        Kind::Array(n) => {
            n.args.iter_mut().try_for_each(|a| a.eval(run, input, rows))?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::Row { args, desc: _, layout } => {
            args.iter_mut().try_for_each(|a| a.eval(run, input, rows))?;
            each(rows, out, |i| {
                let fields = args.iter().map(|a| a.value(input, i).to_owned()).collect();
                composite(run, layout, fields)
            })?;
        }
        Kind::FieldSelect(n) => {
            n.arg.eval(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::FieldStore(n) => {
            n.arg.eval(run, input, rows)?;
            n.values.iter_mut().try_for_each(|a| a.eval(run, input, rows))?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::Subscript(n) => {
            n.eval_parts(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::ArrayCoerce(n) => {
            n.arg.eval(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::ViaIo(n) => {
            n.arg.eval(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::RowCompare(n) => {
            n.left.iter_mut().chain(&mut n.right).try_for_each(|a| a.eval(run, input, rows))?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::MinMax(n) => {
            n.args.iter_mut().try_for_each(|a| a.eval(run, input, rows))?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::ConvertRow(n) => {
            n.arg.eval(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::JsonExpr(n) => {
            n.eval_parts(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::JsonMake(n) => {
            n.args.iter_mut().try_for_each(|a| a.eval(run, input, rows))?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        Kind::IsJson(n) => {
            n.arg.eval(run, input, rows)?;
            each(rows, out, |i| n.value(run, input, i))?;
        }
        _ => return Err(PgError::internal("unexpected expression node")),
    }
    Ok(())
}

fn each(rows: Rows<'_>, out: &mut Column, mut f: impl FnMut(usize) -> Result<Datum>) -> Result<()> {
    for i in rows.iter() {
        let v = f(i)?;
        out.set(i, v.as_ref());
    }
    Ok(())
}
