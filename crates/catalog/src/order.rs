//! The orders of types that are made of other types, as indexes need them: without a session.
//!
//! They hold what they need to know of the types as it was when the index was opened. Whoever adds a label to an enum says that
//! all relations are stale; composite types in use do not change.
//!
//! PostgreSQL: what `typcache.c` keeps for `array_cmp`, `record_cmp`, `range_cmp`, `enum_cmp`.

use std::sync::Arc;

use base::{Oid, PgError, Result};
use types::array::ElementType;
use types::{Comparator, order};

use crate::oids;
use crate::syscache::Catalog;

impl Catalog {
    /// The order that a comparison function of arrays, rows, ranges, multiranges or enums has for values of this type;
    /// `None` for other functions.
    pub fn structural_order(&self, function: Oid, type_oid: Oid, collation: Oid) -> Result<Option<Comparator>> {
        let proc = self.function_row(function)?;
        if proc.prolang != oids::INTERNAL_LANGUAGE {
            return Ok(None);
        }
        let (type_oid, _) = self.base_type(type_oid, -1)?;
        Ok(Some(match proc.prosrc.as_str() {
            "btarraycmp" => {
                let Some(elem) = self.element_type(type_oid)? else { return Ok(None) };
                let info = self.type_info(elem)?;
                let collation = collation.valid().unwrap_or(info.collation);
                order::array(ElementType::of(&info), self.order_of_type(elem, collation)?)
            }
            "btrecordcmp" => {
                let t = self.type_row(type_oid)?;
                let Some(rel) = t.typrelid.valid() else { return Ok(None) };
                let desc = self.relation_entry(rel)?.desc.clone();
                let mut columns = Vec::new();
                for a in &desc.attrs {
                    columns.push(match a.dropped {
                        true => Err(String::new()),
                        false => match self.order_of_type(a.type_oid, a.collation) {
                            Ok(c) => Ok(c),
                            Err(_) => Err(self.format_type(a.type_oid, None)?),
                        },
                    });
                }
                order::row(Arc::clone(&desc), columns)
            }
            "range_cmp" | "multirange_cmp" => {
                let multi = proc.prosrc == "multirange_cmp";
                let row = if multi { self.range_of_multirange(type_oid)? } else { self.range(type_oid)? };
                let Some(row) = row else { return Ok(None) };
                let class = self.opclass_row(row.rngsubopc)?;
                let compare = self.opfamily_proc(class.opcfamily, class.opcintype, class.opcintype, 1)?;
                let compare = compare.ok_or_else(|| PgError::internal("missing support function 1 for a range"))?;
                let order = match self.structural_order(compare, row.rngsubtype, row.rngcollation)? {
                    Some(order) => order,
                    None => self.comparator(compare, row.rngcollation)?,
                };
                let elem = ElementType::of(&*self.type_info(row.rngsubtype)?);
                if multi { order::multirange(elem, order) } else { order::range(elem, order) }
            }
            // Operator families speak of `anyenum`.
            "enum_cmp" if self.type_row(type_oid)?.typtype == b'e' => {
                let labels = self.enum_labels(type_oid)?;
                order::labels(labels.iter().map(|l| (l.oid, l.enumsortorder)).collect())
            }
            _ => return Ok(None),
        }))
    }

    /// A type's default order.
    fn order_of_type(&self, type_oid: Oid, collation: Oid) -> Result<Comparator> {
        let info = self.type_info(type_oid)?;
        if !info.cmp_proc.is_valid() {
            let name = self.format_type(type_oid, None)?;
            let text = format!("could not identify a comparison function for type {name}");
            return Err(PgError::new(base::sqlstate::UNDEFINED_FUNCTION, text));
        }
        match self.structural_order(info.cmp_proc, type_oid, collation)? {
            Some(order) => Ok(order),
            None => self.comparator(info.cmp_proc, collation),
        }
    }
}
