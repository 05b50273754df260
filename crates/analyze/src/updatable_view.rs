//! A view over one table's columns is changed by changing the table: the statement's references to the view become those of
//! its columns, and the table takes the view's place as the target.
//!
//! PostgreSQL: `rewriteTargetView`, `view_query_is_auto_updatable`.

use base::error::Location;
use base::sqlstate::{FEATURE_NOT_SUPPORTED, OBJECT_NOT_IN_PREREQUISITE_STATE};
use base::{PgError, Result};
use catalog::Relation;

use crate::level::increment_levels;
use crate::lookup::relkind;
use crate::query::*;
use crate::rewrite::{Renumber, Rewriter, check_option, not_updatable, replace_ref};
use crate::walker::*;

/// Whether one of the view's triggers does what a statement of that kind is to do.
fn has_instead(rel: &Relation, command: CmdType) -> bool {
    let bit = match command {
        CmdType::Insert => 1 << 2,
        CmdType::Delete => 1 << 3,
        CmdType::Update => 1 << 4,
        _ => 0,
    };
    rel.triggers.iter().any(|t| t.tgtype & (1 << 6) != 0 && t.tgtype & bit != 0)
}

/// Why a statement of that kind cannot be. (PostgreSQL: `error_view_not_updatable`)
fn refusal(q: &Query, rel: &Relation, why: &str) -> PgError {
    let refuse = |command: CmdType, merge: bool| {
        let (verb, doing, event) = match command {
            CmdType::Insert => ("insert into", "inserting into", "INSERT"),
            CmdType::Delete => ("delete from", "deleting from", "DELETE"),
            _ => ("update", "updating", "UPDATE"),
        };
        let hint = match merge {
            true => format!("To enable {doing} the view using MERGE, provide an INSTEAD OF {event} trigger."),
            false => format!(
                "To enable {doing} the view, provide an INSTEAD OF {event} trigger or an unconditional ON {event} DO INSTEAD rule."
            ),
        };
        let text = format!("cannot {verb} view \"{}\"", rel.name());
        PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).detail(why).hint(hint)
    };
    if q.command_type != CmdType::Merge {
        return refuse(q.command_type, false);
    }
    let changes = |c: CmdType| matches!(c, CmdType::Insert | CmdType::Update | CmdType::Delete);
    let first = q.merge_actions.iter().map(|a| a.command_type).find(|c| changes(*c) && !has_instead(rel, *c));
    refuse(first.unwrap_or(CmdType::Update), true)
}

/// The view's columns as columns of its table.
struct Columns<'a> {
    view: &'a Query,
    base: RtIndex,
}

impl Columns<'_> {
    /// The table's column, or why there is none. (PostgreSQL: `view_col_is_auto_updatable`)
    fn of(&self, no: AttrNumber) -> std::result::Result<AttrNumber, &'static str> {
        let foreign = "View columns that are not columns of their base relation are not updatable.";
        match self.view.target_list.iter().find(|t| t.resno == no && !t.resjunk).map(|t| &t.expr) {
            Some(Expr::Var(v)) if v.varno == self.base && v.varlevelsup == 0 => match v.varattno {
                0 => Err("View columns that return whole-row references are not updatable."),
                n if n < 0 => Err("View columns that refer to system columns are not updatable."),
                n => Ok(n),
            },
            _ => Err(foreign),
        }
    }
    fn set(&self, columns: &[AttrNumber]) -> Vec<AttrNumber> {
        let mut v: Vec<_> = columns.iter().filter_map(|c| self.of(*c).ok()).collect();
        v.sort_unstable();
        v
    }
    fn renumber(&self, list: &mut [TargetEntry], base: &Relation) -> Result<()> {
        for t in list.iter_mut().filter(|t| !t.resjunk) {
            let no = self.of(t.resno).map_err(PgError::internal)?;
            t.resno = no;
            t.resname = Some(base.desc.attrs[no as usize - 1].name.to_string());
        }
        Ok(())
    }
}

/// The columns that a statement sets.
fn modified(q: &Query, perm: &RtePermissionInfo) -> Vec<(AttrNumber, Option<String>)> {
    let mut out: Vec<(AttrNumber, Option<String>)> = Vec::new();
    let mut add = |no: AttrNumber| {
        if !out.iter().any(|o| o.0 == no) {
            out.push((no, None));
        }
    };
    perm.inserted_cols.iter().chain(&perm.updated_cols).for_each(|c| add(*c));
    let set = q.on_conflict.iter().flat_map(|c| &c.on_conflict_set);
    let lists = q.merge_actions.iter().flat_map(|a| &a.target_list);
    q.target_list.iter().chain(set).chain(lists).filter(|t| !t.resjunk).for_each(|t| add(t.resno));
    out.sort_by_key(|o| o.0);
    out
}

impl Rewriter<'_, '_> {
    /// Puts the view's table in its place. It may be a view in turn, with defaults and rules of its own.
    pub(crate) fn updatable_view(&mut self, q: &mut Query, rel: &Relation) -> Result<()> {
        let Some(rti) = q.result_relation else { return Ok(()) };
        let view = self.view_query(rel)?;
        let writes = |c: CmdType| matches!(c, CmdType::Insert | CmdType::Update);
        let writes = writes(q.command_type) || q.merge_actions.iter().any(|a| writes(a.command_type));
        let why = if writes { crate::ddl::view_not_updatable(&view) } else { not_updatable(&view) };
        if let Some(why) = why {
            return Err(refusal(q, rel, why));
        }
        let Some(JoinTreeNode::RangeTblRef(base_rti)) = view.jointree.fromlist.first() else {
            return Err(PgError::internal("a view of no table"));
        };
        let base_rte = view.rte(*base_rti).clone();
        let RteKind::Relation { relid: base, perminfoindex: base_perm, .. } = base_rte.kind else {
            return Err(PgError::internal("a view of no table"));
        };
        let columns = Columns { view: &view, base: *base_rti };
        let old_perm = match &q.rte(rti).kind {
            RteKind::Relation { perminfoindex, .. } if *perminfoindex > 0 => {
                q.rteperminfos[*perminfoindex as usize - 1].clone()
            }
            _ => RtePermissionInfo::default(),
        };
        if writes {
            for (no, _) in modified(q, &old_perm) {
                if let Err(why) = columns.of(no) {
                    let name = &rel.desc.attrs[no as usize - 1].name;
                    let verb = match q.command_type {
                        CmdType::Insert => "insert into",
                        CmdType::Merge => "merge into",
                        _ => "update",
                    };
                    let m = format!("cannot {verb} column \"{name}\" of view \"{}\"", rel.name());
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).detail(why));
                }
            }
        }
        if q.merge_actions.iter().any(|a| has_instead(rel, a.command_type)) {
            let m = format!("cannot merge into view \"{}\"", rel.name());
            let d = "MERGE is not supported for views with INSTEAD OF triggers for some actions but not all.";
            let h = "To enable merging into the view, either provide a full set of INSTEAD OF triggers or drop the existing INSTEAD OF triggers.";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).detail(d).hint(h));
        }
        if let Some(lock) = &mut self.cx.lock {
            lock(base, crate::relation::lock::ROW_EXCLUSIVE)?;
        }
        let base_rel = self.cx.catalog.relation_entry(base)?;
        // The table takes a place of its own in the range table; the view's stays for its permissions.
        let mut rte = base_rte;
        rte.in_from_cl = false;
        let mut perm = match base_perm {
            0 => RtePermissionInfo { relid: base, ..RtePermissionInfo::default() },
            n => view.rteperminfos[n as usize - 1].clone(),
        };
        perm.required_perms |= old_perm.required_perms;
        perm.inserted_cols = columns.set(&old_perm.inserted_cols);
        perm.updated_cols = columns.set(&old_perm.updated_cols);
        q.rteperminfos.push(perm);
        let new_perm = q.rteperminfos.len() as u32;
        if let RteKind::Relation { perminfoindex, lock_mode, inh, relkind, .. } = &mut rte.kind {
            *perminfoindex = new_perm;
            *lock_mode = crate::relation::lock::ROW_EXCLUSIVE;
            *relkind = base_rel.kind();
            *inh = *inh && q.command_type != CmdType::Insert;
        }
        q.rtable.push(rte);
        let new = q.rtable.len() as RtIndex;
        let names: Vec<String> = rel.desc.attrs.iter().map(|a| a.name.to_string()).collect();
        let mut sub = ReplaceVars {
            from: rti,
            base: *base_rti,
            to: new,
            list: view.target_list.clone(),
            row: (rel.class.reltype, names),
            depth: 0,
        };
        walk_query_mut(&mut sub, q)?;
        for w in &mut q.with_check_options {
            sub.expr(&mut w.qual)?;
        }
        if q.command_type != CmdType::Delete {
            columns.renumber(&mut q.target_list, &base_rel)?;
            for a in q.merge_actions.iter_mut().filter(|a| a.command_type != CmdType::Delete) {
                columns.renumber(&mut a.target_list, &base_rel)?;
            }
        }
        self.excluded(q, &columns, &mut sub, &base_rel)?;
        if writes {
            check_option(q, rel, &view, *base_rti, new)?;
        }
        replace_ref(&mut q.jointree, rti, new);
        q.result_relation = Some(new);
        if q.merge_target_relation == rti {
            q.merge_target_relation = new;
        }
        if q.command_type != CmdType::Insert
            && let Some(mut w) = view.jointree.quals.clone()
        {
            Renumber { from: *base_rti, to: new, depth: 0 }.expr(&mut w)?;
            q.has_sub_links |= view.has_sub_links;
            q.jointree.quals = Some(match q.jointree.quals.take() {
                None => w,
                Some(e) => crate::expr::bool_expr(BoolExprType::And, vec![e, w], Location::UNKNOWN),
            });
        }
        // The view's entry is no table to read any more.
        if let RteKind::Relation { relid, lock_mode, perminfoindex, .. } = q.rtable[rti as usize - 1].kind {
            let mut empty = Query::new(CmdType::Select);
            empty.target_list = Vec::new();
            q.rtable[rti as usize - 1].kind = RteKind::Subquery {
                subquery: Box::new(empty),
                security_barrier: false,
                view: Some(ViewRef { relid, lock_mode, perminfoindex }),
            };
        }
        Ok(())
    }

    /// ON CONFLICT DO UPDATE: EXCLUDED is a row of the table, too.
    fn excluded(&self, q: &mut Query, columns: &Columns<'_>, sub: &mut ReplaceVars, base: &Relation) -> Result<()> {
        let Some(c) = q.on_conflict.as_mut().filter(|c| c.update) else { return Ok(()) };
        columns.renumber(&mut c.on_conflict_set, base)?;
        let eref = Alias {
            aliasname: "excluded".to_owned(),
            colnames: base
                .desc
                .attrs
                .iter()
                .map(|a| if a.dropped { String::new() } else { a.name.to_string() })
                .collect(),
        };
        q.rtable.push(RangeTblEntry {
            alias: Some(Alias { aliasname: "excluded".to_owned(), colnames: Vec::new() }),
            eref,
            kind: RteKind::Relation {
                relid: base.oid,
                relkind: relkind::COMPOSITE_TYPE,
                lock_mode: crate::relation::lock::ROW_EXCLUSIVE,
                inh: false,
                perminfoindex: 0,
                table_sample: None,
            },
            ..RangeTblEntry::default()
        });
        let old = std::mem::replace(&mut c.excl_rel_index, q.rtable.len() as RtIndex);
        c.excl_rel_tlist = crate::dml::excluded_list(base, c.excl_rel_index);
        (sub.from, sub.to) = (old, c.excl_rel_index);
        for t in &mut c.on_conflict_set {
            sub.expr(&mut t.expr)?;
        }
        if let Some(w) = &mut c.on_conflict_where {
            sub.expr(w)?;
        }
        Ok(())
    }
}

/// References to the view become the expressions of its columns over the base table.
struct ReplaceVars {
    from: RtIndex,
    base: RtIndex,
    to: RtIndex,
    list: Vec<TargetEntry>,
    /// The view's row type, and its columns' names.
    row: (base::Oid, Vec<String>),
    depth: u32,
}

impl ReplaceVars {
    fn column(&self, no: AttrNumber, returning: VarReturning) -> Result<Expr> {
        let t = self.list.iter().find(|t| t.resno == no && !t.resjunk);
        let mut new = t.ok_or_else(|| PgError::internal("a view has no such column"))?.expr.clone();
        Renumber { from: self.base, to: self.to, depth: 0 }.expr(&mut new)?;
        increment_levels(&mut new, i64::from(self.depth), 0)?;
        if returning != VarReturning::Default {
            Returning { rti: self.to, level: self.depth, returning }.expr(&mut new)?;
        }
        Ok(new)
    }
}

impl MutWalker for ReplaceVars {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::Var(v) = e
            && v.varno == self.from
            && v.varlevelsup == self.depth
        {
            if v.varattno < 0 {
                v.varno = self.to;
                return Ok(());
            }
            if v.varattno > 0 {
                *e = self.column(v.varattno, v.varreturning)?;
                return Ok(());
            }
            let mut args = Vec::with_capacity(self.row.1.len());
            for no in 1..=self.row.1.len() as AttrNumber {
                args.push(self.column(no, v.varreturning)?);
            }
            *e = Expr::RowExpr(Box::new(RowExpr {
                args,
                row_typeid: self.row.0,
                row_format: CoercionForm::ImplicitCast,
                colnames: self.row.1.clone(),
                location: v.location,
            }));
            return Ok(());
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let r = walk_query_mut(self, q);
        self.depth -= 1;
        r
    }
}

/// Makes references to the target those of its old or new row. (PostgreSQL: `SetVarReturningType`)
struct Returning {
    rti: RtIndex,
    level: u32,
    returning: VarReturning,
}

impl MutWalker for Returning {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::Var(v) = e
            && v.varno == self.rti
            && v.varlevelsup == self.level
        {
            v.varreturning = self.returning;
            return Ok(());
        }
        walk_expr_mut(self, e)
    }
}
