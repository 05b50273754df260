//! Which of several functions or operators of one name is meant: candidates by search path, then PostgreSQL's rules of choice.
//!
//! PostgreSQL: `FuncnameGetCandidates`, `OpernameGetCandidates` (`namespace.c`); `func_match_argtypes`, `func_select_candidate`
//! (`parse_func.c`).

use std::sync::Arc;

use base::{Oid, Result};
use catalog::{Catalog, PgProc};
use types::oid::*;

use crate::coerce::{CATEGORY_STRING, Context, can_coerce, category_preferred, is_preferred, type_category};
use crate::lookup::Lookup;

/// A function or operator that could be meant. (PostgreSQL: `FuncCandidateList`)
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Invalid: several that cannot be told apart.
    pub oid: Oid,
    pathpos: usize,
    /// Declared types in the order of the call, defaulted ones last, variadic ones spread out.
    pub args: Vec<Oid>,
    /// How many actual arguments went into the variadic array.
    pub nvargs: usize,
    /// How many defaults are needed.
    pub ndargs: usize,
    /// For calls with names: the parameter that each argument is for.
    pub argnumbers: Option<Vec<usize>>,
}

/// How candidates are looked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct FindFunctions {
    pub expand_variadic: bool,
    pub expand_defaults: bool,
    pub include_out_args: bool,
}

/// Schema (if given) and name of a dotted name; more parts are the caller's error.
pub(crate) fn split_name(names: &[String]) -> (Option<&str>, &str) {
    match names {
        [] => (None, ""),
        [name] => (None, name),
        [.., schema, name] => (Some(schema), name),
    }
}

/// The functions of that name that take so many arguments (`None`: any number).
pub(crate) fn function_candidates(
    c: &Catalog,
    names: &[String],
    nargs: Option<usize>,
    argnames: &[String],
    how: FindFunctions,
) -> Result<Vec<Candidate>> {
    let (schema, name) = split_name(names);
    let namespace = match schema {
        Some(s) => match c.explicit_namespace(s, true)? {
            Some(ns) => Some(ns),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let path = c.search_path()?;
    let mut out: Vec<Candidate> = Vec::new();
    for p in c.functions_by_name(name)?.iter() {
        let pathpos = match namespace {
            Some(ns) if p.pronamespace == ns => 0,
            Some(_) => continue,
            None => match path.function_position(p.pronamespace) {
                Some(i) => i,
                None => continue,
            },
        };
        let Some(new) = candidate(p, nargs, argnames, how, pathpos) else { continue };
        let own = new.args.len() - new.ndargs;
        let twin = out.iter().position(|o| o.args.len() - o.ndargs == own && o.args[..own] == new.args[..own]);
        let Some(i) = twin else {
            out.push(new);
            continue;
        };
        let old = &mut out[i];
        // The earlier schema wins; in one schema the one that is not variadic; else nobody can tell.
        match new.pathpos.cmp(&old.pathpos).then((new.nvargs > 0).cmp(&(old.nvargs > 0))) {
            std::cmp::Ordering::Less => *old = new,
            std::cmp::Ordering::Greater => {}
            std::cmp::Ordering::Equal => {
                // Fewer defaults do not count: as PostgreSQL sees it the call is ambiguous.
                old.oid = Oid::INVALID;
            }
        }
    }
    Ok(out)
}

fn candidate(
    p: &Arc<PgProc>,
    nargs: Option<usize>,
    argnames: &[String],
    how: FindFunctions,
    pathpos: usize,
) -> Option<Candidate> {
    // CALL names OUT arguments too.
    let types: &[Oid] = match &p.proallargtypes {
        Some(all) if how.include_out_args => all,
        _ => &p.proargtypes,
    };
    let pronargs = types.len();
    let Some(nargs) = nargs else {
        return Some(Candidate { oid: p.oid, pathpos, args: types.to_vec(), nvargs: 0, ndargs: 0, argnumbers: None });
    };
    if !argnames.is_empty() {
        if p.provariadic.is_valid() && how.expand_variadic {
            return None;
        }
        let numbers = match_named(p, nargs, argnames, how.include_out_args, pronargs)?;
        let ndargs = pronargs.saturating_sub(nargs);
        if ndargs > 0 && !how.expand_defaults {
            return None;
        }
        let args = numbers.iter().map(|i| types[*i]).collect();
        return Some(Candidate { oid: p.oid, pathpos, args, nvargs: 0, ndargs, argnumbers: Some(numbers) });
    }
    let variadic = how.expand_variadic && p.provariadic.is_valid() && pronargs <= nargs;
    let mut ndargs = 0;
    if pronargs > nargs && how.expand_defaults {
        if nargs + (p.pronargdefaults.max(0) as usize) < pronargs {
            return None;
        }
        ndargs = pronargs - nargs;
    }
    if pronargs != nargs && !variadic && ndargs == 0 {
        return None;
    }
    let mut args = types.to_vec();
    let mut nvargs = 0;
    if variadic {
        args.truncate(pronargs - 1);
        nvargs = nargs - (pronargs - 1);
        args.extend(std::iter::repeat_n(p.provariadic, nvargs));
    }
    Some(Candidate { oid: p.oid, pathpos, args, nvargs, ndargs, argnumbers: None })
}

/// For each argument, and then each default, the parameter it is for. (PostgreSQL: `MatchNamedCall`)
fn match_named(
    p: &PgProc,
    nargs: usize,
    argnames: &[String],
    include_out: bool,
    pronargs: usize,
) -> Option<Vec<usize>> {
    let names = p.proargnames.as_ref()?;
    if nargs > pronargs || nargs + (p.pronargdefaults.max(0) as usize) < pronargs {
        return None;
    }
    let positional = nargs - argnames.len();
    let mut numbers: Vec<usize> = (0..positional).collect();
    let mut given = vec![false; pronargs];
    given[..positional].fill(true);
    for want in argnames {
        let mut pp = 0;
        let mut hit = None;
        for (i, name) in names.iter().enumerate() {
            let mode = p.proargmodes.as_ref().map_or(b'i', |m| m[i]);
            if !include_out && matches!(mode, b'o' | b't') {
                continue;
            }
            if name == want && !name.is_empty() {
                hit = Some(pp);
                break;
            }
            pp += 1;
        }
        let pp = hit.filter(|pp| *pp < pronargs && !given[*pp])?;
        given[pp] = true;
        numbers.push(pp);
    }
    // What is missing must have a default.
    let first_default = pronargs - p.pronargdefaults.max(0) as usize;
    for (i, g) in given.iter().enumerate() {
        if !g {
            if i < first_default {
                return None;
            }
            numbers.push(i);
        }
    }
    Some(numbers)
}

/// The operators of that name: `b`inary or `l`eft (prefix), whose one argument is then `args[0]`.
pub(crate) fn operator_candidates(c: &Catalog, names: &[String], kind: u8) -> Result<Vec<Candidate>> {
    let (schema, name) = split_name(names);
    let namespace = match schema {
        Some(s) => match c.explicit_namespace(s, true)? {
            Some(ns) => Some(ns),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let path = c.search_path()?;
    let mut out: Vec<Candidate> = Vec::new();
    for o in c.operators_by_name(name)?.iter().filter(|o| o.oprkind == kind) {
        let pathpos = match namespace {
            Some(ns) if o.oprnamespace == ns => 0,
            Some(_) => continue,
            None => match path.function_position(o.oprnamespace) {
                Some(i) => i,
                None => continue,
            },
        };
        let args = if kind == b'l' { vec![o.oprright] } else { vec![o.oprleft, o.oprright] };
        match out.iter_mut().find(|old| old.args == args) {
            Some(old) if old.pathpos > pathpos => (old.oid, old.pathpos) = (o.oid, pathpos),
            Some(_) => {}
            None => out.push(Candidate { oid: o.oid, pathpos, args, nvargs: 0, ndargs: 0, argnumbers: None }),
        }
    }
    Ok(out)
}

/// The operator with exactly these types; invalid if there is none. (PostgreSQL: `OpernameGetOprid`)
pub(crate) fn exact_operator(c: &Catalog, names: &[String], left: Oid, right: Oid) -> Result<Oid> {
    let (schema, name) = split_name(names);
    if let Some(s) = schema {
        let Some(ns) = c.explicit_namespace(s, true)? else { return Ok(Oid::INVALID) };
        return Ok(c.operator_by_name(name, left, right, ns)?.map_or(Oid::INVALID, |o| o.oid));
    }
    let path = c.search_path()?;
    let mut best: Option<(usize, Oid)> = None;
    for o in c.operators_by_name(name)?.iter().filter(|o| o.oprleft == left && o.oprright == right) {
        if let Some(pos) = path.function_position(o.oprnamespace)
            && best.is_none_or(|b| pos < b.0)
        {
            best = Some((pos, o.oid));
        }
    }
    Ok(best.map_or(Oid::INVALID, |b| b.1))
}

/// Those that the arguments can become implicitly. (PostgreSQL: `func_match_argtypes`)
pub(crate) fn matching(c: &Catalog, input: &[Oid], all: Vec<Candidate>) -> Result<Vec<Candidate>> {
    let mut out = Vec::new();
    for k in all {
        if can_coerce(c, input, &k.args[..input.len()], Context::Implicit)? {
            out.push(k);
        }
    }
    Ok(out)
}

fn keep_best(list: Vec<Candidate>, mut score: impl FnMut(&Candidate) -> Result<usize>) -> Result<Vec<Candidate>> {
    let mut best = 0;
    let mut out = Vec::new();
    for k in list {
        let n = score(&k)?;
        if n > best || out.is_empty() {
            best = n;
            out = vec![k];
        } else if n == best {
            out.push(k);
        }
    }
    Ok(out)
}

/// The best of several that match, or `None` where none is better than all others. (PostgreSQL: `func_select_candidate`)
pub(crate) fn select(c: &Catalog, input: &[Oid], list: Vec<Candidate>) -> Result<Option<Candidate>> {
    let mut base = Vec::with_capacity(input.len());
    for t in input {
        base.push(if *t == UNKNOWNOID { UNKNOWNOID } else { c.base_of(*t)? });
    }
    let unknowns = base.iter().filter(|t| **t == UNKNOWNOID).count();
    // 1. The most arguments that need no conversion.
    let exact = |k: &Candidate| Ok(base.iter().zip(&k.args).filter(|(b, a)| **b != UNKNOWNOID && b == a).count());
    let mut list = keep_best(list, exact)?;
    if list.len() == 1 {
        return Ok(list.pop());
    }
    // 2. The most that are exact or go to the preferred type of their category.
    let mut categories = Vec::with_capacity(base.len());
    for t in &base {
        categories.push(type_category(c, *t)?);
    }
    list = keep_best(list, |k| {
        let mut n = 0;
        for (i, b) in base.iter().enumerate() {
            if *b != UNKNOWNOID && (k.args[i] == *b || is_preferred(c, categories[i], k.args[i])?) {
                n += 1;
            }
        }
        Ok(n)
    })?;
    if list.len() == 1 {
        return Ok(list.pop());
    }
    if unknowns == 0 {
        return Ok(None);
    }
    // 3. Each unknown literal is of the category that the candidates agree on, or of the string category.
    let mut resolved = true;
    let mut slots: Vec<Option<(u8, bool)>> = vec![None; base.len()];
    for i in (0..base.len()).filter(|i| base[*i] == UNKNOWNOID) {
        let (mut slot, mut preferred, mut conflict) = (0, false, false);
        for (n, k) in list.iter().enumerate() {
            let (cat, pref) = category_preferred(c, k.args[i])?;
            if n == 0 {
                (slot, preferred) = (cat, pref);
            } else if cat == slot {
                preferred |= pref;
            } else if cat == CATEGORY_STRING {
                (slot, preferred) = (cat, pref);
            } else {
                conflict = true;
            }
        }
        if conflict && slot != CATEGORY_STRING {
            resolved = false;
            break;
        }
        slots[i] = Some((slot, preferred));
    }
    if resolved {
        let mut kept = Vec::new();
        for k in &list {
            let mut keep = true;
            for (i, slot) in slots.iter().enumerate() {
                let Some((slot, preferred)) = *slot else { continue };
                let (cat, pref) = category_preferred(c, k.args[i])?;
                if cat != slot || (preferred && !pref) {
                    keep = false;
                    break;
                }
            }
            if keep {
                kept.push(k.clone());
            }
        }
        if !kept.is_empty() {
            list = kept;
            if list.len() == 1 {
                return Ok(list.pop());
            }
        }
    }
    // 4. If all known arguments are of one type, suppose that the unknown ones are too.
    if unknowns < base.len() {
        let mut known = base.iter().filter(|t| **t != UNKNOWNOID);
        let first = known.next().copied().unwrap_or(UNKNOWNOID);
        if known.all(|t| *t == first) {
            let supposed = vec![first; base.len()];
            let mut hit = None;
            for k in list {
                if can_coerce(c, &supposed, &k.args[..supposed.len()], Context::Implicit)? {
                    if hit.is_some() {
                        return Ok(None);
                    }
                    hit = Some(k);
                }
            }
            return Ok(hit);
        }
    }
    Ok(None)
}
