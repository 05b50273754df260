//! Testing whether a text would be accepted by a type's input function.
//!
//! PostgreSQL: `pg_input_is_valid`, `pg_input_error_info` (`utils/adt/misc.c`). Only errors of the input itself count; what
//! went wrong inside the server is raised.

use base::{Oid, PgError, Result};
use types::{Datum, DatumRef, FnCx, builtin, record};

use super::regtypes::{catalog_of, parse_type};

/// The error that reading the text as that type gives, if any.
fn input_error(cx: &mut FnCx<'_>, text: &str, type_name: &str) -> Result<Option<PgError>> {
    let c = catalog_of(cx)?;
    let (oid, typmod) = parse_type(cx, &c, type_name)?;
    let info = cx.rt.type_info(oid)?;
    let (param, typmod) = (Datum::oid(info.ioparam), Datum::i32(typmod));
    let args = [DatumRef::Bytes(text.as_bytes()), param.as_ref(), typmod.as_ref()];
    match cx.rt.call(info.input, Oid::INVALID, &args) {
        Ok(_) => Ok(None),
        // Out of resources, cancelled, unsupported or internal: not the text's fault.
        Err(e) if matches!(e.sqlstate().class(), "53" | "57" | "58" | "XX" | "0A") => Err(e),
        Err(e) => Ok(Some(e)),
    }
}
#[builtin("pg_input_is_valid")]
fn pg_input_is_valid(cx: &mut FnCx<'_>, text: &str, type_name: &str) -> Result<bool> {
    Ok(input_error(cx, text, type_name)?.is_none())
}
#[builtin("pg_input_error_info")]
fn pg_input_error_info(cx: &mut FnCx<'_>, text: &str, type_name: &str) -> Result<Datum> {
    let desc = cx.call.result_desc.clone().ok_or_else(|| PgError::internal("return type must be a row type"))?;
    let values = match input_error(cx, text, type_name)? {
        None => [const { Datum::Null }; 4],
        Some(e) => {
            let text = |s: Option<&str>| s.map_or(Datum::Null, Datum::text);
            [
                Datum::text(e.message()),
                text(e.fields().detail.as_deref()),
                text(e.fields().hint.as_deref()),
                Datum::text(e.sqlstate().as_str()),
            ]
        }
    };
    record::build(&desc, &values.each_ref().map(Datum::as_ref))
}
