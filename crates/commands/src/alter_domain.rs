//! ALTER DOMAIN, and which columns hold values of a type. (PostgreSQL: `AlterDomain*`, `get_rels_with_domain`,
//! `find_composite_type_dependencies`)

use std::sync::Arc;

use analyze::query as q;
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DropOptions, ObjectAddress, PgConstraint, PgType, Relation, oids, relkind};
use parser::ast::*;
use txn::LockMode;

use crate::{CommandContext, Outcome, constraint, create_type, drop, name, object, stored, table_scan};

/// The domain of that name, which the user must own.
fn domain(cmd: &mut CommandContext<'_>, names: &[String]) -> Result<Arc<PgType>> {
    let t = TypeName { names: names.to_vec(), typemod: -1, ..TypeName::default() };
    let oid = name::unplaced_type_name(cmd.cx, &t)?.0;
    let row = cmd.cx.catalog.type_row(oid)?;
    if row.typtype != b'd' {
        let shown = cmd.cx.catalog.format_type(oid, None)?;
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("{shown} is not a domain")));
    }
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, row.typowner)? {
        let shown = cmd.cx.catalog.format_type(oid, None)?;
        return Err(catalog::lookup::must_be_owner("type", &shown));
    }
    Ok(row)
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &AlterDomainStmt) -> Result<Outcome> {
    let t = domain(cmd, &stmt.type_name)?;
    match stmt.subtype {
        AlterDomainType::AlterDefault => set_default(cmd, &t, stmt.def.as_ref())?,
        AlterDomainType::SetNotNull if !t.typnotnull => {
            create_type::add_domain_not_null(cmd, &t, None)?;
            verify_not_null(cmd, &t)?;
            set_not_null(cmd, &t, true)?;
        }
        AlterDomainType::DropNotNull if t.typnotnull => {
            let all = cmd.cx.catalog.constraints_of_domain(t.oid)?;
            if let Some(c) = all.iter().find(|c| c.contype == b'n') {
                delete(cmd, c.oid, DropBehavior::Restrict)?;
            }
            set_not_null(cmd, &t, false)?;
        }
        AlterDomainType::SetNotNull | AlterDomainType::DropNotNull => {}
        AlterDomainType::AddConstraint => {
            let c = stmt.constraint.as_ref().ok_or_else(|| PgError::internal("ADD without a constraint"))?;
            add(cmd, &t, c)?;
        }
        AlterDomainType::DropConstraint => drop_constraint(cmd, &t, stmt)?,
        AlterDomainType::ValidateConstraint => validate(cmd, &t, stmt)?,
    }
    Ok(Outcome::tag("ALTER DOMAIN"))
}

fn set_not_null(cmd: &CommandContext<'_>, t: &PgType, value: bool) -> Result<()> {
    object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, t.oid, |t| t.typnotnull = value)
}

fn delete(cmd: &mut CommandContext<'_>, constraint: Oid, behavior: DropBehavior) -> Result<()> {
    let address = ObjectAddress::new(oids::CONSTRAINT_RELATION, constraint);
    let notice = cmd.cx.catalog.perform_deletion(&[address], drop::behavior(behavior), DropOptions::default())?;
    if let Some(notice) = notice {
        cmd.cx.notices.notice(notice);
    }
    cmd.cx.catalog.command_counter_increment()
}

fn set_default(cmd: &mut CommandContext<'_>, t: &PgType, raw: Option<&Expr>) -> Result<()> {
    let (mut text, mut dependencies) = (None, Vec::new());
    if let Some(raw) = raw {
        let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
        let cooked = {
            let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
            analyze::ddl::cook_domain_default(&mut cx, raw, t.typbasetype, t.typtypmod, &t.typname, source)?
        };
        if !matches!(&cooked, q::Expr::Const(c) if c.value.is_null()) {
            text = Some(stored::text(&cooked, &catalog)?);
            dependencies = constraint::dependencies_of(&cooked, Oid::INVALID);
        }
    }
    let shown = text.as_deref().and_then(|text| create_type::default_text(cmd, text));
    object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, t.oid, |t| {
        t.typdefault = shown;
        t.typdefaultbin = text;
    })?;
    let row = cmd.cx.catalog.type_row(t.oid)?;
    create_type::renew_domain_dependencies(cmd, &row, &dependencies)
}

fn add(cmd: &mut CommandContext<'_>, t: &PgType, c: &Constraint) -> Result<()> {
    create_type::check_domain_constraint(c)?;
    match c.contype {
        ConstrType::Check => {
            let cooked = create_type::add_domain_check(cmd, t, c)?;
            if !c.skip_validation {
                verify_check(cmd, t, &cooked)?;
            }
            touch(cmd, t)
        }
        ConstrType::NotNull if t.typnotnull => Ok(()),
        ConstrType::NotNull => {
            create_type::add_domain_not_null(cmd, t, c.conname.as_deref())?;
            if !c.skip_validation {
                verify_not_null(cmd, t)?;
            }
            set_not_null(cmd, t, true)
        }
        _ => Err(PgError::internal("unrecognized constraint subtype")),
    }
}

/// Says that what is known of the type is stale.
fn touch(cmd: &CommandContext<'_>, t: &PgType) -> Result<()> {
    object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, t.oid, |_| {})
}

fn drop_constraint(cmd: &mut CommandContext<'_>, t: &PgType, stmt: &AlterDomainStmt) -> Result<()> {
    let cname = stmt.name.clone().unwrap_or_default();
    let all = cmd.cx.catalog.constraints_of_domain(t.oid)?;
    let Some(c) = all.iter().find(|c| c.conname == cname) else {
        let shown = stmt.type_name.join(".");
        let text = format!("constraint \"{cname}\" of domain \"{shown}\" does not exist");
        if !stmt.missing_ok {
            return Err(PgError::new(UNDEFINED_OBJECT, text));
        }
        cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, format!("{text}, skipping"));
        return Ok(());
    };
    if c.contype == b'n' {
        set_not_null(cmd, t, false)?;
    }
    delete(cmd, c.oid, stmt.behavior)?;
    touch(cmd, t)
}

fn validate(cmd: &mut CommandContext<'_>, t: &PgType, stmt: &AlterDomainStmt) -> Result<()> {
    let cname = stmt.name.clone().unwrap_or_default();
    let shown = stmt.type_name.join(".");
    let all = cmd.cx.catalog.constraints_of_domain(t.oid)?;
    let c = all.iter().find(|c| c.conname == cname).ok_or_else(|| {
        let text = format!("constraint \"{cname}\" of domain \"{shown}\" does not exist");
        PgError::new(UNDEFINED_OBJECT, text)
    })?;
    let Some(text) = c.conbin.as_deref().filter(|_| c.contype == b'c') else {
        let text = format!("constraint \"{cname}\" of domain \"{shown}\" is not a check constraint");
        return Err(PgError::new(WRONG_OBJECT_TYPE, text));
    };
    let cooked = analyze::nodes::read_expr(text, &cmd.cx.catalog)?;
    verify_check(cmd, t, &cooked)?;
    object::edit::<PgConstraint>(cmd, oids::CONSTRAINT_OID_INDEX, c.oid, |c| c.convalidated = true)
}

/// The tables with columns of a domain or of domains over it. Values of it inside other values cannot be looked at.
fn columns_of_domain(cmd: &mut CommandContext<'_>, domain: Oid) -> Result<Vec<(Arc<Relation>, i16)>> {
    let mut out = Vec::new();
    for d in cmd.cx.catalog.dependents_of(&ObjectAddress::type_(domain))? {
        if d.classid == oids::TYPE_RELATION {
            let t = cmd.cx.catalog.type_row(d.objid)?;
            if t.typtype == b'd' && t.typbasetype == domain {
                out.extend(columns_of_domain(cmd, d.objid)?);
            } else {
                // An array or range over it.
                let shown = cmd.cx.catalog.format_type(domain, None)?;
                refuse_users(cmd, d.objid, &shown)?;
            }
            continue;
        }
        if d.classid != oids::RELATION_RELATION || d.objsubid <= 0 {
            continue;
        }
        let Some(rel) = cmd.cx.catalog.relation(d.objid)? else { continue };
        match rel.kind() {
            relkind::TABLE | relkind::MATERIALIZED_VIEW => {
                executor::lock_relation(cmd.cx, rel.oid, LockMode::Share)?;
                let attnum = d.objsubid as i16;
                let column = rel.attributes.get(attnum as usize - 1);
                if column.is_some_and(|a| a.atttypid == domain && !a.attisdropped) {
                    out.push((rel.clone(), attnum));
                }
                // The table's rows may themselves be values of columns.
                if rel.class.reltype.is_valid() {
                    let shown = cmd.cx.catalog.format_type(domain, None)?;
                    refuse_users(cmd, rel.class.reltype, &shown)?;
                }
            }
            relkind::COMPOSITE | relkind::VIEW | relkind::PARTITIONED_TABLE if rel.class.reltype.is_valid() => {
                let shown = cmd.cx.catalog.format_type(domain, None)?;
                refuse_users(cmd, rel.class.reltype, &shown)?;
            }
            _ => {}
        }
    }
    Ok(out)
}

/// An error if a stored column holds values of this type, directly or inside others. (PostgreSQL:
/// `find_composite_type_dependencies`)
pub fn refuse_users(cmd: &mut CommandContext<'_>, type_oid: Oid, altered: &str) -> Result<()> {
    refuse(cmd, type_oid, &|| format!("type \"{altered}\""))
}

fn refuse(cmd: &mut CommandContext<'_>, type_oid: Oid, altered: &dyn Fn() -> String) -> Result<()> {
    let mut dependents = cmd.cx.catalog.dependents_of(&ObjectAddress::type_(type_oid))?;
    dependents.sort_by_key(|d| (d.objid, d.objsubid));
    for d in dependents {
        if d.classid == oids::TYPE_RELATION {
            refuse(cmd, d.objid, altered)?;
            continue;
        }
        if d.classid != oids::RELATION_RELATION {
            continue;
        }
        let Some(rel) = cmd.cx.catalog.relation(d.objid)? else { continue };
        // An index on an expression depends on the type as a whole.
        let column = match d.objsubid {
            n if n > 0 => rel.attributes.get(n as usize - 1).filter(|a| a.atttypid == type_oid),
            _ if matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX) => {
                rel.attributes.iter().find(|a| a.atttypid == type_oid)
            }
            _ => None,
        };
        let Some(column) = column else { continue };
        match rel.kind() {
            relkind::TABLE
            | relkind::MATERIALIZED_VIEW
            | relkind::INDEX
            | relkind::PARTITIONED_INDEX
            | relkind::PARTITIONED_TABLE => {
                let what = altered();
                let text = format!("cannot alter {what} because column \"{}.{}\" uses it", rel.name(), column.attname);
                let text = match what.starts_with("table") {
                    true => text.replace(" uses it", " uses its row type"),
                    false => text,
                };
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
            }
            _ if rel.class.reltype.is_valid() => refuse(cmd, rel.class.reltype, altered)?,
            _ => {}
        }
    }
    Ok(())
}

fn verify_not_null(cmd: &mut CommandContext<'_>, t: &PgType) -> Result<()> {
    for (rel, attnum) in columns_of_domain(cmd, t.oid)? {
        table_scan::verify_not_null(cmd, &rel, attnum).map_err(|e| match e.sqlstate() {
            NOT_NULL_VIOLATION => {
                let column = &rel.attributes[attnum as usize - 1].attname;
                let text = format!("column \"{column}\" of table \"{}\" contains null values", rel.name());
                PgError::new(NOT_NULL_VIOLATION, text)
            }
            _ => e,
        })?;
    }
    Ok(())
}

/// Tests the values that are stored. (PostgreSQL: `validateDomainCheckConstraint`)
fn verify_check(cmd: &mut CommandContext<'_>, t: &PgType, condition: &q::Expr) -> Result<()> {
    for (rel, attnum) in columns_of_domain(cmd, t.oid)? {
        let a = rel.attributes[attnum as usize - 1].clone();
        let mut over_column = condition.clone();
        value_to_column(&mut over_column, &a);
        table_scan::verify_check(cmd, &rel, "", &over_column).map_err(|e| match e.sqlstate() {
            CHECK_VIOLATION => {
                let text = format!(
                    "column \"{}\" of table \"{}\" contains values that violate the new constraint",
                    a.attname,
                    rel.name()
                );
                PgError::new(CHECK_VIOLATION, text)
            }
            _ => e,
        })?;
    }
    Ok(())
}

/// Puts the column where the condition says VALUE; the value has the base type's bytes.
fn value_to_column(e: &mut q::Expr, a: &catalog::PgAttribute) {
    if let q::Expr::CoerceToDomainValue(v) = e {
        let vartype = *v;
        *e = q::Expr::Var(q::Var {
            varno: 1,
            varattno: a.attnum,
            vartype,
            varnullingrels: Vec::new(),
            varlevelsup: 0,
            varreturning: q::VarReturning::Default,
            varnosyn: 1,
            varattnosyn: a.attnum,
            location: base::error::Location::UNKNOWN,
        });
        return;
    }
    e.children_mut(&mut |c| value_to_column(c, a));
}
