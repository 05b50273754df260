//! Removing objects with all that depends on them.
//!
//! First everything that must go is found, dependents before what they depend on; then it is reported (an error with RESTRICT, a
//! notice with CASCADE); then the rows are deleted in that order. The caller has locked the objects it names.
//!
//! PostgreSQL: `dependency.c`.

use base::sqlstate::DEPENDENT_OBJECTS_STILL_EXIST;
use base::{Oid, PgError, Result, Severity};
use types::Datum;

use super::{DependencyType, ObjectAddress};
use crate::oids;
use crate::relcache::relkind;
use crate::row::*;
use crate::syscache::Catalog;

/// (PostgreSQL: `DropBehavior`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropBehavior {
    Restrict,
    Cascade,
}

/// How to delete. (PostgreSQL: `PERFORM_DELETION_*`)
#[derive(Clone, Copy, Default, Debug)]
pub struct DropOptions {
    /// Automatic: no notice. (PostgreSQL: `PERFORM_DELETION_QUIETLY`, `PERFORM_DELETION_INTERNAL`)
    pub quietly: bool,
    /// Leave the named objects, delete what depends on them. (PostgreSQL: `PERFORM_DELETION_SKIP_ORIGINAL`)
    pub skip_original: bool,
    /// Membership in extensions does not protect. (PostgreSQL: `PERFORM_DELETION_SKIP_EXTENSIONS`)
    pub skip_extensions: bool,
}

/// More objects are not listed to the client. (PostgreSQL: `MAX_REPORTED_DEPS`)
const MAX_REPORTED: usize = 100;

/// Why an object is among those to go, as bits. (PostgreSQL: `DEPFLAG_*`)
mod why {
    pub const ORIGINAL: u32 = 1;
    pub const NORMAL: u32 = 2;
    pub const AUTO: u32 = 4;
    pub const INTERNAL: u32 = 8;
    pub const PARTITION: u32 = 16;
    pub const EXTENSION: u32 = 32;
    pub const REVERSE: u32 = 64;
    pub const IS_PART: u32 = 128;
    pub const SUBOBJECT: u32 = 256;
}

#[derive(Clone)]
struct Target {
    object: ObjectAddress,
    why: u32,
    /// What it depends on; for the report. For a part of a partition: its owner.
    dependee: Option<ObjectAddress>,
    partition_owner: Option<ObjectAddress>,
}

struct Search<'a> {
    catalog: &'a Catalog,
    options: DropOptions,
    /// The objects on the way from a named one to the current one.
    stack: Vec<(ObjectAddress, u32)>,
    targets: Vec<Target>,
    /// All named objects.
    pending: &'a [ObjectAddress],
}

impl Search<'_> {
    /// Adds bits to an object's entries on the stack; whether it is there, or the whole object it is a part of.
    fn on_stack(&mut self, o: &ObjectAddress, bits: u32) -> bool {
        let mut found = false;
        for (s, why) in self.stack.iter_mut().filter(|(s, _)| (s.class, s.object) == (o.class, o.object)) {
            if s.sub == o.sub {
                *why |= bits;
                found = true;
            } else if s.sub == 0 {
                // The whole object goes; the part is dealt with along.
                found = true;
            } else if o.sub == 0 {
                *why |= if bits != 0 { bits | why::SUBOBJECT } else { 0 };
            }
        }
        found
    }
    /// The same for the objects found so far.
    fn among_targets(&mut self, o: &ObjectAddress, bits: u32) -> bool {
        let mut found = false;
        for t in self.targets.iter_mut().filter(|t| (t.object.class, t.object.object) == (o.class, o.object)) {
            if t.object.sub == o.sub {
                t.why |= bits;
                found = true;
            } else if t.object.sub == 0 {
                found = true;
            } else if o.sub == 0 && bits != 0 {
                // The part was found before the whole: deleting the whole takes care of it.
                t.why |= bits | why::SUBOBJECT;
            }
        }
        found
    }

    /// (PostgreSQL: `findDependentObjects`)
    fn find(&mut self, object: &ObjectAddress, mut bits: u32) -> Result<()> {
        if self.on_stack(object, bits) || self.among_targets(object, bits) {
            return Ok(());
        }
        if object.is_pinned() {
            let what = self.catalog.describe_object(object)?;
            return Err(still_needed(format!("cannot drop {what} because it is required by the database system")));
        }
        let (mut owner, mut partition_owner) = (None, None);
        for dep in self.catalog.dependencies_of(object)? {
            let other = ObjectAddress { class: dep.refclassid, object: dep.refobjid, sub: dep.refobjsubid };
            if (other.class, other.object) == (object.class, object.object) && object.sub == 0 {
                continue;
            }
            match DependencyType::from_u8(dep.deptype)? {
                DependencyType::Normal | DependencyType::Auto | DependencyType::AutoExtension => {}
                DependencyType::Extension if self.options.skip_extensions => {}
                kind @ (DependencyType::Extension | DependencyType::Internal) => {
                    if self.stack.is_empty() {
                        if self.pending.contains(&other) {
                            return Ok(());
                        }
                        if owner.is_none() || kind == DependencyType::Extension {
                            owner = Some(other);
                        }
                    } else if !self.on_stack(&other, 0) {
                        // Not coming from the owner: the owner has to go instead, and takes this object along.
                        self.find(&other, why::REVERSE)?;
                        if !self.among_targets(object, bits) {
                            let (a, b) = (self.catalog.describe_object(&other)?, self.catalog.describe_object(object)?);
                            return Err(PgError::internal(format!(
                                "deletion of owning object {a} failed to delete {b}"
                            )));
                        }
                        return Ok(());
                    }
                }
                DependencyType::PartitionPrimary => {
                    bits |= why::IS_PART;
                    partition_owner = Some(other);
                }
                DependencyType::PartitionSecondary => {
                    if bits & why::IS_PART == 0 {
                        partition_owner = Some(other);
                    }
                    bits |= why::IS_PART;
                }
            }
        }
        if let Some(owner) = owner {
            return Err(self.requires(object, &partition_owner.unwrap_or(owner))?);
        }
        let mut dependents = Vec::new();
        for dep in self.catalog.dependents_of(object)? {
            let other = ObjectAddress { class: dep.classid, object: dep.objid, sub: dep.objsubid };
            if (other.class, other.object) == (object.class, object.object) && object.sub == 0 {
                continue;
            }
            let bits = match DependencyType::from_u8(dep.deptype)? {
                DependencyType::Normal => why::NORMAL,
                DependencyType::Auto | DependencyType::AutoExtension => why::AUTO,
                DependencyType::Internal => why::INTERNAL,
                DependencyType::PartitionPrimary | DependencyType::PartitionSecondary => why::PARTITION,
                DependencyType::Extension => why::EXTENSION,
            };
            dependents.push((other, bits));
        }
        // The newest first, a whole object before its parts.
        dependents.sort_by(|(a, _), (b, _)| {
            b.object.cmp(&a.object).then(b.class.cmp(&a.class)).then((a.sub as u32).cmp(&(b.sub as u32)))
        });
        self.stack.push((*object, bits));
        for (other, other_bits) in &dependents {
            self.find(other, *other_bits)?;
        }
        let bits = self.stack.pop().map_or(bits, |(_, bits)| bits);
        let dependee = self.stack.last().map(|(o, _)| *o);
        self.targets.push(Target { object: *object, why: bits, dependee, partition_owner });
        Ok(())
    }

    fn requires(&self, object: &ObjectAddress, owner: &ObjectAddress) -> Result<PgError> {
        let (what, other) = (self.catalog.describe_object(object)?, self.catalog.describe_object(owner)?);
        Ok(still_needed(format!("cannot drop {what} because {other} requires it"))
            .hint(format!("You can drop {other} instead.")))
    }

    /// The notice for CASCADE, or the error. (PostgreSQL: `reportDependentObjects`)
    fn report(&self, behavior: DropBehavior, named: Option<&ObjectAddress>) -> Result<Option<PgError>> {
        for t in &self.targets {
            if let (true, Some(owner)) = (t.why & (why::IS_PART | why::PARTITION) == why::IS_PART, &t.partition_owner) {
                return Err(self.requires(&t.object, owner)?);
            }
        }
        let (mut lines, mut log, mut total) = (Vec::new(), Vec::new(), 0);
        for t in self.targets.iter().rev() {
            let automatic = why::AUTO | why::INTERNAL | why::PARTITION | why::EXTENSION;
            if t.why & (why::ORIGINAL | why::SUBOBJECT | automatic) != 0 {
                continue;
            }
            let what = self.catalog.describe_object(&t.object)?;
            let line = match (behavior, &t.dependee) {
                (DropBehavior::Restrict, Some(on)) => {
                    format!("{what} depends on {}", self.catalog.describe_object(on)?)
                }
                (DropBehavior::Restrict, None) => what,
                (DropBehavior::Cascade, _) => format!("drop cascades to {what}"),
            };
            total += 1;
            if total <= MAX_REPORTED {
                lines.push(line.clone());
            }
            log.push(line);
        }
        if total == 0 {
            return Ok(None);
        }
        let mut detail = lines.join("\n");
        if total > MAX_REPORTED {
            let n = total - MAX_REPORTED;
            let noun = if n == 1 { "object" } else { "objects" };
            detail.push_str(&format!("\nand {n} other {noun} (see server log for list)"));
        }
        match behavior {
            DropBehavior::Restrict => {
                let text = match named {
                    Some(o) => {
                        let what = self.catalog.describe_object(o)?;
                        format!("cannot drop {what} because other objects depend on it")
                    }
                    None => "cannot drop desired object(s) because other objects depend on them".to_owned(),
                };
                Err(still_needed(text)
                    .detail(detail)
                    .detail_log(log.join("\n"))
                    .hint("Use DROP ... CASCADE to drop the dependent objects too."))
            }
            DropBehavior::Cascade if self.options.quietly => Ok(None),
            DropBehavior::Cascade => {
                let notice = |text: String| {
                    PgError::with_severity(Severity::Notice, base::sqlstate::SUCCESSFUL_COMPLETION, text)
                };
                Ok(Some(match total {
                    1 => notice(lines.swap_remove(0)),
                    n => {
                        notice(format!("drop cascades to {n} other objects")).detail(detail).detail_log(log.join("\n"))
                    }
                }))
            }
        }
    }
}

fn still_needed(text: String) -> PgError {
    PgError::new(DEPENDENT_OBJECTS_STILL_EXIST, text)
}

impl Catalog {
    /// Drops objects with what depends on them. Returns the notice to send. (PostgreSQL: `performMultipleDeletions`)
    pub fn perform_deletion(
        &self,
        objects: &[ObjectAddress],
        behavior: DropBehavior,
        options: DropOptions,
    ) -> Result<Option<PgError>> {
        let mut search = Search { catalog: self, options, stack: Vec::new(), targets: Vec::new(), pending: objects };
        for o in objects {
            search.find(o, why::ORIGINAL)?;
        }
        let named = if let [one] = objects { Some(one) } else { None };
        let notice = search.report(behavior, named)?;
        let targets = std::mem::take(&mut search.targets);
        for t in &targets {
            if !(options.skip_original && t.why & why::ORIGINAL != 0) {
                self.delete_object(&t.object)?;
            }
        }
        Ok(notice)
    }

    /// Deletes one object's rows and what is said about it. (PostgreSQL: `deleteOneObject`, `doDeletion`)
    fn delete_object(&self, o: &ObjectAddress) -> Result<()> {
        let key = [Datum::oid(o.object)];
        match (o.class, o.sub) {
            (oids::RELATION_RELATION, 0) => self.delete_relation(o.object)?,
            (oids::RELATION_RELATION, n) => self.drop_column(o.object, n as i16)?,
            (oids::ATTR_DEFAULT_RELATION, _) => self.delete_default(o.object)?,
            (oids::CONSTRAINT_RELATION, _) => self.delete_constraint(o.object)?,
            (oids::PROCEDURE_RELATION, _) => {
                self.delete_rows::<PgProc>(oids::PROCEDURE_OID_INDEX, &key)?;
                self.delete_rows::<PgAggregate>(oids::AGGREGATE_FNOID_INDEX, &key)?;
            }
            (oids::TYPE_RELATION, _) => {
                self.delete_rows::<PgType>(oids::TYPE_OID_INDEX, &key)?;
                self.delete_rows::<PgEnum>(oids::ENUM_TYP_ID_LABEL_INDEX, &key)?;
                self.delete_rows::<PgRange>(oids::RANGE_TYPID_INDEX, &key)?;
            }
            (oids::OPERATOR_RELATION, _) => self.delete_operator(o.object)?,
            (oids::STATISTIC_EXT_RELATION, _) => {
                self.delete_rows::<PgStatisticExt>(oids::STATISTIC_EXT_OID_INDEX, &key)?;
                self.delete_rows::<PgStatisticExtData>(oids::STATISTIC_EXT_DATA_STXOID_INH_INDEX, &key)?;
            }
            (oids::TS_CONFIG_RELATION, _) => {
                self.delete_rows::<PgTsConfig>(oids::TS_CONFIG_OID_INDEX, &key)?;
                self.delete_rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &key)?;
            }
            (class, _) => self.delete_by_oid(class, &key)?,
        }
        self.delete_rows::<PgDescription>(oids::DESCRIPTION_OBJ_INDEX, &whole_or_part(o))?;
        self.delete_rows::<PgSeclabel>(oids::SEC_LABEL_OBJECT_INDEX, &whole_or_part(o))?;
        self.delete_rows::<PgInitPrivs>(oids::INIT_PRIVS_OBJ_INDEX, &whole_or_part(o))?;
        self.delete_dependencies(o, false)?;
        self.delete_shared_dependencies(o)?;
        self.command_counter_increment()
    }

    /// Objects of a catalog with nothing but a row.
    fn delete_by_oid(&self, class: Oid, key: &[Datum]) -> Result<()> {
        let count = match class {
            oids::ACCESS_METHOD_RELATION => self.delete_rows::<PgAm>(oids::AM_OID_INDEX, key),
            oids::ACCESS_METHOD_OPERATOR_RELATION => {
                self.delete_rows::<PgAmop>(oids::ACCESS_METHOD_OPERATOR_OID_INDEX, key)
            }
            oids::ACCESS_METHOD_PROCEDURE_RELATION => {
                self.delete_rows::<PgAmproc>(oids::ACCESS_METHOD_PROCEDURE_OID_INDEX, key)
            }
            oids::CAST_RELATION => self.delete_rows::<PgCast>(oids::CAST_OID_INDEX, key),
            oids::COLLATION_RELATION => self.delete_rows::<PgCollation>(oids::COLLATION_OID_INDEX, key),
            oids::CONVERSION_RELATION => self.delete_rows::<PgConversion>(oids::CONVERSION_OID_INDEX, key),
            oids::DEFAULT_ACL_RELATION => self.delete_rows::<PgDefaultAcl>(oids::DEFAULT_ACL_OID_INDEX, key),
            oids::EVENT_TRIGGER_RELATION => self.delete_rows::<PgEventTrigger>(oids::EVENT_TRIGGER_OID_INDEX, key),
            oids::EXTENSION_RELATION => self.delete_rows::<PgExtension>(oids::EXTENSION_OID_INDEX, key),
            oids::FOREIGN_DATA_WRAPPER_RELATION => {
                self.delete_rows::<PgForeignDataWrapper>(oids::FOREIGN_DATA_WRAPPER_OID_INDEX, key)
            }
            oids::FOREIGN_SERVER_RELATION => self.delete_rows::<PgForeignServer>(oids::FOREIGN_SERVER_OID_INDEX, key),
            oids::LANGUAGE_RELATION => self.delete_rows::<PgLanguage>(oids::LANGUAGE_OID_INDEX, key),
            oids::LARGE_OBJECT_RELATION => {
                self.delete_rows::<PgLargeobject>(oids::LARGE_OBJECT_LOID_PN_INDEX, key)?;
                self.delete_rows::<PgLargeobjectMetadata>(oids::LARGE_OBJECT_METADATA_OID_INDEX, key)
            }
            oids::NAMESPACE_RELATION => self.delete_rows::<PgNamespace>(oids::NAMESPACE_OID_INDEX, key),
            oids::OPERATOR_CLASS_RELATION => self.delete_rows::<PgOpclass>(oids::OPCLASS_OID_INDEX, key),
            oids::OPERATOR_FAMILY_RELATION => self.delete_rows::<PgOpfamily>(oids::OPFAMILY_OID_INDEX, key),
            oids::POLICY_RELATION => self.delete_rows::<PgPolicy>(oids::POLICY_OID_INDEX, key),
            oids::PUBLICATION_RELATION => self.delete_rows::<PgPublication>(oids::PUBLICATION_OBJECT_INDEX, key),
            oids::PUBLICATION_NAMESPACE_RELATION => {
                self.delete_rows::<PgPublicationNamespace>(oids::PUBLICATION_NAMESPACE_OBJECT_INDEX, key)
            }
            oids::PUBLICATION_REL_RELATION => {
                self.delete_rows::<PgPublicationRel>(oids::PUBLICATION_REL_OBJECT_INDEX, key)
            }
            oids::REWRITE_RELATION => self.delete_rows::<PgRewrite>(oids::REWRITE_OID_INDEX, key),
            oids::TRANSFORM_RELATION => self.delete_rows::<PgTransform>(oids::TRANSFORM_OID_INDEX, key),
            oids::TRIGGER_RELATION => self.delete_rows::<PgTrigger>(oids::TRIGGER_OID_INDEX, key),
            oids::TS_DICTIONARY_RELATION => self.delete_rows::<PgTsDict>(oids::TS_DICTIONARY_OID_INDEX, key),
            oids::TS_PARSER_RELATION => self.delete_rows::<PgTsParser>(oids::TS_PARSER_OID_INDEX, key),
            oids::TS_TEMPLATE_RELATION => self.delete_rows::<PgTsTemplate>(oids::TS_TEMPLATE_OID_INDEX, key),
            oids::USER_MAPPING_RELATION => self.delete_rows::<PgUserMapping>(oids::USER_MAPPING_OID_INDEX, key),
            _ => return Err(PgError::internal(format!("unsupported object class: {class}"))),
        }?;
        match count {
            0 => Err(PgError::internal(format!("could not find tuple for object {:?} of catalog {class}", key))),
            _ => Ok(()),
        }
    }

    /// A relation's rows and files. (PostgreSQL: `heap_drop_with_catalog`, `index_drop`)
    fn delete_relation(&self, rel: Oid) -> Result<()> {
        let key = [Datum::oid(rel)];
        let found = self.find_row::<PgClass>(oids::CLASS_OID_INDEX, &key)?;
        let found = found.ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {rel}")))?;
        let class = &found.row;
        if relkind::has_storage(class.relkind) {
            self.scan.drop_storage(self.locator(class)?, self.class_persistence(class)?)?;
        }
        match class.relkind {
            relkind::INDEX | relkind::PARTITIONED_INDEX => {
                for index in self.find_rows::<PgIndex>(oids::INDEX_RELID_INDEX, &key)? {
                    self.delete_row(&index)?;
                }
            }
            relkind::SEQUENCE => {
                self.delete_rows::<PgSequence>(oids::SEQUENCE_RELID_INDEX, &key)?;
            }
            relkind::FOREIGN_TABLE => {
                self.delete_rows::<PgForeignTable>(oids::FOREIGN_TABLE_RELID_INDEX, &key)?;
            }
            relkind::PARTITIONED_TABLE => {
                self.delete_rows::<PgPartitionedTable>(oids::PARTITIONED_RELID_INDEX, &key)?;
            }
            _ => {}
        }
        for parent in self.find_rows::<PgInherits>(oids::INHERITS_RELID_SEQNO_INDEX, &key)? {
            self.delete_row(&parent)?;
            self.invalidate_relation(parent.row.inhparent);
            if class.relispartition {
                self.forget_default(parent.row.inhparent, rel)?;
            }
        }
        self.delete_rows::<PgStatistic>(oids::STATISTIC_RELID_ATTNUM_INH_INDEX, &key)?;
        self.delete_rows::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)?;
        self.delete_row(&found)
    }

    /// A partition goes: if it is the default one, there is none any more; else the default one's condition changes.
    /// (PostgreSQL: `update_default_partition_oid`)
    pub fn forget_default(&self, parent: Oid, gone: Oid) -> Result<()> {
        let key = [Datum::oid(parent)];
        let Some(found) = self.find_row::<PgPartitionedTable>(oids::PARTITIONED_RELID_INDEX, &key)? else {
            return Ok(());
        };
        if found.row.partdefid == gone {
            let row = PgPartitionedTable { partdefid: Oid::INVALID, ..found.row.clone() };
            self.update_row(&found, &row)?;
        } else if found.row.partdefid.is_valid() {
            self.invalidate_relation(found.row.partdefid);
        }
        Ok(())
    }

    /// Marks a column as dropped: its values stay in the rows. (PostgreSQL: `RemoveAttributeById`)
    fn drop_column(&self, rel: Oid, attnum: i16) -> Result<()> {
        let key = [Datum::oid(rel), Datum::i16(attnum)];
        let Some(found) = self.find_row::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)? else { return Ok(()) };
        let old = &found.row;
        let row = PgAttribute {
            attname: format!("........pg.dropped.{attnum}........"),
            atttypid: Oid::INVALID,
            attnotnull: false,
            atthasmissing: false,
            attgenerated: 0,
            attisdropped: true,
            attstattarget: None,
            attacl: None,
            attoptions: None,
            attfdwoptions: None,
            attmissingval: None,
            ..old.clone()
        };
        self.update_row(&found, &row)?;
        self.delete_rows::<PgStatistic>(oids::STATISTIC_RELID_ATTNUM_INH_INDEX, &key)?;
        Ok(())
    }

    /// (PostgreSQL: `RemoveAttrDefaultById`)
    fn delete_default(&self, oid: Oid) -> Result<()> {
        for found in self.find_rows::<PgAttrdef>(oids::ATTR_DEFAULT_OID_INDEX, &[Datum::oid(oid)])? {
            self.delete_row(&found)?;
            let key = [Datum::oid(found.row.adrelid), Datum::i16(found.row.adnum)];
            if let Some(column) = self.find_row::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)? {
                self.update_row(&column, &PgAttribute { atthasdef: false, ..column.row.clone() })?;
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `RemoveConstraintById`)
    fn delete_constraint(&self, oid: Oid) -> Result<()> {
        for found in self.find_rows::<PgConstraint>(oids::CONSTRAINT_OID_INDEX, &[Datum::oid(oid)])? {
            let row = &found.row;
            self.delete_row(&found)?;
            if row.contype == b'c' && row.conrelid.is_valid() {
                let class = self.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(row.conrelid)])?;
                if let Some(class) = class {
                    let left = (class.row.relchecks - 1).max(0);
                    self.update_row(&class, &PgClass { relchecks: left, ..class.row.clone() })?;
                }
            }
        }
        Ok(())
    }

    /// The operators it names as commutator and negator no longer point back. (PostgreSQL: `RemoveOperatorById`)
    fn delete_operator(&self, oid: Oid) -> Result<()> {
        let key = [Datum::oid(oid)];
        let Some(found) = self.find_row::<PgOperator>(oids::OPERATOR_OID_INDEX, &key)? else { return Ok(()) };
        for other in [found.row.oprcom, found.row.oprnegate] {
            if !other.is_valid() || other == oid {
                continue;
            }
            if let Some(o) = self.find_row::<PgOperator>(oids::OPERATOR_OID_INDEX, &[Datum::oid(other)])? {
                let keep = |link: Oid| if link == oid { Oid::INVALID } else { link };
                let row = PgOperator { oprcom: keep(o.row.oprcom), oprnegate: keep(o.row.oprnegate), ..o.row.clone() };
                self.update_row(&o, &row)?;
                self.command_counter_increment()?;
            }
        }
        self.delete_rows::<PgOperator>(oids::OPERATOR_OID_INDEX, &key)?;
        Ok(())
    }
}

/// Keys of an index on (object, class, part): all parts of a whole object.
fn whole_or_part(o: &ObjectAddress) -> Vec<Datum> {
    let mut keys = vec![Datum::oid(o.object), Datum::oid(o.class)];
    if o.sub != 0 {
        keys.push(Datum::i32(o.sub));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::super::{NewRelation, new_attribute};
    use super::*;
    use types::oid::INT4OID;

    fn table(c: &Catalog, name: &str) -> ObjectAddress {
        let column = new_attribute("a", &c.type_row(INT4OID).unwrap(), -1, Oid::INVALID);
        let oid = c.create_relation(&NewRelation::new(name, Oid(2200), Oid(10), vec![column])).unwrap();
        c.command_counter_increment().unwrap();
        ObjectAddress::relation(oid)
    }
    fn drop(c: &Catalog, o: ObjectAddress, behavior: DropBehavior) -> Result<Option<PgError>> {
        c.perform_deletion(&[o], behavior, DropOptions::default())
    }

    #[test]
    fn a_table_goes_with_its_types() {
        let c = Catalog::bootstrap();
        let t = table(&c, "t");
        let row_type = c.relation_entry(t.object).unwrap().class.reltype;
        let e = drop(&c, ObjectAddress::type_(row_type), DropBehavior::Restrict).unwrap_err();
        assert_eq!(e.message(), "cannot drop type t because table t requires it");
        assert_eq!(e.fields().hint.as_deref(), Some("You can drop table t instead."));
        assert!(drop(&c, t, DropBehavior::Restrict).unwrap().is_none());
        assert!(c.relation(t.object).unwrap().is_none());
        assert!(c.type_by_oid(row_type).unwrap().is_none());
        assert!(c.find_type(None, "_t", false).unwrap().is_none());
    }

    #[test]
    fn dependents_are_reported() {
        let c = Catalog::bootstrap();
        let (t, u, v) = (table(&c, "t"), table(&c, "u"), table(&c, "v"));
        c.record_dependency(&u, &t, DependencyType::Normal).unwrap();
        c.record_dependency(&v, &u, DependencyType::Normal).unwrap();
        let e = drop(&c, t, DropBehavior::Restrict).unwrap_err();
        assert_eq!(e.message(), "cannot drop table t because other objects depend on it");
        assert_eq!(e.fields().detail.as_deref(), Some("table u depends on table t\ntable v depends on table u"));
        let n = drop(&c, t, DropBehavior::Cascade).unwrap().unwrap();
        assert_eq!(n.message(), "drop cascades to 2 other objects");
        assert_eq!(n.fields().detail.as_deref(), Some("drop cascades to table u\ndrop cascades to table v"));
        for o in [t, u, v] {
            assert!(c.relation(o.object).unwrap().is_none());
        }
        let e = drop(&c, ObjectAddress::type_(INT4OID), DropBehavior::Cascade).unwrap_err();
        assert_eq!(e.message(), "cannot drop type integer because it is required by the database system");
    }
}
