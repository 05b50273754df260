//! Typed rows: a struct for each catalog, made from its columns, and the conversion of one column.
//!
//! Rows that come in are plain: whoever reads them from a heap has fetched what was compressed or stored out of line.

use base::sqlstate::DATA_CORRUPTED;
use base::{Lsn, Oid, PgError, Result, Xid};
use types::oid::{ACLITEMOID, CHAROID, FLOAT4OID, INT2OID, INT2VECTOROID, OIDOID, OIDVECTOROID, TEXTOID};
use types::{Datum, DatumRef, FromDatum, IntoDatum};

use crate::acl::AclItem;
use crate::array;

/// A row of one catalog.
pub trait CatalogRow: Sized + Clone + Send + Sync + 'static {
    /// The catalog's relation id.
    const CATALOG: Oid;
    const NAME: &'static str;
    fn from_row(row: &[Datum]) -> Result<Self>;
    fn to_row(&self) -> Result<Vec<Datum>>;
}

/// A catalog as the data files describe it.
pub struct CatalogDef {
    pub oid: Oid,
    pub name: &'static str,
    /// One for the whole cluster.
    pub shared: bool,
    /// Name, type, NOT NULL.
    pub columns: &'static [(&'static str, Oid, bool)],
    /// The published rows, as text: see [`crate::bootstrap`].
    pub data: &'static str,
}

/// A column's Rust type.
pub(crate) trait Field: Sized {
    fn of(d: DatumRef<'_>) -> Result<Self>;
    fn put(&self, typid: Oid) -> Result<Datum>;
    fn get(row: &[Datum], i: usize, catalog: &str) -> Result<Self> {
        let d = row.get(i).ok_or_else(|| too_short(catalog))?;
        Self::of(d.as_ref()).map_err(|e| wrong_column(catalog, i, &e))
    }
}

#[cold]
fn too_short(catalog: &str) -> PgError {
    PgError::new(DATA_CORRUPTED, format!("a row of \"{catalog}\" has too few columns"))
}
#[cold]
fn wrong_column(catalog: &str, i: usize, e: &PgError) -> PgError {
    PgError::new(DATA_CORRUPTED, format!("column {} of a row of \"{catalog}\" cannot be read: {}", i + 1, e.message()))
}

macro_rules! plain {
    ($($t:ty),*) => {$(
        impl Field for $t {
            fn of(d: DatumRef<'_>) -> Result<$t> {
                <$t>::from_datum(d)
            }
            fn put(&self, _: Oid) -> Result<Datum> {
                Ok((*self).into_datum())
            }
        }
    )*};
}
plain!(bool, u8, i16, i32, i64, f32, f64, Oid, Xid, Lsn);

impl Field for String {
    fn of(d: DatumRef<'_>) -> Result<String> {
        <&str>::from_datum(d).map(str::to_owned)
    }
    fn put(&self, _: Oid) -> Result<Datum> {
        Ok(Datum::text(self))
    }
}
impl Field for Datum {
    fn of(d: DatumRef<'_>) -> Result<Datum> {
        Ok(d.to_owned())
    }
    fn put(&self, _: Oid) -> Result<Datum> {
        Ok(self.clone())
    }
}
impl<T: Field> Field for Option<T> {
    fn of(d: DatumRef<'_>) -> Result<Option<T>> {
        if d.is_null() { Ok(None) } else { T::of(d).map(Some) }
    }
    fn put(&self, typid: Oid) -> Result<Datum> {
        self.as_ref().map_or(Ok(Datum::Null), |v| v.put(typid))
    }
}
impl Field for Vec<u8> {
    // `bytea` and its like are bytes, `"char"[]` is an array.
    fn of(d: DatumRef<'_>) -> Result<Vec<u8>> {
        let b = <&[u8]>::from_datum(d)?;
        let is_char_array = b.len() >= 12 && b[8..12] == CHAROID.0.to_le_bytes() && b[..8] == [1, 0, 0, 0, 0, 0, 0, 0];
        if is_char_array { Ok(array::fixed::<1>(b)?.map(|[c]| c).collect()) } else { Ok(b.to_vec()) }
    }
    fn put(&self, typid: Oid) -> Result<Datum> {
        Ok(match typid {
            types::oid::CHARARRAYOID => array::build_fixed(CHAROID, 1, self.iter().map(|c| [*c])),
            _ => Datum::bytes(&self[..]),
        })
    }
}
impl Field for Vec<i16> {
    fn of(d: DatumRef<'_>) -> Result<Vec<i16>> {
        Ok(array::fixed(<&[u8]>::from_datum(d)?)?.map(i16::from_le_bytes).collect())
    }
    fn put(&self, typid: Oid) -> Result<Datum> {
        Ok(array::build_fixed(INT2OID, i32::from(typid != INT2VECTOROID), self.iter().map(|v| v.to_le_bytes())))
    }
}
impl Field for Vec<Oid> {
    fn of(d: DatumRef<'_>) -> Result<Vec<Oid>> {
        Ok(array::fixed(<&[u8]>::from_datum(d)?)?.map(|b| Oid(u32::from_le_bytes(b))).collect())
    }
    fn put(&self, typid: Oid) -> Result<Datum> {
        Ok(array::build_fixed(OIDOID, i32::from(typid != OIDVECTOROID), self.iter().map(|v| v.0.to_le_bytes())))
    }
}
impl Field for Vec<f32> {
    fn of(d: DatumRef<'_>) -> Result<Vec<f32>> {
        Ok(array::fixed(<&[u8]>::from_datum(d)?)?.map(f32::from_le_bytes).collect())
    }
    fn put(&self, _: Oid) -> Result<Datum> {
        Ok(array::build_fixed(FLOAT4OID, 1, self.iter().map(|v| v.to_le_bytes())))
    }
}
impl Field for Vec<AclItem> {
    fn of(d: DatumRef<'_>) -> Result<Vec<AclItem>> {
        Ok(array::fixed(<&[u8]>::from_datum(d)?)?.map(AclItem::from_bytes).collect())
    }
    fn put(&self, _: Oid) -> Result<Datum> {
        Ok(array::build_fixed(ACLITEMOID, 1, self.iter().map(|v| v.to_bytes())))
    }
}
impl Field for Vec<String> {
    fn of(d: DatumRef<'_>) -> Result<Vec<String>> {
        let text = |b| <&str>::from_datum(DatumRef::Bytes(b)).map(str::to_owned);
        array::varlena(<&[u8]>::from_datum(d)?)?.into_iter().map(text).collect()
    }
    fn put(&self, _: Oid) -> Result<Datum> {
        let elements: Vec<&[u8]> = self.iter().map(|s| s.as_bytes()).collect();
        Ok(array::build_varlena(TEXTOID, elements.into_iter()))
    }
}

/// The structs and [`CATALOGS`], made by the build script from `data/`.
mod generated {
    #![allow(missing_docs, reason = "columns are explained in PostgreSQL's manual, \"System Catalogs\"")]
    use super::*;
    include!(concat!(env!("OUT_DIR"), "/rows.rs"));
}
pub use generated::*;

/// The catalog with that id.
pub fn catalog_def(oid: Oid) -> Option<&'static CatalogDef> {
    CATALOGS.iter().find(|c| c.oid == oid)
}
