//! CREATE TYPE ... AS RANGE: the range type, its multirange type, their array types, constructors and the cast between them.
//! (PostgreSQL: `DefineRange` in `typecmds.c`, `pg_range.c`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::oids::fmgr;
use catalog::{DependencyType, ObjectAddress, PgCast, PgProc, PgRange, PgType, oids};
use parser::ast::*;
use types::oid::*;

use crate::create_type::{new_name, new_row, store};
use crate::{CommandContext, Outcome, index, name};

const LANGUAGE_INTERNAL: Oid = Oid(12);
const BOOTSTRAP_SUPERUSER: Oid = Oid(10);

/// A name given as an option's value.
fn qualified(d: &DefElem) -> Result<Vec<String>> {
    match &d.arg {
        Some(DefArg::TypeName(t)) => Ok(t.names.clone()),
        Some(DefArg::Names(n)) => Ok(n.clone()),
        Some(DefArg::String(s)) => Ok(vec![s.clone()]),
        None => Err(PgError::new(SYNTAX_ERROR, format!("{} requires a parameter", d.defname))),
        _ => Err(PgError::new(SYNTAX_ERROR, format!("argument of {} must be a name", d.defname))),
    }
}

#[derive(Default)]
struct Options {
    subtype: Option<Oid>,
    opclass: Option<Vec<String>>,
    collation: Option<Vec<String>>,
    canonical: Option<Vec<String>>,
    subtype_diff: Option<Vec<String>>,
    multirange_name: Option<Vec<String>>,
}

fn options(cmd: &mut CommandContext<'_>, params: &[DefElem]) -> Result<Options> {
    let mut o = Options::default();
    for d in params {
        let slot = match d.defname.as_str() {
            "subtype" => {
                if o.subtype.is_some() {
                    return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
                }
                let t = match &d.arg {
                    Some(DefArg::TypeName(t)) => t.clone(),
                    _ => TypeName { names: qualified(d)?, ..TypeName::default() },
                };
                let plain = TypeName { location: Default::default(), ..t };
                o.subtype = Some(name::type_name(cmd.cx, &plain)?.0);
                continue;
            }
            "subtype_opclass" => &mut o.opclass,
            "collation" => &mut o.collation,
            "canonical" => &mut o.canonical,
            "subtype_diff" => &mut o.subtype_diff,
            "multirange_type_name" => &mut o.multirange_name,
            other => {
                return Err(PgError::new(SYNTAX_ERROR, format!("type attribute \"{other}\" not recognized")));
            }
        };
        if slot.replace(qualified(d)?).is_some() {
            return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
        }
    }
    Ok(o)
}

/// The range's name with "multi" before "range", or with a suffix. (PostgreSQL: `makeMultirangeTypeName`)
fn multirange_name(cmd: &CommandContext<'_>, range: &str, namespace: Oid) -> Result<String> {
    let long = match range.find("range") {
        Some(at) => format!("{}multi{}", &range[..at], &range[at..]),
        None => {
            let mut end = range.len().min(base::NAMEDATALEN - 12);
            while !range.is_char_boundary(end) {
                end -= 1;
            }
            format!("{}_multirange", &range[..end])
        }
    };
    let short = catalog::ddl::truncate_name(&long).to_owned();
    if cmd.cx.catalog.type_by_name(namespace, &short)?.is_some() {
        let hint = "You can manually specify a multirange type name using the \"multirange_type_name\" attribute.";
        return Err(PgError::new(DUPLICATE_OBJECT, format!("type \"{short}\" already exists"))
            .detail(format!("Failed while creating a multirange type for type \"{range}\"."))
            .hint(hint));
    }
    Ok(short)
}

/// The function of that name over two values of the subtype. (PostgreSQL: `findRangeSubtypeDiffFunction`)
fn difference(cmd: &CommandContext<'_>, parts: &[String], subtype: Oid) -> Result<Oid> {
    let catalog = &cmd.cx.catalog;
    let (schema, fname) = name::split(cmd.cx, parts)?;
    let schemas = match &schema {
        Some(s) => vec![catalog.explicit_namespace(s, false)?.unwrap_or_default()],
        None => catalog.search_path()?.schemas.clone(),
    };
    let all = catalog.functions_by_name(&fname)?;
    let fits = |p: &PgProc, s: Oid| p.pronamespace == s && p.proargtypes == [subtype, subtype];
    let found = schemas.iter().find_map(|s| all.iter().find(|p| fits(p, *s)));
    let shown = catalog.format_type(subtype, None)?;
    let signature = format!("{}({shown}, {shown})", parts.join("."));
    let Some(p) = found else {
        return Err(PgError::new(UNDEFINED_FUNCTION, format!("function {signature} does not exist")));
    };
    let bad = |what: &str| {
        PgError::new(INVALID_OBJECT_DEFINITION, format!("range subtype diff function {signature} must {what}"))
    };
    if p.prorettype != FLOAT8OID {
        return Err(bad("return type double precision"));
    }
    if p.provolatile != b'i' {
        return Err(bad("be immutable"));
    }
    Ok(p.oid)
}

/// A constructor; it goes with its type.
fn constructor(
    cmd: &CommandContext<'_>,
    owner_type: &PgType,
    source: &str,
    args: Vec<Oid>,
    variadic: Option<Oid>,
    namespace: Oid,
) -> Result<Oid> {
    let catalog = &cmd.cx.catalog;
    let mut on = vec![ObjectAddress::namespace(namespace)];
    on.extend(args.iter().map(|t| ObjectAddress::type_(*t)));
    let row = PgProc {
        oid: catalog.new_oid(oids::PROCEDURE_RELATION, oids::PROCEDURE_OID_INDEX)?,
        proname: owner_type.typname.clone(),
        pronamespace: namespace,
        proowner: BOOTSTRAP_SUPERUSER,
        prolang: LANGUAGE_INTERNAL,
        procost: 1.0,
        prorows: 0.0,
        provariadic: variadic.unwrap_or_default(),
        prosupport: Oid::INVALID,
        prokind: b'f',
        prosecdef: false,
        proleakproof: false,
        proisstrict: owner_type.typtype == b'm',
        proretset: false,
        provolatile: b'i',
        proparallel: b's',
        pronargs: args.len() as i16,
        pronargdefaults: 0,
        prorettype: owner_type.oid,
        proallargtypes: variadic.map(|_| args.clone()),
        proargmodes: variadic.map(|_| vec![b'v']),
        proargtypes: args,
        proargnames: None,
        proargdefaults: None,
        protrftypes: None,
        prosrc: source.to_owned(),
        probin: None,
        prosqlbody: None,
        proconfig: None,
        proacl: None,
    };
    catalog.insert_row(&row)?;
    let me = ObjectAddress::function(row.oid);
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.record_dependency(&me, &ObjectAddress::type_(owner_type.oid), DependencyType::Internal)?;
    catalog.command_counter_increment()?;
    Ok(row.oid)
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateRangeStmt) -> Result<Outcome> {
    let (namespace, rname) = new_name(cmd, &stmt.type_name)?;
    let o = options(cmd, &stmt.params)?;
    let catalog = cmd.cx.catalog.clone();
    let subtype = o.subtype.ok_or_else(|| PgError::new(SYNTAX_ERROR, "type attribute \"subtype\" is required"))?;
    let sub = catalog.type_row(subtype)?;
    let shown = catalog.format_type(subtype, None)?;
    if sub.typtype == b'p' {
        return Err(PgError::new(DATATYPE_MISMATCH, format!("range subtype cannot be {shown}")));
    }
    let opclass = opclass(cmd, &o, subtype, &shown)?;
    let collation = match &o.collation {
        Some(_) if !sub.typcollation.is_valid() => {
            let text = "range collation specified but subtype does not support collation";
            return Err(PgError::new(WRONG_OBJECT_TYPE, text));
        }
        Some(c) => index::collation_by_name(cmd.cx, c)?,
        None => sub.typcollation,
    };
    if o.canonical.is_some() {
        let text = "cannot specify a canonical function without a pre-created shell type";
        let hint =
            "Create the type as a shell type, then create its canonicalization function, then do a full CREATE TYPE.";
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text).hint(hint));
    }
    let subdiff = o.subtype_diff.as_ref().map_or(Ok(Oid::INVALID), |n| difference(cmd, n, subtype))?;

    let range = PgType {
        typlen: -1,
        typbyval: false,
        typtype: b'r',
        typcategory: b'R',
        typinput: fmgr::F_RANGE_IN,
        typoutput: fmgr::F_RANGE_OUT,
        typreceive: fmgr::F_RANGE_RECV,
        typsend: fmgr::F_RANGE_SEND,
        typanalyze: fmgr::F_RANGE_TYPANALYZE,
        typalign: if sub.typalign == b'd' { b'd' } else { b'i' },
        typstorage: b'x',
        ..new_row(cmd, namespace, rname)?
    };
    store(cmd, &range)?;
    let (multi_namespace, mname) = match &o.multirange_name {
        Some(parts) => new_name(cmd, parts)?,
        None => (namespace, multirange_name(cmd, &range.typname, namespace)?),
    };
    let fresh = new_row(cmd, multi_namespace, mname)?;
    let multi = PgType {
        oid: fresh.oid,
        typname: fresh.typname,
        typnamespace: fresh.typnamespace,
        typarray: fresh.typarray,
        typtype: b'm',
        typinput: fmgr::F_MULTIRANGE_IN,
        typoutput: fmgr::F_MULTIRANGE_OUT,
        typreceive: fmgr::F_MULTIRANGE_RECV,
        typsend: fmgr::F_MULTIRANGE_SEND,
        typanalyze: fmgr::F_MULTIRANGE_TYPANALYZE,
        ..range.clone()
    };
    store(cmd, &multi)?;
    catalog.insert_row(&PgRange {
        rngtypid: range.oid,
        rngsubtype: subtype,
        rngmultitypid: multi.oid,
        rngcollation: collation,
        rngsubopc: opclass,
        rngcanonical: Oid::INVALID,
        rngsubdiff: subdiff,
    })?;
    let me = ObjectAddress::type_(range.oid);
    let mut on = vec![ObjectAddress::type_(subtype), ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, opclass)];
    if collation.is_valid() && collation != oids::DEFAULT_COLLATION_OID {
        on.push(ObjectAddress::new(oids::COLLATION_RELATION, collation));
    }
    on.extend(subdiff.valid().map(ObjectAddress::function));
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.record_dependency(&ObjectAddress::type_(multi.oid), &me, DependencyType::Internal)?;
    catalog.command_counter_increment()?;

    constructor(cmd, &range, "range_constructor2", vec![subtype; 2], None, namespace)?;
    constructor(cmd, &range, "range_constructor3", vec![subtype, subtype, TEXTOID], None, namespace)?;
    constructor(cmd, &multi, "multirange_constructor0", Vec::new(), None, namespace)?;
    let cast = constructor(cmd, &multi, "multirange_constructor1", vec![range.oid], None, namespace)?;
    let array = range.typarray;
    constructor(cmd, &multi, "multirange_constructor2", vec![array], Some(range.oid), namespace)?;
    let row = PgCast {
        oid: catalog.new_oid(oids::CAST_RELATION, oids::CAST_OID_INDEX)?,
        castsource: range.oid,
        casttarget: multi.oid,
        castfunc: cast,
        castcontext: b'e',
        castmethod: b'f',
    };
    catalog.insert_row(&row)?;
    let me = ObjectAddress::new(oids::CAST_RELATION, row.oid);
    let on = [ObjectAddress::type_(range.oid), ObjectAddress::type_(multi.oid), ObjectAddress::function(cast)];
    catalog.record_dependencies(&me, &on, DependencyType::Internal)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE TYPE"))
}

fn opclass(cmd: &CommandContext<'_>, o: &Options, subtype: Oid, shown: &str) -> Result<Oid> {
    let catalog = &cmd.cx.catalog;
    let Some(parts) = &o.opclass else {
        let found = catalog.default_opclass(subtype, oids::BTREE_AM_OID)?;
        return found.map(|c| c.oid).ok_or_else(|| {
            let text = format!("data type {shown} has no default operator class for access method \"btree\"");
            let hint = "You must specify an operator class for the range type or define a default operator class for the \
                        subtype.";
            PgError::new(UNDEFINED_OBJECT, text).hint(hint)
        });
    };
    let class = index::opclass_by_name(cmd.cx, oids::BTREE_AM_OID, parts)?;
    let input = catalog.opclass(class)?.map(|c| c.opcintype).unwrap_or_default();
    if !catalog.binary_coercible(subtype, input)? {
        let text = format!("operator class \"{}\" does not accept data type {shown}", parts.join("."));
        return Err(PgError::new(DATATYPE_MISMATCH, text));
    }
    Ok(class)
}
