//! What definitions of aggregates, operators and casts ask of names: the function or operator that a definition means, and
//! whether a polymorphic result can be told from the arguments.
//!
//! PostgreSQL: `lookup_agg_function`, `check_valid_polymorphic_signature`, `LookupOperName`.

use std::sync::Arc;

use base::sqlstate::{DATATYPE_MISMATCH, UNDEFINED_FUNCTION};
use base::{Oid, PgError, Result};
use catalog::{Catalog, PgOperator, PgProc};
use types::oid::*;

use crate::coerce::{is_poly_family1, is_polymorphic};
use crate::lookup::format_type;
use crate::poly;
use crate::resolve::{FindFunctions, exact_operator};

/// `name(type, type)`, for messages. (PostgreSQL: `func_signature_string`)
pub fn signature(c: &Catalog, names: &[String], types: &[Oid]) -> Result<String> {
    crate::func::signature(c, names, &[], types)
}

/// A function that takes exactly these arguments or such as are binary coercible to what it declares, with the type it then
/// returns. (PostgreSQL: `lookup_agg_function`)
pub fn support_function(c: &Catalog, names: &[String], args: &[Oid], variadic: Oid) -> Result<(Arc<PgProc>, Oid)> {
    let shown = || signature(c, names, args);
    let how = FindFunctions::default();
    let Some((p, mut declared)) = crate::func::plain_function(c, names, args, how)? else {
        return Err(PgError::new(UNDEFINED_FUNCTION, format!("function {} does not exist", shown()?)));
    };
    if p.proretset {
        return Err(PgError::new(DATATYPE_MISMATCH, format!("function {} returns a set", shown()?)));
    }
    if variadic == ANYOID && p.provariadic != ANYOID {
        let text = format!("function {} must accept VARIADIC ANY to be used in this aggregate", shown()?);
        return Err(PgError::new(DATATYPE_MISMATCH, text));
    }
    let result = poly::enforce(c, args, &mut declared, p.prorettype, true)?;
    for (a, d) in args.iter().zip(&declared) {
        if !c.binary_coercible(*a, *d)? {
            let shown = signature(c, names, &declared)?;
            return Err(PgError::new(DATATYPE_MISMATCH, format!("function {shown} requires run-time type coercion")));
        }
    }
    Ok((p, result))
}

/// The operator with exactly these argument types, which may be a shell. (PostgreSQL: `OpernameGetOprid`)
pub fn operator(c: &Catalog, names: &[String], left: Oid, right: Oid) -> Result<Option<Arc<PgOperator>>> {
    match exact_operator(c, names, left, right)?.valid() {
        Some(oid) => c.operator(oid),
        None => Ok(None),
    }
}

/// `left op right`, for messages. (PostgreSQL: `op_signature_string`)
pub fn operator_signature(c: &Catalog, names: &[String], left: Oid, right: Oid) -> Result<String> {
    crate::oper::signature(c, names, left, right)
}

/// Why a result of this type cannot be told from such arguments, if so.
pub fn polymorphic_problem(c: &Catalog, result: Oid, args: &[Oid]) -> Result<Option<String>> {
    if !is_polymorphic(result) {
        return Ok(None);
    }
    let has = |wanted: &[Oid]| args.iter().any(|a| wanted.contains(a));
    let ranges = [ANYCOMPATIBLERANGEOID, ANYCOMPATIBLEMULTIRANGEOID];
    let (fine, needed) = match result {
        ANYRANGEOID | ANYMULTIRANGEOID => (has(&[ANYRANGEOID, ANYMULTIRANGEOID]), "anyrange or anymultirange"),
        r if ranges.contains(&r) => (has(&ranges), "anycompatiblerange or anycompatiblemultirange"),
        r if is_poly_family1(r) => (
            args.iter().any(|a| is_poly_family1(*a)),
            "anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange",
        ),
        _ => (
            args.iter().any(|a| is_polymorphic(*a) && !is_poly_family1(*a)),
            "anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange",
        ),
    };
    if fine {
        return Ok(None);
    }
    let shown = format_type(c, result)?;
    Ok(Some(format!("A result of type {shown} requires at least one input of type {needed}.")))
}

/// Whether a type stands for others.
pub fn is_polymorphic_type(t: Oid) -> bool {
    is_polymorphic(t)
}
