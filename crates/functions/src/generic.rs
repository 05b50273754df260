//! What functions over any type share: values as text, arguments of VARIADIC "any".

use base::{Oid, Result};
use types::array::{ArrayRef, ElementType};
use types::oid::*;
use types::{Datum, DatumRef, FnCx, Runtime};

/// Appends a value's text, as its type's output function gives it.
pub fn write_value(rt: &mut dyn Runtime, type_oid: Oid, value: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    match (type_oid, value) {
        (TEXTOID | VARCHAROID | BPCHAROID | NAMEOID | UNKNOWNOID | CSTRINGOID, DatumRef::Bytes(b)) => {
            out.extend_from_slice(b);
            return Ok(());
        }
        (INT4OID | INT8OID | INT2OID, DatumRef::Word(w)) => {
            crate::int::write_i64(w as i64, out);
            return Ok(());
        }
        (_, DatumRef::Null) => return Ok(()),
        _ => {}
    }
    let info = rt.type_info(type_oid)?;
    let text = rt.call(info.output, Oid::INVALID, &[value])?;
    out.extend_from_slice(text.as_ref().as_bytes());
    Ok(())
}
pub fn text_of(rt: &mut dyn Runtime, type_oid: Oid, value: DatumRef<'_>) -> Result<String> {
    let mut out = Vec::new();
    write_value(rt, type_oid, value, &mut out)?;
    Ok(String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}
/// Reads a value from text by its type's input function.
pub fn from_text(rt: &mut dyn Runtime, type_oid: Oid, typmod: i32, text: &str) -> Result<Datum> {
    let info = rt.type_info(type_oid)?;
    let (param, typmod) = (Datum::oid(info.ioparam), Datum::i32(typmod));
    rt.call(info.input, Oid::INVALID, &[DatumRef::Bytes(text.as_bytes()), param.as_ref(), typmod.as_ref()])
}

/// How elements of a type lie in arrays.
pub fn element_type(rt: &mut dyn Runtime, oid: Oid) -> Result<ElementType> {
    let fixed = |len, byval, align| ElementType { oid, len, byval, align };
    use types::Align::*;
    Ok(match oid {
        INT4OID | OIDOID | FLOAT4OID | DATEOID => fixed(4, true, Int),
        INT8OID | FLOAT8OID | TIMESTAMPOID | TIMESTAMPTZOID => fixed(8, true, Double),
        INT2OID => fixed(2, true, Short),
        BOOLOID | CHAROID => fixed(1, true, Char),
        TEXTOID | VARCHAROID | BPCHAROID | NUMERICOID | JSONBOID | JSONOID | BYTEAOID => fixed(-1, false, Int),
        _ => ElementType::of(&*rt.type_info(oid)?),
    })
}

/// The arguments of a VARIADIC "any" function from `skip` on, with their types; `None` where a null array was passed.
pub fn variadic(cx: &mut FnCx<'_>, args: &[DatumRef<'_>], skip: usize) -> Result<Option<Vec<(Oid, Datum)>>> {
    if !cx.call.variadic {
        let type_of = |i: usize| cx.call.arg_types.get(i).copied().unwrap_or(UNKNOWNOID);
        return Ok(Some(
            args.iter().enumerate().skip(skip).map(|(i, a)| (type_of(i), DatumRef::to_owned(*a))).collect(),
        ));
    }
    let opened;
    let bytes = match args.get(skip).copied() {
        Some(DatumRef::Bytes(b)) => b,
        Some(DatumRef::Toasted(t)) => {
            opened = cx.rt.detoast(t)?;
            &opened[..]
        }
        _ => return Ok(None),
    };
    let array = ArrayRef::new(bytes)?;
    let elem = element_type(cx.rt, array.elem_type())?;
    let values = array.elements(&elem).map(|v| v.map(|v| (elem.oid, v.to_owned()))).collect::<Result<_>>()?;
    Ok(Some(values))
}
