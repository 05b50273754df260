//! SET ROLE and SET SESSION AUTHORIZATION follow the transaction, as settings do: they are undone with it.
//! (PostgreSQL: the GUCs `role` and `session_authorization`)

use std::sync::Arc;

use base::Oid;

use super::Session;

#[derive(Clone, Copy)]
struct Before {
    /// The transaction nesting level at which the change happened.
    level: usize,
    session_user: Oid,
    current_user: Oid,
}

/// What was in force before the current transaction's changes.
#[derive(Default)]
pub(super) struct Roles {
    before: Vec<Before>,
    /// Before the first SET LOCAL.
    local: Option<Before>,
}

impl Session {
    /// To be called before a change.
    pub(super) fn remember_roles(&mut self, is_local: bool) {
        let level = self.nest_level();
        let (session_user, current_user) = (self.cx.settings.session_user, self.cx.settings.current_user);
        let before = Before { level, session_user, current_user };
        self.roles.before.push(before);
        match is_local {
            true => {
                self.roles.local.get_or_insert(before);
            }
            false => self.roles.local = None,
        }
    }

    /// The transactions at that nesting level and below were rolled back.
    pub(super) fn restore_roles(&mut self, level: usize) {
        let Some(at) = self.roles.before.iter().position(|b| b.level >= level) else { return };
        let before = self.roles.before[at];
        self.roles.before.truncate(at);
        self.roles.local = self.roles.local.filter(|l| l.level < level);
        self.put_roles(before);
    }

    pub(super) fn roles_at_commit(&mut self) {
        if self.roles.before.is_empty() {
            return;
        }
        self.roles.before.clear();
        if let Some(before) = self.roles.local.take() {
            self.put_roles(before);
        }
    }

    fn put_roles(&mut self, before: Before) {
        let settings = Arc::make_mut(&mut self.cx.settings);
        (settings.session_user, settings.current_user) = (before.session_user, before.current_user);
        // The role may be one whose creation was undone, or there is no transaction to look in.
        self.is_superuser = self.cx.catalog.is_superuser(before.current_user).unwrap_or(self.is_superuser);
        self.role_changed();
    }
}
