//! Rules, also those that make a view.
//!
//! PostgreSQL: `rewriteDefine.c` (`InsertRule`), `rewriteRemove.c`.

use base::sqlstate::DUPLICATE_OBJECT;
use base::{Oid, PgError, Result};
use types::Datum;

use super::{DependencyType, ObjectAddress, truncate_name};
use crate::oids;
use crate::row::{PgClass, PgRewrite};
use crate::syscache::Catalog;

/// The name of the rule that makes a view. (PostgreSQL: `ViewSelectRuleName`)
pub const VIEW_RULE: &str = "_RETURN";

/// What a rule is to be.
#[derive(Clone, Debug)]
pub struct NewRule {
    pub name: String,
    pub relation: Oid,
    /// `1` SELECT, `2` UPDATE, `3` INSERT, `4` DELETE. (PostgreSQL: `ev_type`)
    pub event: u8,
    pub instead: bool,
    /// Node text; `<>` for none.
    pub qual: String,
    /// Node text: a list of queries.
    pub action: String,
    pub replace: bool,
    /// What both refer to. (PostgreSQL: `recordDependencyOnExpr`)
    pub dependencies: Vec<ObjectAddress>,
}

impl NewRule {
    /// The rule of a view.
    pub fn view(relation: Oid, action: String, dependencies: Vec<ObjectAddress>) -> NewRule {
        let name = VIEW_RULE.to_owned();
        NewRule { name, relation, event: b'1', instead: true, qual: "<>".into(), action, replace: true, dependencies }
    }
}

impl Catalog {
    /// Adds a rule, or replaces it; its id is returned. The caller increments the command counter. (PostgreSQL: `InsertRule`)
    pub fn create_rule(&self, new: &NewRule) -> Result<Oid> {
        let name = truncate_name(&new.name);
        let key = [Datum::oid(new.relation), Datum::text(name)];
        let old = self.find_row::<PgRewrite>(oids::REWRITE_REL_RULENAME_INDEX, &key)?;
        let mut row = PgRewrite {
            oid: Oid::INVALID,
            rulename: name.to_owned(),
            ev_class: new.relation,
            ev_type: new.event,
            ev_enabled: b'O',
            is_instead: new.instead,
            ev_qual: new.qual.clone(),
            ev_action: new.action.clone(),
        };
        let me = match old {
            Some(found) => {
                if !new.replace {
                    let relation = self.relation_entry(new.relation)?;
                    let text = format!("rule \"{name}\" for relation \"{}\" already exists", relation.name());
                    return Err(PgError::new(DUPLICATE_OBJECT, text));
                }
                row.oid = found.row.oid;
                row.ev_enabled = found.row.ev_enabled;
                self.update_row(&found, &row)?;
                let me = ObjectAddress::new(oids::REWRITE_RELATION, row.oid);
                self.delete_dependencies(&me, false)?;
                me
            }
            None => {
                row.oid = self.new_oid(oids::REWRITE_RELATION, oids::REWRITE_OID_INDEX)?;
                self.insert_row(&row)?;
                ObjectAddress::new(oids::REWRITE_RELATION, row.oid)
            }
        };
        // A view is nothing without its rule; other rules just go with their table.
        let kind = if new.event == b'1' { DependencyType::Internal } else { DependencyType::Auto };
        self.record_dependency(&me, &ObjectAddress::relation(new.relation), kind)?;
        self.record_dependencies(&me, &new.dependencies, DependencyType::Normal)?;
        self.set_has_rules(new.relation)?;
        Ok(row.oid)
    }

    /// (PostgreSQL: `SetRelationRuleStatus`)
    fn set_has_rules(&self, rel: Oid) -> Result<()> {
        let found = self.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
        let found = found.ok_or_else(|| PgError::internal(format!("cache lookup failed for relation {rel}")))?;
        if !found.row.relhasrules {
            self.update_row(&found, &PgClass { relhasrules: true, ..found.row.clone() })?;
        }
        self.invalidate_relation(rel);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DropBehavior, DropOptions, NewRelation, new_attribute};
    use super::*;
    use crate::relcache::relkind;
    use types::oid::INT4OID;

    #[test]
    fn a_view_stands_on_its_table() {
        let c = Catalog::bootstrap();
        let column = || vec![new_attribute("a", &c.type_row(INT4OID).unwrap(), -1, Oid::INVALID)];
        let table = c.create_relation(&NewRelation::new("t", Oid(2200), Oid(10), column())).unwrap();
        let mut view = NewRelation::new("v", Oid(2200), Oid(10), column());
        (view.kind, view.am) = (relkind::VIEW, Oid::INVALID);
        let view = c.create_relation(&view).unwrap();
        c.command_counter_increment().unwrap();
        let rule = NewRule::view(view, "({QUERY})".into(), vec![ObjectAddress::column(table, 1)]);
        let first = c.create_rule(&rule).unwrap();
        c.command_counter_increment().unwrap();
        assert_eq!(c.create_rule(&rule).unwrap(), first);
        c.command_counter_increment().unwrap();
        let entry = c.relation_entry(view).unwrap();
        assert!(entry.view_rule().is_some_and(|r| r.ev_action == "({QUERY})") && entry.locator.rel == Oid::INVALID);
        let drop = |o, behavior| c.perform_deletion(&[o], behavior, DropOptions::default());
        let e = drop(ObjectAddress::relation(table), DropBehavior::Restrict).unwrap_err();
        assert_eq!(e.fields().detail.as_deref(), Some("view v depends on table t"));
        let n = drop(ObjectAddress::relation(table), DropBehavior::Cascade).unwrap().unwrap();
        assert_eq!(n.message(), "drop cascades to view v");
        assert!(c.relation(view).unwrap().is_none());
    }
}
