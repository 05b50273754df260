//! CREATE and ALTER SEQUENCE, the sequences of serial and identity columns. (PostgreSQL: `sequence.c`)

use access::sequence::{SequenceData, SequenceDef};
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::ddl::new_attribute;
use catalog::{DependencyType, NewRelation, ObjectAddress, PgSequence, Relation, oids, relkind};
use parser::ast::*;
use txn::LockMode;
use types::Datum;
use types::oid::{BOOLOID, INT2OID, INT4OID, INT8OID};

use crate::{CommandContext, Outcome, name, options};

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateSeqStmt) -> Result<Outcome> {
    let (namespace, persistence) = name::relation_schema(cmd.cx, &stmt.sequence)?;
    if cmd.cx.catalog.relation_by_name(namespace.oid, &stmt.sequence.relname)?.is_some() {
        let text = format!("relation \"{}\" already exists", stmt.sequence.relname);
        if !stmt.if_not_exists {
            return Err(PgError::new(DUPLICATE_TABLE, text));
        }
        cmd.notice(base::Severity::Notice, DUPLICATE_TABLE, format!("{text}, skipping"));
        return Ok(Outcome::tag("CREATE SEQUENCE"));
    }
    let place = Place { name: &stmt.sequence.relname, schema: namespace.oid, persistence };
    let oid = make(cmd, place, INT8OID, &stmt.options)?;
    owned_by(cmd, oid, &stmt.options)?;
    Ok(Outcome::tag("CREATE SEQUENCE"))
}

/// What the options say.
struct Parsed {
    type_oid: Oid,
    start: i64,
    def: SequenceDef,
    restart: Option<Option<i64>>,
}

fn bounds(type_oid: Oid) -> (i64, i64) {
    match type_oid {
        INT2OID => (i64::from(i16::MIN), i64::from(i16::MAX)),
        INT4OID => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

fn invalid(text: String) -> PgError {
    PgError::new(INVALID_PARAMETER_VALUE, text)
}

fn number(option: &DefElem) -> Result<i64> {
    options::text(option).parse().map_err(|_| {
        let text = format!("value \"{}\" is out of range for type bigint", options::text(option));
        PgError::new(NUMERIC_VALUE_OUT_OF_RANGE, text)
    })
}

/// Reads the options over what is there already. (PostgreSQL: `init_params`)
fn parse(cmd: &mut CommandContext<'_>, list: &[DefElem], type_oid: Oid, old: Option<&PgSequence>) -> Result<Parsed> {
    let find = |name: &str| list.iter().find(|o| o.defname == name);
    for (i, o) in list.iter().enumerate() {
        if list[..i].iter().any(|p| p.defname == o.defname) {
            return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
        }
    }
    let type_oid = match find("as").and_then(|o| o.arg.as_ref()) {
        Some(DefArg::TypeName(t)) => {
            let (oid, _) = name::type_name(cmd.cx, t)?;
            if !matches!(oid, INT2OID | INT4OID | INT8OID) {
                return Err(invalid("sequence type must be smallint, integer, or bigint".into()));
            }
            oid
        }
        _ => old.map_or(type_oid, |o| o.seqtypid),
    };
    let increment = match find("increment") {
        Some(o) => number(o)?,
        None => old.map_or(1, |o| o.seqincrement),
    };
    if increment == 0 {
        return Err(invalid("INCREMENT must not be zero".into()));
    }
    let (low, high) = bounds(type_oid);
    let max = match find("maxvalue") {
        Some(o) if o.arg.is_some() => number(o)?,
        None if old.is_some() => old.map_or(high, |o| o.seqmax),
        _ => {
            if increment > 0 {
                high
            } else {
                -1
            }
        }
    };
    let min = match find("minvalue") {
        Some(o) if o.arg.is_some() => number(o)?,
        None if old.is_some() => old.map_or(low, |o| o.seqmin),
        _ => {
            if increment > 0 {
                1
            } else {
                low
            }
        }
    };
    let shown = cmd.cx.catalog.format_type(type_oid, None)?;
    if max < low || max > high {
        return Err(invalid(format!("MAXVALUE ({max}) is out of range for sequence data type {shown}")));
    }
    if min < low || min > high {
        return Err(invalid(format!("MINVALUE ({min}) is out of range for sequence data type {shown}")));
    }
    if min >= max {
        return Err(invalid(format!("MINVALUE ({min}) must be less than MAXVALUE ({max})")));
    }
    let start = match find("start") {
        Some(o) => number(o)?,
        None => old.map_or(if increment > 0 { min } else { max }, |o| o.seqstart),
    };
    if start < min {
        return Err(invalid(format!("START value ({start}) cannot be less than MINVALUE ({min})")));
    }
    if start > max {
        return Err(invalid(format!("START value ({start}) cannot be greater than MAXVALUE ({max})")));
    }
    let cache = match find("cache") {
        Some(o) => number(o)?,
        None => old.map_or(1, |o| o.seqcache),
    };
    if cache <= 0 {
        return Err(invalid(format!("CACHE ({cache}) must be greater than zero")));
    }
    let cycle = match find("cycle").map(|o| &o.arg) {
        Some(Some(DefArg::Boolean(b))) => *b,
        Some(_) => true,
        None => old.is_some_and(|o| o.seqcycle),
    };
    let restart = find("restart").map(|o| o.arg.is_some().then(|| number(o)).transpose()).transpose()?;
    Ok(Parsed { type_oid, start, def: SequenceDef { increment, min, max, cache, cycle }, restart })
}

/// What a new sequence is called, and where it goes.
struct Place<'a> {
    name: &'a str,
    schema: Oid,
    persistence: u8,
}

/// The relation of a sequence, its page and its row in `pg_sequence`.
fn make(cmd: &mut CommandContext<'_>, place: Place<'_>, type_oid: Oid, list: &[DefElem]) -> Result<Oid> {
    let p = parse(cmd, list, type_oid, None)?;
    let mut columns = Vec::new();
    for (name, ty) in [("last_value", INT8OID), ("log_cnt", INT8OID), ("is_called", BOOLOID)] {
        let t = cmd.cx.catalog.type_row(ty)?;
        let mut a = new_attribute(name, &t, -1, Oid::INVALID);
        a.attnotnull = true;
        columns.push(a);
    }
    let mut new = NewRelation::new(place.name, place.schema, cmd.cx.settings.current_user, columns);
    new.persistence = place.persistence;
    new.kind = relkind::SEQUENCE;
    new.am = Oid::INVALID;
    let oid = cmd.cx.catalog.create_relation(&new)?;
    cmd.cx.catalog.insert_row(&PgSequence {
        seqrelid: oid,
        seqtypid: p.type_oid,
        seqstart: p.start,
        seqincrement: p.def.increment,
        seqmax: p.def.max,
        seqmin: p.def.min,
        seqcache: p.def.cache,
        seqcycle: p.def.cycle,
    })?;
    cmd.cx.catalog.command_counter_increment()?;
    let rel = cmd.cx.catalog.relation_entry(oid)?;
    let data = SequenceData { last_value: p.start, log_cnt: 0, is_called: false };
    fill(cmd.cx.txn()?, &rel, data)?;
    Ok(oid)
}

/// The page of a sequence whose file is new. (PostgreSQL: `fill_seq_with_data`)
fn fill(txn: &txn::Transaction, rel: &Relation, data: SequenceData) -> Result<()> {
    access::sequence::create(txn, rel.locator, base::ForkNumber::Main, rel.is_permanent(), data)?;
    if rel.class.relpersistence == b'u' {
        txn.create_fork(rel.locator, base::ForkNumber::Init)?;
        access::sequence::create(txn, rel.locator, base::ForkNumber::Init, true, data)?;
    }
    Ok(())
}

/// The sequence of a serial or identity column. For a serial, its default comes back: `nextval('...'::regclass)`.
/// (PostgreSQL: `generateSerialExtraStmts`)
pub fn create_for_column(
    cmd: &mut CommandContext<'_>,
    rel: Oid,
    attnum: i16,
    list: &[DefElem],
    identity: bool,
) -> Result<Option<Expr>> {
    let table = cmd.cx.catalog.relation_entry(rel)?;
    let column = &table.attributes[attnum as usize - 1];
    let given = list.iter().find(|o| o.defname == "sequence_name").map(|o| options::text(o));
    let list: Vec<DefElem> = list.iter().filter(|o| o.defname != "sequence_name").cloned().collect();
    let name = match given {
        Some(name) => name.rsplit('.').next().unwrap_or_default().to_owned(),
        None => name::choose_relation_name(cmd.cx, table.name(), Some(&column.attname), "seq", table.namespace(), &[])?,
    };
    let place = Place { name: &name, schema: table.namespace(), persistence: table.class.relpersistence };
    let oid = make(cmd, place, column.atttypid, &list)?;
    let kind = if identity { DependencyType::Internal } else { DependencyType::Auto };
    cmd.cx.catalog.record_dependency(&ObjectAddress::relation(oid), &ObjectAddress::column(rel, attnum), kind)?;
    cmd.cx.catalog.command_counter_increment()?;
    if identity {
        return Ok(None);
    }
    let schema = cmd.cx.catalog.namespace_name(table.namespace())?.unwrap_or_default();
    let text = parser::quote_qualified(Some(&schema), &name);
    let source = format!("nextval({}::regclass)", parser::quote_literal(&text));
    let parsed = parser::parse(&format!("SELECT {source}"))?;
    match parsed.into_iter().next().map(|r| r.stmt) {
        Some(Statement::Select(mut s)) => Ok(s.target_list.pop().and_then(|t| t.val)),
        _ => Err(PgError::internal("a serial column's default was not read")),
    }
}

/// OWNED BY.
fn owned_by(cmd: &mut CommandContext<'_>, seq: Oid, list: &[DefElem]) -> Result<()> {
    let Some(option) = list.iter().find(|o| o.defname == "owned_by") else { return Ok(()) };
    let parts = match &option.arg {
        Some(DefArg::Names(names)) => names.clone(),
        Some(DefArg::String(s)) => vec![s.clone()],
        _ => Vec::new(),
    };
    let me = ObjectAddress::relation(seq);
    cmd.cx.catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, DependencyType::Auto)?;
    match parts.as_slice() {
        [none] if none == "none" => Ok(()),
        [] | [_] => {
            let text = "invalid OWNED BY option";
            Err(PgError::new(SYNTAX_ERROR, text).hint("Specify OWNED BY table.column or OWNED BY NONE."))
        }
        [table @ .., column] => {
            let rel = name::relation(cmd.cx, &crate::drop::range_var(table), LockMode::AccessShare)?;
            let attnum = name::column(&rel, column)?;
            cmd.cx.catalog.record_dependency(&me, &ObjectAddress::column(rel.oid, attnum), DependencyType::Auto)
        }
    }
}

pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterSeqStmt) -> Result<Outcome> {
    let Some(rel) = name::relation_if_exists(cmd.cx, &stmt.sequence, LockMode::ShareRowExclusive)? else {
        if stmt.missing_ok {
            let text = format!("relation \"{}\" does not exist, skipping", stmt.sequence.relname);
            cmd.notice(base::Severity::Notice, UNDEFINED_TABLE, text);
            return Ok(Outcome::tag("ALTER SEQUENCE"));
        }
        return Err(name::missing_relation(&stmt.sequence));
    };
    if rel.kind() != relkind::SEQUENCE {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", rel.name())));
    }
    name::check_owner(cmd.cx, &rel)?;
    alter_options(cmd, rel.oid, &stmt.options)?;
    Ok(Outcome::tag("ALTER SEQUENCE"))
}

/// Changes a sequence as the options say.
pub fn alter_options(cmd: &mut CommandContext<'_>, seq: Oid, options: &[DefElem]) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(seq)?;
    let key = [Datum::oid(rel.oid)];
    let found = cmd.cx.catalog.find_row::<PgSequence>(oids::SEQUENCE_RELID_INDEX, &key)?;
    let found = found.ok_or_else(|| PgError::internal("a sequence without its row"))?;
    let list: Vec<DefElem> = options.iter().filter(|o| o.defname != "owned_by").cloned().collect();
    let p = parse(cmd, &list, found.row.seqtypid, Some(&found.row))?;
    let txn = cmd.cx.txn()?.clone();
    let mut data = access::sequence::read(&txn, rel.locator)?;
    if let Some(restart) = p.restart {
        data = SequenceData { last_value: restart.unwrap_or(p.start), log_cnt: 0, is_called: false };
    }
    for (low, what) in
        [(data.last_value < p.def.min, "less than MINVALUE"), (data.last_value > p.def.max, "greater than MAXVALUE")]
    {
        if low {
            let limit = if data.last_value < p.def.min { p.def.min } else { p.def.max };
            return Err(invalid(format!("RESTART value ({}) cannot be {what} ({limit})", data.last_value)));
        }
    }
    let mut row = found.row.clone();
    (row.seqtypid, row.seqstart, row.seqincrement) = (p.type_oid, p.start, p.def.increment);
    (row.seqmax, row.seqmin, row.seqcache, row.seqcycle) = (p.def.max, p.def.min, p.def.cache, p.def.cycle);
    cmd.cx.catalog.update_row(&found, &row)?;
    data.log_cnt = 0;
    access::sequence::set(&txn, rel.locator, rel.is_permanent(), data)?;
    owned_by(cmd, rel.oid, options)
}

/// Back to its start. (TRUNCATE ... RESTART IDENTITY)
pub fn restart(cmd: &mut CommandContext<'_>, seq: Oid) -> Result<()> {
    let row = cmd.cx.catalog.sequence(seq)?.ok_or_else(|| PgError::internal("a sequence without its row"))?;
    let rel = cmd.cx.catalog.relation_entry(seq)?;
    let data = SequenceData { last_value: row.seqstart, log_cnt: 0, is_called: false };
    access::sequence::set(cmd.cx.txn()?, rel.locator, rel.is_permanent(), data)
}
