//! Dependencies between objects: recorded when an object is made, followed when one is dropped.
//!
//! Objects that PostgreSQL itself needs are pinned: nothing is recorded about depending on them, and they cannot be dropped.
//!
//! PostgreSQL: `pg_depend.c`, `pg_shdepend.c`.

use base::sqlstate::DEPENDENT_OBJECTS_STILL_EXIST;
use base::{Oid, PgError, Result};
use types::Datum;

use crate::oids;
use crate::row::{PgDepend, PgShdepend, catalog_def};
use crate::syscache::Catalog;

/// An object: its catalog, its id, and a column of it or 0. (PostgreSQL: `ObjectAddress`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectAddress {
    pub class: Oid,
    pub object: Oid,
    pub sub: i32,
}

impl ObjectAddress {
    pub const fn new(class: Oid, object: Oid) -> ObjectAddress {
        ObjectAddress { class, object, sub: 0 }
    }
    pub const fn relation(oid: Oid) -> ObjectAddress {
        ObjectAddress::new(oids::RELATION_RELATION, oid)
    }
    pub const fn column(rel: Oid, attnum: i16) -> ObjectAddress {
        ObjectAddress { class: oids::RELATION_RELATION, object: rel, sub: attnum as i32 }
    }
    pub const fn type_(oid: Oid) -> ObjectAddress {
        ObjectAddress::new(oids::TYPE_RELATION, oid)
    }
    pub const fn function(oid: Oid) -> ObjectAddress {
        ObjectAddress::new(oids::PROCEDURE_RELATION, oid)
    }
    pub const fn namespace(oid: Oid) -> ObjectAddress {
        ObjectAddress::new(oids::NAMESPACE_RELATION, oid)
    }
    /// Needed by the system, so that it cannot be dropped and dependencies on it are not recorded.
    /// (PostgreSQL: `IsPinnedObject`)
    pub fn is_pinned(&self) -> bool {
        self.object < Oid(12000)
            && self.class != oids::LARGE_OBJECT_RELATION
            && !(self.class == oids::NAMESPACE_RELATION && self.object == oids::PG_PUBLIC_NAMESPACE)
            && self.class != oids::DATABASE_RELATION
    }
}

/// How strong a dependency is. (PostgreSQL: `DependencyType`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum DependencyType {
    /// Dropped only with CASCADE.
    Normal = b'n',
    /// Dropped along with the referenced object.
    Auto = b'a',
    /// Part of the referenced object; cannot be dropped by itself.
    Internal = b'i',
    PartitionPrimary = b'P',
    PartitionSecondary = b'S',
    /// A member of an extension.
    Extension = b'e',
    /// Dropped along with the extension, but no member.
    AutoExtension = b'x',
}

impl DependencyType {
    pub fn from_u8(c: u8) -> Result<DependencyType> {
        use DependencyType::*;
        [Normal, Auto, Internal, PartitionPrimary, PartitionSecondary, Extension, AutoExtension]
            .into_iter()
            .find(|t| *t as u8 == c)
            .ok_or_else(|| PgError::internal(format!("unrecognized dependency type '{}'", c as char)))
    }
}

/// (PostgreSQL: `SharedDependencyType`)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum SharedDependencyType {
    Owner = b'o',
    Acl = b'a',
    InitPrivileges = b'i',
    Policy = b'r',
    Tablespace = b't',
}

/// The keys of an object in an index on class and object; a `sub` of 0 means the object with all its columns.
fn keys(o: &ObjectAddress) -> Vec<Datum> {
    let mut keys = vec![Datum::oid(o.class), Datum::oid(o.object)];
    if o.sub != 0 {
        keys.push(Datum::i32(o.sub));
    }
    keys
}

impl Catalog {
    /// (PostgreSQL: `recordDependencyOn`)
    pub fn record_dependency(&self, depender: &ObjectAddress, on: &ObjectAddress, kind: DependencyType) -> Result<()> {
        if on.is_pinned() {
            return Ok(());
        }
        self.insert_row(&PgDepend {
            classid: depender.class,
            objid: depender.object,
            objsubid: depender.sub,
            refclassid: on.class,
            refobjid: on.object,
            refobjsubid: on.sub,
            deptype: kind as u8,
        })?;
        Ok(())
    }
    /// The same for several, each once. (PostgreSQL: `record_object_address_dependencies`)
    pub fn record_dependencies(
        &self,
        depender: &ObjectAddress,
        on: &[ObjectAddress],
        kind: DependencyType,
    ) -> Result<()> {
        let mut on = on.to_vec();
        on.sort_unstable();
        on.dedup();
        // Those on columns imply that on the whole. (PostgreSQL: `eliminate_duplicate_dependencies`)
        let parts: Vec<ObjectAddress> = on.iter().filter(|o| o.sub != 0).copied().collect();
        on.retain(|o| o.sub != 0 || !parts.iter().any(|p| (p.class, p.object) == (o.class, o.object)));
        on.iter().try_for_each(|o| self.record_dependency(depender, o, kind))
    }
    /// What an object depends on.
    pub fn dependencies_of(&self, o: &ObjectAddress) -> Result<Vec<PgDepend>> {
        self.rows(oids::DEPEND_DEPENDER_INDEX, &keys(o))
    }
    /// What depends on an object.
    pub fn dependents_of(&self, o: &ObjectAddress) -> Result<Vec<PgDepend>> {
        self.rows(oids::DEPEND_REFERENCE_INDEX, &keys(o))
    }
    /// Forgets that an object depends on another.
    pub fn delete_dependency(&self, o: &ObjectAddress, on: &ObjectAddress) -> Result<()> {
        for row in self.find_rows::<PgDepend>(oids::DEPEND_DEPENDER_INDEX, &keys(o))? {
            let r = &row.row;
            if (r.refclassid, r.refobjid, r.refobjsubid) == (on.class, on.object, on.sub) {
                self.delete_row(&row)?;
            }
        }
        Ok(())
    }
    /// Forgets what an object depends on; membership in an extension may stay. (PostgreSQL: `deleteDependencyRecordsFor`)
    pub fn delete_dependencies(&self, o: &ObjectAddress, keep_extension: bool) -> Result<()> {
        for row in self.find_rows::<PgDepend>(oids::DEPEND_DEPENDER_INDEX, &keys(o))? {
            if !(keep_extension && row.row.deptype == DependencyType::Extension as u8) {
                self.delete_row(&row)?;
            }
        }
        Ok(())
    }
    /// Forgets dependencies of one strength on objects of one catalog. (PostgreSQL: `deleteDependencyRecordsForClass`)
    pub fn delete_dependencies_on_class(&self, o: &ObjectAddress, class: Oid, kind: DependencyType) -> Result<usize> {
        let mut count = 0;
        for row in self.find_rows::<PgDepend>(oids::DEPEND_DEPENDER_INDEX, &keys(o))? {
            if row.row.refclassid == class && row.row.deptype == kind as u8 {
                self.delete_row(&row)?;
                count += 1;
            }
        }
        Ok(count)
    }
    /// Points dependencies on one object at another of the same catalog. (PostgreSQL: `changeDependencyFor`)
    pub fn change_dependency(&self, depender: &ObjectAddress, class: Oid, old: Oid, new: Oid) -> Result<usize> {
        let (old_on, new_on) = (ObjectAddress::new(class, old), ObjectAddress::new(class, new));
        if old_on.is_pinned() {
            self.record_dependency(depender, &new_on, DependencyType::Normal)?;
            return Ok(1);
        }
        let mut count = 0;
        for row in self.find_rows::<PgDepend>(oids::DEPEND_DEPENDER_INDEX, &keys(depender))? {
            if row.row.refclassid == class && row.row.refobjid == old {
                match new_on.is_pinned() {
                    true => self.delete_row(&row)?,
                    false => {
                        self.update_row(&row, &PgDepend { refobjid: new, ..row.row.clone() })?;
                    }
                }
                count += 1;
            }
        }
        Ok(count)
    }
    /// The extension that an object is a member of. (PostgreSQL: `getExtensionOfObject`)
    pub fn extension_of(&self, o: &ObjectAddress) -> Result<Option<Oid>> {
        let rows = self.dependencies_of(&ObjectAddress { sub: 0, ..*o })?;
        let member = rows
            .iter()
            .find(|d| d.refclassid == oids::EXTENSION_RELATION && d.deptype == DependencyType::Extension as u8);
        Ok(member.map(|d| d.refobjid))
    }
    /// The sequences that a column owns, or all columns with `attnum` 0. (PostgreSQL: `getOwnedSequences`)
    pub fn owned_sequences(&self, rel: Oid, attnum: i16, kind: Option<DependencyType>) -> Result<Vec<Oid>> {
        let mut out = Vec::new();
        for d in self.dependents_of(&ObjectAddress { sub: i32::from(attnum), ..ObjectAddress::relation(rel) })? {
            let strength_fits = match kind {
                Some(k) => d.deptype == k as u8,
                None => matches!(d.deptype, b'a' | b'i'),
            };
            if d.classid == oids::RELATION_RELATION && d.objsubid == 0 && d.refobjsubid != 0 && strength_fits {
                let class = self.get::<crate::PgClass>(crate::CacheId::RELOID, &[Datum::oid(d.objid)])?;
                if class.is_some_and(|c| c.relkind == crate::relkind::SEQUENCE) {
                    out.push(d.objid);
                }
            }
        }
        Ok(out)
    }

    /// The database in `pg_shdepend`: 0 for shared objects.
    fn shared_dependency_db(&self, class: Oid) -> Oid {
        if catalog_def(class).is_some_and(|d| d.shared) { Oid::INVALID } else { self.database }
    }
    /// (PostgreSQL: `recordSharedDependencyOn`)
    pub fn record_shared_dependency(
        &self,
        depender: &ObjectAddress,
        on: &ObjectAddress,
        kind: SharedDependencyType,
    ) -> Result<()> {
        if on.is_pinned() {
            return Ok(());
        }
        self.insert_row(&PgShdepend {
            dbid: self.shared_dependency_db(depender.class),
            classid: depender.class,
            objid: depender.object,
            objsubid: depender.sub,
            refclassid: on.class,
            refobjid: on.object,
            deptype: kind as u8,
        })?;
        Ok(())
    }
    /// (PostgreSQL: `recordDependencyOnOwner`)
    pub fn record_owner(&self, o: &ObjectAddress, owner: Oid) -> Result<()> {
        self.record_shared_dependency(
            o,
            &ObjectAddress::new(oids::AUTH_ID_RELATION, owner),
            SharedDependencyType::Owner,
        )
    }
    /// Records who an ACL mentions, besides the owner. (PostgreSQL: `recordDependencyOnNewAcl`)
    pub fn record_acl(&self, o: &ObjectAddress, owner: Oid, acl: &[crate::AclItem]) -> Result<()> {
        self.update_acl_dependencies(o, owner, &[], acl)
    }
    /// (PostgreSQL: `updateAclDependencies`)
    pub fn update_acl_dependencies(
        &self,
        o: &ObjectAddress,
        owner: Oid,
        old: &[crate::AclItem],
        new: &[crate::AclItem],
    ) -> Result<()> {
        let members = |acl: &[crate::AclItem]| {
            let mut v: Vec<Oid> =
                acl.iter().flat_map(|i| [i.grantee, i.grantor]).filter(|r| r.is_valid() && *r != owner).collect();
            v.sort_unstable();
            v.dedup();
            v
        };
        let (old, new) = (members(old), members(new));
        for role in new.iter().filter(|r| !old.contains(r)) {
            let on = ObjectAddress::new(oids::AUTH_ID_RELATION, *role);
            self.record_shared_dependency(o, &on, SharedDependencyType::Acl)?;
        }
        for row in self.shared_dependencies_of(o)? {
            let d = &row.row;
            let gone = old.contains(&d.refobjid) && !new.contains(&d.refobjid);
            if d.deptype == SharedDependencyType::Acl as u8 && d.objsubid == o.sub && gone {
                self.delete_row(&row)?;
            }
        }
        Ok(())
    }
    fn shared_dependencies_of(&self, o: &ObjectAddress) -> Result<Vec<super::Found<PgShdepend>>> {
        let keys = [Datum::oid(self.shared_dependency_db(o.class)), Datum::oid(o.class), Datum::oid(o.object)];
        self.find_rows(oids::SHARED_DEPEND_DEPENDER_INDEX, &keys)
    }
    /// (PostgreSQL: `changeDependencyOnOwner`)
    pub fn change_owner(&self, o: &ObjectAddress, owner: Oid) -> Result<()> {
        for row in self.shared_dependencies_of(o)? {
            let kind = row.row.deptype;
            // The new owner's privileges are no longer a matter of the ACL.
            let by_acl = kind == SharedDependencyType::Acl as u8 && row.row.refobjid == owner;
            if kind == SharedDependencyType::Owner as u8 || by_acl {
                self.delete_row(&row)?;
            }
        }
        self.record_owner(o, owner)
    }
    /// Forgets an object's, or only a column's, dependencies on shared objects. (PostgreSQL: `deleteSharedDependencyRecordsFor`)
    pub fn delete_shared_dependencies(&self, o: &ObjectAddress) -> Result<()> {
        for row in self.shared_dependencies_of(o)? {
            if o.sub == 0 || row.row.objsubid == o.sub {
                self.delete_row(&row)?;
            }
        }
        Ok(())
    }
    /// What depends on a shared object, in every database.
    pub fn shared_dependents_of(&self, class: Oid, object: Oid) -> Result<Vec<PgShdepend>> {
        self.rows(oids::SHARED_DEPEND_REFERENCE_INDEX, &[Datum::oid(class), Datum::oid(object)])
    }
    /// Refuses to drop a shared object that others need. `what` describes it. (PostgreSQL: `checkSharedDependencies`)
    pub fn check_shared_dependencies(&self, class: Oid, object: Oid, what: &str) -> Result<()> {
        let rows = self.shared_dependents_of(class, object)?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        let mut elsewhere: Vec<(Oid, usize)> = Vec::new();
        for d in &rows {
            if d.dbid.is_valid() && d.dbid != self.database {
                match elsewhere.iter_mut().find(|(db, _)| *db == d.dbid) {
                    Some((_, n)) => *n += 1,
                    None => elsewhere.push((d.dbid, 1)),
                }
                continue;
            }
            let o = ObjectAddress { class: d.classid, object: d.objid, sub: d.objsubid };
            let described = self.describe_object(&o)?;
            lines.push(match d.deptype {
                b'o' => format!("owner of {described}"),
                b'a' => format!("privileges for {described}"),
                b'i' => format!("initial privileges for {described}"),
                b'r' => format!("target of {described}"),
                _ => format!("tablespace for {described}"),
            });
        }
        for (db, n) in elsewhere {
            let name = self.database(db)?.map_or_else(|| db.to_string(), |d| d.datname.clone());
            let plural = if n == 1 { "object" } else { "objects" };
            lines.push(format!("{n} {plural} in database {name}"));
        }
        let text = format!("{what} cannot be dropped because some objects depend on it");
        Err(PgError::new(DEPENDENT_OBJECTS_STILL_EXIST, text).detail(lines.join("\n")))
    }
}
