//! CREATE OPERATOR, ALTER OPERATOR. An operator may name a commutator or negator that is not there yet: a shell is made then,
//! which a later CREATE fills. (PostgreSQL: `operatorcmds.c`, `pg_operator.c`)

use std::sync::Arc;

use analyze::definitions::{operator, operator_signature};
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DependencyType, ObjectAddress, PgOperator, oids};
use parser::ast::*;
use types::Datum;
use types::oid::*;

use super::*;
use crate::object;

#[derive(Default)]
struct Attributes {
    left: Option<TypeName>,
    right: Option<TypeName>,
    function: Option<Vec<String>>,
    commutator: Option<Vec<String>>,
    negator: Option<Vec<String>>,
    restrict: Option<Vec<String>>,
    join: Option<Vec<String>>,
    hashes: bool,
    merges: bool,
}

fn attributes(cmd: &mut CommandContext<'_>, list: &[DefElem]) -> Result<Attributes> {
    let mut a = Attributes::default();
    for d in list {
        match d.defname.as_str() {
            side @ ("leftarg" | "rightarg") => {
                let t = type_name(d)?;
                if t.setof {
                    return Err(bad_definition("SETOF type not allowed for operator argument"));
                }
                *(if side == "leftarg" { &mut a.left } else { &mut a.right }) = Some(t);
            }
            "function" | "procedure" => a.function = Some(names(d)?),
            "commutator" => a.commutator = Some(names(d)?),
            "negator" => a.negator = Some(names(d)?),
            "restrict" => a.restrict = Some(names(d)?),
            "join" => a.join = Some(names(d)?),
            "hashes" => a.hashes = boolean(d)?,
            "merges" => a.merges = boolean(d)?,
            "sort1" | "sort2" | "ltcmp" | "gtcmp" => a.merges = true,
            other => {
                let text = format!("operator attribute \"{other}\" not recognized");
                cmd.notice(Severity::Warning, SYNTAX_ERROR, text);
            }
        }
    }
    Ok(a)
}

/// What properties go with what operators.
struct Properties {
    commutator: bool,
    negator: bool,
    restrict: bool,
    join: bool,
    merges: bool,
    hashes: bool,
}

/// (PostgreSQL: `OperatorValidateParams`)
fn validate(binary: bool, result: Oid, p: &Properties) -> Result<()> {
    let first = |list: &[(bool, &'static str)]| list.iter().find(|c| c.0).map(|c| c.1);
    if !binary
        && let Some(what) = first(&[
            (p.commutator, "have commutators"),
            (p.join, "have join selectivity"),
            (p.merges, "merge join"),
            (p.hashes, "hash"),
        ])
    {
        return Err(bad_definition(format!("only binary operators can {what}")));
    }
    if result != BOOLOID
        && let Some(what) = first(&[
            (p.negator, "have negators"),
            (p.restrict, "have restriction selectivity"),
            (p.join, "have join selectivity"),
            (p.merges, "merge join"),
            (p.hashes, "hash"),
        ])
    {
        return Err(bad_definition(format!("only boolean operators can {what}")));
    }
    Ok(())
}

/// (PostgreSQL: `ValidateRestrictionEstimator`, `ValidateJoinEstimator`)
fn estimator(cmd: &CommandContext<'_>, parts: &[String], kind: &str) -> Result<Oid> {
    let restriction = [INTERNALOID, OIDOID, INTERNALOID, INT4OID];
    let join4 = [INTERNALOID, OIDOID, INTERNALOID, INT2OID];
    let join5 = [INTERNALOID, OIDOID, INTERNALOID, INT2OID, INTERNALOID];
    let p = match kind {
        "restriction" => required_function(cmd, parts, &restriction)?,
        _ => match (exact_function(cmd, parts, &join5)?, exact_function(cmd, parts, &join4)?) {
            (Some(_), Some(_)) => {
                let text = format!("join estimator function {} has multiple matches", parts.join("."));
                return Err(PgError::new(AMBIGUOUS_FUNCTION, text));
            }
            (Some(p), None) | (None, Some(p)) => p,
            (None, None) => return Err(no_function(cmd, parts, &join5)?),
        },
    };
    if p.prorettype != FLOAT8OID {
        let text = format!("{kind} estimator function {} must return type double precision", parts.join("."));
        return Err(bad_object(text));
    }
    if p.oid >= Oid::FIRST_NORMAL {
        must_be_superuser(cmd, &format!("specify a non-built-in {kind} estimator function"))?;
    }
    check_execute(cmd, &p)?;
    Ok(p.oid)
}

/// (PostgreSQL: `validOperatorName`)
fn is_valid_name(s: &str) -> bool {
    let b = s.as_bytes();
    let allowed = |c: &u8| b"~!@#^&|`?+-*/%<>=".contains(c);
    let special = |c: &u8| b"~!@#^&|`?%".contains(c);
    !b.is_empty()
        && b.len() < base::NAMEDATALEN
        && b.iter().all(allowed)
        && !s.contains("/*")
        && !s.contains("--")
        && (b.len() == 1 || !matches!(b.last(), Some(b'+' | b'-')) || b.iter().any(special))
        && s != "!="
}

/// The operator of that name in one schema, perhaps a shell.
fn in_schema(cmd: &CommandContext<'_>, oname: &str, schema: Oid, left: Oid, right: Oid) -> Result<Option<Oid>> {
    let fits = |o: &PgOperator| o.oprnamespace == schema && (o.oprleft, o.oprright) == (left, right);
    Ok(cmd.cx.catalog.operators_by_name(oname)?.iter().find(|o| fits(o)).map(|o| o.oid))
}

fn check_owner(cmd: &CommandContext<'_>, oid: Oid, shown: &str) -> Result<()> {
    let o = cmd.cx.catalog.operator(oid)?.ok_or_else(|| PgError::internal("an operator is gone"))?;
    match cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, o.oprowner)? {
        true => Ok(()),
        false => Err(catalog::lookup::must_be_owner("operator", shown)),
    }
}

fn new_row(cmd: &CommandContext<'_>, oname: &str, namespace: Oid, left: Oid, right: Oid) -> PgOperator {
    PgOperator {
        oid: Oid::INVALID,
        oprname: oname.to_owned(),
        oprnamespace: namespace,
        oprowner: cmd.cx.settings.current_user,
        oprkind: if left.is_valid() { b'b' } else { b'l' },
        oprcanmerge: false,
        oprcanhash: false,
        oprleft: left,
        oprright: right,
        oprresult: Oid::INVALID,
        oprcom: Oid::INVALID,
        oprnegate: Oid::INVALID,
        oprcode: Oid::INVALID,
        oprrest: Oid::INVALID,
        oprjoin: Oid::INVALID,
    }
}

/// The commutator or negator by its name; a shell where there is none; `None` if it would be the operator itself.
/// (PostgreSQL: `get_other_operator`)
fn other_operator(
    cmd: &mut CommandContext<'_>,
    parts: &[String],
    (left, right): (Oid, Oid),
    me: (&str, Oid, Oid, Oid),
) -> Result<Option<Oid>> {
    if let Some(found) = operator(&cmd.cx.catalog, parts, left, right)? {
        check_owner(cmd, found.oid, &parts.join("."))?;
        return Ok(Some(found.oid));
    }
    let (schema, oname) = name::split(cmd.cx, parts)?;
    let namespace = name::creation_schema(cmd.cx, schema.as_deref())?.oid;
    if (oname.as_str(), namespace, left, right) == me {
        return Ok(None);
    }
    if !is_valid_name(&oname) {
        return Err(PgError::new(INVALID_NAME, format!("\"{oname}\" is not a valid operator name")));
    }
    let mut row = new_row(cmd, &oname, namespace, left, right);
    row.oid = cmd.cx.catalog.new_oid(oids::OPERATOR_RELATION, oids::OPERATOR_OID_INDEX)?;
    cmd.cx.catalog.insert_row(&row)?;
    record_dependencies(cmd, &row, false)?;
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Some(row.oid))
}

/// (PostgreSQL: `makeOperatorDependencies`)
fn record_dependencies(cmd: &CommandContext<'_>, row: &PgOperator, is_update: bool) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let me = ObjectAddress::new(oids::OPERATOR_RELATION, row.oid);
    if is_update {
        catalog.delete_dependencies(&me, true)?;
        catalog.delete_shared_dependencies(&me)?;
    }
    let mut on = vec![ObjectAddress::namespace(row.oprnamespace)];
    for t in [row.oprleft, row.oprright, row.oprresult] {
        on.extend(t.valid().map(ObjectAddress::type_));
    }
    for f in [row.oprcode, row.oprrest, row.oprjoin] {
        on.extend(f.valid().map(ObjectAddress::function));
    }
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.record_owner(&me, row.oprowner)
}

/// Makes commutator and negator point back. (PostgreSQL: `OperatorUpd`)
fn link(cmd: &mut CommandContext<'_>, me: Oid, commutator: Oid, negator: Oid) -> Result<()> {
    cmd.cx.catalog.command_counter_increment()?;
    for (other, is_commutator) in [(commutator, true), (negator, false)] {
        let Some(other) = other.valid() else { continue };
        let Some(row) = cmd.cx.catalog.operator(other)? else { continue };
        let (old, noun) = if is_commutator { (row.oprcom, "commutator") } else { (row.oprnegate, "negator") };
        if old == me {
            continue;
        }
        if old.is_valid() {
            let third = match cmd.cx.catalog.operator(old)? {
                Some(third) => third.oprname.clone(),
                None => old.to_string(),
            };
            let text = format!("{noun} operator {} is already the {noun} of operator {third}", row.oprname);
            return Err(bad_definition(text));
        }
        object::edit::<PgOperator>(cmd, oids::OPERATOR_OID_INDEX, other, |o| {
            *(if is_commutator { &mut o.oprcom } else { &mut o.oprnegate }) = me;
        })?;
    }
    Ok(())
}

pub(super) fn create(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    let (namespace, oname) = new_object(cmd, &stmt.defnames)?;
    let a = attributes(cmd, &stmt.definition)?;
    let Some(function) = &a.function else { return Err(bad_definition("operator function must be specified")) };
    let mut side = |t: &Option<TypeName>| match t {
        Some(t) => name::unplaced_type_name(cmd.cx, t).map(|t| t.0),
        None => Ok(Oid::INVALID),
    };
    let (left, right) = (side(&a.left)?, side(&a.right)?);
    if !right.is_valid() {
        return Err(match left.is_valid() {
            false => bad_definition("operator argument types must be specified"),
            true => bad_definition("operator right argument type must be specified")
                .detail("Postfix operators are not supported."),
        });
    }
    let args: Vec<Oid> = [left, right].into_iter().filter(|t| t.is_valid()).collect();
    for t in &args {
        check_usage(cmd, *t)?;
    }
    let code = required_function(cmd, function, &args)?;
    check_execute(cmd, &code)?;
    check_usage(cmd, code.prorettype)?;
    let restrict = a.restrict.as_ref().map_or(Ok(Oid::INVALID), |n| estimator(cmd, n, "restriction"))?;
    let join = a.join.as_ref().map_or(Ok(Oid::INVALID), |n| estimator(cmd, n, "join"))?;
    if !is_valid_name(&oname) {
        return Err(PgError::new(INVALID_NAME, format!("\"{oname}\" is not a valid operator name")));
    }
    let p = Properties {
        commutator: a.commutator.is_some(),
        negator: a.negator.is_some(),
        restrict: restrict.is_valid(),
        join: join.is_valid(),
        merges: a.merges,
        hashes: a.hashes,
    };
    validate(left.is_valid(), code.prorettype, &p)?;
    let existing = in_schema(cmd, &oname, namespace, left, right)?;
    if let Some(oid) = existing {
        let old = cmd.cx.catalog.operator(oid)?.ok_or_else(|| PgError::internal("an operator is gone"))?;
        if old.oprcode.is_valid() {
            return Err(PgError::new(DUPLICATE_FUNCTION, format!("operator {oname} already exists")));
        }
        check_owner(cmd, oid, &oname)?;
    }
    let me = (oname.as_str(), namespace, left, right);
    let mut own_commutator = false;
    let mut commutator = Oid::INVALID;
    if let Some(parts) = &a.commutator {
        match other_operator(cmd, parts, (right, left), me)? {
            Some(oid) => commutator = oid,
            None => own_commutator = true,
        }
    }
    let mut negator = Oid::INVALID;
    if let Some(parts) = &a.negator {
        match other_operator(cmd, parts, (left, right), me)? {
            Some(oid) if Some(oid) != existing => negator = oid,
            _ => return Err(bad_definition("operator cannot be its own negator")),
        }
    }
    let mut row = PgOperator {
        oprcanmerge: a.merges,
        oprcanhash: a.hashes,
        oprresult: code.prorettype,
        oprcom: commutator,
        oprnegate: negator,
        oprcode: code.oid,
        oprrest: restrict,
        oprjoin: join,
        ..new_row(cmd, &oname, namespace, left, right)
    };
    let catalog = cmd.cx.catalog.clone();
    match existing {
        Some(oid) => {
            row.oid = oid;
            let found = catalog.find_row::<PgOperator>(oids::OPERATOR_OID_INDEX, &[Datum::oid(oid)])?;
            let found = found.ok_or_else(|| PgError::internal("an operator is gone"))?;
            // A shell knows what named it.
            if !commutator.is_valid() {
                row.oprcom = Oid::INVALID;
            }
            catalog.update_row(&found, &row)?;
        }
        None => {
            row.oid = catalog.new_oid(oids::OPERATOR_RELATION, oids::OPERATOR_OID_INDEX)?;
            catalog.insert_row(&row)?;
        }
    }
    record_dependencies(cmd, &row, existing.is_some())?;
    let commutator = if own_commutator { row.oid } else { commutator };
    link(cmd, row.oid, commutator, negator)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE OPERATOR"))
}

/// The operator that a name with types means. (PostgreSQL: `LookupOperWithArgs`)
pub(crate) fn lookup(cmd: &mut CommandContext<'_>, o: &ObjectWithArgs) -> Result<Arc<PgOperator>> {
    let mut side = |i: usize| match o.objargs.get(i).and_then(Option::as_ref) {
        Some(t) => name::unplaced_type_name(cmd.cx, t).map(|t| t.0),
        None => Ok(Oid::INVALID),
    };
    let (left, right) = (side(0)?, side(1)?);
    if !right.is_valid() {
        return Err(PgError::new(SYNTAX_ERROR, "postfix operators are not supported"));
    }
    lookup_exact(cmd, &o.objname, left, right)
}

pub(crate) fn lookup_exact(
    cmd: &CommandContext<'_>,
    parts: &[String],
    left: Oid,
    right: Oid,
) -> Result<Arc<PgOperator>> {
    if let Some(found) = operator(&cmd.cx.catalog, parts, left, right)? {
        return Ok(found);
    }
    let shown = operator_signature(&cmd.cx.catalog, parts, left, right)?;
    Err(PgError::new(UNDEFINED_FUNCTION, format!("operator does not exist: {shown}")))
}

/// ALTER OPERATOR ... SET (...).
pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterOperatorStmt) -> Result<Outcome> {
    let old = lookup(cmd, &stmt.opername)?;
    let (mut restrict, mut join) = (None, None);
    let (mut commutator, mut negator) = (None, None);
    let (mut merges, mut hashes) = (None, None);
    for d in &stmt.options {
        let none = d.arg.is_none() || matches!(&d.arg, Some(DefArg::String(s)) if s == "none");
        let param = |d: &DefElem| if none { Ok(Vec::new()) } else { names(d) };
        match d.defname.as_str() {
            "restrict" => restrict = Some(param(d)?),
            "join" => join = Some(param(d)?),
            "commutator" => commutator = Some(names(d)?),
            "negator" => negator = Some(names(d)?),
            "merges" => merges = Some(boolean(d)?),
            "hashes" => hashes = Some(boolean(d)?),
            fixed @ ("leftarg" | "rightarg" | "function" | "procedure") => {
                let text = format!("operator attribute \"{fixed}\" cannot be changed");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
            other => {
                let text = format!("operator attribute \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
        }
    }
    check_owner(cmd, old.oid, &old.oprname)?;
    let found = |parts: &Option<Vec<String>>, kind: &str| match parts {
        Some(p) if !p.is_empty() => estimator(cmd, p, kind),
        _ => Ok(Oid::INVALID),
    };
    let (rest_oid, join_oid) = (found(&restrict, "restriction")?, found(&join, "join")?);
    let mut com_oid = Oid::INVALID;
    if let Some(parts) = &commutator {
        let me = (old.oprname.as_str(), old.oprnamespace, old.oprleft, old.oprright);
        com_oid = other_operator(cmd, parts, (old.oprright, old.oprleft), me)?.unwrap_or(old.oid);
    }
    let mut neg_oid = Oid::INVALID;
    if let Some(parts) = &negator {
        let me = (old.oprname.as_str(), old.oprnamespace, old.oprleft, old.oprright);
        neg_oid = other_operator(cmd, parts, (old.oprleft, old.oprright), me)?.unwrap_or(old.oid);
        if neg_oid == old.oid {
            return Err(bad_definition("operator cannot be its own negator"));
        }
    }
    let p = Properties {
        commutator: com_oid.is_valid(),
        negator: neg_oid.is_valid(),
        restrict: rest_oid.is_valid(),
        join: join_oid.is_valid(),
        merges: merges == Some(true),
        hashes: hashes == Some(true),
    };
    validate(old.oprleft.is_valid() && old.oprright.is_valid(), old.oprresult, &p)?;
    let fixed = |what: &str| {
        Err(bad_definition(format!("operator attribute \"{what}\" cannot be changed if it has already been set")))
    };
    if com_oid.is_valid() && old.oprcom.is_valid() && com_oid != old.oprcom {
        return fixed("commutator");
    }
    if neg_oid.is_valid() && old.oprnegate.is_valid() && neg_oid != old.oprnegate {
        return fixed("negator");
    }
    if merges == Some(false) && old.oprcanmerge {
        return fixed("merges");
    }
    if hashes == Some(false) && old.oprcanhash {
        return fixed("hashes");
    }
    object::edit::<PgOperator>(cmd, oids::OPERATOR_OID_INDEX, old.oid, |o| {
        if restrict.is_some() {
            o.oprrest = rest_oid;
        }
        if join.is_some() {
            o.oprjoin = join_oid;
        }
        o.oprcom = com_oid.valid().unwrap_or(o.oprcom);
        o.oprnegate = neg_oid.valid().unwrap_or(o.oprnegate);
        o.oprcanmerge |= merges == Some(true);
        o.oprcanhash |= hashes == Some(true);
    })?;
    let row = cmd.cx.catalog.operator(old.oid)?.ok_or_else(|| PgError::internal("an operator is gone"))?;
    record_dependencies(cmd, &row, true)?;
    link(cmd, old.oid, com_oid, neg_oid)?;
    Ok(Outcome::tag("ALTER OPERATOR"))
}
