//! Who may do what: relations, columns, schemas with their special rules, and how GRANT and REVOKE change a list.
//!
//! Beyond the lists: superusers may all; only they change system catalogs; members of `pg_read_all_data`, `pg_write_all_data` and
//! `pg_maintain` may what the names say; the session's own temporary schema is open to those who may have one.
//!
//! PostgreSQL: `aclchk.c` (`pg_class_aclmask`, `pg_namespace_aclmask`, `get_user_default_acl`), `acl.c` (`aclupdate`).

use base::sqlstate::{DEPENDENT_OBJECTS_STILL_EXIST, INVALID_GRANT_OPERATION};
use base::{Oid, PgError, Result};
use types::Datum;

use crate::acl::*;
use crate::ddl::DropBehavior;
use crate::oids;
use crate::relcache::relkind;
use crate::row::{PgAttribute, PgClass, PgDefaultAcl};
use crate::syscache::{CacheId, Catalog};

impl Catalog {
    /// Those of the privileges in `mask` that a role has on a relation. (PostgreSQL: `pg_class_aclmask`)
    pub fn class_privileges(&self, role: Oid, class: &PgClass, mask: AclMode, how: AclMaskHow) -> Result<AclMode> {
        const CHANGES: AclMode = ACL_INSERT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE | ACL_USAGE;
        const WRITES: AclMode = ACL_INSERT | ACL_UPDATE | ACL_DELETE;
        if self.is_superuser(role)? {
            return Ok(mask);
        }
        let is_system = class.oid < Oid::FIRST_NORMAL && self.is_system_namespace(class.relnamespace);
        let mask = if is_system && class.relkind != relkind::VIEW { mask & !CHANGES } else { mask };
        let kind = if class.relkind == relkind::SEQUENCE { AclKind::Sequence } else { AclKind::Table };
        let mut found = self.privileges(role, kind, class.relowner, class.relacl.as_deref(), mask, how)?;
        let by_role = |wanted: AclMode, of: Oid, found: AclMode| -> Result<AclMode> {
            let asked = mask & wanted != 0 && found & wanted == 0;
            Ok(if asked && self.has_privs_of_role(role, of)? { mask & wanted } else { 0 })
        };
        found |= by_role(ACL_SELECT, oids::ROLE_PG_READ_ALL_DATA, found)?;
        found |= by_role(WRITES, oids::ROLE_PG_WRITE_ALL_DATA, found)?;
        found |= by_role(ACL_MAINTAIN, oids::ROLE_PG_MAINTAIN, found)?;
        Ok(found)
    }
    /// Whether a role has all of `mask` on a relation. (PostgreSQL: `pg_class_aclcheck`)
    pub fn may_class(&self, role: Oid, class: &PgClass, mask: AclMode) -> Result<bool> {
        Ok(self.class_privileges(role, class, mask, AclMaskHow::All)? == mask)
    }
    /// Those of the privileges in `mask` that a role has on a column by the column's own list; what the table grants counts
    /// separately. (PostgreSQL: `pg_attribute_aclmask`)
    pub fn column_privileges(
        &self,
        role: Oid,
        class: &PgClass,
        column: &PgAttribute,
        mask: AclMode,
    ) -> Result<AclMode> {
        match &column.attacl {
            Some(acl) if !column.attisdropped => aclmask(acl, role, class.relowner, mask, AclMaskHow::All, self),
            _ => Ok(0),
        }
    }
    /// Whether a role has one privilege on a column, or on the whole table.
    pub fn may_column(&self, role: Oid, rel: &crate::Relation, attnum: i16, mode: AclMode) -> Result<bool> {
        if self.has_privilege(role, AclKind::Table, rel.owner(), rel.class.relacl.as_deref(), mode)? {
            return Ok(true);
        }
        match rel.attributes.get(attnum as usize - 1) {
            Some(column) => Ok(self.column_privileges(role, &rel.class, column, mode)? & mode != 0),
            None => Ok(false),
        }
    }
    /// Whether a role has `mask` on any column, or on all of them. (PostgreSQL: `pg_attribute_aclcheck_all`)
    pub fn may_columns(&self, role: Oid, class: &PgClass, mask: AclMode, how: AclMaskHow) -> Result<bool> {
        let columns = self.relation_entry(class.oid)?;
        let mut any = false;
        for column in columns.attributes.iter().filter(|c| !c.attisdropped) {
            let has = self.column_privileges(role, class, column, mask)? == mask;
            match (has, how) {
                (true, AclMaskHow::Any) => return Ok(true),
                (false, AclMaskHow::All) => return Ok(false),
                _ => any |= has,
            }
        }
        Ok(any)
    }
    /// Those of the privileges in `mask` that a role has on a schema. (PostgreSQL: `pg_namespace_aclmask`)
    pub fn schema_privileges(&self, role: Oid, schema: Oid, mask: AclMode) -> Result<AclMode> {
        if self.is_superuser(role)? {
            return Ok(mask);
        }
        if schema.is_valid() && self.search_path()?.temp == schema {
            let all = match self.database(self.database)? {
                Some(d) => {
                    self.has_privilege(role, AclKind::Database, d.datdba, d.datacl.as_deref(), ACL_CREATE_TEMP)?
                }
                None => false,
            };
            return Ok(mask & if all { AclKind::Schema.all_rights() } else { ACL_USAGE });
        }
        let Some(n) = self.namespace(schema)? else { return Ok(0) };
        let mut found =
            self.privileges(role, AclKind::Schema, n.nspowner, n.nspacl.as_deref(), mask, AclMaskHow::All)?;
        if mask & ACL_USAGE & !found != 0 {
            let reads = self.has_privs_of_role(role, oids::ROLE_PG_READ_ALL_DATA)?;
            if reads || self.has_privs_of_role(role, oids::ROLE_PG_WRITE_ALL_DATA)? {
                found |= ACL_USAGE;
            }
        }
        Ok(found)
    }
    pub fn may_schema(&self, role: Oid, schema: Oid, mask: AclMode) -> Result<bool> {
        Ok(self.schema_privileges(role, schema, mask)? == mask)
    }

    /// What ALTER DEFAULT PRIVILEGES said about new objects of this kind; `None` if nothing that differs from the built-in
    /// defaults. (PostgreSQL: `get_user_default_acl`)
    pub fn default_acl(&self, kind: AclKind, owner: Oid, namespace: Oid) -> Result<Option<Vec<AclItem>>> {
        let letter = match kind {
            AclKind::Table => b'r',
            AclKind::Sequence => b'S',
            AclKind::Function => b'f',
            AclKind::Type => b'T',
            AclKind::Schema => b'n',
            AclKind::LargeObject => b'L',
            _ => return Ok(None),
        };
        let get = |namespace: Oid| {
            let keys = [Datum::oid(owner), Datum::oid(namespace), Datum::char(letter)];
            self.get::<PgDefaultAcl>(CacheId::DEFACLROLENSPOBJ, &keys)
        };
        let global = get(Oid::INVALID)?;
        let schema = if namespace.is_valid() { get(namespace)? } else { None };
        if global.is_none() && schema.is_none() {
            return Ok(None);
        }
        let mut built_in = acldefault(kind, owner);
        let mut acl = global.map_or_else(|| built_in.clone(), |g| g.defaclacl.clone());
        for item in schema.iter().flat_map(|s| &s.defaclacl) {
            acl = self.aclupdate(&acl, item, AclChange::Add, owner, DropBehavior::Restrict)?;
        }
        let mut sorted = acl;
        sorted.sort_unstable();
        built_in.sort_unstable();
        Ok((sorted != built_in).then_some(sorted))
    }

    /// The list with one entry's privileges added, removed or replaced. A grantee who loses the right to pass something on
    /// takes along what he passed on, if `behavior` allows. (PostgreSQL: `aclupdate`)
    pub fn aclupdate(
        &self,
        acl: &[AclItem],
        change: &AclItem,
        how: AclChange,
        owner: Oid,
        behavior: DropBehavior,
    ) -> Result<Vec<AclItem>> {
        if how != AclChange::Remove && change.grant_options() != 0 {
            self.check_circularity(acl, change, owner)?;
        }
        let mut out = acl.to_vec();
        let same = |i: &AclItem| (i.grantee, i.grantor) == (change.grantee, change.grantor);
        let at = out.iter().position(same).unwrap_or_else(|| {
            out.push(AclItem { bits: 0, ..*change });
            out.len() - 1
        });
        let before = out[at].grant_options();
        match how {
            AclChange::Add => out[at].bits |= change.bits,
            AclChange::Remove => out[at].bits &= !change.bits,
            AclChange::Replace => out[at].bits = change.bits,
        }
        let lost = before & !out[at].grant_options();
        if out[at].bits == 0 {
            out.remove(at);
        }
        match lost {
            0 => Ok(out),
            lost => self.recursive_revoke(out, change.grantee, lost, owner, behavior),
        }
    }

    /// (PostgreSQL: `recursive_revoke`)
    fn recursive_revoke(
        &self,
        mut acl: Vec<AclItem>,
        grantee: Oid,
        lost: AclMode,
        owner: Oid,
        behavior: DropBehavior,
    ) -> Result<Vec<AclItem>> {
        if grantee == owner {
            return Ok(acl);
        }
        // He may still have the right from someone else.
        let still = aclmask(&acl, grantee, owner, lost << 32, AclMaskHow::All, self)? >> 32;
        let lost = lost & !still;
        while let Some(item) = acl.iter().find(|i| i.grantor == grantee && i.privileges() & lost != 0).copied() {
            if behavior == DropBehavior::Restrict {
                let e = PgError::new(DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist");
                return Err(e.hint("Use CASCADE to revoke them too."));
            }
            let change = AclItem::new(item.grantee, grantee, lost, lost);
            acl = self.aclupdate(&acl, &change, AclChange::Remove, owner, behavior)?;
        }
        Ok(acl)
    }

    /// Nobody gets back the right to grant from whom he gave it to. (PostgreSQL: `check_circularity`)
    fn check_circularity(&self, acl: &[AclItem], change: &AclItem, owner: Oid) -> Result<()> {
        if change.grantor == owner {
            return Ok(());
        }
        // The grantor's rights as they would be if the grantee had none to pass on.
        let mut acl = acl.to_vec();
        while let Some(item) = acl.iter().find(|i| i.grantee == change.grantee && i.grant_options() != 0).copied() {
            acl = self.aclupdate(&acl, &item, AclChange::Remove, owner, DropBehavior::Cascade)?;
        }
        let wanted = change.grant_options();
        let own = aclmask(&acl, change.grantor, owner, wanted << 32, AclMaskHow::All, self)? >> 32;
        if wanted & !own != 0 {
            let text = "grant options cannot be granted back to your own grantor";
            return Err(PgError::new(INVALID_GRANT_OPERATION, text));
        }
        Ok(())
    }

    /// In whose name a role grants: the owner's if it can, else that of the role it belongs to with the most of the needed rights.
    /// Returns the grantor and which of `privileges` it may grant. (PostgreSQL: `select_best_grantor`)
    pub fn select_best_grantor(
        &self,
        role: Oid,
        privileges: AclMode,
        acl: &[AclItem],
        owner: Oid,
    ) -> Result<(Oid, AclMode)> {
        if role == owner || self.is_superuser(role)? {
            return Ok((owner, privileges));
        }
        let mut best = (role, 0);
        for other in self.roles_inherited_by(role)?.iter() {
            let direct = if *other == owner {
                privileges
            } else {
                acl.iter().filter(|i| i.grantee == *other || i.grantee == PUBLIC).fold(0, |m, i| m | i.grant_options())
                    & privileges
            };
            if direct == privileges {
                return Ok((*other, direct));
            }
            if direct.count_ones() > AclMode::count_ones(best.1) {
                best = (*other, direct);
            }
        }
        Ok(best)
    }
}

/// How [`Catalog::aclupdate`] changes an entry. (PostgreSQL: `ACL_MODECHG_*`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclChange {
    Add,
    Remove,
    Replace,
}

/// The list after a change of owner: the new one in place of the old one. (PostgreSQL: `aclnewowner`)
pub fn acl_with_new_owner(acl: &[AclItem], old: Oid, new: Oid) -> Vec<AclItem> {
    let mut out: Vec<AclItem> = Vec::with_capacity(acl.len());
    let swap = |r: Oid| if r == old { new } else { r };
    for item in acl {
        let item = AclItem { grantee: swap(item.grantee), grantor: swap(item.grantor), bits: item.bits };
        match out.iter_mut().find(|o| (o.grantee, o.grantor) == (item.grantee, item.grantor)) {
            Some(o) => o.bits |= item.bits,
            None => out.push(item),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granting_and_revoking() {
        let c = Catalog::bootstrap();
        let (owner, a, b) = (Oid(100_001), Oid(100_002), Oid(100_003));
        let acl = acldefault(AclKind::Table, owner);
        let with = AclItem::new(a, owner, ACL_SELECT, ACL_SELECT);
        let acl = c.aclupdate(&acl, &with, AclChange::Add, owner, DropBehavior::Restrict).unwrap();
        let on = AclItem::new(b, a, ACL_SELECT, ACL_SELECT);
        let acl = c.aclupdate(&acl, &on, AclChange::Add, owner, DropBehavior::Restrict).unwrap();
        assert_eq!(acl.len(), 3);
        let back = AclItem::new(a, b, ACL_SELECT, ACL_SELECT);
        let e = c.aclupdate(&acl, &back, AclChange::Add, owner, DropBehavior::Restrict).unwrap_err();
        assert_eq!(e.message(), "grant options cannot be granted back to your own grantor");
        let e = c.aclupdate(&acl, &with, AclChange::Remove, owner, DropBehavior::Restrict).unwrap_err();
        assert_eq!(e.message(), "dependent privileges exist");
        let acl = c.aclupdate(&acl, &with, AclChange::Remove, owner, DropBehavior::Cascade).unwrap();
        assert_eq!(acl, acldefault(AclKind::Table, owner));
    }

    #[test]
    fn system_catalogs_are_for_superusers() {
        let c = Catalog::bootstrap();
        let class = c.relation_entry(oids::RELATION_RELATION).unwrap().class.clone();
        let role = oids::ROLE_PG_WRITE_ALL_DATA;
        assert!(c.may_class(role, &class, ACL_SELECT).unwrap());
        assert!(!c.may_class(role, &class, ACL_UPDATE).unwrap());
        assert!(c.may_class(Oid(10), &class, ACL_UPDATE).unwrap());
        let authid = c.relation_entry(oids::AUTH_ID_RELATION).unwrap().class.clone();
        assert!(!c.may_class(role, &authid, ACL_SELECT).unwrap());
        assert!(c.may_class(oids::ROLE_PG_READ_ALL_DATA, &authid, ACL_SELECT).unwrap());
        assert!(c.may_schema(role, oids::PG_PUBLIC_NAMESPACE, ACL_USAGE).unwrap());
        assert!(!c.may_schema(role, oids::PG_PUBLIC_NAMESPACE, ACL_CREATE).unwrap());
    }
}
