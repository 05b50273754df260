//! Look-ups by kind of object. All are cached, also that there is no such object.
//!
//! PostgreSQL: `lsyscache.c`.

use std::sync::Arc;

use base::sqlstate::{INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECT};
use base::{Oid, PgError, Result};
use types::Datum;
use types::oid::*;

use crate::acl::{ACL_NO_RIGHTS, AclItem, AclKind, AclMaskHow, AclMode, RoleMemberships, acldefault, aclmask};
use crate::oids::{self, CAST_SOURCE_TARGET_INDEX};
use crate::row::*;
use crate::syscache::{CacheId, Catalog};

/// Kinds of derived entries.
const ROLES_INHERITED: u8 = b'r';
const ROLES_MEMBER: u8 = b'm';
const ROLES_SETTABLE: u8 = b's';
const ENUM_LABELS: u8 = b'e';

fn id(oid: Oid) -> Datum {
    Datum::oid(oid)
}
fn text(s: &str) -> Datum {
    Datum::text(s)
}

impl Catalog {
    // Types

    pub fn type_by_oid(&self, oid: Oid) -> Result<Option<Arc<PgType>>> {
        self.get(CacheId::TYPEOID, &[id(oid)])
    }
    /// A type that must exist. (PostgreSQL: `cache lookup failed for type %u`)
    pub fn type_row(&self, oid: Oid) -> Result<Arc<PgType>> {
        self.type_by_oid(oid)?.ok_or_else(|| PgError::internal(format!("cache lookup failed for type {oid}")))
    }
    /// What a domain is over, through any number of domains; the type itself otherwise. The typmod is that of the innermost
    /// domain that has one. (PostgreSQL: `getBaseTypeAndTypmod`)
    pub fn base_type(&self, oid: Oid, typmod: i32) -> Result<(Oid, i32)> {
        let (mut oid, mut typmod) = (oid, typmod);
        loop {
            let t = self.type_row(oid)?;
            if t.typtype != b'd' {
                return Ok((oid, typmod));
            }
            (oid, typmod) = (t.typbasetype, t.typtypmod);
        }
    }
    /// The element type of a true array type, which `oidvector` is and `name` is not. (PostgreSQL: `get_element_type`)
    pub fn element_type(&self, oid: Oid) -> Result<Option<Oid>> {
        let t = self.type_by_oid(oid)?;
        Ok(t.filter(|t| t.typsubscript == oids::fmgr::F_ARRAY_SUBSCRIPT_HANDLER).and_then(|t| t.typelem.valid()))
    }
    /// The array type over a type. (PostgreSQL: `get_array_type`)
    pub fn array_type(&self, oid: Oid) -> Result<Option<Oid>> {
        Ok(self.type_by_oid(oid)?.and_then(|t| t.typarray.valid()))
    }
    pub fn range(&self, range_type: Oid) -> Result<Option<Arc<PgRange>>> {
        self.get(CacheId::RANGETYPE, &[id(range_type)])
    }
    pub fn range_of_multirange(&self, multirange_type: Oid) -> Result<Option<Arc<PgRange>>> {
        self.get(CacheId::RANGEMULTIRANGE, &[id(multirange_type)])
    }
    /// An enum's labels in their order. (PostgreSQL: `pg_enum` by `enumsortorder`)
    pub fn enum_labels(&self, enum_type: Oid) -> Result<Arc<Vec<PgEnum>>> {
        let load = &mut || {
            let mut rows: Vec<PgEnum> = self.rows(oids::ENUM_TYP_ID_SORT_ORDER_INDEX, &[id(enum_type)])?;
            rows.sort_by(|a, b| a.enumsortorder.total_cmp(&b.enumsortorder));
            Ok(Some(Arc::new(rows)))
        };
        Ok(self.fetch_derived(ENUM_LABELS, enum_type, load)?.unwrap_or_default())
    }
    pub fn enum_by_oid(&self, oid: Oid) -> Result<Option<Arc<PgEnum>>> {
        self.get(CacheId::ENUMOID, &[id(oid)])
    }
    pub fn enum_by_label(&self, enum_type: Oid, label: &str) -> Result<Option<Arc<PgEnum>>> {
        self.get(CacheId::ENUMTYPOIDNAME, &[id(enum_type), text(label)])
    }

    // Functions, operators, casts

    pub fn function(&self, oid: Oid) -> Result<Option<Arc<PgProc>>> {
        self.get(CacheId::PROCOID, &[id(oid)])
    }
    pub fn function_row(&self, oid: Oid) -> Result<Arc<PgProc>> {
        self.function(oid)?.ok_or_else(|| PgError::internal(format!("cache lookup failed for function {oid}")))
    }
    /// All functions of that name, in every schema.
    pub fn functions_by_name(&self, name: &str) -> Result<Arc<[Arc<PgProc>]>> {
        self.list(CacheId::PROCNAMEARGSNSP, &[text(name)])
    }
    pub fn aggregate(&self, function: Oid) -> Result<Option<Arc<PgAggregate>>> {
        self.get(CacheId::AGGFNOID, &[id(function)])
    }
    pub fn operator(&self, oid: Oid) -> Result<Option<Arc<PgOperator>>> {
        self.get(CacheId::OPEROID, &[id(oid)])
    }
    /// All operators of that name, in every schema.
    pub fn operators_by_name(&self, name: &str) -> Result<Arc<[Arc<PgOperator>]>> {
        self.list(CacheId::OPERNAMENSP, &[text(name)])
    }
    /// The operator with exactly these argument types; an absent left one is 0.
    pub fn operator_by_name(
        &self,
        name: &str,
        left: Oid,
        right: Oid,
        namespace: Oid,
    ) -> Result<Option<Arc<PgOperator>>> {
        self.get(CacheId::OPERNAMENSP, &[text(name), id(left), id(right), id(namespace)])
    }
    pub fn cast(&self, source: Oid, target: Oid) -> Result<Option<Arc<PgCast>>> {
        self.get(CacheId::CASTSOURCETARGET, &[id(source), id(target)])
    }
    /// All casts from a type.
    pub fn casts_from(&self, source: Oid) -> Result<Arc<[Arc<PgCast>]>> {
        self.list(CacheId::CASTSOURCETARGET, &[id(source)])
    }
    /// All casts to a type; not cached.
    pub fn casts_to(&self, target: Oid) -> Result<Vec<PgCast>> {
        let all: Vec<PgCast> = self.rows(CAST_SOURCE_TARGET_INDEX, &[])?;
        Ok(all.into_iter().filter(|c| c.casttarget == target).collect())
    }

    // Operator classes and families

    pub fn opclass(&self, oid: Oid) -> Result<Option<Arc<PgOpclass>>> {
        self.get(CacheId::CLAOID, &[id(oid)])
    }
    pub fn opclass_row(&self, oid: Oid) -> Result<Arc<PgOpclass>> {
        self.opclass(oid)?.ok_or_else(|| PgError::internal(format!("cache lookup failed for opclass {oid}")))
    }
    pub fn opclass_by_name(&self, am: Oid, name: &str, namespace: Oid) -> Result<Option<Arc<PgOpclass>>> {
        self.get(CacheId::CLAAMNAMENSP, &[id(am), text(name), id(namespace)])
    }
    pub fn opclasses_of_am(&self, am: Oid) -> Result<Arc<[Arc<PgOpclass>]>> {
        self.list(CacheId::CLAAMNAMENSP, &[id(am)])
    }
    pub fn opfamily(&self, oid: Oid) -> Result<Option<Arc<PgOpfamily>>> {
        self.get(CacheId::OPFAMILYOID, &[id(oid)])
    }
    /// The operator class an index or an ORDER BY uses for a type when none is named. (PostgreSQL: `GetDefaultOpClass`)
    pub fn default_opclass(&self, type_oid: Oid, am: Oid) -> Result<Option<Arc<PgOpclass>>> {
        let (type_oid, _) = self.base_type(type_oid, -1)?;
        let category = self.type_row(type_oid)?.typcategory;
        let (mut exact, mut preferred, mut compatible) = (None, Vec::new(), Vec::new());
        for class in self.opclasses_of_am(am)?.iter().filter(|c| c.opcdefault) {
            if class.opcintype == type_oid {
                exact = Some(class.clone());
                break;
            }
            if self.binary_coercible(type_oid, class.opcintype)? {
                let is_preferred =
                    self.type_by_oid(class.opcintype)?.is_some_and(|t| t.typispreferred && t.typcategory == category);
                (if is_preferred { &mut preferred } else { &mut compatible }).push(class.clone());
            }
        }
        let only = |mut v: Vec<Arc<PgOpclass>>| if v.len() == 1 { v.pop() } else { None };
        Ok(exact.or_else(|| only(preferred)).or_else(|| only(compatible)))
    }
    /// The operator with a strategy in a family; `None` if there is none. (PostgreSQL: `get_opfamily_member`)
    pub fn opfamily_member(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Result<Option<Oid>> {
        let keys = [id(family), id(left), id(right), Datum::i16(strategy)];
        Ok(self.get::<PgAmop>(CacheId::AMOPSTRATEGY, &keys)?.map(|a| a.amopopr))
    }
    /// A family's support function. (PostgreSQL: `get_opfamily_proc`)
    pub fn opfamily_proc(&self, family: Oid, left: Oid, right: Oid, number: i16) -> Result<Option<Oid>> {
        let keys = [id(family), id(left), id(right), Datum::i16(number)];
        Ok(self.get::<PgAmproc>(CacheId::AMPROCNUM, &keys)?.map(|a| a.amproc))
    }
    /// All support functions of a family.
    pub fn opfamily_procs(&self, family: Oid) -> Result<Arc<[Arc<PgAmproc>]>> {
        self.list(CacheId::AMPROCNUM, &[id(family)])
    }
    /// All operators of a family.
    pub fn opfamily_operators(&self, family: Oid) -> Result<Arc<[Arc<PgAmop>]>> {
        self.list(CacheId::AMOPSTRATEGY, &[id(family)])
    }
    /// The families that an operator belongs to. (PostgreSQL: `AMOPOPID` list)
    pub fn operator_memberships(&self, operator: Oid) -> Result<Arc<[Arc<PgAmop>]>> {
        self.list(CacheId::AMOPOPID, &[id(operator)])
    }
    /// An operator's place in a family, as a search or (`b'o'`) an ordering operator. (PostgreSQL: `get_op_opfamily_strategy`)
    pub fn operator_in_family(&self, operator: Oid, purpose: u8, family: Oid) -> Result<Option<Arc<PgAmop>>> {
        self.get(CacheId::AMOPOPID, &[id(operator), Datum::char(purpose), id(family)])
    }

    /// Whether values of a type can be taken as another's without a conversion. (PostgreSQL: `IsBinaryCoercible`)
    pub fn binary_coercible(&self, source: Oid, target: Oid) -> Result<bool> {
        if source == target || target == ANYOID || target == ANYELEMENTOID || target == ANYCOMPATIBLEOID {
            return Ok(true);
        }
        let (source, _) = if source.is_valid() { self.base_type(source, -1)? } else { (source, -1) };
        if source == target {
            return Ok(true);
        }
        let typtype = || Ok::<u8, PgError>(self.type_by_oid(source)?.map_or(0, |t| t.typtype));
        let yes = match target {
            ANYARRAYOID | ANYCOMPATIBLEARRAYOID => self.element_type(source)?.is_some(),
            ANYNONARRAYOID | ANYCOMPATIBLENONARRAYOID => self.element_type(source)?.is_none(),
            ANYENUMOID => typtype()? == b'e',
            ANYRANGEOID | ANYCOMPATIBLERANGEOID => typtype()? == b'r',
            ANYMULTIRANGEOID | ANYCOMPATIBLEMULTIRANGEOID => typtype()? == b'm',
            RECORDOID => typtype()? == b'c',
            RECORDARRAYOID => match self.element_type(source)? {
                Some(e) => self.type_by_oid(e)?.is_some_and(|t| t.typtype == b'c'),
                None => false,
            },
            _ => false,
        };
        if yes {
            return Ok(true);
        }
        Ok(self.cast(source, target)?.is_some_and(|c| c.castmethod == b'b' && c.castcontext == b'i'))
    }

    // Other objects

    pub fn collation(&self, oid: Oid) -> Result<Option<Arc<PgCollation>>> {
        self.get(CacheId::COLLOID, &[id(oid)])
    }
    /// The collation of that name in a schema: for the database's encoding, or for any.
    pub fn collation_by_name(&self, name: &str, encoding: i32, namespace: Oid) -> Result<Option<Arc<PgCollation>>> {
        for encoding in [encoding, -1] {
            let keys = [text(name), Datum::i32(encoding), id(namespace)];
            if let Some(c) = self.get(CacheId::COLLNAMEENCNSP, &keys)? {
                return Ok(Some(c));
            }
        }
        Ok(None)
    }
    pub fn language(&self, oid: Oid) -> Result<Option<Arc<PgLanguage>>> {
        self.get(CacheId::LANGOID, &[id(oid)])
    }
    pub fn language_by_name(&self, name: &str) -> Result<Option<Arc<PgLanguage>>> {
        self.get(CacheId::LANGNAME, &[text(name)])
    }
    pub fn am(&self, oid: Oid) -> Result<Option<Arc<PgAm>>> {
        self.get(CacheId::AMOID, &[id(oid)])
    }
    pub fn am_by_name(&self, name: &str) -> Result<Option<Arc<PgAm>>> {
        self.get(CacheId::AMNAME, &[text(name)])
    }
    pub fn constraint(&self, oid: Oid) -> Result<Option<Arc<PgConstraint>>> {
        self.get(CacheId::CONSTROID, &[id(oid)])
    }
    /// A relation's constraints, by name; not cached: see [`crate::Relation`] for those that every INSERT needs.
    pub fn constraints_of_relation(&self, rel: Oid) -> Result<Vec<PgConstraint>> {
        self.rows(oids::CONSTRAINT_RELID_TYPID_NAME_INDEX, &[id(rel)])
    }
    /// A domain's constraints, by name; not cached.
    pub fn constraints_of_domain(&self, domain: Oid) -> Result<Vec<PgConstraint>> {
        self.rows(oids::CONSTRAINT_TYPID_INDEX, &[id(domain)])
    }
    pub fn tablespace(&self, oid: Oid) -> Result<Option<Arc<PgTablespace>>> {
        self.get(CacheId::TABLESPACEOID, &[id(oid)])
    }
    pub fn tablespace_by_name(&self, name: &str) -> Result<Option<PgTablespace>> {
        Ok(self.rows(oids::TABLESPACE_NAME_INDEX, &[text(name)])?.pop())
    }
    pub fn database(&self, oid: Oid) -> Result<Option<Arc<PgDatabase>>> {
        self.get(CacheId::DATABASEOID, &[id(oid)])
    }
    pub fn database_by_name(&self, name: &str) -> Result<Option<PgDatabase>> {
        Ok(self.rows(oids::DATABASE_NAME_INDEX, &[text(name)])?.pop())
    }
    pub fn sequence(&self, rel: Oid) -> Result<Option<Arc<PgSequence>>> {
        self.get(CacheId::SEQRELID, &[id(rel)])
    }
    pub fn statistic(&self, rel: Oid, attnum: i16, inherited: bool) -> Result<Option<Arc<PgStatistic>>> {
        self.get(CacheId::STATRELATTINH, &[id(rel), Datum::i16(attnum), Datum::bool(inherited)])
    }
    /// What ANALYZE found for a statistics object.
    pub fn statistics_data(&self, object: Oid, inherited: bool) -> Result<Option<Arc<PgStatisticExtData>>> {
        self.get(CacheId::STATEXTDATASTXOID, &[id(object), Datum::bool(inherited)])
    }
    pub fn statistics_object(&self, oid: Oid) -> Result<Option<Arc<PgStatisticExt>>> {
        self.get(CacheId::STATEXTOID, &[id(oid)])
    }
    pub fn statistics_by_name(&self, name: &str, namespace: Oid) -> Result<Option<Arc<PgStatisticExt>>> {
        self.get(CacheId::STATEXTNAMENSP, &[text(name), id(namespace)])
    }
    pub fn extension_by_name(&self, name: &str) -> Result<Option<Arc<PgExtension>>> {
        self.get(CacheId::EXTENSIONNAME, &[text(name)])
    }
    pub fn attribute(&self, rel: Oid, attnum: i16) -> Result<Option<Arc<PgAttribute>>> {
        self.get(CacheId::ATTNUM, &[id(rel), Datum::i16(attnum)])
    }
    /// A column by its name, dropped ones not found. (PostgreSQL: `SearchSysCacheAttName`)
    pub fn attribute_by_name(&self, rel: Oid, name: &str) -> Result<Option<Arc<PgAttribute>>> {
        let a = self.get::<PgAttribute>(CacheId::ATTNAME, &[id(rel), text(name)])?;
        Ok(a.filter(|a| !a.attisdropped))
    }
    /// The direct children of a table, in the order of their ids. (PostgreSQL: `find_inheritance_children`)
    pub fn inheritance_children(&self, parent: Oid) -> Result<Vec<PgInherits>> {
        let mut rows: Vec<PgInherits> = self.rows(oids::INHERITS_PARENT_INDEX, &[id(parent)])?;
        rows.sort_by_key(|r| r.inhrelid);
        Ok(rows)
    }
    /// The direct parents of a table, in order.
    pub fn inheritance_parents(&self, child: Oid) -> Result<Vec<PgInherits>> {
        self.rows(oids::INHERITS_RELID_SEQNO_INDEX, &[id(child)])
    }

    // Roles and privileges

    pub fn role(&self, oid: Oid) -> Result<Option<Arc<PgAuthid>>> {
        self.get(CacheId::AUTHOID, &[id(oid)])
    }
    pub fn role_by_name(&self, name: &str) -> Result<Option<Arc<PgAuthid>>> {
        self.get(CacheId::AUTHNAME, &[text(name)])
    }
    /// (PostgreSQL: `get_role_oid`)
    pub fn role_oid(&self, name: &str) -> Result<Oid> {
        let missing = || PgError::new(UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
        self.role_by_name(name)?.map(|r| r.oid).ok_or_else(missing)
    }
    /// A role's name, or `unknown (OID=..)`. (PostgreSQL: `pg_get_userbyid`)
    pub fn role_name(&self, oid: Oid) -> Result<String> {
        Ok(self.role(oid)?.map_or_else(|| format!("unknown (OID={oid})"), |r| r.rolname.clone()))
    }
    pub fn is_superuser(&self, role: Oid) -> Result<bool> {
        Ok(role == oids::BOOTSTRAP_SUPERUSERID || self.role(role)?.is_some_and(|r| r.rolsuper))
    }
    /// Whether `role` is `of` or a member of it, by any kind of membership; superusers are members of every role.
    /// (PostgreSQL: `is_member_of_role`)
    pub fn is_member_of_role(&self, role: Oid, of: Oid) -> Result<bool> {
        Ok(role == of || self.is_superuser(role)? || self.memberships(role, ROLES_MEMBER)?.contains(&of))
    }
    /// As `is_member_of_role`, without that exception. (PostgreSQL: `is_member_of_role_nosuper`)
    pub fn is_member_of_role_nosuper(&self, role: Oid, of: Oid) -> Result<bool> {
        Ok(role == of || self.memberships(role, ROLES_MEMBER)?.contains(&of))
    }
    /// Whether `SET ROLE of` is allowed. (PostgreSQL: `member_can_set_role`)
    pub fn member_can_set_role(&self, role: Oid, of: Oid) -> Result<bool> {
        Ok(role == of || self.is_superuser(role)? || self.memberships(role, ROLES_SETTABLE)?.contains(&of))
    }
    /// Whether `role` may grant membership in `of`. (PostgreSQL: `is_admin_of_role`)
    pub fn is_admin_of_role(&self, role: Oid, of: Oid) -> Result<bool> {
        if self.is_superuser(role)? {
            return Ok(true);
        }
        if role == of {
            return Ok(false);
        }
        let mut all = self.memberships(role, ROLES_MEMBER)?.to_vec();
        all.push(role);
        for member in all {
            let grants = self.list::<PgAuthMembers>(CacheId::AUTHMEMMEMROLE, &[id(member)])?;
            if grants.iter().any(|g| g.roleid == of && g.admin_option) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The role and those whose privileges it has, nearest first.
    pub fn roles_inherited_by(&self, role: Oid) -> Result<Arc<Vec<Oid>>> {
        self.memberships(role, ROLES_INHERITED)
    }

    /// All roles that a role is in, itself included. (PostgreSQL: `roles_is_member_of`)
    fn memberships(&self, role: Oid, kind: u8) -> Result<Arc<Vec<Oid>>> {
        let load = &mut || {
            let mut found = vec![role];
            let mut next = 0;
            let owner = match self.database(self.database)? {
                Some(d) => d.datdba,
                None => Oid::INVALID,
            };
            while let Some(member) = found.get(next).copied() {
                next += 1;
                for grant in self.list::<PgAuthMembers>(CacheId::AUTHMEMMEMROLE, &[id(member)])?.iter() {
                    let wanted = match kind {
                        ROLES_INHERITED => grant.inherit_option,
                        ROLES_SETTABLE => grant.set_option,
                        _ => true,
                    };
                    if wanted && !found.contains(&grant.roleid) {
                        found.push(grant.roleid);
                    }
                }
                // The database's owner is the one member of this role.
                if member == owner && owner.is_valid() && !found.contains(&oids::ROLE_PG_DATABASE_OWNER) {
                    found.push(oids::ROLE_PG_DATABASE_OWNER);
                }
            }
            Ok(Some(Arc::new(found)))
        };
        Ok(self.fetch_derived(kind, role, load)?.unwrap_or_default())
    }

    /// Whether a role has all of `mask` on an object. (PostgreSQL: `object_aclcheck`)
    pub fn has_privilege(
        &self,
        role: Oid,
        kind: AclKind,
        owner: Oid,
        acl: Option<&[AclItem]>,
        mask: AclMode,
    ) -> Result<bool> {
        Ok(self.privileges(role, kind, owner, acl, mask, AclMaskHow::All)? == mask)
    }

    /// Those of the privileges in `mask` that a role has. (PostgreSQL: `object_aclmask`)
    pub fn privileges(
        &self,
        role: Oid,
        kind: AclKind,
        owner: Oid,
        acl: Option<&[AclItem]>,
        mask: AclMode,
        how: AclMaskHow,
    ) -> Result<AclMode> {
        if mask == ACL_NO_RIGHTS || self.is_superuser(role)? {
            return Ok(mask);
        }
        match acl {
            Some(acl) => aclmask(acl, role, owner, mask, how, self),
            None => aclmask(&acldefault(kind, owner), role, owner, mask, how, self),
        }
    }

    /// Whether a role owns an object, or may act as its owner. (PostgreSQL: `object_ownercheck`)
    pub fn is_owner(&self, role: Oid, owner: Oid) -> Result<bool> {
        self.has_privs_of_role(role, owner)
    }

    /// An ACL from its text items, e.g. of a GRANT. (PostgreSQL: `aclitemin`)
    pub fn parse_aclitem(&self, text: &str) -> Result<AclItem> {
        let role = |name: &str| Ok(self.role_by_name(name)?.map(|r| r.oid));
        Ok(AclItem::parse(text, &role)?.0)
    }
    pub fn print_aclitem(&self, item: &AclItem) -> String {
        item.print(&|oid| self.role(oid).ok().flatten().map(|r| r.rolname.clone()))
    }
}

impl RoleMemberships for Catalog {
    fn has_privs_of_role(&self, role: Oid, of: Oid) -> Result<bool> {
        Ok(role == of || self.is_superuser(role)? || self.memberships(role, ROLES_INHERITED)?.contains(&of))
    }
}

/// `permission denied for ..`. (PostgreSQL: `aclcheck_error` for ACLCHECK_NO_PRIV)
pub fn permission_denied(kind: &str, name: &str) -> PgError {
    PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied for {kind} {name}"))
}
/// `must be owner of ..`. (PostgreSQL: `aclcheck_error` for ACLCHECK_NOT_OWNER)
pub fn must_be_owner(kind: &str, name: &str) -> PgError {
    PgError::new(INSUFFICIENT_PRIVILEGE, format!("must be owner of {kind} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_objects_are_found() {
        let c = Catalog::bootstrap();
        assert_eq!(c.type_row(INT4OID).unwrap().typname, "int4");
        assert_eq!(c.functions_by_name("abs").unwrap().len(), 6);
        assert_eq!(c.operators_by_name("||").unwrap().len(), 11);
        assert!(c.function(Oid(1)).unwrap().is_none());
        assert_eq!(c.cast(INT4OID, INT8OID).unwrap().unwrap().castcontext, b'i');
        let class = c.default_opclass(VARCHAROID, oids::BTREE_AM_OID).unwrap().unwrap();
        assert_eq!(class.oid, oids::TEXT_BTREE_OPS_OID);
        let family = oids::INTEGER_BTREE_FAM_OID;
        assert_eq!(c.opfamily_member(family, INT4OID, INT4OID, 1).unwrap(), Some(oids::INT4_LESS_OPERATOR));
        assert_eq!(c.opfamily_proc(family, INT4OID, INT4OID, 1).unwrap(), Some(oids::fmgr::F_BTINT4CMP));
        assert!(c.default_opclass(INT4ARRAYOID, oids::BTREE_AM_OID).unwrap().is_some());
        assert!(c.default_opclass(JSONOID, oids::BTREE_AM_OID).unwrap().is_none());
        assert_eq!(c.element_type(INT4ARRAYOID).unwrap(), Some(INT4OID));
        assert_eq!(c.element_type(NAMEOID).unwrap(), None);
        assert_eq!(c.element_type(OIDVECTOROID).unwrap(), Some(OIDOID));
    }

    #[test]
    fn roles_inherit() {
        let c = Catalog::bootstrap();
        let monitor = oids::ROLE_PG_MONITOR;
        assert!(c.has_privs_of_role(monitor, oids::ROLE_PG_READ_ALL_STATS).unwrap());
        assert!(!c.has_privs_of_role(oids::ROLE_PG_READ_ALL_STATS, monitor).unwrap());
        assert!(c.has_privs_of_role(Oid(10), monitor).unwrap());
    }
}
