//! The questions the analyzer asks the catalogs, in one place.
//!
//! PostgreSQL: `utils/cache/lsyscache.c`, `catalog/namespace.c` (in part), `utils/adt/format_type.c`.

use std::sync::Arc;

use base::{Oid, PgError, Result};
use catalog::{CacheId, Catalog, PgAttrdef, PgAttribute, PgClass, PgIndex, PgOperator, PgRewrite, PgType, oids};
use types::Datum;
use types::oid::*;

/// Type kinds. (PostgreSQL: `TYPTYPE_*`)
pub mod typtype {
    pub const BASE: u8 = b'b';
    pub const COMPOSITE: u8 = b'c';
    pub const DOMAIN: u8 = b'd';
    pub const ENUM: u8 = b'e';
    pub const MULTIRANGE: u8 = b'm';
    pub const PSEUDO: u8 = b'p';
    pub const RANGE: u8 = b'r';
}

/// Relation kinds. (PostgreSQL: `RELKIND_*`)
pub mod relkind {
    pub const RELATION: u8 = b'r';
    pub const INDEX: u8 = b'i';
    pub const SEQUENCE: u8 = b'S';
    pub const TOASTVALUE: u8 = b't';
    pub const VIEW: u8 = b'v';
    pub const MATVIEW: u8 = b'm';
    pub const COMPOSITE_TYPE: u8 = b'c';
    pub const FOREIGN_TABLE: u8 = b'f';
    pub const PARTITIONED_TABLE: u8 = b'p';
    pub const PARTITIONED_INDEX: u8 = b'I';
}

/// What [`Catalog`] offers beyond its own methods. An invalid id stands for "none" where PostgreSQL's functions do so.
pub trait Lookup {
    fn class(&self, oid: Oid) -> Result<Option<Arc<PgClass>>>;
    fn class_row(&self, oid: Oid) -> Result<Arc<PgClass>>;
    fn operator_row(&self, oid: Oid) -> Result<Arc<PgOperator>>;
    fn index_row(&self, oid: Oid) -> Result<Option<Arc<PgIndex>>>;
    /// The user columns, dropped ones included, in order.
    fn attributes(&self, rel: Oid) -> Result<Vec<Arc<PgAttribute>>>;
    fn rules_of(&self, rel: Oid) -> Result<Vec<PgRewrite>>;
    fn indexes_of(&self, rel: Oid) -> Result<Vec<PgIndex>>;
    fn default_of(&self, rel: Oid, num: i16) -> Result<Option<PgAttrdef>>;
    /// Array type over a type, or invalid. (PostgreSQL: `get_array_type`)
    fn array_of(&self, oid: Oid) -> Result<Oid>;
    /// Element type of a true array, or invalid. (PostgreSQL: `get_element_type`)
    fn elem_of(&self, oid: Oid) -> Result<Oid>;
    /// As `elem_of`, seen through domains. (PostgreSQL: `get_base_element_type`)
    fn base_elem_of(&self, oid: Oid) -> Result<Oid>;
    /// The array type of elements or of arrays of this type. (PostgreSQL: `get_promoted_array_type`)
    fn promoted_array(&self, oid: Oid) -> Result<Oid>;
    /// (PostgreSQL: `getBaseType`)
    fn base_of(&self, oid: Oid) -> Result<Oid>;
    fn typtype_of(&self, oid: Oid) -> Result<u8>;
    fn is_enum(&self, oid: Oid) -> Result<bool> {
        Ok(self.typtype_of(oid)? == typtype::ENUM)
    }
    fn is_range(&self, oid: Oid) -> Result<bool> {
        Ok(self.typtype_of(oid)? == typtype::RANGE)
    }
    fn is_multirange(&self, oid: Oid) -> Result<bool> {
        Ok(self.typtype_of(oid)? == typtype::MULTIRANGE)
    }
    /// A row type: composite, `record`, or a domain over a composite. (PostgreSQL: `type_is_rowtype`)
    fn is_rowtype(&self, oid: Oid) -> Result<bool> {
        if oid == RECORDOID {
            return Ok(true);
        }
        match self.typtype_of(oid)? {
            typtype::COMPOSITE => Ok(true),
            typtype::DOMAIN => Ok(self.typtype_of(self.base_of(oid)?)? == typtype::COMPOSITE),
            _ => Ok(false),
        }
    }
    /// The collation of a type's values. (PostgreSQL: `get_typcollation`)
    fn type_collation(&self, oid: Oid) -> Result<Oid>;
    fn is_collatable(&self, oid: Oid) -> Result<bool> {
        Ok(self.type_collation(oid)?.is_valid())
    }
    /// The composite type's relation, seen through domains. (PostgreSQL: `typeOrDomainTypeRelid`)
    fn type_relid(&self, oid: Oid) -> Result<Oid>;
    /// (PostgreSQL: `get_range_subtype`)
    fn range_subtype(&self, oid: Oid) -> Result<Oid>;
    /// (PostgreSQL: `get_range_multirange`)
    fn range_multirange(&self, oid: Oid) -> Result<Oid>;
    /// (PostgreSQL: `get_multirange_range`)
    fn multirange_range(&self, oid: Oid) -> Result<Oid>;
}

/// A type's name for messages. (PostgreSQL: `format_type_be`)
pub(crate) fn format_type(c: &Catalog, oid: Oid) -> Result<String> {
    c.format_type(oid, None)
}

/// (PostgreSQL: `IsTrueArrayType`)
pub fn is_true_array(t: &PgType) -> bool {
    t.typelem.is_valid() && t.typsubscript == oids::fmgr::F_ARRAY_SUBSCRIPT_HANDLER
}

impl Lookup for Catalog {
    fn class(&self, oid: Oid) -> Result<Option<Arc<PgClass>>> {
        self.get(CacheId::RELOID, &[Datum::oid(oid)])
    }
    fn class_row(&self, oid: Oid) -> Result<Arc<PgClass>> {
        self.class(oid)?.ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {oid}")))
    }
    fn operator_row(&self, oid: Oid) -> Result<Arc<PgOperator>> {
        self.operator(oid)?.ok_or_else(|| PgError::internal(format!("cache lookup failed for operator {oid}")))
    }
    fn index_row(&self, oid: Oid) -> Result<Option<Arc<PgIndex>>> {
        self.get(CacheId::INDEXRELID, &[Datum::oid(oid)])
    }
    fn attributes(&self, rel: Oid) -> Result<Vec<Arc<PgAttribute>>> {
        let list: Arc<[Arc<PgAttribute>]> = self.list(CacheId::ATTNUM, &[Datum::oid(rel)])?;
        let mut list: Vec<_> = list.iter().filter(|a| a.attnum > 0).cloned().collect();
        list.sort_by_key(|a| a.attnum);
        Ok(list)
    }
    fn rules_of(&self, rel: Oid) -> Result<Vec<PgRewrite>> {
        self.rows(oids::REWRITE_REL_RULENAME_INDEX, &[Datum::oid(rel)])
    }
    fn indexes_of(&self, rel: Oid) -> Result<Vec<PgIndex>> {
        let mut rows: Vec<PgIndex> = self.rows(oids::INDEX_INDRELID_INDEX, &[Datum::oid(rel)])?;
        rows.sort_by_key(|i| i.indexrelid);
        Ok(rows)
    }
    fn default_of(&self, rel: Oid, num: i16) -> Result<Option<PgAttrdef>> {
        let rows: Vec<PgAttrdef> = self.rows(oids::ATTR_DEFAULT_INDEX, &[Datum::oid(rel), Datum::i16(num)])?;
        Ok(rows.into_iter().next())
    }
    fn array_of(&self, oid: Oid) -> Result<Oid> {
        Ok(self.array_type(oid)?.unwrap_or_default())
    }
    fn elem_of(&self, oid: Oid) -> Result<Oid> {
        Ok(match self.type_by_oid(oid)? {
            Some(t) if is_true_array(&t) => t.typelem,
            _ => Oid::INVALID,
        })
    }
    fn base_elem_of(&self, oid: Oid) -> Result<Oid> {
        self.elem_of(self.base_of(oid)?)
    }
    fn promoted_array(&self, oid: Oid) -> Result<Oid> {
        let array = self.array_of(oid)?;
        if array.is_valid() {
            return Ok(array);
        }
        Ok(if self.elem_of(oid)?.is_valid() { oid } else { Oid::INVALID })
    }
    fn base_of(&self, oid: Oid) -> Result<Oid> {
        if oid.is_valid() { Ok(self.base_type(oid, -1)?.0) } else { Ok(oid) }
    }
    fn typtype_of(&self, oid: Oid) -> Result<u8> {
        Ok(self.type_by_oid(oid)?.map_or(0, |t| t.typtype))
    }
    fn type_collation(&self, oid: Oid) -> Result<Oid> {
        Ok(self.type_by_oid(oid)?.map_or(Oid::INVALID, |t| t.typcollation))
    }
    fn type_relid(&self, oid: Oid) -> Result<Oid> {
        let base = self.base_of(oid)?;
        Ok(self.type_by_oid(base)?.map_or(Oid::INVALID, |t| t.typrelid))
    }
    fn range_subtype(&self, oid: Oid) -> Result<Oid> {
        Ok(self.range(oid)?.map_or(Oid::INVALID, |r| r.rngsubtype))
    }
    fn range_multirange(&self, oid: Oid) -> Result<Oid> {
        Ok(self.range(oid)?.map_or(Oid::INVALID, |r| r.rngmultitypid))
    }
    fn multirange_range(&self, oid: Oid) -> Result<Oid> {
        Ok(self.range_of_multirange(oid)?.map_or(Oid::INVALID, |r| r.rngtypid))
    }
}
