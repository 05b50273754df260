//! INSERT, UPDATE, DELETE, MERGE with ON CONFLICT and RETURNING.
//!
//! PostgreSQL: `transformInsertStmt`, `transformUpdateStmt`, `transformDeleteStmt`, `transformReturningClause` (`analyze.c`),
//! `transformMergeStmt` (`parse_merge.c`), `transformOnConflictArbiter` (`parse_clause.c`).

use std::rc::Rc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::acl::{ACL_DELETE, ACL_INSERT, ACL_SELECT, ACL_UPDATE};
use parser::ast;
use types::oid::*;

use crate::coerce::plain;
use crate::lookup::relkind;
use crate::names::add_col;
use crate::query::*;
use crate::relation::{ast_alias, lock};
use crate::state::*;
use crate::target::target_entry;

/// A column to be assigned: its name, the steps into it, its place, its number.
struct Column {
    name: String,
    indirection: Vec<ast::Indirection>,
    location: Location,
    attnum: AttrNumber,
}

impl Analyzer<'_, '_> {
    /// The target table. (PostgreSQL: `setTargetTable`)
    fn set_target(&mut self, rv: &ast::RangeVar, inh: bool, also_source: bool, perms: u64) -> Result<RtIndex> {
        if rv.schemaname.is_none() && self.levels.iter().any(|l| l.ctes.iter().any(|c| c.name == rv.relname)) {
            // A CTE hides a table of its name only for reading.
        }
        let rel = self.open_table(rv, lock::ROW_EXCLUSIVE)?;
        let alias = rv.alias.as_ref().map(ast_alias);
        let item = self.add_relation(&rel, lock::ROW_EXCLUSIVE, alias, inh, false, perms)?;
        let rti = item.rtindex;
        let lv = self.lv();
        lv.target = Some(Target { relid: rel.oid, item: item.clone() });
        if also_source {
            lv.joinlist.push(JoinTreeNode::RangeTblRef(rti));
            lv.namespace.push(item);
        }
        Ok(rti)
    }

    fn target(&self) -> Result<Target> {
        self.level().target.clone().ok_or_else(|| PgError::internal("no target relation"))
    }

    fn target_perm(&mut self, bits: u64) {
        let lv = self.lv();
        if let Some(t) = &lv.target {
            lv.perminfos[t.item.perminfo as usize - 1].required_perms |= bits;
        }
    }

    fn note_column(&mut self, attnum: AttrNumber, insert: bool) {
        let lv = self.lv();
        if let Some(t) = &lv.target {
            let p = &mut lv.perminfos[t.item.perminfo as usize - 1];
            add_col(if insert { &mut p.inserted_cols } else { &mut p.updated_cols }, attnum);
        }
    }

    /// INSERT's columns, all live ones if none are named. (PostgreSQL: `checkInsertTargets`)
    fn insert_columns(&self, cols: &[ast::ResTarget]) -> Result<Vec<Column>> {
        let rel = self.cat().relation_entry(self.target()?.relid)?;
        if cols.is_empty() {
            let live = rel.desc.attrs.iter().enumerate().filter(|(_, a)| !a.dropped);
            return Ok(live
                .map(|(i, a)| Column {
                    name: a.name.to_string(),
                    indirection: Vec::new(),
                    location: Location::UNKNOWN,
                    attnum: i as AttrNumber + 1,
                })
                .collect());
        }
        let mut out: Vec<Column> = Vec::new();
        for c in cols {
            let name = c.name.clone().unwrap_or_default();
            let Some(attnum) = rel.desc.find(&name) else {
                let m = format!("column \"{name}\" of relation \"{}\" does not exist", rel.name());
                return Err(PgError::new(UNDEFINED_COLUMN, m).at(c.location));
            };
            // Parts of one column may be given several times, the whole only once.
            let twice =
                out.iter().any(|o| o.attnum == attnum && (o.indirection.is_empty() || c.indirection.is_empty()));
            if twice {
                let m = format!("column \"{name}\" specified more than once");
                return Err(PgError::new(DUPLICATE_COLUMN, m).at(c.location));
            }
            out.push(Column { name, indirection: c.indirection.clone(), location: c.location, attnum });
        }
        Ok(out)
    }

    fn override_kind(k: ast::OverridingKind) -> OverridingKind {
        match k {
            ast::OverridingKind::NotSet => OverridingKind::NotSet,
            ast::OverridingKind::User => OverridingKind::UserValue,
            ast::OverridingKind::System => OverridingKind::SystemValue,
        }
    }

    pub(crate) fn insert(&mut self, s: &ast::InsertStmt) -> Result<Query> {
        let mut q = Query::new(CmdType::Insert);
        self.lv().is_insert = true;
        self.with_clause(s.with_clause.as_deref(), &mut q)?;
        q.override_ = Self::override_kind(s.override_);
        let update = s.on_conflict_clause.as_ref().is_some_and(|c| c.action == ast::OnConflictAction::Update);
        let select = s.select_stmt.as_deref();
        // Plain VALUES needs no subquery of its own.
        let general = select.is_some_and(|s| {
            s.values_lists.is_empty()
                || !s.sort_clause.is_empty()
                || s.limit_offset.is_some()
                || s.limit_count.is_some()
                || !s.locking_clause.is_empty()
                || s.with_clause.is_some()
        });
        // OLD and NEW of a rule are the SELECT's.
        let seeded = (general && self.in_rule && self.levels.len() == 1).then(|| {
            let lv = self.lv();
            let mut seeded = Level::new();
            std::mem::swap(&mut seeded.rtable, &mut lv.rtable);
            std::mem::swap(&mut seeded.perminfos, &mut lv.perminfos);
            std::mem::swap(&mut seeded.nullingrels, &mut lv.nullingrels);
            std::mem::swap(&mut seeded.namespace, &mut lv.namespace);
            seeded.resolve_unknowns = false;
            seeded
        });
        let perms = ACL_INSERT | if update { ACL_UPDATE } else { 0 };
        let rti = self.set_target(&s.relation, false, false, perms)?;
        q.result_relation = Some(rti);
        let cols = self.insert_columns(&s.cols)?;
        let mut exprs: Vec<Expr> = Vec::new();
        if let Some(sel) = select {
            if general {
                let statement = ast::Statement::Select(Box::new(sel.clone()));
                let sub = match seeded {
                    Some(level) => {
                        self.levels.push(level);
                        let sub = self.transform_statement(&statement);
                        self.levels.pop();
                        sub?
                    }
                    None => self.sub_analyze(&statement, None, false, false)?,
                };
                let alias = Alias { aliasname: "*SELECT*".to_owned(), colnames: Vec::new() };
                // Unknown literals of the SELECT are taken here, so that they get the columns' types.
                let list = sub.target_list.clone();
                let item = self.add_subquery(sub, Some(alias), false, false)?;
                self.lv().joinlist.push(JoinTreeNode::RangeTblRef(item.rtindex));
                for t in list.iter().filter(|t| !t.resjunk) {
                    let literal = matches!(t.expr, Expr::Const(_) | Expr::Param(_)) && t.expr.type_oid() == UNKNOWNOID;
                    if literal {
                        exprs.push(t.expr.clone());
                    } else {
                        exprs.push(Expr::Var(Var {
                            varno: item.rtindex,
                            varattno: t.resno,
                            vartype: t.expr.type_mod(),
                            varnullingrels: Vec::new(),
                            varlevelsup: 0,
                            varreturning: VarReturning::Default,
                            varnosyn: item.rtindex,
                            varattnosyn: t.resno,
                            location: t.expr.location(),
                        }));
                    }
                }
                exprs = self.insert_row(exprs, &s.cols, &cols, false)?;
            } else if sel.values_lists.len() > 1 {
                let mut rows: Vec<Vec<Expr>> = Vec::new();
                for list in &sel.values_lists {
                    let row = self.expression_list(list, ExprKind::Values, true)?;
                    if let Some(first) = rows.first()
                        && first.len() != row.len()
                    {
                        let at = row.first().map_or(Location::UNKNOWN, Expr::location);
                        let m = "VALUES lists must all be the same length";
                        return Err(PgError::new(SYNTAX_ERROR, m).at(at));
                    }
                    let mut row = self.insert_row(row, &s.cols, &cols, true)?;
                    for e in &mut row {
                        self.assign_collations(e)?;
                    }
                    rows.push(row);
                }
                let mut types: Vec<TypeMod> = rows[0].iter().map(Expr::type_mod).collect();
                for (i, t) in types.iter_mut().enumerate() {
                    if rows.iter().any(|r| r[i].typmod() != t.typmod) {
                        t.typmod = -1;
                    }
                    t.collation = Oid::INVALID;
                }
                let item = self.add_values(rows, types, false);
                for (e, _) in self.expand_item_vars(&item, 0, Location::UNKNOWN, true)? {
                    exprs.push(e);
                }
                self.lv().joinlist.push(JoinTreeNode::RangeTblRef(item.rtindex));
                exprs = self.insert_row(exprs, &s.cols, &cols, false)?;
            } else {
                let row = self.expression_list(&sel.values_lists[0], ExprKind::ValuesSingle, true)?;
                exprs = self.insert_row(row, &s.cols, &cols, false)?;
            }
        }
        for (e, c) in exprs.into_iter().zip(&cols) {
            q.target_list.push(target_entry(e, c.attnum, Some(c.name.clone())));
            self.note_column(c.attnum, true);
        }
        let target = self.target()?;
        if s.on_conflict_clause.is_some() || s.returning_clause.is_some() {
            let mut item = target.item.clone();
            (item.lateral_only, item.lateral_ok) = (false, true);
            self.lv().namespace.push(item);
        }
        if let Some(c) = &s.on_conflict_clause {
            q.on_conflict = Some(Box::new(self.on_conflict(c)?));
        }
        if let Some(r) = &s.returning_clause {
            self.returning(&mut q, r, ExprKind::Returning)?;
        }
        self.finish_level(&mut q, None);
        self.assign_query_collations(&mut q)?;
        self.finish_ctes(&mut q);
        Ok(q)
    }

    /// The values for the columns, converted. (PostgreSQL: `transformInsertRow`)
    fn insert_row(
        &mut self,
        exprs: Vec<Expr>,
        given: &[ast::ResTarget],
        cols: &[Column],
        strip: bool,
    ) -> Result<Vec<Expr>> {
        if exprs.len() > cols.len() {
            let m = "INSERT has more expressions than target columns";
            return Err(PgError::new(SYNTAX_ERROR, m).at(exprs[cols.len()].location()));
        }
        if !given.is_empty() && exprs.len() < cols.len() {
            let m = "INSERT has more target columns than expressions";
            let e = PgError::new(SYNTAX_ERROR, m).at(cols[exprs.len()].location);
            let as_row = matches!(&exprs[..], [Expr::RowExpr(r)] if r.args.len() == cols.len());
            return Err(match as_row {
                true => e.hint(
                    "The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?",
                ),
                false => e,
            });
        }
        let mut out = Vec::new();
        for (e, c) in exprs.into_iter().zip(cols) {
            let mut e = self.assigned_expr(e, ExprKind::InsertTarget, &c.name, c.attnum, &c.indirection, c.location)?;
            if strip {
                // In VALUES lists only the value stays; the assignment is put on the column.
                loop {
                    e = match e {
                        Expr::FieldStore(mut f) => f.newvals.swap_remove(0),
                        Expr::SubscriptingRef(s) if s.refassgnexpr.is_some() => {
                            s.refassgnexpr.ok_or_else(|| PgError::internal("an assignment of nothing"))?
                        }
                        e => {
                            break out.push(e);
                        }
                    };
                }
            } else {
                out.push(e);
            }
        }
        Ok(out)
    }

    /// (PostgreSQL: `transformOnConflictClause`)
    fn on_conflict(&mut self, c: &ast::OnConflictClause) -> Result<OnConflictExpr> {
        let update = c.action == ast::OnConflictAction::Update;
        let target = self.target()?;
        let rel = self.cat().relation_entry(target.relid)?;
        let mut out = OnConflictExpr {
            update,
            arbiter_elems: Vec::new(),
            arbiter_where: None,
            constraint: Oid::INVALID,
            on_conflict_set: Vec::new(),
            on_conflict_where: None,
            excl_rel_index: 0,
            excl_rel_tlist: Vec::new(),
        };
        let mut excluded = None;
        if update {
            // EXCLUDED is a row of the table's shape, without system columns.
            let eref = Alias {
                aliasname: "excluded".to_owned(),
                colnames: rel
                    .desc
                    .attrs
                    .iter()
                    .map(|a| if a.dropped { String::new() } else { a.name.to_string() })
                    .collect(),
            };
            let kind = RteKind::Relation {
                relid: rel.oid,
                relkind: relkind::COMPOSITE_TYPE,
                lock_mode: lock::ROW_EXCLUSIVE,
                inh: false,
                perminfoindex: 0,
                table_sample: None,
            };
            let types: Vec<_> =
                rel.desc.attrs.iter().map(|a| (!a.dropped).then(|| crate::relation::attr_type(a))).collect();
            let alias = Alias { aliasname: "excluded".to_owned(), colnames: Vec::new() };
            let item = self.push_rte(Some(alias), eref, kind, false, false, &types);
            out.excl_rel_index = item.rtindex;
            out.excl_rel_tlist = excluded_list(&rel, item.rtindex);
            excluded = Some(item);
        }
        self.on_conflict_arbiter(c, &rel, &mut out)?;
        if update {
            if let Some(mut item) = excluded {
                (item.rel_visible, item.cols_visible) = (true, false);
                self.lv().namespace.push(item);
            }
            self.lv().is_insert = false;
            out.on_conflict_set = self.update_targets(&c.target_list)?;
            if let Some(w) = &c.where_clause {
                out.on_conflict_where = Some(self.where_clause(w, ExprKind::Where, "WHERE")?);
            }
            // EXCLUDED is not for RETURNING.
            let lv = self.lv();
            lv.namespace.retain(|i| i.rtindex != out.excl_rel_index);
        }
        Ok(out)
    }

    /// (PostgreSQL: `transformOnConflictArbiter`)
    fn on_conflict_arbiter(
        &mut self,
        c: &ast::OnConflictClause,
        rel: &catalog::Relation,
        out: &mut OnConflictExpr,
    ) -> Result<()> {
        if out.update && c.infer.is_none() {
            let m = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return Err(PgError::new(SYNTAX_ERROR, m).hint("For example, ON CONFLICT (column_name).").at(c.location));
        }
        if rel.is_catalog() {
            let m = "ON CONFLICT is not supported with system catalog tables";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(c.location));
        }
        let Some(infer) = &c.infer else { return Ok(()) };
        if let Some(name) = &infer.conname {
            let con = self.cat().constraints_of_relation(rel.oid)?.into_iter().find(|k| k.conname == *name);
            let Some(con) = con else {
                let m = format!("constraint \"{name}\" for table \"{}\" does not exist", rel.name());
                return Err(PgError::new(UNDEFINED_OBJECT, m));
            };
            out.constraint = con.oid;
            // Reading the key needs the right to.
            for k in con.conkey.iter().flatten() {
                let (level, rti) = (self.levels.len() - 1, self.target()?.item.rtindex);
                self.mark_select(level, rti, *k);
            }
            return Ok(());
        }
        for e in &infer.index_elems {
            let at = infer.location;
            let refuse = |m: &str| Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(at));
            if e.ordering != ast::SortByDir::Default {
                return refuse("ASC/DESC is not allowed in ON CONFLICT clause");
            }
            if e.nulls_ordering != ast::SortByNulls::Default {
                return refuse("NULLS FIRST/LAST is not allowed in ON CONFLICT clause");
            }
            let raw = match (&e.name, &e.expr) {
                (Some(n), _) => {
                    ast::Expr::ColumnRef(ast::ColumnRef { fields: vec![ast::Field::Name(n.clone())], location: at })
                }
                (None, Some(x)) => x.clone(),
                _ => return Err(PgError::internal("an index element of nothing")),
            };
            let mut expr = self.transform_expr(&raw, ExprKind::IndexExpression)?;
            self.assign_collations(&mut expr)?;
            let infercollid =
                if e.collation.is_empty() { Oid::INVALID } else { self.find_collation(&e.collation, at)? };
            let inferopclass = match e.opclass.is_empty() {
                true => Oid::INVALID,
                false => crate::ddl::find_opclass(self.cat(), catalog::oids::BTREE_AM_OID, "btree", &e.opclass)?,
            };
            out.arbiter_elems.push(InferenceElem { expr, infercollid, inferopclass });
        }
        if let Some(w) = &infer.where_clause {
            let mut e = self.where_clause(w, ExprKind::IndexPredicate, "WHERE")?;
            self.assign_collations(&mut e)?;
            out.arbiter_where = Some(e);
        }
        Ok(())
    }

    pub(crate) fn update(&mut self, s: &ast::UpdateStmt) -> Result<Query> {
        let mut q = Query::new(CmdType::Update);
        self.with_clause(s.with_clause.as_deref(), &mut q)?;
        q.result_relation = Some(self.set_target(&s.relation, s.relation.inh, true, ACL_UPDATE)?);
        self.from_with_target(&s.from_clause)?;
        let quals = self.dml_where(s.where_clause.as_ref())?;
        if let Some(r) = &s.returning_clause {
            self.returning(&mut q, r, ExprKind::Returning)?;
        }
        q.target_list = self.update_targets(&s.target_list)?;
        self.finish_level(&mut q, quals);
        self.assign_query_collations(&mut q)?;
        self.finish_ctes(&mut q);
        Ok(q)
    }

    pub(crate) fn delete(&mut self, s: &ast::DeleteStmt) -> Result<Query> {
        let mut q = Query::new(CmdType::Delete);
        self.with_clause(s.with_clause.as_deref(), &mut q)?;
        q.result_relation = Some(self.set_target(&s.relation, s.relation.inh, true, ACL_DELETE)?);
        self.from_with_target(&s.using_clause)?;
        let quals = self.dml_where(s.where_clause.as_ref())?;
        if let Some(r) = &s.returning_clause {
            self.returning(&mut q, r, ExprKind::Returning)?;
        }
        self.finish_level(&mut q, quals);
        if self.level().has_aggs {
            self.check_aggregates(&mut q)?;
        }
        self.assign_query_collations(&mut q)?;
        self.finish_ctes(&mut q);
        Ok(q)
    }

    /// The other tables, which see the target but not laterally.
    fn from_with_target(&mut self, from: &[ast::FromItem]) -> Result<()> {
        if let Some(i) = self.lv().namespace.last_mut() {
            (i.lateral_only, i.lateral_ok) = (true, false);
        }
        self.from_clause(from)?;
        let target = self.target()?.item.rtindex;
        if let Some(i) = self.lv().namespace.iter_mut().find(|i| i.rtindex == target) {
            (i.lateral_only, i.lateral_ok) = (false, true);
        }
        Ok(())
    }

    fn dml_where(&mut self, w: Option<&ast::Expr>) -> Result<Option<Expr>> {
        w.map(|w| self.where_clause(w, ExprKind::Where, "WHERE")).transpose()
    }

    /// SET. (PostgreSQL: `transformUpdateTargetList`)
    fn update_targets(&mut self, list: &[ast::ResTarget]) -> Result<Vec<TargetEntry>> {
        let target = self.target()?;
        let rel = self.cat().relation_entry(target.relid)?;
        let save = self.level().next_resno;
        self.lv().next_resno = 1;
        let mut out = self.target_list(list, ExprKind::UpdateSource)?;
        self.lv().next_resno = save;
        let mut junk = rel.desc.len() as AttrNumber;
        let mut given = list.iter();
        for t in &mut out {
            if t.resjunk {
                junk += 1;
                (t.resno, t.resname) = (junk, None);
                continue;
            }
            let o = given.next().ok_or_else(|| PgError::internal("UPDATE target count mismatch"))?;
            let name = o.name.clone().unwrap_or_default();
            let Some(attnum) = rel.desc.find(&name).or_else(|| crate::names::system_column(&name).map(|c| c.0)) else {
                let m = format!("column \"{name}\" of relation \"{}\" does not exist", rel.name());
                let e = PgError::new(UNDEFINED_COLUMN, m).at(o.location);
                let table = name == target.item.names.aliasname;
                return Err(match (table, o.indirection.is_empty()) {
                    (true, false) => e.hint("SET target columns cannot be qualified with the relation name."),
                    _ => e,
                });
            };
            let e = std::mem::replace(&mut t.expr, crate::coerce::bool_const(false));
            t.expr = self.assigned_expr(e, ExprKind::UpdateTarget, &name, attnum, &o.indirection, o.location)?;
            t.resno = attnum;
            t.resname = Some(name);
            self.note_column(attnum, false);
        }
        Ok(out)
    }

    /// RETURNING, with OLD and NEW. (PostgreSQL: `transformReturningClause`)
    pub(crate) fn returning(&mut self, q: &mut Query, r: &ast::ReturningClause, kind: ExprKind) -> Result<()> {
        let (mut old, mut new) = (None, None);
        for o in &r.options {
            let slot = match o.option {
                ast::ReturningOptionKind::Old => &mut old,
                ast::ReturningOptionKind::New => &mut new,
            };
            let what = if o.option == ast::ReturningOptionKind::Old { "OLD" } else { "NEW" };
            if slot.is_some() {
                let m = format!("{what} cannot be specified multiple times");
                return Err(PgError::new(SYNTAX_ERROR, m).at(o.location));
            }
            if self.level().namespace.iter().any(|i| i.rel_visible && i.names.aliasname == o.value) {
                let m = format!("table name \"{}\" specified more than once", o.value);
                return Err(PgError::new(DUPLICATE_ALIAS, m).at(o.location));
            }
            *slot = Some(o.value.clone());
        }
        let taken = |a: &Self, n: &str| a.level().namespace.iter().any(|i| i.rel_visible && i.names.aliasname == n);
        if old.is_none() && !taken(self, "old") {
            old = Some("old".to_owned());
        }
        if new.is_none() && !taken(self, "new") {
            new = Some("new".to_owned());
        }
        if old.is_some() && old == new {
            let m = format!("table name \"{}\" specified more than once", old.clone().unwrap_or_default());
            return Err(PgError::new(DUPLICATE_ALIAS, m));
        }
        let n = self.level().namespace.len();
        let target = self.target()?;
        for (name, which) in [(&old, VarReturning::Old), (&new, VarReturning::New)] {
            let Some(name) = name else { continue };
            let mut item = target.item.clone();
            item.names = Rc::new(Alias { aliasname: name.clone(), colnames: item.names.colnames.clone() });
            item.columns = item.columns.iter().cloned().map(|c| NsColumn { varreturning: which, ..c }).collect();
            item.returning = which;
            (item.rel_visible, item.cols_visible) = (true, false);
            (item.lateral_only, item.lateral_ok) = (false, true);
            self.lv().namespace.push(item);
        }
        let save = std::mem::replace(&mut self.lv().next_resno, 1);
        let mut list = self.target_list(&r.exprs, kind)?;
        self.mark_origins(&mut list);
        if self.level().resolve_unknowns {
            self.resolve_unknowns(&mut list)?;
        }
        self.lv().next_resno = save;
        self.lv().namespace.truncate(n);
        if list.is_empty() {
            return Err(PgError::new(SYNTAX_ERROR, "RETURNING must have at least one column"));
        }
        q.returning_list = list;
        (q.returning_old_alias, q.returning_new_alias) = (old, new);
        Ok(())
    }

    /// (PostgreSQL: `transformMergeStmt`)
    pub(crate) fn merge(&mut self, s: &ast::MergeStmt) -> Result<Query> {
        let mut q = Query::new(CmdType::Merge);
        if let Some(w) = &s.with_clause {
            if w.recursive {
                let m = "WITH RECURSIVE is not supported for MERGE statement";
                return Err(PgError::new(SYNTAX_ERROR, m));
            }
            self.with_clause(Some(w), &mut q)?;
        }
        let mut terminal: [bool; 3] = [false; 3];
        let mut perms = 0;
        let mut needs_right = false;
        for w in &s.merge_when_clauses {
            let k = match w.match_kind {
                ast::MergeMatchKind::Matched => 0,
                ast::MergeMatchKind::NotMatchedBySource => 1,
                ast::MergeMatchKind::NotMatchedByTarget => 2,
            };
            needs_right |= k == 1;
            if terminal[k] {
                let m = "unreachable WHEN clause specified after unconditional WHEN clause";
                return Err(PgError::new(SYNTAX_ERROR, m));
            }
            terminal[k] = w.condition.is_none();
            perms |= match w.command_type {
                ast::CmdType::Insert => ACL_INSERT,
                ast::CmdType::Update => ACL_UPDATE,
                ast::CmdType::Delete => ACL_DELETE,
                _ => 0,
            };
        }
        let _ = needs_right;
        let rti = self.set_target(&s.relation, s.relation.inh, false, perms)?;
        q.result_relation = Some(rti);
        q.merge_target_relation = rti;
        let target = self.target()?;
        let kind = match &self.level().rte(rti).kind {
            RteKind::Relation { relkind, .. } => *relkind,
            _ => 0,
        };
        if !matches!(kind, relkind::RELATION | relkind::PARTITIONED_TABLE | relkind::VIEW) {
            let m = format!("cannot execute MERGE on relation \"{}\"", target.item.names.aliasname);
            return Err(PgError::new(WRONG_OBJECT_TYPE, m));
        }
        self.from_clause(std::slice::from_ref(&s.source_relation))?;
        let source: Vec<NsItem> = self.level().namespace.clone();
        let target_item = target.item.clone();
        self.check_conflicts(&source, std::slice::from_ref(&target_item)).map_err(|_| {
            let m = format!("name \"{}\" specified more than once", target_item.names.aliasname);
            PgError::new(DUPLICATE_ALIAS, m).detail("The name is used both as MERGE target table and data source.")
        })?;
        let both = |a: &mut Self, t: bool, s: bool| {
            let mut ns = Vec::new();
            if t {
                ns.push(target_item.clone());
            }
            if s {
                ns.extend(source.iter().cloned());
            }
            a.lv().namespace = ns;
        };
        both(self, true, true);
        q.merge_join_condition = Some(self.where_clause(&s.join_condition, ExprKind::JoinOn, "JOIN/ON")?);
        for w in &s.merge_when_clauses {
            let match_kind = match w.match_kind {
                ast::MergeMatchKind::Matched => MergeMatchKind::Matched,
                ast::MergeMatchKind::NotMatchedBySource => MergeMatchKind::NotMatchedBySource,
                ast::MergeMatchKind::NotMatchedByTarget => MergeMatchKind::NotMatchedByTarget,
            };
            match match_kind {
                MergeMatchKind::Matched => both(self, true, true),
                MergeMatchKind::NotMatchedBySource => both(self, true, false),
                MergeMatchKind::NotMatchedByTarget => both(self, false, true),
            }
            let mut action = MergeAction {
                match_kind,
                command_type: CmdType::Utility,
                override_: Self::override_kind(w.override_),
                qual: None,
                target_list: Vec::new(),
                update_colnos: Vec::new(),
            };
            if let Some(c) = &w.condition {
                action.qual = Some(self.where_clause(c, ExprKind::MergeWhen, "WHEN")?);
            }
            match w.command_type {
                ast::CmdType::Insert => {
                    action.command_type = CmdType::Insert;
                    self.lv().is_insert = true;
                    let cols = self.insert_columns(&w.target_list)?;
                    if !w.values.is_empty() {
                        let row = self.expression_list(&w.values, ExprKind::ValuesSingle, true)?;
                        let row = self.insert_row(row, &w.target_list, &cols, false)?;
                        for (e, c) in row.into_iter().zip(&cols) {
                            action.target_list.push(target_entry(e, c.attnum, Some(c.name.clone())));
                            self.note_column(c.attnum, true);
                        }
                    }
                }
                ast::CmdType::Update => {
                    action.command_type = CmdType::Update;
                    self.lv().is_insert = false;
                    action.target_list = self.update_targets(&w.target_list)?;
                }
                ast::CmdType::Delete => action.command_type = CmdType::Delete,
                _ => {}
            }
            q.merge_actions.push(action);
        }
        both(self, true, true);
        if let Some(r) = &s.returning_clause {
            self.returning(&mut q, r, ExprKind::MergeReturning)?;
        }
        // The rows of the target are read to be matched.
        self.target_perm(ACL_SELECT);
        self.finish_level(&mut q, None);
        self.assign_query_collations(&mut q)?;
        self.finish_ctes(&mut q);
        Ok(q)
    }
}

/// (PostgreSQL: `BuildOnConflictExcludedTargetlist`)
pub(crate) fn excluded_list(rel: &catalog::Relation, rti: RtIndex) -> Vec<TargetEntry> {
    let mut out = Vec::new();
    let var = |no: AttrNumber, ty: TypeMod| {
        Expr::Var(Var { varno: rti, varattno: no, vartype: ty, varnosyn: rti, varattnosyn: no, ..Var::default() })
    };
    for (i, a) in rel.desc.attrs.iter().enumerate() {
        let no = i as AttrNumber + 1;
        let (e, name) = if a.dropped {
            (crate::coerce::null_const(INT4OID, 4, true), None)
        } else {
            (var(no, crate::relation::attr_type(a)), Some(a.name.to_string()))
        };
        out.push(target_entry(e, no, name));
    }
    let mut whole = target_entry(var(0, plain(rel.class.reltype)), 0, None);
    whole.resjunk = true;
    out.push(whole);
    out
}
