//! The built-ins of arrays of any element type: input, output, comparison, construction, search.

use std::cmp::Ordering;
use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use types::array::{self, ArrayRef, ElementType, MAX_DIMS};
use types::{Comparator, Datum, DatumRef, FnCx, RowSource, Runtime, TypeInfo, builtin};

use crate::err::{error, invalid_parameter};
use crate::generic::element_type;
use crate::int::is_space;
use crate::wire::Reader;

/// An array's parts.
pub struct Parts {
    pub elem: ElementType,
    pub dims: Vec<i32>,
    pub lower: Vec<i32>,
    pub values: Vec<Datum>,
}

impl Parts {
    pub fn open(rt: &mut dyn Runtime, bytes: &[u8]) -> Result<Parts> {
        let a = ArrayRef::new(bytes)?;
        let elem = element_type(rt, a.elem_type())?;
        let values = a.elements(&elem).map(|v| v.map(|v| v.to_owned())).collect::<Result<_>>()?;
        Ok(Parts { elem, dims: a.dims(), lower: a.lower_bounds(), values })
    }
    pub fn build(&self) -> Result<Datum> {
        let refs: Vec<DatumRef<'_>> = self.values.iter().map(Datum::as_ref).collect();
        array::build(&self.elem, &self.dims, &self.lower, &refs)
    }
    fn empty(elem: ElementType) -> Parts {
        Parts { elem, dims: Vec::new(), lower: Vec::new(), values: Vec::new() }
    }
    fn vector(elem: ElementType, values: Vec<Datum>) -> Parts {
        match values.is_empty() {
            true => Parts::empty(elem),
            false => Parts { elem, dims: vec![values.len() as i32], lower: vec![1], values },
        }
    }
}

// Input.

struct Input<'a> {
    text: &'a str,
    at: usize,
    delim: char,
    nulls: bool,
}

impl Input<'_> {
    fn malformed(&self, detail: &str) -> PgError {
        error(INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{}\"", self.text)).detail(detail)
    }
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }
    fn skip(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }
    fn integer(&mut self) -> Result<Option<i32>> {
        let rest = &self.text[self.at..];
        let sign = usize::from(rest.starts_with(['-', '+']));
        let n = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if n == 0 {
            return Ok(None);
        }
        let text = &rest[..sign + n];
        self.at += sign + n;
        let range = || error(ARRAY_SUBSCRIPT_ERROR, "array bound is out of integer range");
        text.parse().map(Some).map_err(|_| range())
    }
    fn dimensions(&mut self) -> Result<(Vec<i32>, Vec<i32>)> {
        let (mut dims, mut lower) = (Vec::new(), Vec::new());
        loop {
            self.skip();
            if self.peek() != Some('[') {
                break;
            }
            self.at += 1;
            self.skip();
            if dims.len() >= MAX_DIMS {
                return Err(too_many_dims());
            }
            let bad = "\"[\" must introduce explicitly-specified array dimensions.";
            let Some(mut up) = self.integer()? else { return Err(self.malformed(bad)) };
            let mut low = 1;
            self.skip();
            if self.peek() == Some(':') {
                self.at += 1;
                self.skip();
                low = up;
                up = match self.integer()? {
                    Some(u) => u,
                    None => return Err(self.malformed("Missing array dimension value.")),
                };
                self.skip();
            }
            if self.peek() != Some(']') {
                return Err(self.malformed("Missing \"]\" after array dimensions."));
            }
            self.at += 1;
            if up < low {
                return Err(error(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound"));
            }
            if up == i32::MAX {
                return Err(error(ARRAY_SUBSCRIPT_ERROR, format!("array upper bound is too large: {up}")));
            }
            let n = i64::from(up) - i64::from(low) + 1;
            dims.push(
                i32::try_from(n)
                    .map_err(|_| error(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (134217727)"))?,
            );
            lower.push(low);
        }
        Ok((dims, lower))
    }
    /// A quoted or plain item; `None` is NULL.
    fn item(&mut self) -> Result<Option<String>> {
        let mut out = String::new();
        if self.peek() == Some('"') {
            self.at += 1;
            loop {
                let Some(c) = self.peek() else { return Err(self.malformed("Unexpected end of input.")) };
                self.at += c.len_utf8();
                match c {
                    '"' => break,
                    '\\' => {
                        let Some(c) = self.peek() else { return Err(self.malformed("Unexpected end of input.")) };
                        self.at += c.len_utf8();
                        out.push(c);
                    }
                    c => out.push(c),
                }
            }
            self.skip();
            match self.peek() {
                Some(c) if c == self.delim || c == '}' => Ok(Some(out)),
                Some(_) => Err(self.malformed("Incorrectly quoted array element.")),
                None => Err(self.malformed("Unexpected end of input.")),
            }
        } else {
            let (mut keep, mut escaped) = (0, false);
            loop {
                let Some(c) = self.peek() else { return Err(self.malformed("Unexpected end of input.")) };
                if c == self.delim || c == '}' {
                    break;
                }
                self.at += c.len_utf8();
                match c {
                    '{' => return Err(self.malformed("Unexpected \"{\" character.")),
                    '"' => return Err(self.malformed("Incorrectly quoted array element.")),
                    '\\' => {
                        let Some(c) = self.peek() else { return Err(self.malformed("Unexpected end of input.")) };
                        self.at += c.len_utf8();
                        out.push(c);
                        keep = out.len();
                        escaped = true;
                    }
                    c => {
                        out.push(c);
                        if !is_space(c) {
                            keep = out.len();
                        }
                    }
                }
            }
            out.truncate(keep);
            if out.is_empty() {
                let c = self.peek().unwrap_or('}');
                return Err(self.malformed(&format!("Unexpected \"{c}\" character.")));
            }
            if self.nulls && !escaped && out.eq_ignore_ascii_case("null") {
                return Ok(None);
            }
            Ok(Some(out))
        }
    }
    /// From an opening brace; `dims` are known from the first sub-array that ended.
    fn braces(
        &mut self,
        depth: usize,
        dims: &mut Vec<i32>,
        known: &mut Vec<bool>,
        items: &mut Vec<Option<String>>,
    ) -> Result<()> {
        let mismatch = "Multidimensional arrays must have sub-arrays with matching dimensions.";
        if depth >= MAX_DIMS {
            return Err(too_many_dims());
        }
        if dims.len() <= depth {
            // Deeper than a sub-array that held elements.
            if depth > 0 && known[depth - 1] && !items.is_empty() {
                return Err(self.malformed(mismatch));
            }
            dims.push(0);
            known.push(false);
        }
        self.at += 1;
        let (mut n, mut first) = (0, true);
        loop {
            self.skip();
            match self.peek() {
                None => return Err(self.malformed("Unexpected end of input.")),
                Some('}') if first => {
                    self.at += 1;
                    break;
                }
                Some('{') if n > 0 && dims.len() == depth + 1 => return Err(self.malformed(mismatch)),
                Some('{') => self.braces(depth + 1, dims, known, items)?,
                Some(c) if c == self.delim || c == '}' => {
                    return Err(self.malformed(&format!("Unexpected \"{c}\" character.")));
                }
                Some(_) => {
                    if dims.len() > depth + 1 {
                        return Err(self.malformed(mismatch));
                    }
                    let item = self.item()?;
                    items.push(item);
                }
            }
            n += 1;
            first = false;
            self.skip();
            match self.peek() {
                Some(c) if c == self.delim => {
                    self.at += 1;
                    self.skip();
                    if self.peek() == Some('}') {
                        return Err(self.malformed("Unexpected \"}\" character."));
                    }
                }
                Some('}') => {
                    self.at += 1;
                    break;
                }
                Some('{') => return Err(self.malformed("Unexpected \"{\" character.")),
                Some(_) => return Err(self.malformed("Unexpected array element.")),
                None => return Err(self.malformed("Unexpected end of input.")),
            }
        }
        if known[depth] && dims[depth] != n {
            return Err(self.malformed(mismatch));
        }
        (dims[depth], known[depth]) = (n, true);
        Ok(())
    }
}
#[cold]
fn too_many_dims() -> PgError {
    error(PROGRAM_LIMIT_EXCEEDED, "number of array dimensions exceeds the maximum allowed (6)")
}

/// Reads an array's text; each item goes through the element type's input function.
pub fn parse(cx: &mut FnCx<'_>, text: &str, elem_oid: Oid, typmod: i32) -> Result<Datum> {
    let info = cx.rt.type_info(elem_oid)?;
    let nulls = cx.settings().array_nulls;
    let mut p = Input { text, at: 0, delim: char::from(info.delim), nulls };
    let (given, lower) = p.dimensions()?;
    p.skip();
    if given.is_empty() {
        if p.peek() != Some('{') {
            return Err(p.malformed("Array value must start with \"{\" or dimension information."));
        }
    } else {
        if p.peek() != Some('=') {
            return Err(p.malformed("Missing \"=\" after array dimensions."));
        }
        p.at += 1;
        p.skip();
        if p.peek() != Some('{') {
            return Err(p.malformed("Array contents must start with \"{\"."));
        }
    }
    let (mut dims, mut items) = (Vec::new(), Vec::new());
    p.braces(0, &mut dims, &mut Vec::new(), &mut items)?;
    p.skip();
    if p.at < text.len() {
        return Err(p.malformed("Junk after closing right brace."));
    }
    if !given.is_empty() && given != dims {
        return Err(p.malformed("Specified array dimensions do not match array contents."));
    }
    let elem = element_type(cx.rt, elem_oid)?;
    if items.is_empty() {
        return Ok(array::build_empty(elem_oid));
    }
    let (param, typmod) = (Datum::oid(info.ioparam), Datum::i32(typmod));
    let mut values = Vec::with_capacity(items.len());
    for item in &items {
        values.push(match item {
            None => Datum::Null,
            Some(s) => {
                let args = [DatumRef::Bytes(s.as_bytes()), param.as_ref(), typmod.as_ref()];
                cx.rt.call(info.input, Oid::INVALID, &args)?
            }
        });
    }
    let lower = if given.is_empty() { vec![1; dims.len()] } else { lower };
    Parts { elem, dims, lower, values }.build()
}

#[builtin("array_in")]
fn array_in(cx: &mut FnCx<'_>, s: &str, elem: Oid, typmod: i32) -> Result<Datum> {
    parse(cx, s, elem, typmod)
}

/// Writes an array's text.
pub fn write(rt: &mut dyn Runtime, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let a = ArrayRef::new(bytes)?;
    if a.count() == 0 {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    let info = rt.type_info(a.elem_type())?;
    let elem = ElementType::of(&info);
    let dims = a.dims();
    if a.lower_bounds().iter().any(|&l| l != 1) {
        for i in 0..a.ndim() {
            let low = a.lower_bound(i);
            out.extend_from_slice(format!("[{low}:{}]", i64::from(low) + i64::from(a.dim(i)) - 1).as_bytes());
        }
        out.push(b'=');
    }
    let mut index = vec![0; dims.len()];
    let mut text = Vec::new();
    for v in a.elements(&elem) {
        // Opens as many braces as indices are at their start.
        let opening = index.iter().rev().take_while(|&&i| i == 0).count();
        out.resize(out.len() + opening, b'{');
        match v? {
            DatumRef::Null => out.extend_from_slice(b"NULL"),
            v => {
                text.clear();
                crate::generic::write_value(rt, elem.oid, v, &mut text)?;
                write_item(&text, info.delim, out);
            }
        }
        let mut closed = 0;
        for d in (0..dims.len()).rev() {
            index[d] += 1;
            if index[d] < dims[d] {
                break;
            }
            index[d] = 0;
            closed += 1;
        }
        out.resize(out.len() + closed, b'}');
        if closed < dims.len() {
            out.push(info.delim);
        }
    }
    Ok(())
}
fn write_item(text: &[u8], delim: u8, out: &mut Vec<u8>) {
    let special = |c: &u8| matches!(c, b'"' | b'\\' | b'{' | b'}') || *c == delim || is_space(char::from(*c));
    if !text.is_empty() && !text.eq_ignore_ascii_case(b"null") && !text.iter().any(special) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &c in text {
        if matches!(c, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(c);
    }
    out.push(b'"');
}
#[builtin("array_out", "anyarray_out", "anycompatiblearray_out", write)]
fn array_out(cx: &mut FnCx<'_>, a: &[u8], out: &mut Vec<u8>) -> Result<()> {
    write(cx.rt, a, out)
}
#[builtin("array_recv")]
fn array_recv(cx: &mut FnCx<'_>, b: &[u8], elem: Oid, typmod: i32) -> Result<Datum> {
    let mut r = Reader::new(b);
    let (ndim, _flags, oid) = (r.i32()?, r.i32()?, r.i32()?);
    let bad = |text: String| PgError::new(INVALID_BINARY_REPRESENTATION, text);
    if !(0..=MAX_DIMS as i32).contains(&ndim) {
        return Err(bad(format!("invalid number of dimensions: {ndim}")));
    }
    if oid as u32 != elem.0 {
        let text = format!("binary data has array element type {} instead of expected {}", oid as u32, elem.0);
        return Err(error(DATATYPE_MISMATCH, text));
    }
    let (mut dims, mut lower) = (Vec::new(), Vec::new());
    for _ in 0..ndim {
        dims.push(r.i32()?);
        lower.push(r.i32()?);
    }
    let info = cx.rt.type_info(elem)?;
    let count: i64 = if ndim == 0 { 0 } else { dims.iter().map(|&d| i64::from(d.max(0))).product() };
    if count > array::MAX_ARRAY_SIZE as i64 {
        return Err(error(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (134217727)"));
    }
    let (param, typmod) = (Datum::oid(info.ioparam), Datum::i32(typmod));
    let mut values = Vec::new();
    for _ in 0..count {
        let len = r.i32()?;
        values.push(match usize::try_from(len) {
            Err(_) => Datum::Null,
            Ok(n) => cx.rt.call(
                info.receive,
                Oid::INVALID,
                &[DatumRef::Bytes(r.take(n)?), param.as_ref(), typmod.as_ref()],
            )?,
        });
    }
    if values.is_empty() {
        return Ok(array::build_empty(elem));
    }
    Parts { elem: ElementType::of(&info), dims, lower, values }.build()
}
#[builtin("array_send", "anyarray_send", "anycompatiblearray_send")]
fn array_send(cx: &mut FnCx<'_>, b: &[u8]) -> Result<Vec<u8>> {
    let a = ArrayRef::new(b)?;
    let info = cx.rt.type_info(a.elem_type())?;
    let mut out = Vec::new();
    for w in [a.ndim() as i32, i32::from(a.has_nulls()), info.oid.0 as i32] {
        out.extend_from_slice(&w.to_be_bytes());
    }
    for i in 0..a.ndim() {
        out.extend_from_slice(&a.dim(i).to_be_bytes());
        out.extend_from_slice(&a.lower_bound(i).to_be_bytes());
    }
    for v in a.elements(&ElementType::of(&info)) {
        match v? {
            DatumRef::Null => out.extend_from_slice(&(-1i32).to_be_bytes()),
            v => {
                let sent = cx.rt.call(info.send, Oid::INVALID, &[v])?;
                let sent = sent.as_ref().as_bytes();
                out.extend_from_slice(&(sent.len() as i32).to_be_bytes());
                out.extend_from_slice(sent);
            }
        }
    }
    Ok(out)
}

// Comparison.

/// How values of a type compare: directly where the type is a common one, else by its btree support function.
pub enum Compare {
    Direct(Comparator),
    Call(Oid, Oid),
}

impl Compare {
    pub fn of(rt: &mut dyn Runtime, info: &TypeInfo, collation: Oid) -> Result<Compare> {
        use types::oid::*;
        let _ = rt;
        let direct = match info.oid {
            INT2OID => Comparator::Int2,
            INT4OID | DATEOID => Comparator::Int4,
            INT8OID | TIMESTAMPOID | TIMESTAMPTZOID => Comparator::Int8,
            OIDOID => Comparator::Oid,
            BOOLOID => Comparator::Bool,
            CHAROID => Comparator::Char,
            FLOAT4OID => Comparator::Float4,
            FLOAT8OID => Comparator::Float8,
            BYTEAOID | UUIDOID => Comparator::Bytes,
            NUMERICOID => Comparator::Plain(crate::numeric::compare_bytes, None),
            _ if info.cmp_proc.is_valid() => return Ok(Compare::Call(info.cmp_proc, collation)),
            _ => {
                let text = format!("could not identify a comparison function for type {}", info.name);
                return Err(error(UNDEFINED_FUNCTION, text));
            }
        };
        Ok(Compare::Direct(direct))
    }
    pub fn compare(&self, rt: &mut dyn Runtime, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
        match self {
            Compare::Direct(c) => c.compare(a, b),
            Compare::Call(f, collation) => {
                let r = rt.call(*f, *collation, &[a, b])?;
                Ok((r.as_ref().word() as i32).cmp(&0))
            }
        }
    }
    fn equal(&self, rt: &mut dyn Runtime, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<bool> {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ok(true),
            (false, false) => Ok(self.compare(rt, a, b)?.is_eq()),
            _ => Ok(false),
        }
    }
}
fn collation_of(cx: &FnCx<'_>, info: &TypeInfo) -> Oid {
    if cx.call.collation.is_valid() { cx.call.collation } else { info.collation }
}
fn compare_for(cx: &mut FnCx<'_>, elem: Oid) -> Result<(Arc<TypeInfo>, Compare)> {
    let info = cx.rt.type_info(elem)?;
    let collation = collation_of(cx, &info);
    let c = Compare::of(cx.rt, &info, collation)?;
    Ok((info, c))
}
/// (PostgreSQL: `array_cmp`)
fn compare(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (x, y) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    if x.elem_type() != y.elem_type() {
        return Err(error(DATATYPE_MISMATCH, "cannot compare arrays of different element types"));
    }
    let (info, c) = compare_for(cx, x.elem_type())?;
    let elem = ElementType::of(&info);
    for (p, q) in x.elements(&elem).zip(y.elements(&elem)) {
        let (p, q) = (p?, q?);
        let order = match (p.is_null(), q.is_null()) {
            (true, true) => continue,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => c.compare(cx.rt, p, q)?,
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(x.count()
        .cmp(&y.count())
        .then_with(|| x.ndim().cmp(&y.ndim()))
        .then_with(|| x.dims().cmp(&y.dims()))
        .then_with(|| x.lower_bounds().cmp(&y.lower_bounds())))
}
fn equal(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    let (x, y) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    if x.dims() != y.dims() || x.lower_bounds() != y.lower_bounds() {
        return Ok(false);
    }
    let info = cx.rt.type_info(x.elem_type())?;
    if x.elem_type() == y.elem_type() && !info.cmp_proc.is_valid() && info.eq_opr.is_valid() {
        // Types that have an equality but no order (aclitem, cid, xid) are equal where their bytes are.
        let elem = ElementType::of(&info);
        for (p, q) in x.elements(&elem).zip(y.elements(&elem)) {
            let same = match (p?, q?) {
                (DatumRef::Bytes(p), DatumRef::Bytes(q)) => p == q,
                (DatumRef::Word(p), DatumRef::Word(q)) => p == q,
                (p, q) => p.is_null() && q.is_null(),
            };
            if !same {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    compare(cx, a, b).map(Ordering::is_eq)
}
#[builtin("array_eq")]
fn array_eq(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    equal(cx, a, b)
}
#[builtin("array_ne")]
fn array_ne(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    equal(cx, a, b).map(|e| !e)
}
#[builtin("array_lt")]
fn array_lt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_lt)
}
#[builtin("array_le")]
fn array_le(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_le)
}
#[builtin("array_gt")]
fn array_gt(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_gt)
}
#[builtin("array_ge")]
fn array_ge(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    compare(cx, a, b).map(Ordering::is_ge)
}
#[builtin("btarraycmp")]
fn btarraycmp(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<i32> {
    compare(cx, a, b).map(|o| o as i32)
}
#[builtin("array_larger")]
fn array_larger(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    Ok(if compare(cx, a, b)?.is_gt() { a } else { b }.to_vec())
}
#[builtin("array_smaller")]
fn array_smaller(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    Ok(if compare(cx, a, b)?.is_lt() { a } else { b }.to_vec())
}
fn hash_function(info: &TypeInfo, f: Oid) -> Result<Oid> {
    let missing = || error(UNDEFINED_FUNCTION, format!("could not identify a hash function for type {}", info.name));
    f.valid().ok_or_else(missing)
}
#[builtin("hash_array")]
fn hash_array(cx: &mut FnCx<'_>, a: &[u8]) -> Result<i32> {
    let a = ArrayRef::new(a)?;
    let info = cx.rt.type_info(a.elem_type())?;
    let (f, collation) = (hash_function(&info, info.hash_proc)?, collation_of(cx, &info));
    let mut h = 1u32;
    for v in a.elements(&ElementType::of(&info)) {
        let one = match v? {
            DatumRef::Null => 0,
            v => cx.rt.call(f, collation, &[v])?.as_ref().word() as u32,
        };
        h = h.wrapping_mul(31).wrapping_add(one);
    }
    Ok(h as i32)
}
#[builtin("hash_array_extended")]
fn hash_array_extended(cx: &mut FnCx<'_>, a: &[u8], seed: i64) -> Result<i64> {
    let a = ArrayRef::new(a)?;
    let info = cx.rt.type_info(a.elem_type())?;
    let (f, collation) = (hash_function(&info, info.hash_extended_proc)?, collation_of(cx, &info));
    let seed = Datum::i64(seed);
    let mut h = 1u64;
    for v in a.elements(&ElementType::of(&info)) {
        let one = match v? {
            DatumRef::Null => 0,
            v => cx.rt.call(f, collation, &[v, seed.as_ref()])?.as_ref().word(),
        };
        h = h.wrapping_mul(31).wrapping_add(one);
    }
    Ok(h as i64)
}
/// Whether every element of `a` is in `b` (or, with `any`, at least one is).
fn contained(cx: &mut FnCx<'_>, a: &[u8], b: &[u8], any: bool) -> Result<bool> {
    let (x, y) = (ArrayRef::new(a)?, ArrayRef::new(b)?);
    if x.elem_type() != y.elem_type() {
        return Err(error(DATATYPE_MISMATCH, "cannot compare arrays of different element types"));
    }
    let (info, c) = compare_for(cx, x.elem_type())?;
    let elem = ElementType::of(&info);
    let inside = y.to_vec(&elem)?;
    for v in x.elements(&elem) {
        let v = v?;
        let mut found = false;
        for w in &inside {
            if !v.is_null() && !w.is_null() && c.compare(cx.rt, v, *w)?.is_eq() {
                found = true;
                break;
            }
        }
        if found == any {
            return Ok(any);
        }
    }
    Ok(!any)
}
#[builtin("arraycontains")]
fn arraycontains(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    contained(cx, b, a, false)
}
#[builtin("arraycontained")]
fn arraycontained(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    contained(cx, a, b, false)
}
#[builtin("arrayoverlap")]
fn arrayoverlap(cx: &mut FnCx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
    contained(cx, a, b, true)
}

// Shape.

#[builtin("array_ndims")]
fn array_ndims(a: &[u8]) -> Result<Option<i32>> {
    let n = ArrayRef::new(a)?.ndim();
    Ok((n > 0).then_some(n as i32))
}
#[builtin("array_dims")]
fn array_dims(a: &[u8]) -> Result<Option<String>> {
    let a = ArrayRef::new(a)?;
    let one = |i| format!("[{}:{}]", a.lower_bound(i), i64::from(a.lower_bound(i)) + i64::from(a.dim(i)) - 1);
    Ok((a.ndim() > 0).then(|| (0..a.ndim()).map(one).collect()))
}
fn dimension(a: &ArrayRef<'_>, d: i32) -> Option<usize> {
    usize::try_from(d).ok().filter(|d| (1..=a.ndim()).contains(d)).map(|d| d - 1)
}
#[builtin("array_lower")]
fn array_lower(a: &[u8], d: i32) -> Result<Option<i32>> {
    let a = ArrayRef::new(a)?;
    Ok(dimension(&a, d).map(|d| a.lower_bound(d)))
}
#[builtin("array_upper")]
fn array_upper(a: &[u8], d: i32) -> Result<Option<i32>> {
    let a = ArrayRef::new(a)?;
    Ok(dimension(&a, d).map(|d| a.lower_bound(d) + a.dim(d) - 1))
}
#[builtin("array_length")]
fn array_length(a: &[u8], d: i32) -> Result<Option<i32>> {
    let a = ArrayRef::new(a)?;
    Ok(dimension(&a, d).map(|d| a.dim(d)))
}
#[builtin("array_cardinality")]
fn array_cardinality(a: &[u8]) -> Result<i32> {
    Ok(ArrayRef::new(a)?.count() as i32)
}

// Construction.

fn bytes(d: DatumRef<'_>) -> Option<&[u8]> {
    match d {
        DatumRef::Bytes(b) => Some(b),
        _ => None,
    }
}
/// The array, or an empty one of the call's element type where it is null.
fn open_or_empty(cx: &mut FnCx<'_>, a: DatumRef<'_>, index: usize) -> Result<Parts> {
    if let Some(b) = bytes(a) {
        return Parts::open(cx.rt, b);
    }
    let array = cx.call.arg_types.get(index).copied().filter(|t| t.is_valid()).unwrap_or(cx.call.result_type);
    let elem = cx.rt.type_info(array)?.elem;
    Ok(Parts::empty(element_type(cx.rt, elem)?))
}
fn one_dimension(p: &Parts, text: &str) -> Result<()> {
    if p.dims.len() > 1 { Err(error(DATA_EXCEPTION, text)) } else { Ok(()) }
}
#[builtin("array_append")]
fn array_append(cx: &mut FnCx<'_>, a: DatumRef<'_>, v: DatumRef<'_>) -> Result<Datum> {
    let mut p = open_or_empty(cx, a, 0)?;
    one_dimension(&p, "argument must be empty or one-dimensional array")?;
    if p.dims.is_empty() {
        (p.dims, p.lower) = (vec![0], vec![1]);
    }
    if p.lower[0].checked_add(p.dims[0]).is_none() {
        return Err(crate::err::out_of_range("integer"));
    }
    p.dims[0] += 1;
    p.values.push(v.to_owned());
    p.build()
}
#[builtin("array_prepend")]
fn array_prepend(cx: &mut FnCx<'_>, v: DatumRef<'_>, a: DatumRef<'_>) -> Result<Datum> {
    let mut p = open_or_empty(cx, a, 1)?;
    one_dimension(&p, "argument must be empty or one-dimensional array")?;
    if p.dims.is_empty() {
        (p.dims, p.lower) = (vec![0], vec![1]);
    }
    p.dims[0] += 1;
    p.values.insert(0, v.to_owned());
    p.build()
}
#[builtin("array_cat")]
fn array_cat(cx: &mut FnCx<'_>, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Datum> {
    let (Some(x), Some(y)) = (bytes(a), bytes(b)) else {
        return Ok(if a.is_null() { b.to_owned() } else { a.to_owned() });
    };
    let (mut p, mut q) = (Parts::open(cx.rt, x)?, Parts::open(cx.rt, y)?);
    if p.dims.is_empty() {
        return Ok(b.to_owned());
    }
    if q.dims.is_empty() {
        return Ok(a.to_owned());
    }
    let bad =
        |detail: String| Err(error(ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays").detail(detail));
    let (n, m) = (p.dims.len(), q.dims.len());
    if n.abs_diff(m) > 1 {
        return bad(format!("Arrays of {n} and {m} dimensions are not compatible for concatenation."));
    }
    let (outer, inner, first) = if n >= m { (&p, &q, true) } else { (&q, &p, false) };
    let skip = usize::from(n == m);
    let mut dims = outer.dims.clone();
    if outer.dims[1..] != inner.dims[skip..] || n == m && outer.lower[1..] != inner.lower[1..] {
        return bad(match n == m {
            true => "Arrays with differing element dimensions are not compatible for concatenation.".into(),
            false => "Arrays with differing dimensions are not compatible for concatenation.".into(),
        });
    }
    dims[0] += if n == m { inner.dims[0] } else { 1 };
    let lower = if first { p.lower.clone() } else { q.lower.clone() };
    p.values.append(&mut q.values);
    Parts { elem: p.elem, dims, lower, values: p.values }.build()
}
fn search(cx: &mut FnCx<'_>, a: DatumRef<'_>, v: DatumRef<'_>, start: i32, text: &str) -> Result<Vec<i32>> {
    let Some(b) = bytes(a) else { return Ok(Vec::new()) };
    let p = Parts::open(cx.rt, b)?;
    if p.dims.len() > 1 {
        return Err(error(FEATURE_NOT_SUPPORTED, text));
    }
    let (_, c) = compare_for(cx, p.elem.oid)?;
    let low = p.lower.first().copied().unwrap_or(1);
    let mut found = Vec::new();
    for (i, w) in p.values.iter().enumerate() {
        let at = low + i as i32;
        if at >= start && c.equal(cx.rt, w.as_ref(), v)? {
            found.push(at);
        }
    }
    Ok(found)
}
const ONE_ONLY: &str = "searching for elements in multidimensional arrays is not supported";
#[builtin("array_position")]
fn array_position(cx: &mut FnCx<'_>, a: DatumRef<'_>, v: DatumRef<'_>) -> Result<Option<i32>> {
    Ok(search(cx, a, v, i32::MIN, ONE_ONLY)?.first().copied())
}
#[builtin("array_position_start")]
fn array_position_start(
    cx: &mut FnCx<'_>,
    a: DatumRef<'_>,
    v: DatumRef<'_>,
    start: Option<i32>,
) -> Result<Option<i32>> {
    let Some(start) = start else { return Err(error(NULL_VALUE_NOT_ALLOWED, "initial position must not be null")) };
    Ok(search(cx, a, v, start, ONE_ONLY)?.first().copied())
}
#[builtin("array_positions")]
fn array_positions(cx: &mut FnCx<'_>, a: DatumRef<'_>, v: DatumRef<'_>) -> Result<Datum> {
    if a.is_null() {
        return Ok(Datum::Null);
    }
    let found: Vec<Datum> = search(cx, a, v, i32::MIN, ONE_ONLY)?.into_iter().map(Datum::i32).collect();
    let elem = element_type(cx.rt, types::oid::INT4OID)?;
    Parts::vector(elem, found).build()
}
#[builtin("array_remove")]
fn array_remove(cx: &mut FnCx<'_>, a: DatumRef<'_>, v: DatumRef<'_>) -> Result<Datum> {
    let Some(b) = bytes(a) else { return Ok(Datum::Null) };
    let mut p = Parts::open(cx.rt, b)?;
    if p.dims.len() > 1 {
        return Err(error(FEATURE_NOT_SUPPORTED, "removing elements from multidimensional arrays is not supported"));
    }
    let (_, c) = compare_for(cx, p.elem.oid)?;
    let mut kept = Vec::new();
    for w in std::mem::take(&mut p.values) {
        if !c.equal(cx.rt, w.as_ref(), v)? {
            kept.push(w);
        }
    }
    if kept.is_empty() {
        return Ok(array::build_empty(p.elem.oid));
    }
    Parts { dims: vec![kept.len() as i32], values: kept, ..p }.build()
}
#[builtin("array_replace")]
fn array_replace(cx: &mut FnCx<'_>, a: DatumRef<'_>, from: DatumRef<'_>, to: DatumRef<'_>) -> Result<Datum> {
    let Some(b) = bytes(a) else { return Ok(Datum::Null) };
    let mut p = Parts::open(cx.rt, b)?;
    let (_, c) = compare_for(cx, p.elem.oid)?;
    for w in &mut p.values {
        if c.equal(cx.rt, w.as_ref(), from)? {
            *w = to.to_owned();
        }
    }
    p.build()
}
fn fill(cx: &mut FnCx<'_>, v: DatumRef<'_>, dims: DatumRef<'_>, lower: Option<DatumRef<'_>>) -> Result<Datum> {
    let null = || error(NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null");
    let mut ints = |d: DatumRef<'_>| -> Result<Vec<i32>> {
        let p = Parts::open(cx.rt, bytes(d).ok_or_else(null)?)?;
        if p.values.iter().any(Datum::is_null) {
            return Err(error(NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null"));
        }
        Ok(p.values.iter().map(|v| v.as_ref().word() as i32).collect())
    };
    let dims = ints(dims)?;
    let lower = match lower {
        Some(l) => ints(l)?,
        None => vec![1; dims.len()],
    };
    if lower.len() != dims.len() {
        return Err(error(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Low bound array has different size than dimensions array."));
    }
    let elem = cx.rt.type_info(cx.call.result_type)?.elem;
    let elem = element_type(cx.rt, elem)?;
    let count: i64 = dims.iter().map(|&d| i64::from(d)).product();
    if dims.iter().any(|&d| d < 0) || count > array::MAX_ARRAY_SIZE as i64 {
        return Err(error(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (134217727)"));
    }
    if dims.is_empty() || count == 0 {
        return Ok(array::build_empty(elem.oid));
    }
    Parts { elem, dims, lower, values: vec![v.to_owned(); count as usize] }.build()
}
#[builtin("array_fill")]
fn array_fill(cx: &mut FnCx<'_>, v: DatumRef<'_>, dims: DatumRef<'_>) -> Result<Datum> {
    fill(cx, v, dims, None)
}
#[builtin("array_fill_with_lower_bounds")]
fn array_fill_with_lower_bounds(
    cx: &mut FnCx<'_>,
    v: DatumRef<'_>,
    dims: DatumRef<'_>,
    lower: DatumRef<'_>,
) -> Result<Datum> {
    fill(cx, v, dims, Some(lower))
}
#[builtin("trim_array")]
fn trim_array(cx: &mut FnCx<'_>, a: &[u8], n: i32) -> Result<Datum> {
    let mut p = Parts::open(cx.rt, a)?;
    let len = p.dims.first().copied().unwrap_or(0);
    if n < 0 || n > len {
        return Err(error(ARRAY_ELEMENT_ERROR, format!("number of elements to trim must be between 0 and {len}")));
    }
    if let Some(d) = p.dims.first_mut() {
        let slice = p.values.len() / *d as usize;
        *d -= n;
        p.values.truncate(slice * *d as usize);
    }
    // Slices count from 1.
    p.lower.iter_mut().for_each(|l| *l = 1);
    if p.values.is_empty() { Ok(array::build_empty(p.elem.oid)) } else { p.build() }
}
/// Rearranges the outer dimension by the order of its slices.
fn rearrange(p: Parts, order: &[usize]) -> Result<Datum> {
    let slice = if p.dims.is_empty() { 1 } else { p.values.len() / p.dims[0] as usize };
    let values = order.iter().flat_map(|&i| p.values[i * slice..(i + 1) * slice].iter().cloned()).collect();
    let mut dims = p.dims.clone();
    if let Some(d) = dims.first_mut() {
        *d = order.len() as i32;
    }
    if order.is_empty() {
        return Ok(array::build_empty(p.elem.oid));
    }
    Parts { elem: p.elem, dims, lower: p.lower, values }.build()
}
#[builtin("array_reverse")]
fn array_reverse(cx: &mut FnCx<'_>, a: &[u8]) -> Result<Datum> {
    let p = Parts::open(cx.rt, a)?;
    let n = p.dims.first().map_or(0, |&d| d as usize);
    rearrange(p, &(0..n).rev().collect::<Vec<_>>())
}
#[builtin("array_shuffle")]
fn array_shuffle(cx: &mut FnCx<'_>, a: &[u8]) -> Result<Datum> {
    let p = Parts::open(cx.rt, a)?;
    let n = p.dims.first().map_or(0, |&d| d as usize);
    let order = sample(cx, n, n)?;
    rearrange(p, &order)
}
fn sample(cx: &mut FnCx<'_>, n: usize, k: usize) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..n).collect();
    crate::random::with(cx, |r| {
        for i in 0..k {
            let j = i + r.below_or_at((n - 1 - i) as u64) as usize;
            order.swap(i, j);
        }
    })?;
    order.truncate(k);
    Ok(order)
}
#[builtin("array_sample")]
fn array_sample(cx: &mut FnCx<'_>, a: &[u8], k: i32) -> Result<Datum> {
    let mut p = Parts::open(cx.rt, a)?;
    let n = p.dims.first().map_or(0, |&d| d as usize);
    if k < 0 || k as usize > n {
        return Err(invalid_parameter(format!("sample size must be between 0 and {n}")));
    }
    p.lower.iter_mut().take(1).for_each(|l| *l = 1);
    let order = sample(cx, n, k as usize)?;
    rearrange(p, &order)
}
fn sort(cx: &mut FnCx<'_>, a: &[u8], descending: bool, nulls_first: bool) -> Result<Datum> {
    let p = Parts::open(cx.rt, a)?;
    // Of several dimensions, the slices of the first are sorted.
    let (_, c) = compare_for(cx, p.elem.oid)?;
    let slices = p.dims.first().map_or(0, |n| *n as usize);
    let width = if slices == 0 { 0 } else { p.values.len() / slices };
    let mut order: Vec<usize> = (0..slices).collect();
    let mut failed = None;
    order.sort_by(|&i, &j| {
        if p.dims.len() > 1 {
            // Arrays compare element by element, nulls last.
            let pairs = p.values[i * width..(i + 1) * width].iter().zip(&p.values[j * width..(j + 1) * width]);
            for (x, y) in pairs {
                let o = match (x.is_null(), y.is_null()) {
                    (true, true) => Ordering::Equal,
                    (true, false) => Ordering::Greater,
                    (false, true) => Ordering::Less,
                    _ => match c.compare(cx.rt, x.as_ref(), y.as_ref()) {
                        Ok(o) => o,
                        Err(e) => {
                            failed = Some(e);
                            Ordering::Equal
                        }
                    },
                };
                if o.is_ne() {
                    return if descending { o.reverse() } else { o };
                }
            }
            return Ordering::Equal;
        }
        let (x, y) = (p.values[i].as_ref(), p.values[j].as_ref());
        match (x.is_null(), y.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ => match c.compare(cx.rt, x, y) {
                Ok(o) if descending => o.reverse(),
                Ok(o) => o,
                Err(e) => {
                    failed = Some(e);
                    Ordering::Equal
                }
            },
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    rearrange(p, &order)
}
#[builtin("array_sort")]
fn array_sort(cx: &mut FnCx<'_>, a: &[u8]) -> Result<Datum> {
    sort(cx, a, false, false)
}
#[builtin("array_sort_order")]
fn array_sort_order(cx: &mut FnCx<'_>, a: &[u8], descending: bool) -> Result<Datum> {
    sort(cx, a, descending, descending)
}
#[builtin("array_sort_order_nulls_first")]
fn array_sort_nulls(cx: &mut FnCx<'_>, a: &[u8], descending: bool, nulls_first: bool) -> Result<Datum> {
    sort(cx, a, descending, nulls_first)
}

fn rows(list: Vec<Datum>) -> Box<dyn RowSource> {
    Box::new(types::RowList(list.into_iter().map(|d| vec![d]).collect::<Vec<_>>().into_iter()))
}
#[builtin("array_unnest", set)]
fn array_unnest(cx: &mut FnCx<'_>, a: &[u8]) -> Result<Box<dyn RowSource>> {
    Ok(rows(Parts::open(cx.rt, a)?.values))
}
fn subscripts(a: &[u8], d: i32, reverse: bool) -> Result<Box<dyn RowSource>> {
    let a = ArrayRef::new(a)?;
    let Some(d) = dimension(&a, d) else { return Ok(rows(Vec::new())) };
    let low = a.lower_bound(d);
    let mut list: Vec<Datum> = (low..low + a.dim(d)).map(Datum::i32).collect();
    if reverse {
        list.reverse();
    }
    Ok(rows(list))
}
#[builtin("generate_subscripts", set)]
fn generate_subscripts(a: &[u8], d: i32, reverse: bool) -> Result<Box<dyn RowSource>> {
    subscripts(a, d, reverse)
}
#[builtin("generate_subscripts_nodir", set)]
fn generate_subscripts_nodir(a: &[u8], d: i32) -> Result<Box<dyn RowSource>> {
    subscripts(a, d, false)
}
#[builtin("width_bucket_array")]
fn width_bucket_array(cx: &mut FnCx<'_>, v: DatumRef<'_>, a: &[u8]) -> Result<i32> {
    let p = Parts::open(cx.rt, a)?;
    if p.dims.len() > 1 {
        return Err(error(ARRAY_SUBSCRIPT_ERROR, "thresholds must be one-dimensional array"));
    }
    if p.values.iter().any(Datum::is_null) {
        return Err(error(NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs"));
    }
    let (_, c) = compare_for(cx, p.elem.oid)?;
    let (mut low, mut high) = (0, p.values.len());
    while low < high {
        let middle = (low + high) / 2;
        if c.compare(cx.rt, v, p.values[middle].as_ref())?.is_lt() { high = middle } else { low = middle + 1 }
    }
    Ok(low as i32)
}

// Text and arrays.

fn split(s: Option<&str>, sep: Option<&str>, null: Option<&str>) -> Option<Vec<Option<String>>> {
    let s = s?;
    let parts: Vec<String> = match sep {
        _ if s.is_empty() => Vec::new(),
        None => s.chars().map(String::from).collect(),
        Some("") => vec![s.to_owned()],
        Some(sep) => s.split(sep).map(str::to_owned).collect(),
    };
    Some(parts.into_iter().map(|p| if Some(p.as_str()) == null { None } else { Some(p) }).collect())
}
fn to_array(parts: Option<Vec<Option<String>>>) -> Result<Datum> {
    parts.map_or(Ok(Datum::Null), |p| crate::arrays::text_array(p.iter().map(|s| s.as_deref())))
}
#[builtin("text_to_array")]
fn text_to_array(s: Option<&str>, sep: Option<&str>) -> Result<Datum> {
    to_array(split(s, sep, None))
}
#[builtin("text_to_array_null")]
fn text_to_array_null(s: Option<&str>, sep: Option<&str>, null: Option<&str>) -> Result<Datum> {
    to_array(split(s, sep, null))
}
fn to_table(parts: Option<Vec<Option<String>>>) -> Box<dyn RowSource> {
    rows(parts.unwrap_or_default().into_iter().map(|p| p.map_or(Datum::Null, |s| Datum::text(&s))).collect())
}
#[builtin("text_to_table", set)]
fn text_to_table(s: Option<&str>, sep: Option<&str>) -> Box<dyn RowSource> {
    to_table(split(s, sep, None))
}
#[builtin("text_to_table_null", set)]
fn text_to_table_null(s: Option<&str>, sep: Option<&str>, null: Option<&str>) -> Box<dyn RowSource> {
    to_table(split(s, sep, null))
}
fn join(cx: &mut FnCx<'_>, a: &[u8], sep: &str, null: Option<&str>) -> Result<Vec<u8>> {
    let p = Parts::open(cx.rt, a)?;
    let (mut out, mut first) = (Vec::new(), true);
    for v in &p.values {
        if v.is_null() && null.is_none() {
            continue;
        }
        if !first {
            out.extend_from_slice(sep.as_bytes());
        }
        first = false;
        match (v, null) {
            (Datum::Null, Some(n)) => out.extend_from_slice(n.as_bytes()),
            (v, _) => crate::generic::write_value(cx.rt, p.elem.oid, v.as_ref(), &mut out)?,
        }
    }
    Ok(out)
}
#[builtin("array_to_text")]
fn array_to_text(cx: &mut FnCx<'_>, a: &[u8], sep: &str) -> Result<Vec<u8>> {
    join(cx, a, sep, None)
}
#[builtin("array_to_text_null")]
fn array_to_text_null(
    cx: &mut FnCx<'_>,
    a: Option<&[u8]>,
    sep: Option<&str>,
    null: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    let (Some(a), Some(sep)) = (a, sep) else { return Ok(None) };
    join(cx, a, sep, null).map(Some)
}
