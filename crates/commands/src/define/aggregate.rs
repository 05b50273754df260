//! CREATE AGGREGATE: the functions it is made of are looked up and checked, then a `pg_proc` and a `pg_aggregate` row are written.
//! (PostgreSQL: `DefineAggregate`, `AggregateCreate`)

use analyze::definitions::{is_polymorphic_type, polymorphic_problem, support_function};
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DependencyType, ObjectAddress, PgAggregate, PgProc, oids};
use parser::ast::*;
use types::oid::*;
use types::{Datum, Runtime};

use super::*;

#[derive(Default)]
struct Attributes {
    sfunc: Option<Vec<String>>,
    finalfunc: Option<Vec<String>>,
    combinefunc: Option<Vec<String>>,
    serialfunc: Option<Vec<String>>,
    deserialfunc: Option<Vec<String>>,
    msfunc: Option<Vec<String>>,
    minvfunc: Option<Vec<String>>,
    mfinalfunc: Option<Vec<String>>,
    sortop: Option<Vec<String>>,
    basetype: Option<TypeName>,
    stype: Option<TypeName>,
    mstype: Option<TypeName>,
    final_extra: bool,
    mfinal_extra: bool,
    final_modify: Option<u8>,
    mfinal_modify: Option<u8>,
    hypothetical: bool,
    sspace: i32,
    msspace: i32,
    initcond: Option<String>,
    minitcond: Option<String>,
    parallel: Option<String>,
}

fn modify(d: &DefElem) -> Result<u8> {
    match string(d)?.as_str() {
        "read_only" => Ok(b'r'),
        "shareable" => Ok(b's'),
        "read_write" => Ok(b'w'),
        _ => {
            let text = format!("parameter \"{}\" must be READ_ONLY, SHAREABLE, or READ_WRITE", d.defname);
            Err(PgError::new(SYNTAX_ERROR, text))
        }
    }
}

fn attributes(cmd: &mut CommandContext<'_>, list: &[DefElem]) -> Result<Attributes> {
    let mut a = Attributes::default();
    for d in list {
        match d.defname.as_str() {
            "sfunc" | "sfunc1" => a.sfunc = Some(names(d)?),
            "finalfunc" => a.finalfunc = Some(names(d)?),
            "combinefunc" => a.combinefunc = Some(names(d)?),
            "serialfunc" => a.serialfunc = Some(names(d)?),
            "deserialfunc" => a.deserialfunc = Some(names(d)?),
            "msfunc" => a.msfunc = Some(names(d)?),
            "minvfunc" => a.minvfunc = Some(names(d)?),
            "mfinalfunc" => a.mfinalfunc = Some(names(d)?),
            "finalfunc_extra" => a.final_extra = boolean(d)?,
            "mfinalfunc_extra" => a.mfinal_extra = boolean(d)?,
            "finalfunc_modify" => a.final_modify = Some(modify(d)?),
            "mfinalfunc_modify" => a.mfinal_modify = Some(modify(d)?),
            "sortop" => a.sortop = Some(names(d)?),
            "basetype" => a.basetype = Some(type_name(d)?),
            "hypothetical" => a.hypothetical = boolean(d)?,
            "stype" | "stype1" => a.stype = Some(type_name(d)?),
            "sspace" => a.sspace = integer(d)?,
            "mstype" => a.mstype = Some(type_name(d)?),
            "msspace" => a.msspace = integer(d)?,
            "initcond" | "initcond1" => a.initcond = Some(string(d)?),
            "minitcond" => a.minitcond = Some(string(d)?),
            "parallel" => a.parallel = Some(string(d)?),
            other => {
                let text = format!("aggregate attribute \"{other}\" not recognized");
                cmd.notice(Severity::Warning, SYNTAX_ERROR, text);
            }
        }
    }
    Ok(a)
}

/// Which attributes need which others.
fn check_attributes(a: &Attributes) -> Result<()> {
    if a.stype.is_none() {
        return Err(bad_definition("aggregate stype must be specified"));
    }
    if a.sfunc.is_none() {
        return Err(bad_definition("aggregate sfunc must be specified"));
    }
    if a.mstype.is_some() {
        for (there, what) in [(a.msfunc.is_some(), "msfunc"), (a.minvfunc.is_some(), "minvfunc")] {
            if !there {
                return Err(bad_definition(format!("aggregate {what} must be specified when mstype is specified")));
            }
        }
        return Ok(());
    }
    for (there, what) in [
        (a.msfunc.is_some(), "msfunc"),
        (a.minvfunc.is_some(), "minvfunc"),
        (a.mfinalfunc.is_some(), "mfinalfunc"),
        (a.msspace != 0, "msspace"),
        (a.minitcond.is_some(), "minitcond"),
    ] {
        if there {
            return Err(bad_definition(format!("aggregate {what} must not be specified without mstype")));
        }
    }
    Ok(())
}

/// The transition state's type; pseudo-types only where they are polymorphic, or `internal` by a superuser.
fn state_type(cmd: &mut CommandContext<'_>, t: &TypeName) -> Result<Oid> {
    let oid = name::unplaced_type_name(cmd.cx, t)?.0;
    let pseudo = cmd.cx.catalog.type_row(oid)?.typtype == b'p';
    if pseudo && !is_polymorphic_type(oid) && !(oid == INTERNALOID && is_superuser(cmd)?) {
        let shown = cmd.cx.catalog.format_type(oid, None)?;
        return Err(bad_definition(format!("aggregate transition data type cannot be {shown}")));
    }
    Ok(oid)
}

/// An initial value must be one of its type.
fn check_initial(cmd: &mut CommandContext<'_>, state: Oid, text: &Option<String>) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    let info = cmd.cx.catalog.type_info(state)?;
    if info.typtype == b'p' {
        return Ok(());
    }
    let (text, param, typmod) = (Datum::text(text), Datum::oid(info.ioparam), Datum::i32(-1));
    cmd.cx.call(info.input, Oid::INVALID, &[text.as_ref(), param.as_ref(), typmod.as_ref()]).map(drop)
}

/// One of the support functions, which must give the wanted type.
fn part(
    cmd: &CommandContext<'_>,
    parts: &[String],
    args: &[Oid],
    variadic: Oid,
    wanted: Option<(Oid, &str)>,
) -> Result<(Arc<PgProc>, Oid)> {
    let catalog = &cmd.cx.catalog;
    let (p, result) = support_function(catalog, parts, args, variadic)?;
    if let Some((wanted, what)) = wanted
        && result != wanted
    {
        let shown = catalog.format_type(wanted, None)?;
        let text = format!("return type of {what} function {} is not {shown}", parts.join("."));
        return Err(PgError::new(DATATYPE_MISMATCH, text));
    }
    check_execute(cmd, &p)?;
    Ok((p, result))
}

/// The functions of the plain or the moving-aggregate implementation.
struct Parts {
    transition: Arc<PgProc>,
    inverse: Oid,
    finish: Oid,
    result: Oid,
}

struct Input<'a> {
    args: &'a [Oid],
    direct: usize,
    kind: u8,
    variadic: Oid,
}

impl Input<'_> {
    /// The arguments of a transition function: the state and what is aggregated.
    fn transition(&self, state: Oid) -> Vec<Oid> {
        let from = if self.kind == b'n' { 0 } else { self.direct };
        let mut aggregated = self.args.get(from..).unwrap_or_default();
        if aggregated.is_empty() && self.kind != b'n' {
            // VARIADIC "any" is written once for direct and aggregated arguments.
            aggregated = &self.args[self.args.len().saturating_sub(1)..];
        }
        std::iter::once(state).chain(aggregated.iter().copied()).collect()
    }
    fn finish(&self, state: Oid, extra: bool) -> Vec<Oid> {
        let list = match (extra, self.kind) {
            (true, _) => self.args,
            (false, b'n') => &[],
            (false, _) => self.args.get(..self.direct).unwrap_or_default(),
        };
        std::iter::once(state).chain(list.iter().copied()).collect()
    }
}

fn implementation(
    cmd: &CommandContext<'_>,
    input: &Input<'_>,
    state: Oid,
    (sfunc, inverse, finish): (&[String], Option<&Vec<String>>, Option<&Vec<String>>),
    extra: bool,
    has_initial: bool,
) -> Result<Parts> {
    let catalog = &cmd.cx.catalog;
    let args = input.transition(state);
    let (transition, _) = part(cmd, sfunc, &args, input.variadic, Some((state, "transition")))?;
    if transition.proisstrict && !has_initial {
        let compatible = match args.get(1) {
            Some(first) => catalog.binary_coercible(*first, state)?,
            None => false,
        };
        if !compatible {
            return Err(bad_definition(
                "must not omit initial value when transition function is strict and transition type is not \
                 compatible with input type",
            ));
        }
    }
    let mut inverse_oid = Oid::INVALID;
    if let Some(names) = inverse {
        let (p, _) = part(cmd, names, &args, input.variadic, Some((state, "inverse transition")))?;
        if p.proisstrict != transition.proisstrict {
            return Err(bad_definition(
                "strictness of aggregate's forward and inverse transition functions must match",
            ));
        }
        inverse_oid = p.oid;
    }
    let (mut finish_oid, mut result) = (Oid::INVALID, state);
    if let Some(names) = finish {
        let variadic = if extra { input.variadic } else { Oid::INVALID };
        let (p, t) = part(cmd, names, &input.finish(state, extra), variadic, None)?;
        if extra && p.proisstrict {
            return Err(bad_definition("final function with extra arguments must not be declared STRICT"));
        }
        (finish_oid, result) = (p.oid, t);
    }
    Ok(Parts { transition, inverse: inverse_oid, finish: finish_oid, result })
}

/// Arguments as `pg_proc` has them.
#[derive(Default)]
struct Arguments {
    input: Vec<Oid>,
    modes: Vec<u8>,
    names: Vec<String>,
    variadic: Oid,
}

fn arguments_of(cmd: &mut CommandContext<'_>, list: &[FunctionParameter]) -> Result<Arguments> {
    let mut a = Arguments::default();
    for p in list {
        let ty = name::type_name(cmd.cx, &p.arg_type)?.0;
        let mode = match p.mode {
            FunctionParameterMode::In | FunctionParameterMode::Default => b'i',
            FunctionParameterMode::Variadic => b'v',
            _ => return Err(bad_definition("aggregates cannot have output arguments").at(p.location)),
        };
        if p.arg_type.setof {
            return Err(bad_definition("aggregates cannot accept set arguments").at(p.location));
        }
        if p.defexpr.is_some() {
            return Err(bad_definition("aggregates cannot have default arguments").at(p.location));
        }
        if a.variadic.is_valid() && !(mode == b'v' && ty == ANYOID) {
            let text = "VARIADIC parameter must be the last input parameter";
            return Err(bad_definition(text).at(p.location));
        }
        if mode == b'v' {
            a.variadic = match ty {
                ANYOID => ANYOID,
                ANYARRAYOID => ANYELEMENTOID,
                ANYCOMPATIBLEARRAYOID => ANYCOMPATIBLEOID,
                ty => match cmd.cx.catalog.element_type(ty)? {
                    Some(element) => element,
                    None => return Err(bad_definition("VARIADIC parameter must be an array").at(p.location)),
                },
            };
        }
        a.input.push(ty);
        a.modes.push(mode);
        a.names.push(p.name.clone().unwrap_or_default());
    }
    Ok(a)
}

fn new_row(cmd: &CommandContext<'_>, a: &Arguments, aname: &str, namespace: Oid, result: Oid, parallel: u8) -> PgProc {
    let has_modes = a.modes.iter().any(|m| *m != b'i');
    let has_names = a.names.iter().any(|n| !n.is_empty());
    PgProc {
        oid: Oid::INVALID,
        proname: aname.to_owned(),
        pronamespace: namespace,
        proowner: cmd.cx.settings.current_user,
        prolang: oids::INTERNAL_LANGUAGE,
        procost: 1.0,
        prorows: 0.0,
        provariadic: a.variadic,
        prosupport: Oid::INVALID,
        prokind: b'a',
        prosecdef: false,
        proleakproof: false,
        proisstrict: false,
        proretset: false,
        provolatile: b'i',
        proparallel: parallel,
        pronargs: a.input.len() as i16,
        pronargdefaults: 0,
        prorettype: result,
        proargtypes: a.input.clone(),
        proallargtypes: has_modes.then(|| a.input.clone()),
        proargmodes: has_modes.then(|| a.modes.clone()),
        proargnames: has_names.then(|| a.names.clone()),
        proargdefaults: None,
        protrftypes: None,
        prosrc: "aggregate_dummy".to_owned(),
        probin: None,
        prosqlbody: None,
        proconfig: None,
        proacl: None,
    }
}

/// Writes the `pg_proc` row, over the old one if that may be replaced. (PostgreSQL: `ProcedureCreate`)
fn store(cmd: &CommandContext<'_>, mut row: PgProc, old: Option<&PgProc>, replace: bool) -> Result<Oid> {
    let catalog = &cmd.cx.catalog;
    match old {
        Some(old) => {
            if !replace {
                let text = format!("function \"{}\" already exists with same argument types", row.proname);
                return Err(PgError::new(DUPLICATE_FUNCTION, text));
            }
            if !catalog.is_owner(cmd.cx.settings.current_user, old.proowner)? {
                return Err(catalog::lookup::must_be_owner("function", &row.proname));
            }
            if old.prokind != b'a' {
                let noun = match old.prokind {
                    b'p' => "procedure",
                    b'w' => "window function",
                    _ => "function",
                };
                let e = PgError::new(WRONG_OBJECT_TYPE, "cannot change routine kind");
                return Err(e.detail(format!("\"{}\" is a {noun}.", row.proname)));
            }
            if old.prorettype != row.prorettype {
                let shown = catalog.format_procedure(old.oid, false)?;
                let e = bad_definition("cannot change return type of existing function");
                return Err(e.hint(format!("Use DROP AGGREGATE {shown} first.")));
            }
            (row.oid, row.proowner, row.proacl) = (old.oid, old.proowner, old.proacl.clone());
            let found = catalog.find_row::<PgProc>(oids::PROCEDURE_OID_INDEX, &[Datum::oid(old.oid)])?;
            let found = found.ok_or_else(|| PgError::internal("a function is gone"))?;
            catalog.update_row(&found, &row)?;
            catalog.delete_dependencies(&ObjectAddress::function(row.oid), true)?;
        }
        None => {
            row.oid = catalog.new_oid(oids::PROCEDURE_RELATION, oids::PROCEDURE_OID_INDEX)?;
            catalog.insert_row(&row)?;
            catalog.record_owner(&ObjectAddress::function(row.oid), row.proowner)?;
        }
    }
    let mut on = vec![ObjectAddress::namespace(row.pronamespace), ObjectAddress::type_(row.prorettype)];
    on.extend(row.proargtypes.iter().map(|t| ObjectAddress::type_(*t)));
    catalog.record_dependencies(&ObjectAddress::function(row.oid), &on, DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(row.oid)
}

pub(super) fn create(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    let (namespace, aname) = new_object(cmd, &stmt.defnames)?;
    let direct = stmt.args.as_ref().map_or(-1, |a| a.num_direct_args);
    let mut kind = if direct >= 0 { b'o' } else { b'n' };
    let a = attributes(cmd, &stmt.definition)?;
    if a.hypothetical {
        if kind == b'n' {
            return Err(bad_definition("only ordered-set aggregates can be hypothetical"));
        }
        kind = b'h';
    }
    check_attributes(&a)?;
    let default_modify = if kind == b'n' { b'r' } else { b'w' };
    let arguments = match &stmt.args {
        Some(args) => {
            if a.basetype.is_some() {
                return Err(bad_definition("basetype is redundant with aggregate input type specification"));
            }
            arguments_of(cmd, &args.params)?
        }
        None => {
            let Some(base) = &a.basetype else {
                return Err(bad_definition("aggregate input type must be specified"));
            };
            match base.names.last().is_some_and(|n| n.eq_ignore_ascii_case("any")) {
                true => arguments_of(cmd, &[])?,
                false => {
                    let input = name::unplaced_type_name(cmd.cx, base)?.0;
                    Arguments { input: vec![input], ..Default::default() }
                }
            }
        }
    };
    let state = match &a.stype {
        Some(t) => state_type(cmd, t)?,
        None => Oid::INVALID,
    };
    let serial = match (&a.serialfunc, &a.deserialfunc) {
        (None, None) => None,
        _ if state != INTERNALOID => {
            return Err(bad_definition(
                "serialization functions may be specified only when the aggregate transition data type is internal",
            ));
        }
        (Some(s), Some(d)) => Some((s, d)),
        _ => {
            return Err(bad_definition("must specify both or neither of serialization and deserialization functions"));
        }
    };
    let moving_state = a.mstype.as_ref().map(|t| state_type(cmd, t)).transpose()?;
    check_initial(cmd, state, &a.initcond)?;
    if let Some(m) = moving_state {
        check_initial(cmd, m, &a.minitcond)?;
    }
    let parallel = match a.parallel.as_deref() {
        None | Some("unsafe") => b'u',
        Some("restricted") => b'r',
        Some("safe") => b's',
        Some(_) => {
            let text = "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE";
            return Err(PgError::new(SYNTAX_ERROR, text));
        }
    };
    let catalog = cmd.cx.catalog.clone();
    let input = Input { args: &arguments.input, direct: direct.max(0) as usize, kind, variadic: arguments.variadic };
    for t in std::iter::once(state).chain(moving_state) {
        if let Some(detail) = polymorphic_problem(&catalog, t, input.args)? {
            return Err(bad_definition("cannot determine transition data type").detail(detail));
        }
    }
    check_ordered_set(&input)?;
    let sfunc = a.sfunc.clone().unwrap_or_default();
    let plain =
        implementation(cmd, &input, state, (&sfunc, None, a.finalfunc.as_ref()), a.final_extra, a.initcond.is_some())?;
    let moving = match (&a.msfunc, moving_state) {
        (Some(msfunc), Some(m)) => Some(implementation(
            cmd,
            &input,
            m,
            (msfunc, a.minvfunc.as_ref(), a.mfinalfunc.as_ref()),
            a.mfinal_extra,
            a.minitcond.is_some(),
        )?),
        _ => None,
    };
    let mut combine = Oid::INVALID;
    if let Some(names) = &a.combinefunc {
        let (p, _) = part(cmd, names, &[state, state], Oid::INVALID, Some((state, "combine")))?;
        if state == INTERNALOID && p.proisstrict {
            let text = "combine function with transition type internal must not be declared STRICT";
            return Err(bad_definition(text));
        }
        combine = p.oid;
    }
    let (mut serialize, mut deserialize) = (Oid::INVALID, Oid::INVALID);
    if let Some((s, d)) = serial {
        serialize = part(cmd, s, &[INTERNALOID], Oid::INVALID, Some((BYTEAOID, "serialization")))?.0.oid;
        let args = [BYTEAOID, INTERNALOID];
        deserialize = part(cmd, d, &args, Oid::INVALID, Some((INTERNALOID, "deserialization")))?.0.oid;
    }
    let result = plain.result;
    if let Some(detail) = polymorphic_problem(&catalog, result, input.args)? {
        return Err(PgError::new(DATATYPE_MISMATCH, "cannot determine result data type").detail(detail));
    }
    if result == INTERNALOID && !input.args.contains(&INTERNALOID) {
        let detail = "A result of type internal requires at least one input of type internal.";
        return Err(bad_definition("unsafe use of pseudo-type \"internal\"").detail(detail));
    }
    if let Some(m) = &moving
        && m.result != result
    {
        let (ours, plain) = (catalog.format_type(m.result, None)?, catalog.format_type(result, None)?);
        let text = format!(
            "moving-aggregate implementation returns type {ours}, but plain implementation returns type {plain}"
        );
        return Err(bad_definition(text));
    }
    let mut sort_operator = Oid::INVALID;
    if let Some(names) = &a.sortop {
        let &[one] = input.args else {
            return Err(bad_definition("sort operator can only be specified for single-argument aggregates"));
        };
        sort_operator = operator::lookup_exact(cmd, names, one, one)?.oid;
    }
    for t in input.args.iter().copied().chain([state]).chain(moving_state).chain([result]) {
        check_usage(cmd, t)?;
    }
    let row = new_row(cmd, &arguments, &aname, namespace, result, parallel);
    let old = catalog
        .functions_by_name(&aname)?
        .iter()
        .find(|p| p.pronamespace == namespace && p.proargtypes == row.proargtypes)
        .cloned();
    let mut aggregate = PgAggregate {
        aggfnoid: Oid::INVALID,
        aggkind: kind,
        aggnumdirectargs: input.direct as i16,
        aggtransfn: plain.transition.oid,
        aggfinalfn: plain.finish,
        aggcombinefn: combine,
        aggserialfn: serialize,
        aggdeserialfn: deserialize,
        aggmtransfn: moving.as_ref().map_or(Oid::INVALID, |m| m.transition.oid),
        aggminvtransfn: moving.as_ref().map_or(Oid::INVALID, |m| m.inverse),
        aggmfinalfn: moving.as_ref().map_or(Oid::INVALID, |m| m.finish),
        aggfinalextra: a.final_extra,
        aggmfinalextra: a.mfinal_extra,
        aggfinalmodify: a.final_modify.unwrap_or(default_modify),
        aggmfinalmodify: a.mfinal_modify.unwrap_or(default_modify),
        aggsortop: sort_operator,
        aggtranstype: state,
        aggtransspace: a.sspace,
        aggmtranstype: moving_state.unwrap_or_default(),
        aggmtransspace: a.msspace,
        agginitval: a.initcond.clone(),
        aggminitval: a.minitcond.clone(),
    };
    if let Some(old) = &old
        && stmt.replace
        && let Some(previous) = catalog.aggregate(old.oid)?
    {
        if previous.aggkind != kind {
            let what = match previous.aggkind {
                b'n' => "an ordinary aggregate function",
                b'o' => "an ordered-set aggregate",
                _ => "a hypothetical-set aggregate",
            };
            let e = PgError::new(WRONG_OBJECT_TYPE, "cannot change routine kind");
            return Err(e.detail(format!("\"{aname}\" is {what}.")));
        }
        if previous.aggnumdirectargs != aggregate.aggnumdirectargs {
            let text = "cannot change number of direct arguments of an aggregate function";
            return Err(bad_definition(text));
        }
    }
    let oid = store(cmd, row, old.as_deref(), stmt.replace)?;
    aggregate.aggfnoid = oid;
    let key = [Datum::oid(oid)];
    match catalog.find_row::<PgAggregate>(oids::AGGREGATE_FNOID_INDEX, &key)? {
        Some(found) => {
            catalog.update_row(&found, &aggregate)?;
        }
        None => {
            catalog.insert_row(&aggregate)?;
        }
    }
    let me = ObjectAddress::function(oid);
    let g = &aggregate;
    let functions = [
        g.aggtransfn,
        g.aggfinalfn,
        g.aggcombinefn,
        g.aggserialfn,
        g.aggdeserialfn,
        g.aggmtransfn,
        g.aggminvtransfn,
        g.aggmfinalfn,
    ];
    let mut on: Vec<ObjectAddress> = functions.iter().filter_map(|f| f.valid()).map(ObjectAddress::function).collect();
    on.extend(sort_operator.valid().map(|o| ObjectAddress::new(oids::OPERATOR_RELATION, o)));
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE AGGREGATE"))
}

fn check_ordered_set(input: &Input<'_>) -> Result<()> {
    if input.kind == b'n' {
        return Ok(());
    }
    if input.variadic.is_valid() && input.variadic != ANYOID {
        let text = "a variadic ordered-set aggregate must use VARIADIC type ANY";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    if input.kind == b'h' {
        let direct = input.args.get(..input.direct).unwrap_or_default();
        let aggregated = input.args.get(input.direct..).unwrap_or_default();
        let matches = (input.variadic == ANYOID && aggregated.is_empty())
            || (direct.len() >= aggregated.len() && direct[direct.len() - aggregated.len()..] == *aggregated);
        if !matches {
            let text = "a hypothetical-set aggregate must have direct arguments matching its aggregated arguments";
            return Err(bad_definition(text));
        }
    }
    Ok(())
}
