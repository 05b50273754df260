//! The catalogs of a new cluster as files.
//!
//! Every relation gets the file number that PostgreSQL gives it: its own id. `pg_class` is built last, since its rows say how
//! many pages and rows the others have; its own size does not depend on what they say.

use std::sync::Arc;

use base::{Oid, PgError, Result, TupleId};
use hashbrown::HashMap;
use types::{Comparator, Datum, SortKey, TupleDesc};

use super::heap::{Pages, TreeSpec, build_heap, build_tree, file_bytes, visibility_map};
use super::{Options, secret};
use crate::bootstrap::published_rows;
use crate::oids;
use crate::relcache::{attribute, relkind};
use crate::relmap::{FILE_NAME, RelationMap};
use crate::row::*;

/// A relation's main fork and its size in rows.
struct Built {
    pages: Pages,
    rows: usize,
}

/// Everything needed while building.
struct Image {
    rows: HashMap<Oid, Vec<Vec<Datum>>>,
    classes: Vec<PgClass>,
    attributes: HashMap<Oid, Vec<PgAttribute>>,
    indexes: Vec<PgIndex>,
    opclasses: HashMap<Oid, PgOpclass>,
    amprocs: HashMap<(Oid, Oid, i16), Oid>,
    prosrc: HashMap<Oid, String>,
}

/// Writes all files of template1 and the shared catalogs. `put` gets a path and the content.
pub(super) fn write(options: &Options, put: &mut dyn FnMut(&str, &[u8]) -> Result<()>) -> Result<()> {
    let image = Image::load(options)?;
    let mut built: HashMap<Oid, Built> = HashMap::new();
    let tables = || image.classes.iter().filter(|c| matches!(c.relkind, relkind::TABLE | relkind::TOAST));
    for class in tables().filter(|c| c.oid != oids::RELATION_RELATION) {
        let rows = image.rows.get(&class.oid).map_or(&[][..], Vec::as_slice);
        image.build(class, rows, &mut built)?;
    }
    // Twice: the first time for the sizes of pg_class and its indexes.
    let class = image.classes.iter().find(|c| c.oid == oids::RELATION_RELATION);
    let class = class.ok_or_else(|| PgError::internal("no pg_class"))?;
    for _ in 0..2 {
        let rows: Result<Vec<_>> = image.classes.iter().map(|c| sized(c, &built).to_row()).collect();
        image.build(class, &rows?, &mut built)?;
    }

    let (mut local, mut shared) = (RelationMap::default(), RelationMap::default());
    for class in &image.classes {
        let Some(b) = built.remove(&class.oid) else { continue };
        let folder = if class.relisshared { "global" } else { "base/1" };
        if !class.relfilenode.is_valid() {
            (if class.relisshared { &mut shared } else { &mut local }).set(class.oid, class.oid)?;
        }
        if class.relkind == relkind::TABLE && !b.pages.is_empty() {
            let map = file_bytes(visibility_map(b.pages.len()), options.checksums);
            put(&format!("{folder}/{}_vm", class.oid), &map)?;
        }
        put(&format!("{folder}/{}", class.oid), &file_bytes(b.pages, options.checksums))?;
    }
    put(&format!("global/{FILE_NAME}"), &shared.to_bytes())?;
    put(&format!("base/1/{FILE_NAME}"), &local.to_bytes())
}

/// The row with the sizes as built.
fn sized(class: &PgClass, built: &HashMap<Oid, Built>) -> PgClass {
    let mut class = class.clone();
    if let Some(b) = built.get(&class.oid) {
        class.relpages = b.pages.len() as i32;
        class.reltuples = b.rows as f32;
        if class.relkind == relkind::TABLE {
            class.relallvisible = class.relpages;
            class.relallfrozen = class.relpages;
        }
    }
    class
}

impl Image {
    fn load(options: &Options) -> Result<Image> {
        let mut rows = HashMap::new();
        for def in CATALOGS {
            rows.insert(def.oid, published_rows(def)?);
        }
        fn typed<T: CatalogRow>(rows: &HashMap<Oid, Vec<Vec<Datum>>>) -> Result<Vec<T>> {
            rows.get(&T::CATALOG).into_iter().flatten().map(|r| T::from_row(r)).collect()
        }
        let mut attributes: HashMap<Oid, Vec<PgAttribute>> = HashMap::new();
        for a in typed::<PgAttribute>(&rows)?.into_iter().filter(|a| a.attnum > 0) {
            attributes.entry(a.attrelid).or_default().push(a);
        }
        attributes.values_mut().for_each(|list| list.sort_by_key(|a| a.attnum));
        let amprocs = typed::<PgAmproc>(&rows)?;
        let mut image = Image {
            classes: typed(&rows)?,
            indexes: typed(&rows)?,
            opclasses: typed::<PgOpclass>(&rows)?.into_iter().map(|c| (c.oid, c)).collect(),
            amprocs: amprocs
                .iter()
                .filter(|p| p.amproclefttype == p.amprocrighttype)
                .map(|p| ((p.amprocfamily, p.amproclefttype, p.amprocnum), p.amproc))
                .collect(),
            prosrc: typed::<PgProc>(&rows)?.into_iter().map(|p| (p.oid, p.prosrc)).collect(),
            attributes,
            rows,
        };
        image.customise(options)?;
        Ok(image)
    }

    /// What depends on the options: the superuser, the databases.
    fn customise(&mut self, options: &Options) -> Result<()> {
        let mut roles: Vec<PgAuthid> = self.typed_rows()?;
        for role in roles.iter_mut().filter(|r| r.oid == oids::BOOTSTRAP_SUPERUSERID) {
            role.rolname.clone_from(&options.superuser);
            role.rolpassword = secret(options)?;
        }
        self.set_rows(&roles)?;

        let template1 = self.typed_rows::<PgDatabase>()?.pop().ok_or_else(|| PgError::internal("no template1"))?;
        let (provider, locale, version) = match &options.locale {
            super::Locale::Builtin(name) => (b'b', Some(name.clone()), Some("1".to_owned())),
            _ => (b'c', None, None),
        };
        let template1 = PgDatabase {
            datcollate: options.lc_collate.clone(),
            datctype: options.lc_ctype.clone(),
            datlocprovider: provider,
            datlocale: locale,
            datcollversion: version,
            ..template1
        };
        let template0 = PgDatabase {
            oid: oids::TEMPLATE0_DB,
            datname: "template0".into(),
            datallowconn: false,
            datcollversion: None,
            ..template1.clone()
        };
        let postgres = PgDatabase {
            oid: oids::POSTGRES_DB,
            datname: "postgres".into(),
            datistemplate: false,
            datacl: None,
            ..template1.clone()
        };
        self.set_rows(&[template1, template0, postgres])
    }

    fn typed_rows<T: CatalogRow>(&self) -> Result<Vec<T>> {
        self.rows.get(&T::CATALOG).into_iter().flatten().map(|r| T::from_row(r)).collect()
    }
    fn set_rows<T: CatalogRow>(&mut self, rows: &[T]) -> Result<()> {
        let rows: Result<Vec<_>> = rows.iter().map(T::to_row).collect();
        self.rows.insert(T::CATALOG, rows?);
        Ok(())
    }

    fn desc(&self, rel: Oid) -> Result<Vec<types::Attribute>> {
        let list = self.attributes.get(&rel).ok_or_else(|| PgError::internal(format!("no columns of {rel}")))?;
        Ok(list.iter().map(attribute).collect())
    }

    /// A table with all its indexes.
    fn build(&self, class: &PgClass, rows: &[Vec<Datum>], built: &mut HashMap<Oid, Built>) -> Result<()> {
        let desc = Arc::new(TupleDesc::new(self.desc(class.oid)?));
        let (pages, tids) = build_heap(&desc, rows)?;
        built.insert(class.oid, Built { pages, rows: rows.len() });
        for index in self.indexes.iter().filter(|i| i.indrelid == class.oid) {
            let pages = self.build_index(index, rows, &tids)?;
            built.insert(index.indexrelid, Built { pages, rows: rows.len() });
        }
        Ok(())
    }

    fn build_index(&self, index: &PgIndex, rows: &[Vec<Datum>], tids: &[TupleId]) -> Result<Pages> {
        let mut spec = TreeSpec { attributes: self.desc(index.indexrelid)?, keys: Vec::new(), all_equal_image: true };
        for class in &index.indclass {
            let class = self.opclasses.get(class).ok_or_else(|| PgError::internal("unknown operator class"))?;
            let proc = |n| self.amprocs.get(&(class.opcfamily, class.opcintype, n));
            let source = proc(1).and_then(|p| self.prosrc.get(p)).ok_or_else(|| PgError::internal("no comparison"))?;
            spec.keys.push(SortKey::ascending(catalog_comparator(source)?));
            spec.all_equal_image &= proc(4).is_some();
        }
        let entries = rows.iter().zip(tids).map(|(row, tid)| {
            let key = index.indkey.iter().map(|k| row[*k as usize - 1].clone()).collect();
            (key, *tid)
        });
        build_tree(&spec, entries.collect())
    }
}

/// The order of a catalog index's column: catalogs use few types, and the collation C only.
pub(crate) fn catalog_comparator(prosrc: &str) -> Result<Comparator> {
    if prosrc == "btoidvectorcmp" {
        return Ok(Comparator::Plain(compare_oidvectors, None));
    }
    let registry = types::Registry::new();
    Comparator::builtin(prosrc, true, &registry)
        .ok_or_else(|| PgError::internal(format!("no order for {prosrc} in a catalog index")))
}

/// The shorter one first, then by elements. (PostgreSQL: `btoidvectorcmp`)
pub fn compare_oidvectors(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    let ids = |v: &[u8]| -> Vec<u32> {
        let data = v.get(20..).unwrap_or(&[]);
        data.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
    };
    let (a, b) = (ids(a), ids(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}
