//! Rows to the wire: a batch's columns straight into the send buffer.

use std::sync::Arc;

use base::{Oid, PgError, Result};
use executor::ExecContext;
use types::oid::*;
use types::{Batch, Body, Builtin, Column, ColumnData, DatumRef, FnCall, FnCx, FnState, Runtime, TupleDesc};

use crate::protocol::{Format, Writer};

/// How one column's values are written.
struct Output {
    kind: Kind,
    call: FnCall,
    state: FnState,
}

/// Frequent types are written here, without a call; all others by their type's functions.
enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    /// The value's bytes are its text.
    Bytes,
    /// A by-value type's bytes in network order: so many of the word's lower bytes.
    BinaryWord(usize),
    BinaryBytes,
    /// An output function.
    Text(Builtin),
    /// A send function.
    Binary(Builtin),
    /// An output or send function that is no built-in.
    Call(Oid),
}

/// The built-in behind a function.
fn builtin(cx: &ExecContext, function: Oid) -> Result<Option<Builtin>> {
    let proc = cx.catalog.function_row(function)?;
    Ok(cx.registry.function(&proc.prosrc).filter(|_| proc.prolang == catalog::oids::INTERNAL_LANGUAGE).copied())
}

/// Writes rows of one result. Made once a portal.
pub struct RowWriter {
    outputs: Vec<Output>,
    /// Which of a batch's columns are sent (junk ones are not).
    columns: Vec<usize>,
    scratch: Vec<u8>,
    formats: Vec<Format>,
}

impl RowWriter {
    /// For a result's columns in the formats the client asked for.
    pub fn new(cx: &mut ExecContext, desc: &TupleDesc, formats: &[Format]) -> Result<RowWriter> {
        let mut outputs = Vec::with_capacity(desc.len());
        for (i, a) in desc.attrs.iter().enumerate() {
            outputs.push(Output::new(cx, a.type_oid, Format::of(formats, i))?);
        }
        Ok(RowWriter { columns: (0..outputs.len()).collect(), outputs, scratch: Vec::new(), formats: formats.to_vec() })
    }
    /// Whether it was made for these formats.
    pub fn is_for(&self, formats: &[Format]) -> bool {
        self.formats == formats
    }

    /// Appends the DataRow messages of a batch's selected rows.
    pub fn write(&mut self, cx: &mut ExecContext, batch: &Batch, out: &mut Writer) -> Result<usize> {
        let count = (self.columns.len() as u16).to_be_bytes();
        let mut rows = 0;
        for row in batch.selected().iter() {
            let before = out.len();
            let at = out.begin(b'D');
            out.buffer().extend_from_slice(&count);
            for (output, &column) in self.outputs.iter_mut().zip(&self.columns) {
                let written = output.write(cx, &batch.columns[column], row, out.buffer(), &mut self.scratch);
                if let Err(e) = written {
                    out.truncate(before);
                    return Err(e);
                }
            }
            out.end(at);
            rows += 1;
        }
        Ok(rows)
    }
}

impl Output {
    fn new(cx: &mut ExecContext, type_oid: Oid, format: Format) -> Result<Output> {
        let fast = match (format, type_oid) {
            (Format::Text, BOOLOID) => Some(Kind::Bool),
            (Format::Text, INT2OID) => Some(Kind::Int2),
            (Format::Text, INT4OID) => Some(Kind::Int4),
            (Format::Text, INT8OID) => Some(Kind::Int8),
            (Format::Text, OIDOID | XIDOID | CIDOID) => Some(Kind::Oid),
            (Format::Text, TEXTOID | VARCHAROID | BPCHAROID | NAMEOID | UNKNOWNOID | CSTRINGOID | JSONOID | XMLOID) => {
                Some(Kind::Bytes)
            }
            (Format::Binary, BOOLOID | CHAROID) => Some(Kind::BinaryWord(1)),
            (Format::Binary, INT2OID) => Some(Kind::BinaryWord(2)),
            (Format::Binary, INT4OID | OIDOID | XIDOID | CIDOID | FLOAT4OID | DATEOID) => Some(Kind::BinaryWord(4)),
            (Format::Binary, INT8OID | FLOAT8OID | TIMESTAMPOID | TIMESTAMPTZOID | TIMEOID) => {
                Some(Kind::BinaryWord(8))
            }
            (Format::Binary, TEXTOID | VARCHAROID | BPCHAROID | NAMEOID | BYTEAOID | UUIDOID | JSONOID) => {
                Some(Kind::BinaryBytes)
            }
            _ => None,
        };
        if let Some(kind) = fast {
            return Ok(Output { kind, call: FnCall::default(), state: None });
        }
        let info = cx.type_info(type_oid)?;
        let function = match format {
            Format::Text => info.output,
            Format::Binary => info.send,
        };
        if !function.is_valid() {
            let text = format!("no binary output function available for type {}", info.name);
            return Err(PgError::new(base::sqlstate::UNDEFINED_FUNCTION, text));
        }
        let kind = match (builtin(cx, function)?, format) {
            (Some(b), Format::Text) => Kind::Text(b),
            (Some(b), Format::Binary) => Kind::Binary(b),
            (None, _) => Kind::Call(function),
        };
        let result_type = if format == Format::Text { CSTRINGOID } else { BYTEAOID };
        let call = FnCall { function, arg_types: vec![type_oid], result_type, ..FnCall::default() };
        Ok(Output { kind, call, state: None })
    }

    /// Appends the value's length and bytes.
    #[inline]
    fn write(
        &mut self,
        cx: &mut ExecContext,
        column: &Column,
        row: usize,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        if column.is_null(row) {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            return Ok(());
        }
        match (&self.kind, &column.data) {
            (Kind::Int4, ColumnData::W4(v)) => integer(out, i64::from(v[row])),
            (Kind::Int8, ColumnData::W8(v)) => integer(out, v[row]),
            (Kind::Int2, ColumnData::W2(v)) => integer(out, i64::from(v[row])),
            (Kind::Oid, ColumnData::W4(v)) => integer(out, i64::from(v[row] as u32)),
            (Kind::Bool, ColumnData::W1(v)) => sized(out, if v[row] != 0 { b"t" } else { b"f" }),
            (Kind::Bytes | Kind::BinaryBytes, ColumnData::Bytes(v)) if !v.is_toasted(row) => sized(out, v.get(row)),
            (Kind::BinaryWord(n), _) => sized(out, &column.get(row).word().to_be_bytes()[8 - n..]),
            _ => return self.write_by_call(cx, column.get(row), out, scratch),
        }
        Ok(())
    }

    fn write_by_call(
        &mut self,
        cx: &mut ExecContext,
        value: DatumRef<'_>,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        let value = match value {
            DatumRef::Toasted(t) => {
                *scratch = cx.detoast(t)?;
                DatumRef::Bytes(scratch)
            }
            plain => plain,
        };
        let (builtin, call, state) = match &self.kind {
            Kind::Text(b) | Kind::Binary(b) => (*b, &self.call, &mut self.state),
            Kind::Call(function) => {
                let text = cx.call(*function, Oid::INVALID, &[value])?;
                sized(out, text.as_ref().as_bytes());
                return Ok(());
            }
            _ => {
                sized(out, value.as_bytes());
                return Ok(());
            }
        };
        let mut cx = FnCx { rt: cx, call, state };
        match (builtin.write, builtin.body) {
            (Some(write), _) if matches!(self.kind, Kind::Text(_)) => {
                let at = out.len();
                out.extend_from_slice(&[0; 4]);
                write(&mut cx, value, out)?;
                let len = (out.len() - at - 4) as u32;
                out[at..at + 4].copy_from_slice(&len.to_be_bytes());
            }
            (_, Body::Row(f)) => {
                let text = f(&mut cx, &[value])?;
                sized(out, text.as_ref().as_bytes());
            }
            (_, Body::Set(_)) => return Err(PgError::internal("an output function returns a set")),
        }
        Ok(())
    }
}

#[inline]
fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// A number's decimal digits.
#[inline]
fn integer(out: &mut Vec<u8>, v: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = v.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if v < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    sized(out, &digits[at..]);
}

/// A result's description as the client sees it.
pub fn describe(
    catalog: &catalog::Catalog,
    desc: &Arc<TupleDesc>,
    mut origins: impl Iterator<Item = (Oid, i16)>,
    formats: &[Format],
    out: &mut Writer,
) {
    let fields = desc.attrs.iter().enumerate().map(|(i, a)| {
        let (table, column) = origins.next().unwrap_or_default();
        // Clients know nothing of domains. Built-in types are none, but for those of information_schema.
        let domain = a.type_oid.0 >= 12000;
        let base = if domain { catalog.base_type(a.type_oid, a.typmod).ok() } else { None };
        let (type_oid, typmod) = base.unwrap_or((a.type_oid, a.typmod));
        crate::protocol::FieldDescription {
            name: &a.name,
            table,
            column,
            type_oid,
            typlen: a.len,
            typmod,
            format: Format::of(formats, i),
        }
    });
    out.row_description(fields);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for v in [0, 7, -7, 1234567890, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            integer(&mut out, v);
            assert_eq!(&out[4..], v.to_string().as_bytes());
            assert_eq!(out[..4], (out.len() as u32 - 4).to_be_bytes());
        }
    }
}
