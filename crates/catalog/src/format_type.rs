//! A type's name as SQL writes it, and what generic code knows of a type.
//!
//! PostgreSQL: `format_type.c`, `typcache.c`.

use std::sync::Arc;

use base::{Oid, Result};
use types::oid::*;
use types::{Align, TypeInfo};

use crate::oids;
use crate::row::PgType;
use crate::syscache::Catalog;

const TYPE_INFO: u8 = b't';

/// How to write a type's name. (PostgreSQL: `FORMAT_TYPE_*`)
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TypeNameStyle {
    /// With its schema, also where the search path would find it.
    pub qualified: bool,
    /// `None` for an unknown type, rather than `???`.
    pub none_if_unknown: bool,
}

impl Catalog {
    /// `integer`, `character varying(20)`, `myschema.mytype[]`. Without a typmod the plain name is given; with one of -1 the name
    /// that stands for "no length": `bpchar` rather than `character`. (PostgreSQL: `format_type`, `format_type_be`)
    pub fn format_type(&self, oid: Oid, typmod: Option<i32>) -> Result<String> {
        Ok(self.format_type_styled(oid, typmod, TypeNameStyle::default())?.unwrap_or_else(|| "???".into()))
    }

    /// (PostgreSQL: `format_type_extended`)
    pub fn format_type_styled(&self, oid: Oid, typmod: Option<i32>, style: TypeNameStyle) -> Result<Option<String>> {
        if !oid.is_valid() {
            return Ok(if style.none_if_unknown { None } else { Some("-".into()) });
        }
        let unknown = || if style.none_if_unknown { None } else { Some("???".into()) };
        let Some(mut row) = self.type_by_oid(oid)? else { return Ok(unknown()) };
        // A true array is written as its element type with brackets; a domain over an array, or `oidvector`, is not.
        let is_array = row.typsubscript == oids::fmgr::F_ARRAY_SUBSCRIPT_HANDLER
            && row.typelem.is_valid()
            && row.typstorage != b'p';
        if is_array {
            match self.type_by_oid(row.typelem)? {
                Some(element) => row = element,
                None => return Ok(if style.none_if_unknown { None } else { Some("???[]".into()) }),
            }
        }
        let mut name = match standard_name(&row, typmod) {
            Some(name) if !style.qualified || row.typnamespace == oids::PG_CATALOG_NAMESPACE => name,
            _ => {
                let mut name = quote_identifier(&row.typname);
                if style.qualified || !self.type_is_visible(&row)? {
                    let schema = self.namespace_name(row.typnamespace)?.unwrap_or_default();
                    name = format!("{}.{name}", quote_identifier(&schema));
                }
                if let Some(typmod @ 0..) = typmod {
                    name.push_str(&typmod_text(&row, typmod));
                }
                name
            }
        };
        if is_array {
            name.push_str("[]");
        }
        Ok(Some(name))
    }

    /// What generic code needs of a type. (PostgreSQL: `lookup_type_cache`, `get_type_io_data`)
    pub fn type_info(&self, oid: Oid) -> Result<Arc<TypeInfo>> {
        let found = self.fetch_derived(TYPE_INFO, oid, &mut || Ok(Some(Arc::new(self.load_type_info(oid)?))))?;
        found.ok_or_else(|| base::PgError::internal(format!("cache lookup failed for type {oid}")))
    }

    fn load_type_info(&self, oid: Oid) -> Result<TypeInfo> {
        let t = self.type_row(oid)?;
        let (base_type, _) = self.base_type(oid, -1)?;
        let elem = if t.typsubscript == oids::fmgr::F_ARRAY_SUBSCRIPT_HANDLER { t.typelem } else { Oid::INVALID };
        let mut info = TypeInfo {
            oid,
            name: t.typname.as_str().into(),
            namespace: t.typnamespace,
            len: t.typlen,
            byval: t.typbyval,
            align: Align::from_char(t.typalign),
            storage: t.typstorage,
            typtype: t.typtype,
            category: t.typcategory,
            delim: t.typdelim,
            relid: t.typrelid,
            elem,
            array: t.typarray,
            base_type: t.typbasetype,
            typmod: t.typtypmod,
            collation: t.typcollation,
            input: t.typinput,
            output: t.typoutput,
            receive: t.typreceive,
            send: t.typsend,
            ioparam: t.typelem.valid().unwrap_or(oid),
            cmp_proc: Oid::INVALID,
            eq_opr: Oid::INVALID,
            lt_opr: Oid::INVALID,
            gt_opr: Oid::INVALID,
            hash_proc: Oid::INVALID,
            hash_extended_proc: Oid::INVALID,
            range_subtype: Oid::INVALID,
        };
        match t.typtype {
            b'r' => info.range_subtype = self.range(oid)?.map_or(Oid::INVALID, |r| r.rngsubtype),
            b'm' => info.range_subtype = self.range_of_multirange(oid)?.map_or(Oid::INVALID, |r| r.rngtypid),
            _ => {}
        }
        let or_none = |o: Option<Oid>| o.unwrap_or(Oid::INVALID);
        if let Some(class) = self.default_opclass(base_type, oids::BTREE_AM_OID)? {
            let (family, input) = (class.opcfamily, class.opcintype);
            info.cmp_proc = or_none(self.opfamily_proc(family, input, input, 1)?);
            info.lt_opr = or_none(self.opfamily_member(family, input, input, 1)?);
            info.eq_opr = or_none(self.opfamily_member(family, input, input, 3)?);
            info.gt_opr = or_none(self.opfamily_member(family, input, input, 5)?);
        }
        if let Some(class) = self.default_opclass(base_type, oids::HASH_AM_OID)? {
            let (family, input) = (class.opcfamily, class.opcintype);
            info.hash_proc = or_none(self.opfamily_proc(family, input, input, 1)?);
            info.hash_extended_proc = or_none(self.opfamily_proc(family, input, input, 2)?);
            if !info.eq_opr.is_valid() {
                info.eq_opr = or_none(self.opfamily_member(family, input, input, 1)?);
            }
        }
        Ok(info)
    }
}

/// Names that the SQL standard gives to some types, complete with the typmod; `None` for other types.
fn standard_name(t: &PgType, typmod: Option<i32>) -> Option<String> {
    let with = typmod.filter(|m| *m >= 0);
    let suffix = || with.map_or(String::new(), |m| typmod_text(t, m));
    Some(match t.oid {
        BITOID => match (with, typmod) {
            (Some(m), _) => format!("bit{}", typmod_text(t, m)),
            // The name `bit` means bit(1), so an unlimited one needs quotes.
            (None, Some(_)) => "\"bit\"".into(),
            (None, None) => "bit".into(),
        },
        BPCHAROID => match (with, typmod) {
            (Some(m), _) => format!("character{}", typmod_text(t, m)),
            (None, Some(_)) => "bpchar".into(),
            (None, None) => "character".into(),
        },
        CHAROID => "\"char\"".into(),
        BOOLOID => "boolean".into(),
        FLOAT4OID => "real".into(),
        FLOAT8OID => "double precision".into(),
        INT2OID => "smallint".into(),
        INT4OID => "integer".into(),
        INT8OID => "bigint".into(),
        NUMERICOID => format!("numeric{}", suffix()),
        INTERVALOID => format!("interval{}", suffix()),
        TIMEOID => format!("time{} without time zone", precision(with)),
        TIMETZOID => format!("time{} with time zone", precision(with)),
        TIMESTAMPOID => format!("timestamp{} without time zone", precision(with)),
        TIMESTAMPTZOID => format!("timestamp{} with time zone", precision(with)),
        VARBITOID => format!("bit varying{}", suffix()),
        VARCHAROID => format!("character varying{}", suffix()),
        JSONOID => "json".into(),
        _ => return None,
    })
}

fn precision(typmod: Option<i32>) -> String {
    typmod.map_or(String::new(), |m| format!("({m})"))
}

/// What a typmod (not negative) says, in parentheses. (PostgreSQL: the `typmodout` functions)
pub fn typmod_text(t: &PgType, typmod: i32) -> String {
    match t.oid {
        BPCHAROID | VARCHAROID => match typmod > 4 {
            true => format!("({})", typmod - 4),
            false => String::new(),
        },
        NUMERICOID => {
            let m = typmod - 4;
            // The scale has eleven bits with a sign.
            let scale = ((m & 0x7ff) ^ 1024) - 1024;
            match m >= 0 {
                true => format!("({},{scale})", (m >> 16) & 0xffff),
                false => String::new(),
            }
        }
        INTERVALOID => interval_typmod(typmod),
        _ => format!("({typmod})"),
    }
}

/// Fields in the upper half as a set of bits, digits in the lower one. (PostgreSQL: `intervaltypmodout`)
fn interval_typmod(typmod: i32) -> String {
    const YEAR: i32 = 1 << 2;
    const MONTH: i32 = 1 << 1;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    let fields = [
        (YEAR, " year"),
        (MONTH, " month"),
        (DAY, " day"),
        (HOUR, " hour"),
        (MINUTE, " minute"),
        (SECOND, " second"),
        (YEAR | MONTH, " year to month"),
        (DAY | HOUR, " day to hour"),
        (DAY | HOUR | MINUTE, " day to minute"),
        (DAY | HOUR | MINUTE | SECOND, " day to second"),
        (HOUR | MINUTE, " hour to minute"),
        (HOUR | MINUTE | SECOND, " hour to second"),
        (MINUTE | SECOND, " minute to second"),
    ];
    let (range, digits) = (typmod >> 16 & 0x7fff, typmod & 0xffff);
    let field = fields.iter().find(|(bits, _)| *bits == range).map_or("", |f| f.1);
    match digits {
        0xffff => field.to_owned(),
        n => format!("{field}({n})"),
    }
}

/// A name as SQL text: quoted where the lexer would read it otherwise. Reserved words are the parser's business: callers above
/// it use its function. (PostgreSQL: `quote_identifier`)
pub fn quote_identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !KEYWORDS.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Keywords that a name must be quoted for: all but the unreserved ones. (PostgreSQL: `kwlist.h`)
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let c = Catalog::bootstrap();
        for (oid, typmod, expected) in [
            (INT4OID, None, "integer"),
            (INT4ARRAYOID, None, "integer[]"),
            (VARCHAROID, Some(24), "character varying(20)"),
            (VARCHAROID, Some(-1), "character varying"),
            (BPCHAROID, None, "character"),
            (BPCHAROID, Some(-1), "bpchar"),
            (BPCHAROID, Some(14), "character(10)"),
            (NUMERICOID, Some((10 << 16 | 2) + 4), "numeric(10,2)"),
            (NUMERICOID, Some((3 << 16 | 0x7fe) + 4), "numeric(3,-2)"),
            (TIMESTAMPTZOID, Some(3), "timestamp(3) with time zone"),
            (INTERVALOID, Some(0x7fff_ffff), "interval"),
            (INTERVALOID, Some(4 << 16 | 0xffff), "interval year"),
            (INTERVALOID, Some(0x7fff << 16 | 3), "interval(3)"),
            (CHAROID, None, "\"char\""),
            (TEXTOID, None, "text"),
            (OIDVECTOROID, None, "oidvector"),
            (NAMEOID, None, "name"),
            (BITOID, Some(-1), "\"bit\""),
            (VARBITOID, Some(7), "bit varying(7)"),
            (Oid(83), None, "pg_class"),
            (Oid(99999), None, "???"),
            (Oid(0), None, "-"),
        ] {
            assert_eq!(c.format_type(oid, typmod).unwrap(), expected, "{oid}");
        }
        c.set_search_path(&["pg_catalog"], Oid(10));
        assert_eq!(c.format_type(TEXTARRAYOID, None).unwrap(), "text[]");
    }

    #[test]
    fn type_info() {
        let c = Catalog::bootstrap();
        let t = c.type_info(TEXTARRAYOID).unwrap();
        assert_eq!((t.elem, t.cmp_proc), (TEXTOID, oids::fmgr::F_BTARRAYCMP));
        let t = c.type_info(VARCHAROID).unwrap();
        assert_eq!((t.eq_opr, t.hash_proc), (oids::TEXT_EQUAL_OPERATOR, oids::fmgr::F_HASHTEXT));
        assert_eq!(c.type_info(Oid(3904)).unwrap().range_subtype, INT4OID);
        assert_eq!(c.type_info(NAMEOID).unwrap().elem, Oid::INVALID);
    }
}
