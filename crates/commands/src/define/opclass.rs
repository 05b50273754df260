//! CREATE OPERATOR CLASS and FAMILY, ALTER OPERATOR FAMILY. (PostgreSQL: `opclasscmds.c`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{
    CacheId, DependencyType, DropBehavior, DropOptions, ObjectAddress, PgAmop, PgAmproc, PgOpclass, PgOpfamily, oids,
};
use parser::ast::*;
use types::Datum;
use types::oid::*;

use super::*;
use crate::object;

/// What an access method says of itself here. (PostgreSQL: `IndexAmRoutine`)
struct Method {
    oid: Oid,
    name: String,
    strategies: i32,
    support: i32,
    options: i32,
    storage: bool,
    orders_by_operator: bool,
}

fn no_method(name: &str) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("access method \"{name}\" does not exist"))
}

/// An index access method by its name.
pub(crate) fn method_oid(cmd: &CommandContext<'_>, name: &str) -> Result<Oid> {
    let am = cmd.cx.catalog.am_by_name(name)?.ok_or_else(|| no_method(name))?;
    match am.amtype {
        b'i' => Ok(am.oid),
        _ => {
            let text = format!("access method \"{name}\" is not of type INDEX");
            Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text))
        }
    }
}

fn method(cmd: &CommandContext<'_>, name: &str) -> Result<Method> {
    let oid = method_oid(cmd, name)?;
    let am = cmd.cx.catalog.am(oid)?.ok_or_else(|| no_method(name))?;
    let handler = cmd.cx.catalog.function_row(am.amhandler)?;
    let any = i32::from(i16::MAX);
    let (strategies, support, options, storage, orders_by_operator) = match handler.prosrc.as_str() {
        "bthandler" => (5, 6, 5, false, false),
        "hashhandler" => (1, 3, 3, false, false),
        "gisthandler" => (any, 12, 10, true, true),
        "ginhandler" => (any, 7, 7, true, false),
        "spghandler" => (any, 7, 6, true, true),
        _ => (any, 15, 5, true, false),
    };
    Ok(Method { oid, name: name.to_owned(), strategies, support, options, storage, orders_by_operator })
}

struct Member {
    is_function: bool,
    object: Oid,
    number: i32,
    left: Oid,
    right: Oid,
    sort_family: Oid,
}

/// The family of that name. (PostgreSQL: `get_opfamily_oid`)
pub(crate) fn family(cmd: &CommandContext<'_>, am: Oid, parts: &[String]) -> Result<Option<Oid>> {
    let catalog = &cmd.cx.catalog;
    let (schema, fname) = name::split(cmd.cx, parts)?;
    let schemas = match &schema {
        Some(s) => match catalog.explicit_namespace(s, true)? {
            Some(s) => vec![s],
            None => Vec::new(),
        },
        None => catalog.search_path()?.schemas.clone(),
    };
    for s in schemas {
        let key = [Datum::oid(am), Datum::text(&fname), Datum::oid(s)];
        if let Some(f) = catalog.get::<PgOpfamily>(CacheId::OPFAMILYAMNAMENSP, &key)? {
            return Ok(Some(f.oid));
        }
    }
    Ok(None)
}

pub(crate) fn missing_family(cmd: &CommandContext<'_>, am: Oid, parts: &[String]) -> Result<PgError> {
    let method = cmd.cx.catalog.am(am)?.map(|a| a.amname.clone()).unwrap_or_default();
    let shown = parts.join(".");
    let text = format!("operator family \"{shown}\" does not exist for access method \"{method}\"");
    Ok(PgError::new(UNDEFINED_OBJECT, text))
}

fn required_family(cmd: &CommandContext<'_>, am: Oid, parts: &[String]) -> Result<Oid> {
    match family(cmd, am, parts)? {
        Some(oid) => Ok(oid),
        None => Err(missing_family(cmd, am, parts)?),
    }
}

fn new_family(cmd: &CommandContext<'_>, fname: &str, namespace: Oid, m: &Method) -> Result<Oid> {
    let catalog = &cmd.cx.catalog;
    let key = [Datum::oid(m.oid), Datum::text(fname), Datum::oid(namespace)];
    if catalog.get::<PgOpfamily>(CacheId::OPFAMILYAMNAMENSP, &key)?.is_some() {
        let text = format!("operator family \"{fname}\" for access method \"{}\" already exists", m.name);
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    let row = PgOpfamily {
        oid: catalog.new_oid(oids::OPERATOR_FAMILY_RELATION, oids::OPFAMILY_OID_INDEX)?,
        opfmethod: m.oid,
        opfname: fname.to_owned(),
        opfnamespace: namespace,
        opfowner: cmd.cx.settings.current_user,
    };
    catalog.insert_row(&row)?;
    let me = ObjectAddress::new(oids::OPERATOR_FAMILY_RELATION, row.oid);
    let am = ObjectAddress::new(oids::ACCESS_METHOD_RELATION, m.oid);
    catalog.record_dependency(&me, &am, DependencyType::Auto)?;
    catalog.record_dependency(&me, &ObjectAddress::namespace(namespace), DependencyType::Normal)?;
    catalog.record_owner(&me, row.opfowner)?;
    catalog.command_counter_increment()?;
    Ok(row.oid)
}

pub fn create_family(cmd: &mut CommandContext<'_>, stmt: &CreateOpFamilyStmt) -> Result<Outcome> {
    let (namespace, fname) = new_object(cmd, &stmt.opfamilyname)?;
    let m = method(cmd, &stmt.amname)?;
    must_be_superuser(cmd, "create an operator family")?;
    new_family(cmd, &fname, namespace, &m)?;
    Ok(Outcome::tag("CREATE OPERATOR FAMILY"))
}

fn check_number(item: &CreateOpClassItem, noun: &str, max: i32) -> Result<()> {
    let n = item.number;
    match (1..=max).contains(&n) {
        true => Ok(()),
        false => Err(bad_object(format!("invalid {noun} number {n}, must be between 1 and {max}"))),
    }
}

/// The types in parentheses: one stands for both.
fn types_of(cmd: &mut CommandContext<'_>, args: &[Option<TypeName>]) -> Result<(Oid, Oid)> {
    let mut out = Vec::new();
    for t in args.iter().flatten() {
        out.push(name::unplaced_type_name(cmd.cx, t)?.0);
    }
    match out.as_slice() {
        [one] => Ok((*one, *one)),
        [left, right] => Ok((*left, *right)),
        _ => Err(PgError::new(SYNTAX_ERROR, "one or two argument types must be specified")),
    }
}

/// (PostgreSQL: `assignOperTypes`)
fn operator_member(
    cmd: &mut CommandContext<'_>,
    m: &Method,
    item: &CreateOpClassItem,
    class_type: Option<Oid>,
) -> Result<Member> {
    check_number(item, "operator", m.strategies)?;
    let named = item.name.as_ref().ok_or_else(|| PgError::internal("an operator without a name"))?;
    let o = match (named.objargs.is_empty(), class_type) {
        (false, _) => operator::lookup(cmd, named)?,
        (true, Some(t)) => operator::lookup_exact(cmd, &named.objname, t, t)?,
        (true, None) => {
            let text = "operator argument types must be specified in ALTER OPERATOR FAMILY";
            return Err(PgError::new(SYNTAX_ERROR, text));
        }
    };
    let sort_family = match item.order_family.is_empty() {
        true => Oid::INVALID,
        false => required_family(cmd, oids::BTREE_AM_OID, &item.order_family)?,
    };
    if o.oprkind != b'b' {
        return Err(bad_object("index operators must be binary"));
    }
    if sort_family.is_valid() && !m.orders_by_operator {
        return Err(bad_object(format!("access method \"{}\" does not support ordering operators", m.name)));
    }
    if !sort_family.is_valid() && o.oprresult != BOOLOID {
        return Err(bad_object("index search operators must return boolean"));
    }
    Ok(Member {
        is_function: false,
        object: o.oid,
        number: item.number,
        left: o.oprleft,
        right: o.oprright,
        sort_family,
    })
}

/// (PostgreSQL: `assignProcTypes`)
fn function_member(
    cmd: &mut CommandContext<'_>,
    m: &Method,
    item: &CreateOpClassItem,
    class_type: Option<Oid>,
) -> Result<Member> {
    check_number(item, "function", m.support)?;
    let named = item.name.as_ref().ok_or_else(|| PgError::internal("a function without a name"))?;
    let p = object::function(cmd, ObjectType::Function, named)?;
    let (mut left, mut right) = match item.class_args.is_empty() {
        true => (Oid::INVALID, Oid::INVALID),
        false => types_of(cmd, &item.class_args)?,
    };
    let args = &p.proargtypes;
    let or = |given: Oid, other: Option<&Oid>| given.valid().or(other.copied()).unwrap_or_default();
    let demand = |holds: bool, text: &str| if holds { Ok(()) } else { Err(bad_object(text)) };
    let takes_internal = args[..] == [INTERNALOID];
    if item.number == m.options {
        match class_type {
            Some(t) => demand(
                [left, right].iter().all(|o| !o.is_valid() || *o == t),
                "associated data types for operator class options parsing functions must match opclass input type",
            )?,
            None => demand(
                left == right,
                "left and right associated data types for operator class options parsing functions must match",
            )?,
        }
        if p.prorettype != VOIDOID || !takes_internal {
            let hint = "Valid signature of operator class options parsing function is (internal) RETURNS void.";
            return Err(bad_object("invalid operator class options parsing function").hint(hint));
        }
    } else if m.oid == oids::BTREE_AM_OID {
        match item.number {
            1 => {
                demand(args.len() == 2, "ordering comparison functions must have two arguments")?;
                demand(p.prorettype == INT4OID, "ordering comparison functions must return integer")?;
                (left, right) = (or(left, args.first()), or(right, args.get(1)));
            }
            2 => {
                demand(takes_internal, "ordering sort support functions must accept type \"internal\"")?;
                demand(p.prorettype == VOIDOID, "ordering sort support functions must return void")?;
            }
            3 => {
                demand(args.len() == 5, "ordering in_range functions must have five arguments")?;
                demand(p.prorettype == BOOLOID, "ordering in_range functions must return boolean")?;
                (left, right) = (or(left, args.first()), or(right, args.get(2)));
            }
            4 => {
                demand(args.len() == 1, "ordering equal image functions must have one argument")?;
                demand(p.prorettype == BOOLOID, "ordering equal image functions must return boolean")?;
                demand(left == right, "ordering equal image functions must not be cross-type")?;
            }
            _ => {
                demand(takes_internal, "btree skip support functions must accept type \"internal\"")?;
                demand(p.prorettype == VOIDOID, "btree skip support functions must return void")?;
                demand(left == right, "btree skip support functions must not be cross-type")?;
            }
        }
    } else if m.oid == oids::HASH_AM_OID {
        if item.number == 1 {
            demand(args.len() == 1, "hash function 1 must have one argument")?;
            demand(p.prorettype == INT4OID, "hash function 1 must return integer")?;
        } else {
            demand(args.len() == 2, "hash function 2 must have two arguments")?;
            demand(p.prorettype == INT8OID, "hash function 2 must return bigint")?;
        }
        (left, right) = (or(left, args.first()), or(right, args.first()));
    }
    (left, right) = (or(left, class_type.as_ref()), or(right, class_type.as_ref()));
    demand(left.is_valid() && right.is_valid(), "associated data types must be specified for index support function")?;
    Ok(Member { is_function: true, object: p.oid, number: item.number, left, right, sort_family: Oid::INVALID })
}

fn add_member(cmd: &CommandContext<'_>, list: &mut Vec<Member>, new: Member) -> Result<()> {
    let same =
        |o: &Member| (o.is_function, o.number, o.left, o.right) == (new.is_function, new.number, new.left, new.right);
    if list.iter().any(same) {
        let noun = if new.is_function { "function" } else { "operator" };
        let shown = |t| cmd.cx.catalog.format_type(t, None);
        let text = format!(
            "{noun} number {} for ({},{}) appears more than once",
            new.number,
            shown(new.left)?,
            shown(new.right)?
        );
        return Err(bad_object(text));
    }
    list.push(new);
    Ok(())
}

/// Whether a member belongs to the class or only loosely to the family, as its access method sees it.
/// (PostgreSQL: `amadjustmembers`)
fn belongs_to_class(m: &Method, member: &Member) -> bool {
    let same = member.left == member.right;
    match m.oid {
        oids::BTREE_AM_OID => same && (!member.is_function || member.number == 1),
        oids::HASH_AM_OID => same && (!member.is_function || member.number == 1),
        _ => true,
    }
}

fn store(
    cmd: &CommandContext<'_>,
    m: &Method,
    family: Oid,
    class: Option<Oid>,
    members: &[Member],
    family_name: &[String],
) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    for op in members {
        let taken = match op.is_function {
            true => catalog.opfamily_proc(family, op.left, op.right, op.number as i16)?.is_some(),
            false => catalog.opfamily_member(family, op.left, op.right, op.number as i16)?.is_some(),
        };
        if taken && class.is_none() {
            let noun = if op.is_function { "function" } else { "operator" };
            let (l, r) = (catalog.format_type(op.left, None)?, catalog.format_type(op.right, None)?);
            let shown = family_name.join(".");
            let text = format!("{noun} {}({l},{r}) already exists in operator family \"{shown}\"", op.number);
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
        let (me, on) = if op.is_function {
            let oid =
                catalog.new_oid(oids::ACCESS_METHOD_PROCEDURE_RELATION, oids::ACCESS_METHOD_PROCEDURE_OID_INDEX)?;
            catalog.insert_row(&PgAmproc {
                oid,
                amprocfamily: family,
                amproclefttype: op.left,
                amprocrighttype: op.right,
                amprocnum: op.number as i16,
                amproc: op.object,
            })?;
            (ObjectAddress::new(oids::ACCESS_METHOD_PROCEDURE_RELATION, oid), ObjectAddress::function(op.object))
        } else {
            let oid = catalog.new_oid(oids::ACCESS_METHOD_OPERATOR_RELATION, oids::ACCESS_METHOD_OPERATOR_OID_INDEX)?;
            catalog.insert_row(&PgAmop {
                oid,
                amopfamily: family,
                amoplefttype: op.left,
                amoprighttype: op.right,
                amopstrategy: op.number as i16,
                amoppurpose: if op.sort_family.is_valid() { b'o' } else { b's' },
                amopopr: op.object,
                amopmethod: m.oid,
                amopsortfamily: op.sort_family,
            })?;
            (
                ObjectAddress::new(oids::ACCESS_METHOD_OPERATOR_RELATION, oid),
                ObjectAddress::new(oids::OPERATOR_RELATION, op.object),
            )
        };
        let hard = class.filter(|_| belongs_to_class(m, op));
        let strength = if hard.is_some() { DependencyType::Normal } else { DependencyType::Auto };
        catalog.record_dependency(&me, &on, strength)?;
        match hard {
            Some(class) => {
                let on = ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, class);
                catalog.record_dependency(&me, &on, DependencyType::Internal)?;
            }
            None => {
                let on = ObjectAddress::new(oids::OPERATOR_FAMILY_RELATION, family);
                catalog.record_dependency(&me, &on, DependencyType::Auto)?;
            }
        }
        // A type that the operator or function itself takes needs no mention of its own.
        let taken: Vec<Oid> = match op.is_function {
            true => catalog.function_row(op.object)?.proargtypes.clone(),
            false => catalog.operator(op.object)?.map(|o| vec![o.oprleft, o.oprright]).unwrap_or_default(),
        };
        let mut more = [op.left, op.right].to_vec();
        more.dedup();
        for t in more.into_iter().filter(|t| !taken.contains(t)) {
            catalog.record_dependency(&me, &ObjectAddress::type_(t), strength)?;
        }
        if let Some(f) = op.sort_family.valid() {
            let on = ObjectAddress::new(oids::OPERATOR_FAMILY_RELATION, f);
            catalog.record_dependency(&me, &on, strength)?;
        }
    }
    catalog.command_counter_increment()
}

pub fn create_class(cmd: &mut CommandContext<'_>, stmt: &CreateOpClassStmt) -> Result<Outcome> {
    let (namespace, cname) = new_object(cmd, &stmt.opclassname)?;
    let m = method(cmd, &stmt.amname)?;
    must_be_superuser(cmd, "create an operator class")?;
    let input = name::unplaced_type_name(cmd.cx, &stmt.datatype)?.0;
    let catalog = cmd.cx.catalog.clone();
    let family_oid = match stmt.opfamilyname.is_empty() {
        false => required_family(cmd, m.oid, &stmt.opfamilyname)?,
        true => {
            let key = [Datum::oid(m.oid), Datum::text(&cname), Datum::oid(namespace)];
            match catalog.get::<PgOpfamily>(CacheId::OPFAMILYAMNAMENSP, &key)? {
                Some(f) => f.oid,
                None => new_family(cmd, &cname, namespace, &m)?,
            }
        }
    };
    let mut members = Vec::new();
    let mut storage = Oid::INVALID;
    for item in &stmt.items {
        let member = match item.itemtype {
            OpClassItemType::Operator => operator_member(cmd, &m, item, Some(input))?,
            OpClassItemType::Function => function_member(cmd, &m, item, Some(input))?,
            OpClassItemType::StorageType => {
                if storage.is_valid() {
                    return Err(bad_object("storage type specified more than once"));
                }
                if let Some(t) = &item.storedtype {
                    storage = name::unplaced_type_name(cmd.cx, t)?.0;
                }
                continue;
            }
        };
        add_member(cmd, &mut members, member)?;
    }
    if storage == input {
        storage = Oid::INVALID;
    }
    if storage.is_valid() && !m.storage {
        let text = format!("storage type cannot be different from data type for access method \"{}\"", m.name);
        return Err(bad_object(text));
    }
    if catalog.opclass_by_name(m.oid, &cname, namespace)?.is_some() {
        let text = format!("operator class \"{cname}\" for access method \"{}\" already exists", m.name);
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    if stmt.is_default
        && let Some(c) = catalog.opclasses_of_am(m.oid)?.iter().find(|c| c.opcintype == input && c.opcdefault)
    {
        let shown = stmt.datatype.names.join(".");
        let text = format!("could not make operator class \"{cname}\" be default for type {shown}");
        let detail = format!("Operator class \"{}\" already is the default.", c.opcname);
        return Err(PgError::new(DUPLICATE_OBJECT, text).detail(detail));
    }
    let row = PgOpclass {
        oid: catalog.new_oid(oids::OPERATOR_CLASS_RELATION, oids::OPCLASS_OID_INDEX)?,
        opcmethod: m.oid,
        opcname: cname,
        opcnamespace: namespace,
        opcowner: cmd.cx.settings.current_user,
        opcfamily: family_oid,
        opcintype: input,
        opcdefault: stmt.is_default,
        opckeytype: storage,
    };
    catalog.insert_row(&row)?;
    // Operators first, then functions.
    members.sort_by_key(|m| m.is_function);
    store(cmd, &m, family_oid, Some(row.oid), &members, &stmt.opfamilyname)?;
    let me = ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, row.oid);
    let mut on = vec![ObjectAddress::namespace(namespace), ObjectAddress::type_(input)];
    on.extend(storage.valid().map(ObjectAddress::type_));
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    let on = ObjectAddress::new(oids::OPERATOR_FAMILY_RELATION, family_oid);
    catalog.record_dependency(&me, &on, DependencyType::Auto)?;
    catalog.record_owner(&me, row.opcowner)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE OPERATOR CLASS"))
}

pub fn alter_family(cmd: &mut CommandContext<'_>, stmt: &AlterOpFamilyStmt) -> Result<Outcome> {
    let m = method(cmd, &stmt.amname)?;
    let family_oid = required_family(cmd, m.oid, &stmt.opfamilyname)?;
    must_be_superuser(cmd, "alter an operator family")?;
    let mut members = Vec::new();
    for item in &stmt.items {
        let member = match (item.itemtype, stmt.is_drop) {
            (OpClassItemType::StorageType, _) => {
                let text = "STORAGE cannot be specified in ALTER OPERATOR FAMILY";
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
            (OpClassItemType::Operator, false) => operator_member(cmd, &m, item, None)?,
            (OpClassItemType::Function, false) => function_member(cmd, &m, item, None)?,
            (kind, true) => {
                let is_function = kind == OpClassItemType::Function;
                match is_function {
                    true => check_number(item, "function", m.support)?,
                    false => check_number(item, "operator", m.strategies)?,
                }
                let (left, right) = types_of(cmd, &item.class_args)?;
                let (object, sort_family) = (Oid::INVALID, Oid::INVALID);
                Member { is_function, object, number: item.number, left, right, sort_family }
            }
        };
        add_member(cmd, &mut members, member)?;
    }
    members.sort_by_key(|m| m.is_function);
    match stmt.is_drop {
        false => store(cmd, &m, family_oid, None, &members, &stmt.opfamilyname)?,
        true => drop_members(cmd, family_oid, &members, &stmt.opfamilyname)?,
    }
    Ok(Outcome::tag("ALTER OPERATOR FAMILY"))
}

fn drop_members(cmd: &CommandContext<'_>, family: Oid, members: &[Member], family_name: &[String]) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    for op in members {
        let address = if op.is_function {
            let all = catalog.opfamily_procs(family)?;
            let fits = |p: &PgAmproc| {
                (p.amproclefttype, p.amprocrighttype, i32::from(p.amprocnum)) == (op.left, op.right, op.number)
            };
            let found = all.iter().find(|p| fits(p)).map(|p| p.oid);
            found.map(|oid| ObjectAddress::new(oids::ACCESS_METHOD_PROCEDURE_RELATION, oid))
        } else {
            let all = catalog.opfamily_operators(family)?;
            let fits = |p: &PgAmop| {
                (p.amoplefttype, p.amoprighttype, i32::from(p.amopstrategy)) == (op.left, op.right, op.number)
            };
            let found = all.iter().find(|p| fits(p)).map(|p| p.oid);
            found.map(|oid| ObjectAddress::new(oids::ACCESS_METHOD_OPERATOR_RELATION, oid))
        };
        let Some(address) = address else {
            let noun = if op.is_function { "function" } else { "operator" };
            let (l, r) = (catalog.format_type(op.left, None)?, catalog.format_type(op.right, None)?);
            let shown = family_name.join(".");
            let text = format!("{noun} {}({l},{r}) does not exist in operator family \"{shown}\"", op.number);
            return Err(PgError::new(UNDEFINED_OBJECT, text));
        };
        catalog.perform_deletion(&[address], DropBehavior::Restrict, DropOptions::default())?;
    }
    Ok(())
}
