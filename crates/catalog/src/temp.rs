//! A session's temporary schema: `pg_temp_N` with `pg_toast_temp_N`, N being the session's place in the process array.
//!
//! The schema is made when it is first needed, and its row stays for the next session with that number, as PostgreSQL leaves it.
//! What it holds is dropped when the session ends. After a crash something may be left in it: that goes when the schema is next
//! taken into use, its files having been removed when the server started.
//!
//! PostgreSQL: `namespace.c` (`AccessTempTableNamespace`, `RemoveTempRelations`, `AtEOXact_Namespace`).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use base::sqlstate::{FEATURE_NOT_SUPPORTED, INSUFFICIENT_PRIVILEGE};
use base::{Oid, PgError, Result};
use types::Datum;

use crate::acl::{ACL_CREATE_TEMP, AclKind};
use crate::ddl::{DropBehavior, DropOptions, ObjectAddress};
use crate::oids;
use crate::row::PgDepend;
use crate::syscache::Catalog;

/// Which number the session has, and the schemas it uses.
#[derive(Default)]
pub(crate) struct TempState {
    number: AtomicU32,
    schema: AtomicU32,
    toast: AtomicU32,
    /// Taken into use by the open transaction.
    fresh: AtomicBool,
}

/// What a subtransaction began with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TempMark(u32, u32);

/// The number in the name of a temporary schema or its TOAST schema.
pub(crate) fn session_number(schema: &str) -> Option<i32> {
    let digits = schema.strip_prefix("pg_temp_").or_else(|| schema.strip_prefix("pg_toast_temp_"))?;
    digits.parse().ok()
}

impl Catalog {
    /// Tells which number the session has.
    pub fn set_session_number(&self, number: u32) {
        self.temp_state().number.store(number, Ordering::Relaxed);
    }
    /// The session's temporary schema; invalid if it has none yet. (PostgreSQL: `myTempNamespace`)
    pub fn temp_schema(&self) -> Oid {
        Oid(self.temp_state().schema.load(Ordering::Relaxed))
    }
    /// Whether it is the session's own temporary schema or its TOAST schema. (PostgreSQL: `isTempOrTempToastNamespace`)
    pub fn is_my_temp_schema(&self, schema: Oid) -> bool {
        let state = self.temp_state();
        schema.is_valid() && [&state.schema, &state.toast].into_iter().any(|s| s.load(Ordering::Relaxed) == schema.0)
    }
    /// Whether it belongs to another session. (PostgreSQL: `isOtherTempNamespace`)
    pub fn is_other_temp_schema(&self, schema: Oid) -> Result<bool> {
        Ok(!self.is_my_temp_schema(schema) && self.is_any_temp_namespace(schema)?)
    }

    /// The session's temporary schema, taken into use if it was not. (PostgreSQL: `InitTempTableNamespace`)
    pub fn access_temp_schema(&self) -> Result<Oid> {
        if let Some(schema) = self.temp_schema().valid() {
            return Ok(schema);
        }
        self.check_may_create_temp()?;
        let n = self.temp_state().number.load(Ordering::Relaxed);
        let schema = self.temp_namespace(n, "pg_temp")?;
        let toast = self.temp_namespace(n, "pg_toast_temp")?;
        self.command_counter_increment()?;
        let state = self.temp_state();
        state.fresh.store(true, Ordering::Relaxed);
        state.toast.store(toast.0, Ordering::Relaxed);
        state.schema.store(schema.0, Ordering::Relaxed);
        self.forget_search_path();
        Ok(schema)
    }

    fn check_may_create_temp(&self) -> Result<()> {
        let user = self.path_user();
        let Some(db) = self.database(self.database)? else { return Ok(()) };
        if self.has_privilege(user, AclKind::Database, db.datdba, db.datacl.as_deref(), ACL_CREATE_TEMP)? {
            return Ok(());
        }
        let text = format!("permission denied to create temporary tables in database \"{}\"", db.datname);
        Err(PgError::new(INSUFFICIENT_PRIVILEGE, text))
    }

    fn temp_namespace(&self, n: u32, prefix: &str) -> Result<Oid> {
        let name = format!("{prefix}_{n}");
        match self.namespace_by_name(&name)? {
            // An earlier session may have ended without dropping what it made.
            Some(found) => {
                self.empty_temp_schema(found.oid)?;
                Ok(found.oid)
            }
            None => {
                let made = self.create_namespace(&name, oids::BOOTSTRAP_SUPERUSERID, None)?;
                self.command_counter_increment()?;
                Ok(made)
            }
        }
    }

    /// Drops everything in a temporary schema, not the schema itself. (PostgreSQL: `RemoveTempRelations`)
    pub fn empty_temp_schema(&self, schema: Oid) -> Result<()> {
        let key = [Datum::oid(oids::NAMESPACE_RELATION), Datum::oid(schema)];
        if self.rows::<PgDepend>(oids::DEPEND_REFERENCE_INDEX, &key)?.is_empty() {
            return Ok(());
        }
        let options = DropOptions { skip_original: true, quietly: true, ..DropOptions::default() };
        self.perform_deletion(&[ObjectAddress::namespace(schema)], DropBehavior::Cascade, options)?;
        Ok(())
    }

    /// The error for reading what only the session that made it can. (PostgreSQL: `ReadBufferExtended`)
    pub(crate) fn check_not_other_temp(&self, schema: Oid) -> Result<()> {
        if self.is_other_temp_schema(schema)? {
            let text = "cannot access temporary tables of other sessions";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        Ok(())
    }

    pub(crate) fn temp_mark(&self) -> TempMark {
        let state = self.temp_state();
        TempMark(state.schema.load(Ordering::Relaxed), state.toast.load(Ordering::Relaxed))
    }
    pub(crate) fn temp_abort_to(&self, mark: TempMark) {
        let state = self.temp_state();
        if state.schema.load(Ordering::Relaxed) != mark.0 {
            state.schema.store(mark.0, Ordering::Relaxed);
            state.toast.store(mark.1, Ordering::Relaxed);
            self.forget_search_path();
        }
    }
    /// The transaction has ended.
    pub(crate) fn temp_end(&self, committed: bool) {
        let state = self.temp_state();
        if state.fresh.swap(false, Ordering::Relaxed) && !committed {
            self.temp_abort_to(TempMark(0, 0));
        }
    }
}
