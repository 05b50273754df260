//! CREATE, ALTER and DROP ROLE, and membership in roles. (PostgreSQL: `user.c`)

use base::guc;
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::scram::ScramSecret;
use catalog::{ObjectAddress, PgAuthMembers, PgAuthid, PgDbRoleSetting, PgShdescription, oids};
use parser::ast::*;
use types::Datum;
use types::oid::TIMESTAMPTZOID;

use crate::{CommandContext, Outcome, object, options, schema};

fn denied(what: &str, detail: impl Into<String>) -> PgError {
    PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied to {what}")).detail(detail)
}

/// Role names that stand for something else. (PostgreSQL: `check_rolespec_name`, `IsReservedName`)
fn check_name(name: &str) -> Result<()> {
    if name.starts_with("pg_") {
        let e = PgError::new(RESERVED_NAME, format!("role name \"{name}\" is reserved"));
        return Err(e.detail("Role names starting with \"pg_\" are reserved."));
    }
    if matches!(name, "public" | "none") {
        return Err(PgError::new(RESERVED_NAME, format!("role name \"{name}\" is reserved")));
    }
    Ok(())
}

/// The form a password is stored in. (PostgreSQL: `encrypt_password`)
fn encrypted(cmd: &mut CommandContext<'_>, password: &str) -> Result<Option<String>> {
    if password.is_empty() {
        let text = "empty string is not a valid password, clearing password";
        cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
        return Ok(None);
    }
    let is_md5 = password.len() == 35
        && password.starts_with("md5")
        && password[3..].bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_md5 || ScramSecret::parse(password).is_some() {
        return Ok(Some(password.to_owned()));
    }
    let iterations = u32::try_from(cmd.session.values().int(guc::SCRAM_ITERATIONS)).unwrap_or(4096);
    Ok(Some(ScramSecret::generate(password, iterations)?.to_string()))
}

/// What is left over besides the row: who becomes a member of whom.
#[derive(Default)]
struct Memberships<'a> {
    /// These become members of the role.
    members: &'a [RoleSpec],
    admins: &'a [RoleSpec],
    /// The role becomes a member of these.
    of: &'a [RoleSpec],
}

fn apply<'a>(cmd: &mut CommandContext<'_>, row: &mut PgAuthid, list: &'a [DefElem]) -> Result<Memberships<'a>> {
    let mut m = Memberships::default();
    for (i, o) in list.iter().enumerate() {
        if list[..i].iter().any(|p| p.defname == o.defname) {
            return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
        }
        let on = || matches!(o.arg, None | Some(DefArg::Boolean(true)));
        let roles = || match &o.arg {
            Some(DefArg::Roles(list)) => &list[..],
            _ => &[],
        };
        match o.defname.as_str() {
            "password" => {
                row.rolpassword = match &o.arg {
                    Some(_) => encrypted(cmd, &options::text(o))?,
                    None => None,
                }
            }
            "superuser" => row.rolsuper = on(),
            "inherit" => row.rolinherit = on(),
            "createrole" => row.rolcreaterole = on(),
            "createdb" => row.rolcreatedb = on(),
            "canlogin" => row.rolcanlogin = on(),
            "isreplication" => row.rolreplication = on(),
            "bypassrls" => row.rolbypassrls = on(),
            "connectionlimit" => {
                let text = options::text(o);
                let invalid = || PgError::new(INVALID_PARAMETER_VALUE, format!("invalid connection limit: {text}"));
                row.rolconnlimit = text.parse().ok().filter(|n| *n >= -1).ok_or_else(invalid)?;
            }
            "validUntil" => {
                let text = options::text(o);
                let v = cmd.cx.input(TIMESTAMPTZOID, -1, Some(&text))?;
                row.rolvaliduntil = Some(v.as_ref().word() as i64);
            }
            "rolemembers" => m.members = roles(),
            "adminmembers" => m.admins = roles(),
            "addroleto" => m.of = roles(),
            "sysid" => cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, "SYSID can no longer be specified"),
            other => {
                let text = format!("option \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
    }
    Ok(m)
}

fn current(cmd: &CommandContext<'_>) -> Result<PgAuthid> {
    let user = cmd.cx.settings.current_user;
    let role = cmd.cx.catalog.role(user)?;
    role.map(|r| (*r).clone()).ok_or_else(|| PgError::internal("the current role is gone"))
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateRoleStmt) -> Result<Outcome> {
    let me = current(cmd)?;
    let mut row = PgAuthid {
        oid: Oid::INVALID,
        rolname: catalog::ddl::truncate_name(&stmt.role).to_owned(),
        rolsuper: false,
        rolinherit: true,
        rolcreaterole: false,
        rolcreatedb: false,
        rolcanlogin: stmt.stmt_type == RoleStmtType::User,
        rolreplication: false,
        rolbypassrls: false,
        rolconnlimit: -1,
        rolpassword: None,
        rolvaliduntil: None,
    };
    let m = apply(cmd, &mut row, &stmt.options)?;
    if !me.rolsuper {
        if !me.rolcreaterole {
            let detail = "Only roles with the CREATEROLE attribute may create roles.";
            return Err(denied("create role", detail));
        }
        for (wanted, has, name) in [
            (row.rolsuper, false, "SUPERUSER"),
            (row.rolcreatedb, me.rolcreatedb, "CREATEDB"),
            (row.rolreplication, me.rolreplication, "REPLICATION"),
            (row.rolbypassrls, me.rolbypassrls, "BYPASSRLS"),
        ] {
            if wanted && !has {
                let detail =
                    format!("Only roles with the {name} attribute may create roles with the {name} attribute.");
                return Err(denied("create role", detail));
            }
        }
    }
    check_name(&row.rolname)?;
    if cmd.cx.catalog.role_by_name(&row.rolname)?.is_some() {
        return Err(PgError::new(DUPLICATE_OBJECT, format!("role \"{}\" already exists", row.rolname)));
    }
    row.oid = cmd.cx.catalog.new_oid(oids::AUTH_ID_RELATION, oids::AUTH_ID_OID_INDEX)?;
    cmd.cx.catalog.insert_row(&row)?;
    cmd.cx.catalog.command_counter_increment()?;
    let plain = Grant { admin: None, inherit: None, set: None };
    for spec in m.of {
        let of = schema::role(cmd, spec)?;
        add_member(cmd, of, row.oid, &plain, None)?;
    }
    for (list, admin) in [(m.members, None), (m.admins, Some(true))] {
        for spec in list {
            let member = schema::role(cmd, spec)?;
            add_member(cmd, row.oid, member, &Grant { admin, ..plain }, None)?;
        }
    }
    // Who creates a role administers it; a superuser does so anyway.
    if !me.rolsuper {
        let grant = Grant { admin: Some(true), inherit: Some(false), set: Some(false) };
        add_member(cmd, row.oid, me.oid, &grant, Some(oids::BOOTSTRAP_SUPERUSERID))?;
    }
    Ok(Outcome::tag("CREATE ROLE"))
}

/// Who may change a role: superusers theirs, others with CREATEROLE and ADMIN on it.
fn check_may_alter(cmd: &CommandContext<'_>, role: &PgAuthid, verb: &str) -> Result<()> {
    let me = current(cmd)?;
    if role.rolsuper && !me.rolsuper {
        let detail = format!("Only roles with the SUPERUSER attribute may {verb} roles with the SUPERUSER attribute.");
        return Err(denied(&format!("{verb} role"), detail));
    }
    if !me.rolsuper && !(me.rolcreaterole && cmd.cx.catalog.is_admin_of_role(me.oid, role.oid)?) {
        let detail = format!(
            "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{}\" may {verb} this role.",
            role.rolname
        );
        return Err(denied(&format!("{verb} role"), detail));
    }
    Ok(())
}

pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterRoleStmt) -> Result<Outcome> {
    let oid = schema::role(cmd, &stmt.role)?;
    let old = cmd.cx.catalog.role(oid)?.ok_or_else(|| PgError::internal("a role is gone"))?;
    let me = current(cmd)?;
    let mut new = (*old).clone();
    let m = apply(cmd, &mut new, &stmt.options)?;
    // Everybody may change the own password.
    let only_password = stmt.options.iter().all(|o| o.defname == "password");
    if !(only_password && me.oid == oid) {
        check_may_alter(cmd, &old, "alter")?;
    }
    if !me.rolsuper && new.rolsuper != old.rolsuper {
        let detail = "Only roles with the SUPERUSER attribute may change the SUPERUSER attribute.";
        return Err(denied("alter role", detail));
    }
    object::edit::<PgAuthid>(cmd, oids::AUTH_ID_OID_INDEX, oid, |r| *r = new)?;
    // ALTER GROUP .. ADD/DROP USER.
    for spec in m.members {
        let member = schema::role(cmd, spec)?;
        if stmt.action >= 0 {
            let plain = Grant { admin: None, inherit: None, set: None };
            add_member(cmd, oid, member, &plain, None)?;
        } else {
            remove_member(cmd, oid, member, None)?;
        }
    }
    Ok(Outcome::tag("ALTER ROLE"))
}

pub fn drop_role(cmd: &mut CommandContext<'_>, stmt: &DropRoleStmt) -> Result<Outcome> {
    for spec in &stmt.roles {
        let name = spec.rolename.as_deref().unwrap_or_default();
        if spec.roletype != RoleSpecType::CString {
            return Err(PgError::new(INVALID_PARAMETER_VALUE, "cannot use special role specifier in DROP ROLE"));
        }
        let Some(role) = cmd.cx.catalog.role_by_name(name)? else {
            let text = format!("role \"{name}\" does not exist");
            if !stmt.missing_ok {
                return Err(PgError::new(UNDEFINED_OBJECT, text));
            }
            cmd.notice(Severity::Notice, UNDEFINED_OBJECT, format!("{text}, skipping"));
            continue;
        };
        for (oid, what) in [
            (cmd.cx.settings.current_user, "current user cannot be dropped"),
            (cmd.cx.settings.session_user, "session user cannot be dropped"),
        ] {
            if oid == role.oid {
                return Err(PgError::new(OBJECT_IN_USE, what));
            }
        }
        check_may_alter(cmd, &role, "drop")?;
        if role.oid < Oid(12000) {
            let text = format!("cannot drop role {name} because it is required by the database system");
            return Err(PgError::new(DEPENDENT_OBJECTS_STILL_EXIST, text));
        }
        let key = [Datum::oid(role.oid)];
        for index in [oids::AUTH_MEM_ROLE_MEM_INDEX, oids::AUTH_MEM_MEM_ROLE_INDEX] {
            for found in cmd.cx.catalog.find_rows::<PgAuthMembers>(index, &key)? {
                let me = ObjectAddress::new(oids::AUTH_MEM_RELATION, found.row.oid);
                cmd.cx.catalog.delete_shared_dependencies(&me)?;
                cmd.cx.catalog.delete_row(&found)?;
            }
            cmd.cx.catalog.command_counter_increment()?;
        }
        cmd.cx.catalog.check_shared_dependencies(oids::AUTH_ID_RELATION, role.oid, &format!("role \"{name}\""))?;
        cmd.cx.catalog.delete_rows::<PgAuthid>(oids::AUTH_ID_OID_INDEX, &key)?;
        let comment = [Datum::oid(role.oid), Datum::oid(oids::AUTH_ID_RELATION)];
        cmd.cx.catalog.delete_rows::<PgShdescription>(oids::SHARED_DESCRIPTION_OBJ_INDEX, &comment)?;
        for setting in cmd.cx.catalog.find_rows::<PgDbRoleSetting>(Oid::INVALID, &[])? {
            if setting.row.setrole == role.oid {
                cmd.cx.catalog.delete_row(&setting)?;
            }
        }
        cmd.cx.catalog.command_counter_increment()?;
    }
    Ok(Outcome::tag("DROP ROLE"))
}

/// The options of a membership; `None` where not said.
#[derive(Clone, Copy)]
struct Grant {
    admin: Option<bool>,
    inherit: Option<bool>,
    set: Option<bool>,
}

/// (PostgreSQL: `AddRoleMems`)
fn add_member(cmd: &mut CommandContext<'_>, role: Oid, member: Oid, grant: &Grant, grantor: Option<Oid>) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    if catalog.is_member_of_role_nosuper(role, member)? {
        let (role, member) = (catalog.role_name(role)?, catalog.role_name(member)?);
        let text = format!("role \"{role}\" is a member of role \"{member}\"");
        return Err(PgError::new(INVALID_GRANT_OPERATION, text));
    }
    let me = cmd.cx.settings.current_user;
    let grantor = match grantor {
        Some(g) => g,
        None if catalog.is_superuser(me)? => oids::BOOTSTRAP_SUPERUSERID,
        None => me,
    };
    let key = [Datum::oid(role), Datum::oid(member), Datum::oid(grantor)];
    if let Some(found) = catalog.find_row::<PgAuthMembers>(oids::AUTH_MEM_ROLE_MEM_INDEX, &key)? {
        let mut new = found.row.clone();
        new.admin_option = grant.admin.unwrap_or(new.admin_option);
        new.inherit_option = grant.inherit.unwrap_or(new.inherit_option);
        new.set_option = grant.set.unwrap_or(new.set_option);
        if new == found.row {
            let text = format!(
                "role \"{}\" has already been granted membership in role \"{}\" by role \"{}\"",
                catalog.role_name(member)?,
                catalog.role_name(role)?,
                catalog.role_name(grantor)?
            );
            cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
            return Ok(());
        }
        catalog.update_row(&found, &new)?;
        return catalog.command_counter_increment();
    }
    let inherits = catalog.role(member)?.is_none_or(|r| r.rolinherit);
    let oid = catalog.new_oid(oids::AUTH_MEM_RELATION, oids::AUTH_MEM_OID_INDEX)?;
    catalog.insert_row(&PgAuthMembers {
        oid,
        roleid: role,
        member,
        grantor,
        admin_option: grant.admin.unwrap_or(false),
        inherit_option: grant.inherit.unwrap_or(inherits),
        set_option: grant.set.unwrap_or(true),
    })?;
    let address = ObjectAddress::new(oids::AUTH_MEM_RELATION, oid);
    let on = ObjectAddress::new(oids::AUTH_ID_RELATION, grantor);
    catalog.record_shared_dependency(&address, &on, catalog::ddl::SharedDependencyType::Acl)?;
    catalog.command_counter_increment()
}

/// `only`: the option to take away instead of the membership. (PostgreSQL: `DelRoleMems`)
fn remove_member(cmd: &mut CommandContext<'_>, role: Oid, member: Oid, only: Option<&str>) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let key = [Datum::oid(role), Datum::oid(member)];
    let found = catalog.find_rows::<PgAuthMembers>(oids::AUTH_MEM_ROLE_MEM_INDEX, &key)?;
    if found.is_empty() {
        let text = format!(
            "role \"{}\" has not been granted membership in role \"{}\" by role \"{}\"",
            catalog.role_name(member)?,
            catalog.role_name(role)?,
            catalog.role_name(cmd.cx.settings.current_user)?
        );
        cmd.notice(Severity::Warning, WARNING, text);
    }
    for f in found {
        let mut new = f.row.clone();
        match only {
            None => {
                let me = ObjectAddress::new(oids::AUTH_MEM_RELATION, f.row.oid);
                catalog.delete_shared_dependencies(&me)?;
                catalog.delete_row(&f)?;
                continue;
            }
            Some("inherit") => new.inherit_option = false,
            Some("set") => new.set_option = false,
            Some(_) => new.admin_option = false,
        }
        catalog.update_row(&f, &new)?;
    }
    catalog.command_counter_increment()
}

/// GRANT and REVOKE of roles.
pub fn grant(cmd: &mut CommandContext<'_>, stmt: &GrantRoleStmt) -> Result<Outcome> {
    let mut options_given = Grant { admin: None, inherit: None, set: None };
    let mut only = None;
    for o in &stmt.opt {
        let on = Some(o.arg.is_none() || base::guc::boolean(&options::text(o)).unwrap_or(false));
        match o.defname.as_str() {
            "admin" => options_given.admin = on,
            "inherit" => options_given.inherit = on,
            "set" => options_given.set = on,
            other => {
                let text = format!("unrecognized role option \"{other}\"");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
        only = Some(o.defname.as_str());
    }
    let me = cmd.cx.settings.current_user;
    let grantor = stmt.grantor.as_ref().map(|g| schema::role(cmd, g)).transpose()?;
    for granted in &stmt.granted_roles {
        let name = granted.priv_name.as_deref().unwrap_or_default();
        if !granted.cols.is_empty() {
            let text = "column names cannot be included in GRANT/REVOKE ROLE";
            return Err(PgError::new(INVALID_GRANT_OPERATION, text));
        }
        let role = cmd.cx.catalog.role_oid(name)?;
        if !cmd.cx.catalog.is_superuser(me)? && !cmd.cx.catalog.is_admin_of_role(me, role)? {
            let verb = if stmt.is_grant { "grant" } else { "revoke" };
            let detail = format!("Only roles with the ADMIN option on role \"{name}\" may {verb} this role.");
            return Err(denied(&format!("{verb} role \"{name}\""), detail));
        }
        for spec in &stmt.grantee_roles {
            let member = schema::role(cmd, spec)?;
            match stmt.is_grant {
                true => add_member(cmd, role, member, &options_given, grantor)?,
                false => remove_member(cmd, role, member, only)?,
            }
        }
    }
    Ok(Outcome::tag(if stmt.is_grant { "GRANT ROLE" } else { "REVOKE ROLE" }))
}

/// Who may rename a role, and to what.
pub fn may_rename(cmd: &mut CommandContext<'_>, oid: Oid, new: &str) -> Result<()> {
    let role = cmd.cx.catalog.role(oid)?.ok_or_else(|| PgError::internal("a role is gone"))?;
    if oid == cmd.cx.settings.session_user {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "session user cannot be renamed"));
    }
    if oid == cmd.cx.settings.current_user {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "current user cannot be renamed"));
    }
    check_name(&role.rolname)?;
    check_name(new)?;
    check_may_alter(cmd, &role, "rename")
}
