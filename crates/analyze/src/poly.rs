//! Polymorphic arguments and results: what `anyelement`, `anyarray`, `anycompatible` and their like stand for in a call.
//!
//! Two families. In the first all arguments must agree exactly; in the second (`anycompatible..`) they are brought to a common
//! type. Unknown literals take what the others say.
//!
//! PostgreSQL: `check_generic_type_consistency`, `enforce_generic_type_consistency` (`parse_coerce.c`).

use base::sqlstate::{DATATYPE_MISMATCH, UNDEFINED_OBJECT};
use base::{Oid, PgError, Result};
use catalog::Catalog;
use types::oid::*;

use crate::coerce::{Common, Context, can_coerce, common_type, is_array_domain, is_poly_family1};
use crate::lookup::{Lookup, format_type};

const NONE: Oid = Oid::INVALID;

/// What the arguments of a call say.
#[derive(Default)]
struct Seen {
    elem: Oid,
    array: Oid,
    range: Oid,
    multirange: Oid,
    nonarray: bool,
    is_enum: bool,
    unknowns: bool,
    /// Arguments of the first family.
    n1: usize,
    any2: bool,
    /// Types of the second family's arguments, to be brought together.
    types2: Vec<Oid>,
    range2: Oid,
    range2_elem: Oid,
    multirange2: Oid,
    multirange2_range: Oid,
    nonarray2: bool,
    want_array2: bool,
    want_range2: bool,
    want_multirange2: bool,
    want_multirange: bool,
}

fn mismatch(m: String) -> PgError {
    PgError::new(DATATYPE_MISMATCH, m)
}

fn versus(c: &Catalog, a: Oid, b: Oid) -> Result<String> {
    Ok(format!("{} versus {}", format_type(c, a)?, format_type(c, b)?))
}

/// All arguments declared `name` must be of one type.
fn alike(c: &Catalog, slot: &mut Oid, actual: Oid, name: &str) -> Result<()> {
    if slot.is_valid() && *slot != actual {
        let detail = versus(c, *slot, actual)?;
        return Err(mismatch(format!("arguments declared \"{name}\" are not all alike")).detail(detail));
    }
    *slot = actual;
    Ok(())
}

fn not_a(c: &Catalog, name: &str, what: &str, t: Oid) -> Result<PgError> {
    Ok(mismatch(format!("argument declared {name} is not {what} but type {}", format_type(c, t)?)))
}

fn inconsistent(c: &Catalog, a: &str, b: &str, ta: Oid, tb: Oid) -> Result<PgError> {
    let m = format!("argument declared {a} is not consistent with argument declared {b}");
    Ok(mismatch(m).detail(versus(c, ta, tb)?))
}

impl Seen {
    fn gather(c: &Catalog, actual: &[Oid], declared: &[Oid], rettype: Oid, allow_poly: bool) -> Result<Seen> {
        let mut s = Seen {
            nonarray: rettype == ANYNONARRAYOID,
            is_enum: rettype == ANYENUMOID,
            want_multirange: rettype == ANYMULTIRANGEOID,
            nonarray2: rettype == ANYCOMPATIBLENONARRAYOID,
            want_array2: rettype == ANYCOMPATIBLEARRAYOID,
            want_range2: rettype == ANYCOMPATIBLERANGEOID,
            want_multirange2: rettype == ANYCOMPATIBLEMULTIRANGEOID,
            ..Seen::default()
        };
        for (&a, &d) in actual.iter().zip(declared) {
            if is_poly_family1(d) {
                s.n1 += 1;
                s.nonarray |= d == ANYNONARRAYOID;
                s.is_enum |= d == ANYENUMOID;
                s.want_multirange |= d == ANYMULTIRANGEOID;
                if a == UNKNOWNOID {
                    s.unknowns = true;
                    continue;
                }
                if allow_poly && d == a {
                    continue;
                }
                match d {
                    ANYARRAYOID => alike(c, &mut s.array, c.base_of(a)?, "anyarray")?,
                    ANYRANGEOID => alike(c, &mut s.range, c.base_of(a)?, "anyrange")?,
                    ANYMULTIRANGEOID => alike(c, &mut s.multirange, c.base_of(a)?, "anymultirange")?,
                    _ => alike(c, &mut s.elem, a, "anyelement")?,
                }
                continue;
            }
            match d {
                ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID => s.nonarray2 |= d == ANYCOMPATIBLENONARRAYOID,
                ANYCOMPATIBLEARRAYOID => s.want_array2 = true,
                ANYCOMPATIBLERANGEOID => s.want_range2 = true,
                ANYCOMPATIBLEMULTIRANGEOID => s.want_multirange2 = true,
                _ => continue,
            }
            s.any2 = true;
            if a == UNKNOWNOID || (allow_poly && d == a) {
                continue;
            }
            let base = c.base_of(a)?;
            match d {
                ANYCOMPATIBLEARRAYOID => {
                    let elem = c.elem_of(base)?;
                    if !elem.is_valid() {
                        return Err(not_a(c, "anycompatiblearray", "an array", base)?);
                    }
                    s.types2.push(elem);
                }
                ANYCOMPATIBLERANGEOID => {
                    let first = !s.range2.is_valid();
                    alike(c, &mut s.range2, base, "anycompatiblerange")?;
                    if first {
                        s.range2_elem = c.range_subtype(base)?;
                        if !s.range2_elem.is_valid() {
                            return Err(not_a(c, "anycompatiblerange", "a range type", base)?);
                        }
                        s.types2.push(s.range2_elem);
                    }
                }
                ANYCOMPATIBLEMULTIRANGEOID => {
                    alike(c, &mut s.multirange2, base, "anycompatiblemultirange")?;
                    s.multirange2_range = c.multirange_range(base)?;
                    if !s.multirange2_range.is_valid() {
                        return Err(not_a(c, "anycompatiblemultirange", "a multirange type", base)?);
                    }
                }
                _ => s.types2.push(a),
            }
        }
        Ok(s)
    }

    /// Brings element, array, range and multirange together.
    fn settle_first(&mut self, c: &Catalog, rettype: Oid) -> Result<()> {
        if self.array == ANYARRAYOID {
            // Columns of pg_statistic: fine as long as nobody needs to know the element type.
            if self.n1 != 1 || (rettype != ANYARRAYOID && is_poly_family1(rettype)) {
                return Err(mismatch("cannot determine element type of \"anyarray\" argument".to_owned()));
            }
            self.elem = ANYELEMENTOID;
        } else if self.array.is_valid() {
            let elem = c.elem_of(self.array)?;
            if !elem.is_valid() {
                return Err(not_a(c, "anyarray", "an array", self.array)?);
            }
            if !self.elem.is_valid() {
                self.elem = elem;
            } else if elem != self.elem {
                return Err(inconsistent(c, "anyarray", "anyelement", self.array, self.elem)?);
            }
        }
        if self.multirange.is_valid() {
            let range = c.multirange_range(self.multirange)?;
            if !range.is_valid() {
                return Err(not_a(c, "anymultirange", "a multirange type", self.multirange)?);
            }
            if !self.range.is_valid() {
                self.range = range;
            } else if self.range != range {
                return Err(inconsistent(c, "anymultirange", "anyrange", self.multirange, self.range)?);
            }
        } else if self.want_multirange && self.range.is_valid() {
            self.multirange = c.range_multirange(self.range)?;
        }
        if self.range.is_valid() {
            let sub = c.range_subtype(self.range)?;
            if !sub.is_valid() {
                return Err(not_a(c, "anyrange", "a range type", self.range)?);
            }
            if !self.elem.is_valid() {
                self.elem = sub;
            } else if self.elem != sub {
                return Err(inconsistent(c, "anyrange", "anyelement", self.range, self.elem)?);
            }
        }
        Ok(())
    }

    fn check_elem(&self, c: &Catalog) -> Result<()> {
        if self.elem == ANYELEMENTOID {
            return Ok(());
        }
        if self.nonarray && is_array_domain(c, self.elem)? {
            let t = format_type(c, self.elem)?;
            return Err(mismatch(format!("type matched to anynonarray is an array type: {t}")));
        }
        if self.is_enum && !c.is_enum(self.elem)? {
            let t = format_type(c, self.elem)?;
            return Err(mismatch(format!("type matched to anyenum is not an enum type: {t}")));
        }
        Ok(())
    }

    fn settle_ranges2(&mut self, c: &Catalog) -> Result<()> {
        if self.multirange2.is_valid() {
            if self.range2.is_valid() {
                if self.multirange2_range != self.range2 {
                    let (a, b) = ("anycompatiblemultirange", "anycompatiblerange");
                    return Err(inconsistent(c, a, b, self.multirange2, self.range2)?);
                }
            } else {
                self.range2 = self.multirange2_range;
                self.range2_elem = c.range_subtype(self.range2)?;
                if !self.range2_elem.is_valid() {
                    return Err(not_a(c, "anycompatiblemultirange", "a multirange type", self.multirange2)?);
                }
                self.want_range2 = true;
                self.types2.push(self.range2_elem);
            }
        } else if self.want_multirange2 && self.range2.is_valid() {
            self.multirange2 = c.range_multirange(self.range2)?;
        }
        Ok(())
    }

    /// The common type of the second family's arguments.
    fn common2(&self, c: &Catalog) -> Result<Oid> {
        let t = match common_type(c, &self.types2)? {
            Common::Type(t, _) => t,
            Common::Mismatch(a, b, _) => {
                let (a, b) = (format_type(c, a)?, format_type(c, b)?);
                return Err(mismatch(format!("argument types {a} and {b} cannot be matched")));
            }
        };
        for &a in &self.types2 {
            if !can_coerce(c, &[a], &[t], Context::Implicit)? {
                let m = "arguments of anycompatible family cannot be cast to a common type";
                return Err(mismatch(m.to_owned()));
            }
        }
        Ok(t)
    }
}

fn no_array(c: &Catalog, t: Oid) -> Result<Oid> {
    let array = c.array_of(t)?;
    if array.is_valid() {
        return Ok(array);
    }
    let m = format!("could not find array type for data type {}", format_type(c, t)?);
    Err(PgError::new(UNDEFINED_OBJECT, m))
}

fn undetermined(name: &str) -> PgError {
    mismatch(format!("could not determine polymorphic type {name} because input has type unknown"))
}

/// Whether the arguments could be those of a polymorphic function. (PostgreSQL: `check_generic_type_consistency`)
pub(crate) fn check(c: &Catalog, actual: &[Oid], declared: &[Oid]) -> Result<bool> {
    let internal = |e: PgError| if e.sqlstate() == DATATYPE_MISMATCH { Ok(false) } else { Err(e) };
    let run = || -> Result<()> {
        let mut s = Seen::gather(c, actual, declared, NONE, false)?;
        if s.array == ANYARRAYOID {
            s.array = NONE;
        }
        s.settle_first(c, NONE)?;
        if s.elem.is_valid() || s.is_enum {
            s.check_elem(c)?;
        }
        s.settle_ranges2(c)?;
        if !s.types2.is_empty() {
            let t = s.common2(c)?;
            if s.nonarray2 && is_array_domain(c, t)? || s.range2_elem.is_valid() && s.range2_elem != t {
                return Err(mismatch(String::new()));
            }
        }
        Ok(())
    };
    run().map(|()| true).or_else(internal)
}

/// Resolves declared types and the result type of a call. (PostgreSQL: `enforce_generic_type_consistency`)
pub(crate) fn enforce(
    c: &Catalog,
    actual: &[Oid],
    declared: &mut [Oid],
    rettype: Oid,
    allow_poly: bool,
) -> Result<Oid> {
    let mut s = Seen::gather(c, actual, declared, rettype, allow_poly)?;
    if s.n1 == 0 && !s.any2 {
        return Ok(rettype);
    }
    if s.n1 > 0 {
        s.settle_first(c, rettype)?;
        if !s.elem.is_valid() {
            if !allow_poly {
                let m = "could not determine polymorphic type because input has type unknown";
                return Err(mismatch(m.to_owned()));
            }
            (s.elem, s.array, s.range, s.multirange) = (ANYELEMENTOID, ANYARRAYOID, ANYRANGEOID, ANYMULTIRANGEOID);
        }
        s.check_elem(c)?;
    }
    let (mut t2, mut array2) = (NONE, NONE);
    if s.any2 {
        s.settle_ranges2(c)?;
        if !s.types2.is_empty() {
            t2 = s.common2(c)?;
            if s.want_array2 {
                array2 = no_array(c, t2)?;
            }
            for (want, range, name) in [
                (s.want_range2, s.range2, "anycompatiblerange"),
                (s.want_multirange2, s.multirange2, "anycompatiblemultirange"),
            ] {
                if !want {
                    continue;
                }
                if !range.is_valid() {
                    return Err(undetermined(name));
                }
                if s.range2_elem != t2 {
                    let (r, t) = (format_type(c, range)?, format_type(c, t2)?);
                    return Err(mismatch(format!("{name} type {r} does not match anycompatible type {t}")));
                }
            }
            if s.nonarray2 && is_array_domain(c, t2)? {
                let t = format_type(c, t2)?;
                return Err(mismatch(format!("type matched to anycompatiblenonarray is an array type: {t}")));
            }
        } else if allow_poly {
            (t2, array2) = (ANYCOMPATIBLEOID, ANYCOMPATIBLEARRAYOID);
            (s.range2, s.multirange2) = (ANYCOMPATIBLERANGEOID, ANYCOMPATIBLEMULTIRANGEOID);
        } else {
            (t2, array2) = (TEXTOID, TEXTARRAYOID);
            if s.want_range2 {
                return Err(undetermined("anycompatiblerange"));
            }
            if s.want_multirange2 {
                return Err(undetermined("anycompatiblemultirange"));
            }
        }
        for d in declared.iter_mut() {
            *d = match *d {
                ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID => t2,
                ANYCOMPATIBLEARRAYOID => array2,
                ANYCOMPATIBLERANGEOID => s.range2,
                ANYCOMPATIBLEMULTIRANGEOID => s.multirange2,
                other => other,
            };
        }
    }
    if s.unknowns {
        for (d, &a) in declared.iter_mut().zip(actual) {
            if a != UNKNOWNOID {
                continue;
            }
            *d = match *d {
                ANYELEMENTOID | ANYNONARRAYOID | ANYENUMOID => s.elem,
                ANYARRAYOID => {
                    if !s.array.is_valid() {
                        s.array = no_array(c, s.elem)?;
                    }
                    s.array
                }
                ANYRANGEOID => s.range.valid().ok_or_else(|| undetermined("anyrange"))?,
                ANYMULTIRANGEOID => s.multirange.valid().ok_or_else(|| undetermined("anymultirange"))?,
                other => other,
            };
        }
    }
    match rettype {
        ANYELEMENTOID | ANYNONARRAYOID | ANYENUMOID => Ok(s.elem),
        ANYARRAYOID => {
            if s.array.is_valid() {
                Ok(s.array)
            } else {
                no_array(c, s.elem)
            }
        }
        ANYRANGEOID => s.range.valid().ok_or_else(|| undetermined("anyrange")),
        ANYMULTIRANGEOID => s.multirange.valid().ok_or_else(|| undetermined("anymultirange")),
        ANYCOMPATIBLEOID | ANYCOMPATIBLENONARRAYOID => {
            t2.valid().ok_or_else(|| PgError::internal("could not identify anycompatible type"))
        }
        ANYCOMPATIBLEARRAYOID => {
            array2.valid().ok_or_else(|| PgError::internal("could not identify anycompatiblearray type"))
        }
        ANYCOMPATIBLERANGEOID => {
            s.range2.valid().ok_or_else(|| PgError::internal("could not identify anycompatiblerange type"))
        }
        ANYCOMPATIBLEMULTIRANGEOID => {
            s.multirange2.valid().ok_or_else(|| PgError::internal("could not identify anycompatiblemultirange type"))
        }
        other => Ok(other),
    }
}
