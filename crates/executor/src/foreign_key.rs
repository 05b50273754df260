//! Foreign keys: is the referenced row there, does a row refer to the one that goes, and what to do then.
//!
//! Each check or action is a small SQL statement, planned once for a constraint and run with the key's values, as the owner of
//! the table it looks at; so operators of other types, indexes and further foreign keys are found as for any statement.
//!
//! PostgreSQL: `ri_triggers.c`.

use std::sync::Arc;

use access::heap::Look;
use analyze::AnalyzeContext;
use analyze::ParamTypes;
use base::sqlstate::{FOREIGN_KEY_VIOLATION, RESTRICT_VIOLATION};
use base::{Oid, PgError, Result, TupleId};
use catalog::{PgConstraint, Relation};
use hashbrown::HashMap;
use planner::{PlanOptions, PlannedStmt};
use types::{Datum, Runtime};

use crate::after::{Event, KeyCheck, fetch_row};
use crate::context::ExecContext;
use crate::execution::{Execution, StartOptions};

/// What a trigger function of a foreign key does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Check,
    Cascade(On),
    Restrict(On),
    SetNull(On),
    SetDefault(On),
    NoAction(On),
}

/// What happened to the referenced row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum On {
    Delete,
    Update,
}

impl Kind {
    /// By the function's id in `pg_proc`.
    pub fn of_function(f: Oid) -> Option<Kind> {
        use On::{Delete, Update};
        Some(match f.0 {
            1644 | 1645 => Kind::Check,
            1646 => Kind::Cascade(Delete),
            1647 => Kind::Cascade(Update),
            1648 => Kind::Restrict(Delete),
            1649 => Kind::Restrict(Update),
            1650 => Kind::SetNull(Delete),
            1651 => Kind::SetNull(Update),
            1652 => Kind::SetDefault(Delete),
            1653 => Kind::SetDefault(Update),
            1654 => Kind::NoAction(Delete),
            1655 => Kind::NoAction(Update),
            _ => return None,
        })
    }
    /// On the referencing table.
    pub fn is_check(self) -> bool {
        self == Kind::Check
    }
    pub fn is_restrict(self) -> bool {
        matches!(self, Kind::Restrict(_))
    }
}

/// The statements there are for a constraint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Statement {
    /// A referenced row with these values of the referencing columns, locked.
    Referenced,
    /// A referenced row with these values of its own columns, locked.
    SameKey,
    /// A referencing row, locked.
    Referencing,
    Delete,
    Update,
    SetNull(On),
    SetDefault(On),
}

/// Plans, as long as no catalog changes.
#[derive(Default)]
struct Plans(HashMap<(Oid, Statement), (u64, Arc<PlannedStmt>)>);

/// Works on one event.
pub(crate) fn run(cx: &mut ExecContext, event: &Event, t: &KeyCheck) -> Result<()> {
    let c = &t.constraint;
    let table = cx.open_table(event.table)?;
    let row = |cx: &mut ExecContext, tid: TupleId, look: Look<'_>| -> Result<Option<Vec<Datum>>> {
        let row = fetch_row(cx, &table, tid, look)?;
        Ok(row.map(|row| t.columns.iter().map(|n| row[*n as usize - 1].clone()).collect()))
    };
    if t.kind.is_check() {
        let Some(tid) = event.new else { return Ok(()) };
        // A row that is gone again is somebody else's business.
        let Some(key) = row(cx, tid, Look::SelfNow)? else { return Ok(()) };
        let key = plain(cx, key)?;
        return check(cx, c, &table.entry, key);
    }
    let Some(tid) = event.old else { return Ok(()) };
    // The change may have been undone.
    if row(cx, tid, Look::SelfNow)?.is_some() {
        return Ok(());
    }
    let Some(old) = row(cx, tid, Look::Any)? else { return Ok(()) };
    let old = plain(cx, old)?;
    match t.kind {
        Kind::Check => Ok(()),
        Kind::NoAction(_) => {
            if !execute(cx, c, Statement::SameKey, &old)?.is_empty() {
                return Ok(());
            }
            refuse_if_referenced(cx, c, &table.entry, &old, false)
        }
        Kind::Restrict(_) => refuse_if_referenced(cx, c, &table.entry, &old, true),
        Kind::Cascade(On::Delete) => execute(cx, c, Statement::Delete, &old).map(drop),
        Kind::Cascade(On::Update) => {
            let Some(tid) = event.new else { return Ok(()) };
            let Some(new) = row(cx, tid, Look::Any)? else { return Ok(()) };
            let mut values = old;
            values.extend(plain(cx, new)?);
            execute(cx, c, Statement::Update, &values).map(drop)
        }
        Kind::SetNull(on) => execute(cx, c, Statement::SetNull(on), &old).map(drop),
        Kind::SetDefault(on) => {
            execute(cx, c, Statement::SetDefault(on), &old)?;
            // The default may be the very key that went.
            if !execute(cx, c, Statement::SameKey, &old)?.is_empty() {
                return Ok(());
            }
            refuse_if_referenced(cx, c, &table.entry, &old, false)
        }
    }
}

/// Values stored out of line are fetched: the statement has no table to look them up in.
fn plain(cx: &mut ExecContext, mut key: Vec<Datum>) -> Result<Vec<Datum>> {
    for value in &mut key {
        if let Datum::Toasted(bytes) = value {
            *value = Datum::bytes(cx.detoast(bytes)?);
        }
    }
    Ok(key)
}

/// (PostgreSQL: `RI_FKey_check`)
fn check(cx: &mut ExecContext, c: &PgConstraint, table: &Relation, key: Vec<Datum>) -> Result<()> {
    let nulls = key.iter().filter(|v| v.is_null()).count();
    if nulls == key.len() || nulls > 0 && c.confmatchtype != b'f' {
        return Ok(());
    }
    let text =
        format!("insert or update on table \"{}\" violates foreign key constraint \"{}\"", table.name(), c.conname);
    let error = at_constraint(cx, PgError::new(FOREIGN_KEY_VIOLATION, text), table, c)?;
    if nulls > 0 {
        return Err(error.detail("MATCH FULL does not allow mixing of null and nonnull key values."));
    }
    if !execute(cx, c, Statement::Referenced, &key)?.is_empty() {
        return Ok(());
    }
    let other = cx.catalog.relation_entry(c.confrelid)?;
    let columns = c.conkey.clone().unwrap_or_default();
    let detail = match shown(cx, table, &columns, &key)? {
        Some(key) => format!("Key {key} is not present in table \"{}\".", other.name()),
        None => format!("Key is not present in table \"{}\".", other.name()),
    };
    Err(error.detail(detail))
}

/// (PostgreSQL: `ri_restrict`)
fn refuse_if_referenced(
    cx: &mut ExecContext,
    c: &PgConstraint,
    table: &Relation,
    key: &[Datum],
    restrict: bool,
) -> Result<()> {
    if execute(cx, c, Statement::Referencing, key)?.is_empty() {
        return Ok(());
    }
    let other = cx.catalog.relation_entry(c.conrelid)?;
    let (code, how, verb) = match restrict {
        true => (RESTRICT_VIOLATION, "RESTRICT setting of ", "is referenced"),
        false => (FOREIGN_KEY_VIOLATION, "", "is still referenced"),
    };
    let text = format!(
        "update or delete on table \"{}\" violates {how}foreign key constraint \"{}\" on table \"{}\"",
        table.name(),
        c.conname,
        other.name()
    );
    let columns = c.confkey.clone().unwrap_or_default();
    let detail = match shown(cx, table, &columns, key)? {
        Some(key) => format!("Key {key} {verb} from table \"{}\".", other.name()),
        None => format!("Key {verb} from table \"{}\".", other.name()),
    };
    Err(at_constraint(cx, PgError::new(code, text), &other, c)?.detail(detail))
}

fn at_constraint(cx: &ExecContext, e: PgError, table: &Relation, c: &PgConstraint) -> Result<PgError> {
    let schema = cx.catalog.namespace_name(table.namespace())?.unwrap_or_default();
    Ok(e.table(schema, table.name()).constraint(&*c.conname))
}

/// `(a, b)=(1, 2)`, if the user may read these columns.
fn shown(cx: &mut ExecContext, table: &Relation, columns: &[i16], key: &[Datum]) -> Result<Option<String>> {
    let user = cx.settings.current_user;
    for n in columns {
        if !cx.catalog.may_column(user, table, *n, catalog::acl::ACL_SELECT)? {
            return Ok(None);
        }
    }
    let names: Vec<&str> = columns.iter().map(|n| &*table.desc.attrs[*n as usize - 1].name).collect();
    let mut values = Vec::new();
    for (n, v) in columns.iter().zip(key) {
        values.push(match v {
            Datum::Null => "null".to_owned(),
            v => cx.output(table.desc.attrs[*n as usize - 1].type_oid, v.as_ref())?,
        });
    }
    Ok(Some(format!("({})=({})", names.join(", "), values.join(", "))))
}

/// Runs one of a constraint's statements.
fn execute(cx: &mut ExecContext, c: &PgConstraint, what: Statement, values: &[Datum]) -> Result<Vec<Vec<Datum>>> {
    let on = if matches!(what, Statement::Referenced | Statement::SameKey) { c.confrelid } else { c.conrelid };
    let owner = cx.catalog.relation_entry(on)?.owner();
    let user = cx.settings.current_user;
    if user != owner {
        Arc::make_mut(&mut cx.settings).current_user = owner;
    }
    let done = execute_as_owner(cx, c, what, values);
    if user != owner {
        Arc::make_mut(&mut cx.settings).current_user = user;
    }
    done
}

fn execute_as_owner(
    cx: &mut ExecContext,
    c: &PgConstraint,
    what: Statement,
    values: &[Datum],
) -> Result<Vec<Vec<Datum>>> {
    let planned = plan(cx, c, what)?;
    crate::lock_plan_relations(cx, [&*planned].into_iter())?;
    let txn = cx.txn()?;
    let snapshot = match txn.isolation().uses_transaction_snapshot() {
        // What others have committed counts even where the transaction does not see it.
        true => txn.latest_snapshot()?,
        false => txn.snapshot()?,
    };
    let options =
        StartOptions { params: values.into(), snapshot: Some(snapshot), shares_level: true, ..StartOptions::default() };
    let mut execution = Execution::start(planned, cx, options)?;
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    let limit = if matches!(what, Statement::Referenced | Statement::SameKey | Statement::Referencing) { 1 } else { 0 };
    execution.run(cx, limit, &mut rows)?;
    execution.finish(cx)?;
    if limit == 0 {
        cx.catalog.command_counter_increment()?;
    }
    Ok(rows)
}

fn plan(cx: &mut ExecContext, c: &PgConstraint, what: Statement) -> Result<Arc<PlannedStmt>> {
    let generation = cx.catalog.shared().generation();
    let changed = cx.catalog.has_changes();
    if let Some((at, planned)) = cx.extension_or_default::<Plans>().0.get(&(c.oid, what))
        && *at == generation
        && !changed
    {
        return Ok(planned.clone());
    }
    let (text, types) = statement(cx, c, what)?;
    let mut lock = crate::relation_locker(cx)?;
    let catalog = cx.catalog.clone();
    let mut queries = {
        let mut acx = AnalyzeContext::new(catalog, &mut *cx);
        acx.lock = Some(&mut lock);
        let stmt = parser::parse(&text)?.pop().ok_or_else(|| PgError::internal("an empty statement"))?;
        let mut params = ParamTypes::Fixed(types);
        let query = analyze::analyze(&mut acx, &stmt, &text, &mut params)?;
        analyze::rewrite(&mut acx, query)?
    };
    let query = queries.pop().ok_or_else(|| PgError::unsupported("rules on the tables of a foreign key"))?;
    let planned = Arc::new(crate::plan_query(cx, query, &PlanOptions::default())?);
    if !changed {
        cx.extension_or_default::<Plans>().0.insert((c.oid, what), (generation, planned.clone()));
    }
    Ok(planned)
}

/// The constraint to the whole table of which `c` is one to a partition.
fn to_whole_table(cx: &ExecContext, c: &PgConstraint) -> Result<PgConstraint> {
    let mut c = c.clone();
    while c.conparentid.is_valid() {
        let key = [Datum::oid(c.conparentid)];
        match cx.catalog.get::<PgConstraint>(catalog::CacheId::CONSTROID, &key)? {
            Some(p) if p.conrelid == c.conrelid => c = PgConstraint::clone(&p),
            _ => break,
        }
    }
    Ok(c)
}

/// A statement's text and its parameters' types.
fn statement(cx: &mut ExecContext, c: &PgConstraint, what: Statement) -> Result<(String, Vec<Oid>)> {
    // A row with the same key may be in another partition.
    let whole = if what == Statement::SameKey { to_whole_table(cx, c)? } else { c.clone() };
    let c = &whole;
    let list = |l: &Option<Vec<i16>>| l.clone().unwrap_or_default();
    let (own, other) = (list(&c.conkey), list(&c.confkey));
    let (referencing, referenced) = (cx.catalog.relation_entry(c.conrelid)?, cx.catalog.relation_entry(c.confrelid)?);
    let types = |rel: &Relation, columns: &[i16]| -> Vec<Oid> {
        columns.iter().map(|n| rel.desc.attrs[*n as usize - 1].type_oid).collect()
    };
    let (own_types, other_types) = (types(&referencing, &own), types(&referenced, &other));
    let names = |rel: &Relation, columns: &[i16]| -> Vec<String> {
        let name = |n: &i16| catalog::quote_identifier(&rel.desc.attrs[*n as usize - 1].name);
        columns.iter().map(name).collect()
    };
    let (own_names, other_names) = (names(&referencing, &own), names(&referenced, &other));
    let (from, to) = (table_name(cx, &referencing)?, table_name(cx, &referenced)?);
    let operators = c.conpfeqop.clone().unwrap_or_default();
    let same = c.conppeqop.clone().unwrap_or_default();
    // Of the operators the left side is the referenced column, the right one the referencing.
    let mut parts = Vec::new();
    for i in 0..own.len() {
        let param = format!("${}", i + 1);
        parts.push(match what {
            Statement::Referenced => {
                condition(cx, &other_names[i], other_types[i], operators[i], &param, own_types[i])?
            }
            Statement::SameKey => condition(cx, &other_names[i], other_types[i], same[i], &param, other_types[i])?,
            _ => condition(cx, &param, other_types[i], operators[i], &own_names[i], own_types[i])?,
        });
    }
    let condition = parts.join(" AND ");
    let assignments = |value: &dyn Fn(usize) -> String, only: Option<&[i16]>| -> String {
        let wanted = |i: &usize| only.is_none_or(|l| l.is_empty() || l.contains(&own[*i]));
        let list: Vec<String> =
            (0..own.len()).filter(wanted).map(|i| format!("{} = {}", own_names[i], value(i))).collect();
        list.join(", ")
    };
    let only = |on: On| match on {
        On::Delete => c.confdelsetcols.as_deref(),
        On::Update => None,
    };
    Ok(match what {
        Statement::Referenced => (format!("SELECT 1 FROM {to} x WHERE {condition} FOR KEY SHARE OF x"), own_types),
        Statement::SameKey => (format!("SELECT 1 FROM {to} x WHERE {condition} FOR KEY SHARE OF x"), other_types),
        Statement::Referencing => (format!("SELECT 1 FROM {from} x WHERE {condition} FOR KEY SHARE OF x"), other_types),
        Statement::Delete => (format!("DELETE FROM {from} WHERE {condition}"), other_types),
        Statement::Update => {
            let n = own.len();
            let set = assignments(&|i| format!("${}", n + i + 1), None);
            let both = other_types.iter().chain(&other_types).copied().collect();
            (format!("UPDATE {from} SET {set} WHERE {condition}"), both)
        }
        Statement::SetNull(on) => {
            let set = assignments(&|_| "NULL".to_owned(), only(on));
            (format!("UPDATE {from} SET {set} WHERE {condition}"), other_types)
        }
        Statement::SetDefault(on) => {
            let set = assignments(&|_| "DEFAULT".to_owned(), only(on));
            (format!("UPDATE {from} SET {set} WHERE {condition}"), other_types)
        }
    })
}

/// A table alone, or a partitioned one as a whole.
fn table_name(cx: &ExecContext, rel: &Relation) -> Result<String> {
    let schema = cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
    let only = if rel.kind() == catalog::relkind::PARTITIONED_TABLE { "" } else { "ONLY " };
    Ok(format!("{only}{}.{}", catalog::quote_identifier(&schema), catalog::quote_identifier(rel.name())))
}

/// `left OPERATOR(schema.=) right`, with casts to the operator's types. (PostgreSQL: `ri_GenerateQual`)
pub(crate) fn condition(
    cx: &ExecContext,
    left: &str,
    left_type: Oid,
    operator: Oid,
    right: &str,
    right_type: Oid,
) -> Result<String> {
    let op = cx.catalog.operator(operator)?.ok_or_else(|| PgError::internal("a foreign key's operator is gone"))?;
    let schema = cx.catalog.namespace_name(op.oprnamespace)?.unwrap_or_default();
    let cast = |text: &str, from: Oid, to: Oid| -> Result<String> {
        let polymorphic = cx.catalog.type_row(to)?.typtype == b'p';
        if from == to || polymorphic {
            return Ok(text.to_owned());
        }
        let row = cx.catalog.type_row(to)?;
        let schema = cx.catalog.namespace_name(row.typnamespace)?.unwrap_or_default();
        let (schema, name) = (catalog::quote_identifier(&schema), catalog::quote_identifier(&row.typname));
        Ok(format!("{text}::{schema}.{name}"))
    };
    let (left, right) = (cast(left, left_type, op.oprleft)?, cast(right, right_type, op.oprright)?);
    Ok(format!("{left} OPERATOR({}.{}) {right}", catalog::quote_identifier(&schema), op.oprname))
}

/// What to say if rows refer to the constraint's referenced table, a partition about to be detached. (PostgreSQL:
/// `RI_PartitionRemove_Check`)
pub fn refers_to(cx: &mut ExecContext, c: &PgConstraint) -> Result<Option<String>> {
    let (table, other) = (cx.catalog.relation_entry(c.conrelid)?, cx.catalog.relation_entry(c.confrelid)?);
    let (own, keys) = (c.conkey.clone().unwrap_or_default(), c.confkey.clone().unwrap_or_default());
    let name = |rel: &Relation, n: i16| catalog::quote_identifier(&rel.desc.attrs[n as usize - 1].name);
    let operators = c.conpfeqop.clone().unwrap_or_default();
    let mut on = Vec::new();
    for i in 0..own.len() {
        let (f, p) = (format!("fk.{}", name(&table, own[i])), format!("pk.{}", name(&other, keys[i])));
        let types = (other.desc.attrs[keys[i] as usize - 1].type_oid, table.desc.attrs[own[i] as usize - 1].type_oid);
        on.push(condition(cx, &p, types.0, operators[i], &f, types.1)?);
    }
    let (from, to) = (table_name(cx, &table)?, table_name(cx, &other)?);
    let columns: Vec<String> = keys.iter().map(|n| format!("pk.{}", name(&other, *n))).collect();
    let text = format!("SELECT {} FROM {from} fk JOIN {to} pk ON ({})", columns.join(", "), on.join(" AND "));
    let Some(key) = query(cx, &text)?.pop() else { return Ok(None) };
    let key = plain(cx, key)?;
    let key = shown(cx, &other, &keys, &key)?.map_or(String::new(), |k| format!(" {k}"));
    Ok(Some(format!("Key{key} is still referenced from table \"{}\".", table.name())))
}

/// The first row of a query over everything that is committed.
fn query(cx: &mut ExecContext, text: &str) -> Result<Vec<Vec<Datum>>> {
    let catalog = cx.catalog.clone();
    let mut queries = {
        let mut acx = AnalyzeContext::new(catalog, &mut *cx);
        let stmt = parser::parse(text)?.pop().ok_or_else(|| PgError::internal("an empty statement"))?;
        let query = analyze::analyze(&mut acx, &stmt, text, &mut ParamTypes::None)?;
        analyze::rewrite(&mut acx, query)?
    };
    let query = queries.pop().ok_or_else(|| PgError::internal("a query became none"))?;
    let planned = Arc::new(crate::plan_query(cx, query, &PlanOptions::default())?);
    let snapshot = Some(cx.txn()?.latest_snapshot()?);
    let mut execution = Execution::start(planned, cx, StartOptions { snapshot, ..StartOptions::default() })?;
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    execution.run(cx, 1, &mut rows)?;
    execution.finish(cx)?;
    Ok(rows)
}

/// Finds a row that refers to nothing, when a constraint is added to a table that has rows. (PostgreSQL: `RI_Initial_Check`)
pub fn check_table(cx: &mut ExecContext, c: &PgConstraint) -> Result<()> {
    let (table, other) = (cx.catalog.relation_entry(c.conrelid)?, cx.catalog.relation_entry(c.confrelid)?);
    let (own, keys) = (c.conkey.clone().unwrap_or_default(), c.confkey.clone().unwrap_or_default());
    let name = |rel: &Relation, n: i16| catalog::quote_identifier(&rel.desc.attrs[n as usize - 1].name);
    let operators = c.conpfeqop.clone().unwrap_or_default();
    let (mut columns, mut on, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..own.len() {
        let (f, p) = (format!("fk.{}", name(&table, own[i])), format!("pk.{}", name(&other, keys[i])));
        let types = (other.desc.attrs[keys[i] as usize - 1].type_oid, table.desc.attrs[own[i] as usize - 1].type_oid);
        on.push(condition(cx, &p, types.0, operators[i], &f, types.1)?);
        nulls.push(format!("{f} IS NOT NULL"));
        columns.push(f);
    }
    let first = name(&other, keys[0]);
    let glue = if c.confmatchtype == b'f' { " OR " } else { " AND " };
    let text = format!(
        "SELECT {} FROM {} fk LEFT OUTER JOIN {} pk ON ({}) WHERE pk.{first} IS NULL AND ({})",
        columns.join(", "),
        table_name(cx, &table)?,
        table_name(cx, &other)?,
        on.join(" AND "),
        nulls.join(glue)
    );
    let mut rows = query(cx, &text)?;
    match rows.pop() {
        Some(key) => {
            let key = plain(cx, key)?;
            check(cx, c, &table, key)
        }
        None => Ok(()),
    }
}
