//! The published catalog rows: text files turned into datums, and a catalog in memory that serves them.
//!
//! `data/<catalog>.tsv` is COPY's text format with a header line. What stands there in another form than in the catalog:
//! role names in ACLs, a function's argument defaults as SQL (all constants, see [`default_nodes`]), and bodies of functions in
//! language `sql`, which are in `sql_functions.tsv`.
//!
//! [`BootstrapCatalog`] answers look-ups without any storage: for tests of the floors above, and for initdb.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use base::{BlockNumber, Oid, PgError, RelFileLocator, Result, TupleId};
use hashbrown::HashMap;
use parking_lot::RwLock;
use types::oid::*;
use types::{Datum, IntoDatum};

use crate::Invalidation;
use crate::acl::AclItem;
use crate::row::{CATALOGS, CatalogDef, CatalogRow, Field, PgIndex, catalog_def};
use crate::scan::{CatalogScan, Row};
use crate::{array, cols, oids};

/// The bodies of the functions in language `sql`.
const SQL_FUNCTIONS: &str = include_str!("../data/sql_functions.tsv");

/// All published rows of a catalog.
pub fn published_rows(def: &CatalogDef) -> Result<Vec<Vec<Datum>>> {
    published_rows_where(def, |_| true)
}

/// Those of a catalog's published rows whose first column's text is wanted.
pub fn published_rows_where(def: &CatalogDef, wanted: impl Fn(&str) -> bool) -> Result<Vec<Vec<Datum>>> {
    let roles = roles()?;
    let bodies: HashMap<&str, &str> = match def.oid {
        oids::PROCEDURE_RELATION => SQL_FUNCTIONS.lines().skip(1).filter_map(|l| l.split_once('\t')).collect(),
        _ => HashMap::new(),
    };
    let mut out = Vec::new();
    for line in def.data.lines().skip(1) {
        if !wanted(line.split('\t').next().unwrap_or_default()) {
            continue;
        }
        let mut row = Vec::with_capacity(def.columns.len());
        let mut fields = line.split('\t');
        for (name, typid, _) in def.columns {
            let field = fields.next().ok_or_else(|| bad(def.name, line))?;
            let value = match (field, *name) {
                ("\\N", _) => Datum::Null,
                (text, "proargdefaults") => {
                    Datum::text(&default_nodes(text, row.get(cols::pg_proc::PROARGTYPES as usize - 1))?)
                }
                (text, _) => value(*typid, &unescape(text), &roles).map_err(|_| bad(def.name, line))?,
            };
            row.push(value);
        }
        if let Some(body) = bodies.get(line.split('\t').next().unwrap_or("")) {
            row[cols::pg_proc::PROSRC as usize - 1] = Datum::text(body);
        }
        out.push(row);
    }
    Ok(out)
}

#[cold]
fn bad(catalog: &str, line: &str) -> PgError {
    PgError::internal(format!("unreadable line in the data of \"{catalog}\": {line}"))
}

/// The published roles by name.
fn roles() -> Result<HashMap<&'static str, Oid>> {
    let def = catalog_def(oids::AUTH_ID_RELATION).ok_or_else(|| PgError::internal("no pg_authid"))?;
    let mut roles = HashMap::new();
    for line in def.data.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(oid), Some(name)) = (fields.next(), fields.next()) else { return Err(bad(def.name, line)) };
        roles.insert(name, Oid(oid.parse().map_err(|_| bad(def.name, line))?));
    }
    Ok(roles)
}

/// Undoes COPY's escapes.
fn unescape(field: &str) -> String {
    if !field.contains('\\') {
        return field.to_owned();
    }
    let (mut out, mut chars) = (String::with_capacity(field.len()), field.chars());
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('b') => '\x08',
                Some('f') => '\x0c',
                Some('v') => '\x0b',
                Some(c) => c,
                None => '\\',
            },
            c => c,
        });
    }
    out
}

/// The elements of an array's text form; nested arrays and nulls do not occur.
fn elements(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut out = Vec::new();
    let (mut item, mut quoted, mut any) = (String::new(), false, false);
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => (quoted, any) = (!quoted, true),
            '\\' => item.push(chars.next()?),
            ',' if !quoted => {
                out.push(std::mem::take(&mut item));
                any = true;
            }
            c => {
                any = true;
                item.push(c);
            }
        }
    }
    if any {
        out.push(item);
    }
    Some(out)
}

/// A column's value from its text.
fn value(typid: Oid, text: &str, roles: &HashMap<&'static str, Oid>) -> Result<Datum> {
    let no = || PgError::internal("unreadable value");
    fn number<T: std::str::FromStr>(s: &str) -> Result<T> {
        s.parse().map_err(|_| PgError::internal("unreadable number"))
    }
    fn list<T: std::str::FromStr>(items: impl Iterator<Item = impl AsRef<str>>) -> Result<Vec<T>> {
        items.map(|s| number(s.as_ref())).collect()
    }
    let ids = |v: Vec<u32>| v.into_iter().map(Oid).collect::<Vec<_>>();
    Ok(match typid {
        BOOLOID => Datum::bool(text == "t"),
        CHAROID => Datum::char(text.bytes().next().unwrap_or(0)),
        NAMEOID | TEXTOID | PGNODETREEOID => Datum::text(text),
        INT8OID => Datum::i64(number(text)?),
        INT2OID => Datum::i16(number(text)?),
        INT4OID => Datum::i32(number(text)?),
        OIDOID | REGPROCOID | XIDOID => Datum::oid(Oid(number(text)?)),
        FLOAT4OID => number::<f32>(text)?.into_datum(),
        FLOAT8OID => number::<f64>(text)?.into_datum(),
        INT2VECTOROID => array::int2vector(&list(text.split_whitespace())?),
        OIDVECTOROID => array::oidvector(&ids(list(text.split_whitespace())?)),
        INT2ARRAYOID => list::<i16>(elements(text).ok_or_else(no)?.iter())?.put(typid)?,
        OIDARRAYOID => ids(list(elements(text).ok_or_else(no)?.iter())?).put(typid)?,
        FLOAT4ARRAYOID => list::<f32>(elements(text).ok_or_else(no)?.iter())?.put(typid)?,
        TEXTARRAYOID => elements(text).ok_or_else(no)?.put(typid)?,
        CHARARRAYOID => {
            let letters: Vec<u8> = elements(text).ok_or_else(no)?.iter().filter_map(|e| e.bytes().next()).collect();
            letters.put(typid)?
        }
        ACLITEMARRAYOID => {
            let role = |name: &str| Ok(roles.get(name).copied());
            let items = elements(text).ok_or_else(no)?;
            let items: Result<Vec<AclItem>> = items.iter().map(|e| Ok(AclItem::parse(e, &role)?.0)).collect();
            items?.put(typid)?
        }
        _ => return Err(no()),
    })
}

/// The node text for the defaults of a function's last input arguments, given as SQL: constants of a few types.
/// (PostgreSQL: `pg_proc.proargdefaults`)
fn default_nodes(text: &str, types: Option<&Datum>) -> Result<String> {
    let types = types.ok_or_else(|| PgError::internal("a function without argument types"))?;
    let types = Vec::<Oid>::of(types.as_ref())?;
    let defaults: Vec<&str> = text.split(", ").collect();
    let first = types.len().checked_sub(defaults.len()).ok_or_else(|| PgError::internal("too many defaults"))?;
    let nodes: Result<Vec<String>> = defaults.iter().zip(&types[first..]).map(|(d, t)| default_node(d, *t)).collect();
    Ok(format!("({})", nodes?.join(" ")))
}

fn default_node(text: &str, typid: Oid) -> Result<String> {
    let literal = text.split("::").next().unwrap_or("");
    let literal = literal.strip_prefix('\'').and_then(|l| l.strip_suffix('\'')).unwrap_or(literal);
    let by_value = |typid: Oid, len: usize, v: i64| const_node(typid, len as i32, true, Some(&v.to_le_bytes()), len);
    let varlena = |typid: Oid, payload: &[u8]| {
        let mut b = ((payload.len() as u32 + 4) << 2).to_le_bytes().to_vec();
        b.extend_from_slice(payload);
        const_node(typid, -1, false, Some(&b), b.len())
    };
    let cast = |function: Oid, argument: String| {
        format!(
            "{{FUNCEXPR :funcid {function} :funcresulttype {typid} :funcretset false :funcvariadic false :funcformat 2 \
             :funccollid 0 :inputcollid 0 :args ({argument}) :location -1}}"
        )
    };
    Ok(match (typid, literal) {
        (TEXTOID, "NULL") => const_node(TEXTOID, -1, false, None, 0),
        (BOOLOID, _) => by_value(BOOLOID, 1, i64::from(literal == "true")),
        (INT4OID, _) => by_value(INT4OID, 4, literal.parse().map_err(|_| bad("pg_proc", text))?),
        // As the parser sees them: an integer or a numeric constant, cast. The only numeric one is 0.0.
        (FLOAT8OID, "0.0") => cast(oids::fmgr::F_FLOAT8_NUMERIC, varlena(NUMERICOID, &[0x80, 0x80])),
        (FLOAT8OID | INT8OID, _) => {
            let function = if typid == INT8OID { oids::fmgr::F_INT8_INT4 } else { oids::fmgr::F_FLOAT8_INT4 };
            cast(function, by_value(INT4OID, 4, literal.parse().map_err(|_| bad("pg_proc", text))?))
        }
        (TEXTOID, _) => varlena(TEXTOID, literal.as_bytes()),
        // An empty object, an empty array.
        (JSONBOID, "{}") => varlena(JSONBOID, &[0, 0, 0, 0x20]),
        (TEXTARRAYOID, "{}") => varlena(TEXTARRAYOID, &[0, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0]),
        _ => return Err(bad("pg_proc", text)),
    })
}

fn const_node(typid: Oid, len: i32, by_value: bool, value: Option<&[u8]>, shown: usize) -> String {
    let collation = match typid {
        TEXTOID | TEXTARRAYOID => oids::DEFAULT_COLLATION_OID,
        _ => Oid::INVALID,
    };
    let value_text = match value {
        None => "<>".to_owned(),
        Some(b) => {
            let bytes: Vec<String> = b.iter().map(|&x| (x as i8).to_string()).collect();
            format!("{shown} [ {} ]", bytes.join(" "))
        }
    };
    format!(
        "{{CONST :consttype {typid} :consttypmod -1 :constcollid {collation} :constlen {len} :constbyval {by_value} \
         :constisnull {} :location -1 :constvalue {value_text}}}",
        value.is_none()
    )
}

/// The published rows as a catalog in memory. Changes take effect at once; there are no transactions and no files.
pub struct BootstrapCatalog {
    tables: Vec<OnceLock<Result<Table>>>,
    next_oid: AtomicU32,
}

struct Table(RwLock<Content>);

#[derive(Default)]
struct Content {
    rows: Vec<Row>,
    /// Rows by index and number of key columns.
    by_key: HashMap<(Oid, usize), HashMap<Vec<Datum>, Vec<usize>>>,
    inserted: usize,
}

/// A place that no page has, but a distinct one.
fn place(n: usize) -> TupleId {
    TupleId::new(BlockNumber((n / 200) as u32), (n % 200) as u16 + 1)
}

impl BootstrapCatalog {
    pub fn new() -> BootstrapCatalog {
        let tables = CATALOGS.iter().map(|_| OnceLock::new()).collect();
        BootstrapCatalog { tables, next_oid: AtomicU32::new(Oid::FIRST_NORMAL.0) }
    }

    fn table(&self, catalog: Oid) -> Result<&Table> {
        let i = CATALOGS.iter().position(|c| c.oid == catalog);
        let i = i.ok_or_else(|| PgError::internal(format!("no catalog has OID {catalog}")))?;
        let load = || {
            let values = published_rows(&CATALOGS[i])?.into_iter();
            let rows: Vec<Row> = values.enumerate().map(|(n, values)| Row { tid: place(n), values }).collect();
            let inserted = rows.len();
            Ok(Table(RwLock::new(Content { rows, by_key: HashMap::new(), inserted })))
        };
        self.tables[i].get_or_init(load).as_ref().map_err(Clone::clone)
    }

    /// The columns (from 0) of an index of a catalog.
    fn index_columns(&self, index: Oid) -> Result<Vec<usize>> {
        let content = self.table(PgIndex::CATALOG)?.0.read();
        let row = content.rows.iter().find(|r| r.values[0] == Datum::oid(index));
        let row = row.ok_or_else(|| PgError::internal(format!("no index has OID {index}")))?;
        Ok(PgIndex::from_row(&row.values)?.indkey.iter().map(|k| (*k as usize).wrapping_sub(1)).collect())
    }

    fn position(content: &Content, tid: TupleId) -> Result<usize> {
        content.rows.iter().position(|r| r.tid == tid).ok_or_else(|| PgError::internal("tuple concurrently deleted"))
    }
}

impl CatalogScan for BootstrapCatalog {
    fn scan(&self, catalog: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<Row>> {
        let table = self.table(catalog)?;
        if !index.is_valid() || keys.is_empty() {
            return Ok(table.0.read().rows.clone());
        }
        let columns = self.index_columns(index)?;
        let mut content = table.0.write();
        let Content { rows, by_key, .. } = &mut *content;
        let map = by_key.entry((index, keys.len())).or_insert_with(|| {
            let mut map: HashMap<Vec<Datum>, Vec<usize>> = HashMap::new();
            for (n, row) in rows.iter().enumerate() {
                let key = columns.iter().take(keys.len()).filter_map(|c| row.values.get(*c).cloned()).collect();
                map.entry(key).or_default().push(n);
            }
            map
        });
        let mut found: Vec<Row> = map.get(keys).into_iter().flatten().map(|n| rows[*n].clone()).collect();
        // By the further columns; names and numbers in the order of their bytes or words, which is near enough.
        let rest: Vec<usize> = columns.iter().skip(keys.len()).copied().collect();
        let key = |r: &Row| rest.iter().map(|c| sortable(&r.values[*c])).collect::<Vec<_>>();
        found.sort_by_cached_key(key);
        Ok(found)
    }

    fn insert(&self, catalog: Oid, row: &[Datum]) -> Result<TupleId> {
        let mut content = self.table(catalog)?.0.write();
        let tid = place(content.inserted);
        content.inserted += 1;
        content.rows.push(Row { tid, values: row.to_vec() });
        content.by_key.clear();
        Ok(tid)
    }
    fn update(&self, catalog: Oid, tid: TupleId, row: &[Datum]) -> Result<TupleId> {
        let mut content = self.table(catalog)?.0.write();
        let n = BootstrapCatalog::position(&content, tid)?;
        content.rows[n].values = row.to_vec();
        content.by_key.clear();
        Ok(tid)
    }
    fn update_in_place(&self, catalog: Oid, tid: TupleId, row: &[Datum], _: &[Invalidation]) -> Result<bool> {
        self.update(catalog, tid, row).map(|_| true)
    }
    fn delete(&self, catalog: Oid, tid: TupleId) -> Result<()> {
        let mut content = self.table(catalog)?.0.write();
        let n = BootstrapCatalog::position(&content, tid)?;
        content.rows.remove(n);
        content.by_key.clear();
        Ok(())
    }
    fn next_oid(&self) -> Result<Oid> {
        Ok(Oid(self.next_oid.fetch_add(1, Ordering::Relaxed)))
    }
    fn create_storage(&self, _: RelFileLocator, _: u8) -> Result<()> {
        Ok(())
    }
    fn drop_storage(&self, _: RelFileLocator, _: storage::Persistence) -> Result<()> {
        Ok(())
    }
}

fn sortable(d: &Datum) -> (i64, Vec<u8>) {
    match d {
        Datum::Word(w) => (*w as i64, Vec::new()),
        other => (0, other.as_ref().as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{PgClass, PgProc};

    #[test]
    fn every_row_reads() {
        for def in CATALOGS {
            let rows = published_rows(def).unwrap();
            assert!(rows.iter().all(|r| r.len() == def.columns.len()), "{}", def.name);
        }
    }

    #[test]
    fn typed_rows_return() {
        let rows = |oid| published_rows(catalog_def(oid).unwrap()).unwrap();
        for row in rows(PgProc::CATALOG) {
            let typed = PgProc::from_row(&row).unwrap();
            assert_eq!(typed.to_row().unwrap(), row, "{}", typed.proname);
        }
        for row in rows(PgClass::CATALOG) {
            assert_eq!(PgClass::from_row(&row).unwrap().to_row().unwrap(), row);
        }
    }

    #[test]
    fn defaults_are_node_text() {
        let catalog = BootstrapCatalog::new();
        let rows =
            catalog.scan(PgProc::CATALOG, oids::PROCEDURE_OID_INDEX, &[Datum::oid(oids::fmgr::F_PARSE_IDENT)]).unwrap();
        let proc = PgProc::from_row(&rows[0].values).unwrap();
        assert_eq!(
            proc.proargdefaults.as_deref(),
            Some(
                "({CONST :consttype 16 :consttypmod -1 :constcollid 0 :constlen 1 :constbyval true :constisnull false \
                 :location -1 :constvalue 1 [ 1 0 0 0 0 0 0 0 ]})"
            )
        );
    }
}
