//! What the planner gets: views expanded with their permissions, simple views updated through, defaults filled in, generated
//! columns guarded. Rules other than a view's SELECT, and row security, answer 0A000.
//!
//! PostgreSQL: `rewrite/rewriteHandler.c`, `rewrite/rewriteManip.c`.

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::Relation;
use types::Datum;

use crate::coerce::{Context, null_const};
use crate::context::{AnalyzeContext, ParamTypes};
use crate::lookup::{Lookup, format_type, relkind};
use crate::query::*;
use crate::relation::attr_type;
use crate::state::Analyzer;
use crate::walker::*;

/// (PostgreSQL: `QueryRewrite`)
pub fn rewrite(cx: &mut AnalyzeContext<'_>, query: Query) -> Result<Vec<Query>> {
    if query.command_type == CmdType::Utility {
        return Ok(vec![query]);
    }
    let mut r = Rewriter { cx, views: Vec::new(), rules_applied: false };
    let mut queries = match query.command_type {
        CmdType::Select => vec![query],
        _ => crate::rules::apply(&mut r, query)?,
    };
    for query in &mut queries {
        r.rules_applied = true;
        r.query(query)?;
        FillArguments(&r.cx.catalog).query(query)?;
    }
    Ok(queries)
}

pub(crate) struct Rewriter<'a, 'c> {
    pub(crate) cx: &'a mut AnalyzeContext<'c>,
    /// The views that are being expanded, to notice those that contain themselves.
    views: Vec<Oid>,
    /// The query at work is the statement itself.
    pub(crate) rules_applied: bool,
}

/// Goes to the subqueries of expressions.
struct SubLinks<'r, 'a, 'c>(&'r mut Rewriter<'a, 'c>);

impl MutWalker for SubLinks<'_, '_, '_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::SubLink(s) = e {
            self.0.query(&mut s.subselect)?;
            return s.testexpr.as_mut().map_or(Ok(()), |t| self.expr(t));
        }
        walk_expr_mut(self, e)
    }
    // Subqueries in FROM and CTEs are the rewriter's own business.
    fn query(&mut self, _: &mut Query) -> Result<()> {
        Ok(())
    }
    fn rte(&mut self, r: &mut RangeTblEntry) -> Result<()> {
        match &r.kind {
            RteKind::Subquery { .. } | RteKind::Join(_) => Ok(()),
            _ => walk_rte_mut(self, r),
        }
    }
}

impl Rewriter<'_, '_> {
    fn query(&mut self, q: &mut Query) -> Result<()> {
        check_depth()?;
        if q.command_type == CmdType::Utility {
            return Ok(());
        }
        let applied = std::mem::take(&mut self.rules_applied);
        for c in &mut q.cte_list {
            self.query(&mut c.ctequery)?;
        }
        if q.command_type != CmdType::Select {
            self.rules_applied = applied;
            self.target(q)?;
            self.rules_applied = false;
        }
        self.expand(q)?;
        if q.has_sub_links {
            walk_query_mut(&mut SubLinks(self), q)?;
        }
        self.virtual_columns(q)
    }

    /// Views of the range table become their queries. (PostgreSQL: `fireRIRrules`)
    fn expand(&mut self, q: &mut Query) -> Result<()> {
        let mut i = 0;
        while i < q.rtable.len() {
            let rti = i as RtIndex + 1;
            i += 1;
            if let RteKind::Subquery { subquery, view: None, .. } = &mut q.rtable[i - 1].kind {
                let mut sub = std::mem::take(&mut **subquery);
                let r = self.query(&mut sub);
                if let RteKind::Subquery { subquery, .. } = &mut q.rtable[i - 1].kind {
                    **subquery = sub;
                }
                r?;
                continue;
            }
            let RteKind::Relation { relid, relkind: kind, .. } = q.rtable[i - 1].kind else { continue };
            if Some(rti) == q.result_relation && (q.command_type != CmdType::Merge || kind == relkind::VIEW) {
                // Only a view with INSTEAD OF triggers stays a target.
                continue;
            }
            if kind == relkind::COMPOSITE_TYPE {
                continue;
            }
            let rel = self.cx.catalog.relation_entry(relid)?;
            if rel.class.relrowsecurity && !self.bypasses_rls(&rel)? {
                return Err(PgError::unsupported("row security"));
            }
            if kind != relkind::VIEW {
                continue;
            }
            self.expand_view(q, rti, &rel)?;
        }
        Ok(())
    }

    /// A view that stays a target has INSTEAD OF triggers. The rows to change are read from it, so it becomes its query where
    /// it stands, and a new entry is the target. (PostgreSQL: `ApplyRetrieveRule`)
    fn read_target_view(&mut self, q: &mut Query, rti: RtIndex) -> Result<()> {
        let RteKind::Relation { relid, .. } = q.rte(rti).kind else { return Ok(()) };
        let rel = self.cx.catalog.relation_entry(relid)?;
        if q.command_type == CmdType::Insert {
            return Ok(());
        }
        let target = q.rte(rti).clone();
        q.rtable.push(target);
        let new = q.rtable.len() as RtIndex;
        q.result_relation = Some(new);
        // Permissions are checked once, with the target's entry.
        if let RteKind::Relation { perminfoindex, .. } = &mut q.rtable[rti as usize - 1].kind {
            *perminfoindex = 0;
        }
        // RETURNING shows what the triggers made of the row, all else the row as it was.
        for t in &mut q.returning_list {
            Renumber { from: rti, to: new, depth: 0 }.expr(&mut t.expr)?;
        }
        let ty = TypeMod { oid: rel.class.reltype, typmod: -1, collation: Oid::INVALID };
        let whole = Var { varno: rti, varattno: 0, vartype: ty, varnosyn: rti, ..Var::default() };
        q.target_list.push(TargetEntry {
            expr: Expr::Var(whole),
            resno: q.target_list.len() as AttrNumber + 1,
            resname: Some("wholerow".to_owned()),
            resjunk: true,
            ..TargetEntry::default()
        });
        self.expand_view(q, rti, &rel)
    }

    fn bypasses_rls(&self, rel: &Relation) -> Result<bool> {
        let user = self.cx.rt.settings().current_user;
        let c = &self.cx.catalog;
        Ok(c.is_superuser(user)?
            || c.role(user)?.is_some_and(|r| r.rolbypassrls)
            || (!rel.class.relforcerowsecurity && c.is_owner(user, rel.owner())?))
    }

    /// The view's query as stored. (PostgreSQL: `get_view_query`)
    pub(crate) fn view_query(&mut self, rel: &Relation) -> Result<Query> {
        let missing = || PgError::internal(format!("view \"{}\" has no query", rel.name()));
        let rule = rel.view_rule().ok_or_else(missing)?;
        let mut list = crate::nodes::read_queries(&rule.ev_action, &self.cx.catalog)?;
        let mut q = list.pop().ok_or_else(missing)?;
        // What the view reads is checked as its owner, unless it is an invoker's view.
        let invoker = rel.option("security_invoker").is_some_and(|v| matches!(v, "true" | "on" | "1" | "yes"));
        if !invoker {
            set_check_as_user(&mut q, rel.owner())?;
        }
        lock_tables(self.cx, &q)?;
        Ok(q)
    }

    /// (PostgreSQL: `ApplyRetrieveRule`)
    fn expand_view(&mut self, q: &mut Query, rti: RtIndex, rel: &Relation) -> Result<()> {
        if self.views.contains(&rel.oid) {
            let m = format!("infinite recursion detected in rules for relation \"{}\"", rel.name());
            return Err(PgError::new(INVALID_OBJECT_DEFINITION, m));
        }
        let mut view = self.view_query(rel)?;
        self.views.push(rel.oid);
        // FOR UPDATE of a view locks the tables in it.
        if let Some(m) = q.row_marks.iter().find(|m| m.rti == rti).cloned() {
            mark_for_update(&mut view, m.strength, m.wait_policy);
        }
        let r = self.query(&mut view);
        self.views.pop();
        r?;
        let rte = &mut q.rtable[rti as usize - 1];
        let RteKind::Relation { relid, lock_mode, perminfoindex, .. } = rte.kind else { return Ok(()) };
        let barrier = rel.option("security_barrier").is_some_and(|v| matches!(v, "true" | "on" | "1" | "yes"));
        // A view may have been given columns that its query has not: names stay as they are in the entry.
        rte.kind = RteKind::Subquery {
            subquery: Box::new(view),
            security_barrier: barrier,
            view: Some(ViewRef { relid, lock_mode, perminfoindex }),
        };
        Ok(())
    }

    /// The target of INSERT, UPDATE, DELETE, MERGE. (PostgreSQL: `RewriteQuery`)
    pub(crate) fn target(&mut self, q: &mut Query) -> Result<()> {
        let Some(rti) = q.result_relation else { return Ok(()) };
        let RteKind::Relation { relid, .. } = q.rte(rti).kind else { return Ok(()) };
        let rel = self.cx.catalog.relation_entry(relid)?;
        self.defaults(q, &rel)?;
        // At the top of a statement rules have been applied already; those with only ALSO rules leave the statement as it is.
        let event = match q.command_type {
            CmdType::Update => b'2',
            CmdType::Insert => b'3',
            CmdType::Delete => b'4',
            _ => 0,
        };
        let replica = self.cx.settings().is_replica;
        let fires = |r: &catalog::PgRewrite| r.ev_type == event && rule_fires(r, replica);
        if !self.rules_applied && rel.rules.iter().any(fires) {
            return Err(PgError::unsupported("a rule on the target of a data-modifying statement in WITH"));
        }
        if rel.class.relrowsecurity && !self.bypasses_rls(&rel)? {
            return Err(PgError::unsupported("row security"));
        }
        if rel.kind() != relkind::VIEW {
            return Ok(());
        }
        match self.has_instead_trigger(&rel, q)? {
            true => self.read_target_view(q, rti),
            false => {
                self.updatable_view(q, &rel)?;
                self.rules_applied = false;
                self.target(q)
            }
        }
    }

    /// Whether the view's triggers do the work: of MERGE for all its actions, or for none. (PostgreSQL: `view_has_instead_trigger`)
    pub(crate) fn has_instead_trigger(&self, rel: &Relation, q: &Query) -> Result<bool> {
        let has = |command: CmdType| {
            let bit = match command {
                CmdType::Insert => 1 << 2,
                CmdType::Delete => 1 << 3,
                _ => 1 << 4,
            };
            rel.triggers.iter().any(|t| t.tgtype & (1 << 6) != 0 && t.tgtype & bit != 0)
        };
        if q.command_type != CmdType::Merge {
            return Ok(has(q.command_type));
        }
        let changes = |a: &&MergeAction| a.command_type != CmdType::Utility;
        Ok(q.merge_actions.iter().filter(changes).all(|a| has(a.command_type)))
    }

    /// A column's default, converted; `None` if it has none. (PostgreSQL: `build_column_default`)
    fn column_default(&mut self, rel: &Relation, attnum: AttrNumber) -> Result<Option<Expr>> {
        let a = &rel.desc.attrs[attnum as usize - 1];
        if a.identity != 0 {
            let seqid = identity_sequence(&self.cx.catalog, rel.oid, attnum)?;
            return Ok(Some(Expr::NextValueExpr { seqid, type_oid: a.type_oid }));
        }
        let mut e = match rel.default_of(attnum) {
            Some(text) => Some(crate::nodes::read_expr(text, &self.cx.catalog)?),
            None => None,
        };
        // A domain may have a default of its own.
        if e.is_none() && a.generated == 0 {
            let t = self.cx.catalog.type_row(a.type_oid)?;
            if t.typtype == b'd'
                && let Some(text) = &t.typdefaultbin
            {
                e = Some(crate::nodes::read_expr(text, &self.cx.catalog)?);
            } else if let Some(text) = &t.typdefault
                && t.typtype == b'b'
            {
                e = Some(type_default(self.cx, &t, text)?);
            }
        }
        let Some(e) = e else { return Ok(None) };
        let (from, ty) = (e.type_oid(), attr_type(a));
        let mut params = ParamTypes::None;
        let mut z = Analyzer::new(self.cx, "", &mut params);
        let (f, cx) = (CoercionForm::ImplicitCast, Context::Assignment);
        let r = z.coerce_to_target_type(e, from, ty.oid, ty.typmod, cx, f, Location::UNKNOWN)?;
        match r {
            Some(e) => Ok(Some(e)),
            None => {
                let c = &self.cx.catalog;
                let (to, from) = (format_type(c, ty.oid)?, format_type(c, from)?);
                let m = format!("column \"{}\" is of type {to} but default expression is of type {from}", a.name);
                Err(PgError::new(DATATYPE_MISMATCH, m).hint("You will need to rewrite or cast the expression."))
            }
        }
    }

    /// DEFAULT where it is written and, in INSERT, where nothing is. (PostgreSQL: `rewriteTargetListIU`, `rewriteValuesRTE`)
    pub(crate) fn defaults(&mut self, q: &mut Query, rel: &Relation) -> Result<()> {
        match q.command_type {
            CmdType::Insert => {
                let values = values_rte(q);
                let mut list = std::mem::take(&mut q.target_list);
                let over = q.override_;
                self.target_list(
                    &mut list,
                    rel,
                    CmdType::Insert,
                    over,
                    values.map(|i| (i, &mut q.rtable[i as usize - 1])),
                )?;
                q.target_list = list;
                if let Some(c) = &mut q.on_conflict
                    && c.update
                {
                    let mut set = std::mem::take(&mut c.on_conflict_set);
                    self.target_list(&mut set, rel, CmdType::Update, OverridingKind::NotSet, None)?;
                    if let Some(c) = &mut q.on_conflict {
                        c.on_conflict_set = set;
                    }
                }
            }
            CmdType::Update => {
                let mut list = std::mem::take(&mut q.target_list);
                self.target_list(&mut list, rel, CmdType::Update, q.override_, None)?;
                q.target_list = list;
            }
            CmdType::Merge => {
                for i in 0..q.merge_actions.len() {
                    let (command, over) = (q.merge_actions[i].command_type, q.merge_actions[i].override_);
                    if !matches!(command, CmdType::Insert | CmdType::Update) {
                        continue;
                    }
                    let mut list = std::mem::take(&mut q.merge_actions[i].target_list);
                    self.target_list(&mut list, rel, command, over, None)?;
                    q.merge_actions[i].target_list = list;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn target_list(
        &mut self,
        list: &mut Vec<TargetEntry>,
        rel: &Relation,
        command: CmdType,
        over: OverridingKind,
        mut values: Option<(RtIndex, &mut RangeTblEntry)>,
    ) -> Result<()> {
        let old = std::mem::take(list);
        let (junk, plain): (Vec<_>, Vec<_>) = old.into_iter().partition(|t| t.resjunk);
        let mut by_column: Vec<Option<TargetEntry>> = vec![None; rel.desc.len()];
        for t in plain {
            let i = t.resno as usize - 1;
            let slot = by_column.get_mut(i).ok_or_else(|| PgError::internal("bogus resno in targetlist"))?;
            *slot = Some(match slot.take() {
                None => t,
                // Several assignments to parts of one column are done one after the other.
                Some(first) => merge_assignments(first, t)?,
            });
        }
        let mut out = Vec::new();
        for (i, slot) in by_column.into_iter().enumerate() {
            let attnum = i as AttrNumber + 1;
            let a = &rel.desc.attrs[i];
            if a.dropped {
                continue;
            }
            let mut slot = slot;
            let is_default = |t: &TargetEntry| matches!(t.expr, Expr::SetToDefault(..));
            let mut apply = (slot.is_none() && command == CmdType::Insert) || slot.as_ref().is_some_and(is_default);
            let values_column = match (&slot, &values) {
                (Some(t), Some((rti, _))) => match &t.expr {
                    Expr::Var(v) if v.varno == *rti => Some(v.varattno as usize - 1),
                    _ => None,
                },
                _ => None,
            };
            // All rows of VALUES may say DEFAULT.
            let all_default = match (values_column, &values) {
                (Some(k), Some((_, rte))) => match &rte.kind {
                    RteKind::Values { lists, .. } => lists.iter().all(|r| matches!(r[k], Expr::SetToDefault(..))),
                    _ => false,
                },
                _ => false,
            };
            let name = &a.name;
            if command == CmdType::Insert {
                if a.identity == b'a' && slot.is_some() && !apply {
                    if over == OverridingKind::UserValue {
                        apply = true;
                    } else if over != OverridingKind::SystemValue && !all_default {
                        let m = format!("cannot insert a non-DEFAULT value into column \"{name}\"");
                        return Err(PgError::new(GENERATED_ALWAYS, m)
                            .detail(format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS."))
                            .hint("Use OVERRIDING SYSTEM VALUE to override."));
                    }
                }
                if a.identity == b'd' && over == OverridingKind::UserValue {
                    apply = true;
                }
                if a.generated != 0 && slot.is_some() && !apply && !all_default {
                    let m = format!("cannot insert a non-DEFAULT value into column \"{name}\"");
                    return Err(
                        PgError::new(GENERATED_ALWAYS, m).detail(format!("Column \"{name}\" is a generated column."))
                    );
                }
            } else {
                if a.identity == b'a' && slot.is_some() && !apply {
                    let m = format!("column \"{name}\" can only be updated to DEFAULT");
                    return Err(PgError::new(GENERATED_ALWAYS, m)
                        .detail(format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS.")));
                }
                if a.generated != 0 && slot.is_some() && !apply {
                    let m = format!("column \"{name}\" can only be updated to DEFAULT");
                    return Err(
                        PgError::new(GENERATED_ALWAYS, m).detail(format!("Column \"{name}\" is a generated column."))
                    );
                }
            }
            if let (true, Some(k), Some((_, rte))) = (apply || a.generated != 0, values_column, &mut values)
                && let RteKind::Values { lists, .. } = &mut rte.kind
            {
                // Nobody reads that column of VALUES any more.
                for row in lists.iter_mut().filter(|r| matches!(r[k], Expr::SetToDefault(..))) {
                    row[k] = null_of(self.cx, attr_type(a))?;
                }
            }
            if a.generated != 0 {
                // The executor computes it.
                continue;
            }
            if apply {
                let e = match self.column_default(rel, attnum)? {
                    Some(e) => Some(e),
                    None if command == CmdType::Insert => None,
                    None => Some(null_of(self.cx, attr_type(a))?),
                };
                slot = e.map(|expr| TargetEntry {
                    expr,
                    resno: attnum,
                    resname: Some(name.to_string()),
                    ..TargetEntry::default()
                });
            } else if let (Some(k), Some((_, rte))) = (values_column, &mut values)
                && let RteKind::Values { lists, .. } = &mut rte.kind
            {
                for row in lists.iter_mut() {
                    if matches!(row[k], Expr::SetToDefault(..)) {
                        row[k] = match self.column_default(rel, attnum)? {
                            Some(e) => e,
                            None => null_of(self.cx, attr_type(a))?,
                        };
                    }
                }
            }
            out.extend(slot);
        }
        let mut next = rel.desc.len() as AttrNumber + 1;
        for mut t in junk {
            t.resno = next;
            next += 1;
            out.push(t);
        }
        *list = out;
        Ok(())
    }

    /// Virtual generated columns become their expressions. (PostgreSQL: `expand_virtual_generated_columns`)
    fn virtual_columns(&mut self, q: &mut Query) -> Result<()> {
        for rte in &q.rtable {
            if let RteKind::Relation { relid, .. } = &rte.kind
                && let Some(rel) = self.cx.catalog.relation(*relid)?
                && rel.desc.attrs.iter().any(|a| a.generated == b'v')
            {
                return Err(PgError::unsupported("virtual generated columns"));
            }
        }
        Ok(())
    }
}

/// What the view, or one above it WITH CASCADED CHECK OPTION, demands of new rows; the innermost view's is first.
pub(crate) fn check_option(q: &mut Query, rel: &Relation, view: &Query, from: RtIndex, to: RtIndex) -> Result<()> {
    let own = rel.option("check_option");
    let above = q.with_check_options.first().is_some_and(|w| w.cascaded);
    let cascaded = above || own == Some("cascaded");
    if !(own.is_some() || above) || !(cascaded || view.jointree.quals.is_some()) {
        return Ok(());
    }
    let mut qual = match &view.jointree.quals {
        Some(e) => e.clone(),
        None => Expr::Const(Const {
            ty: TypeMod { oid: types::oid::BOOLOID, typmod: -1, collation: Oid::INVALID },
            len: 1,
            byval: true,
            value: Datum::bool(true),
            ..Const::default()
        }),
    };
    Renumber { from, to, depth: 0 }.expr(&mut qual)?;
    q.has_sub_links |= view.has_sub_links;
    q.with_check_options.insert(0, WithCheckOption { relname: rel.name().to_owned(), qual, cascaded });
    Ok(())
}

/// The default that a base type has for all its columns. (PostgreSQL: `get_typdefault`)
fn type_default(cx: &mut AnalyzeContext<'_>, t: &catalog::PgType, text: &str) -> Result<Expr> {
    let io = t.typelem.valid().unwrap_or(t.oid);
    let (text, io, typmod) = (Datum::text(text), Datum::oid(io), Datum::i32(-1));
    let value = cx.rt.call(t.typinput, Oid::INVALID, &[text.as_ref(), io.as_ref(), typmod.as_ref()])?;
    let mut e = null_const(t.oid, t.typlen, t.typbyval);
    if let Expr::Const(c) = &mut e {
        c.value = value;
    }
    Ok(e)
}

fn null_of(cx: &AnalyzeContext<'_>, ty: TypeMod) -> Result<Expr> {
    let t = cx.catalog.type_row(ty.oid)?;
    let mut e = null_const(ty.oid, t.typlen, t.typbyval);
    if let Expr::Const(c) = &mut e {
        c.ty = ty;
        c.value = Datum::Null;
    }
    Ok(e)
}

/// The VALUES list that a multi-row INSERT reads.
fn values_rte(q: &Query) -> Option<RtIndex> {
    match &q.jointree.fromlist[..] {
        [JoinTreeNode::RangeTblRef(i)] if matches!(q.rte(*i).kind, RteKind::Values { .. }) => Some(*i),
        _ => None,
    }
}

/// The sequence behind an identity column. (PostgreSQL: `getIdentitySequence`)
pub fn identity_sequence(c: &catalog::Catalog, rel: Oid, attnum: AttrNumber) -> Result<Oid> {
    // A partition draws from its topmost parent's.
    let (mut rel, mut attnum) = (rel, attnum);
    if let Some(entry) = c.relation(rel)?
        && entry.class.relispartition
        && let Some(top) = crate::partition::ancestors(c, rel)?.last()
        && let Some(parent) = c.relation(*top)?
        && let Some(n) = parent.desc.find(&entry.desc.attrs[attnum as usize - 1].name)
    {
        (rel, attnum) = (*top, n);
    }
    let keys = [Datum::oid(catalog::oids::RELATION_RELATION), Datum::oid(rel), Datum::i32(i32::from(attnum))];
    let deps: Vec<catalog::PgDepend> = c.rows(catalog::oids::DEPEND_REFERENCE_INDEX, &keys)?;
    for d in deps {
        if d.classid == catalog::oids::RELATION_RELATION
            && d.deptype == b'i'
            && c.class(d.objid)?.is_some_and(|k| k.relkind == relkind::SEQUENCE)
        {
            return Ok(d.objid);
        }
    }
    Err(PgError::internal("no owned sequence found"))
}

/// `SET a[1] = .., a[2] = ..` as one expression. (PostgreSQL: `process_matched_tle`)
fn merge_assignments(first: TargetEntry, mut second: TargetEntry) -> Result<TargetEntry> {
    let refuse = || {
        let name = second.resname.clone().unwrap_or_default();
        PgError::new(SYNTAX_ERROR, format!("multiple assignments to same column \"{name}\""))
    };
    // A domain is checked once, at the end.
    let (prior, expr, domain) = match (first.expr, second.expr.clone()) {
        (Expr::CoerceToDomain(a), Expr::CoerceToDomain(b)) if a.resulttype == b.resulttype => {
            let mut domain = *b;
            let inner = std::mem::take(&mut domain.arg);
            (a.arg, inner, Some(domain))
        }
        (a, b) => (a, b, None),
    };
    fn input(e: &Expr) -> Option<&Expr> {
        match e {
            Expr::FieldStore(f) => Some(&f.arg),
            Expr::SubscriptingRef(s) if s.refassgnexpr.is_some() => Some(&s.refexpr),
            _ => None,
        }
    }
    let (Some(own), Some(mut bottom)) = (input(&expr), input(&prior)) else { return Err(refuse()) };
    while let Some(lower) = input(bottom) {
        bottom = lower;
    }
    if expr.type_oid() != prior.type_oid() || !crate::level::equal(own, bottom)? {
        return Err(refuse());
    }
    let merged = match (expr, prior) {
        (Expr::FieldStore(mut b), Expr::FieldStore(a)) => {
            let mut both = *a;
            both.newvals.append(&mut b.newvals);
            both.fieldnums.append(&mut b.fieldnums);
            Expr::FieldStore(Box::new(both))
        }
        (Expr::FieldStore(mut b), prior) => {
            b.arg = prior;
            Expr::FieldStore(b)
        }
        (Expr::SubscriptingRef(mut b), prior) => {
            b.refexpr = prior;
            Expr::SubscriptingRef(b)
        }
        _ => return Err(refuse()),
    };
    second.expr = match domain {
        Some(mut d) => {
            d.arg = merged;
            Expr::CoerceToDomain(Box::new(d))
        }
        None => merged,
    };
    Ok(second)
}

/// Marks all permission checks of a query and its subqueries. (PostgreSQL: `setRuleCheckAsUser`)
pub(crate) fn set_check_as_user(q: &mut Query, user: Oid) -> Result<()> {
    struct W(Oid);
    impl MutWalker for W {
        type Break = PgError;
        fn expr(&mut self, e: &mut Expr) -> Result<()> {
            walk_expr_mut(self, e)
        }
        fn query(&mut self, q: &mut Query) -> Result<()> {
            q.rteperminfos.iter_mut().for_each(|p| p.check_as_user = self.0);
            walk_query_mut(self, q)
        }
    }
    W(user).query(q)
}

/// Locks what a stored query refers to. (PostgreSQL: `AcquireRewriteLocks`)
pub(crate) fn lock_tables(cx: &mut AnalyzeContext<'_>, q: &Query) -> Result<()> {
    struct W<'a>(&'a mut dyn FnMut(Oid, u8) -> Result<()>);
    impl Walker for W<'_> {
        type Break = PgError;
        fn expr(&mut self, e: &Expr) -> Result<()> {
            walk_expr(self, e)
        }
        fn query(&mut self, q: &Query) -> Result<()> {
            for r in &q.rtable {
                if let RteKind::Relation { relid, lock_mode, .. } = &r.kind {
                    (self.0)(*relid, *lock_mode)?;
                }
            }
            walk_query(self, q)
        }
    }
    match &mut cx.lock {
        Some(lock) => W(*lock).query(q),
        None => Ok(()),
    }
}

/// (PostgreSQL: `markQueryForLocking`)
fn mark_for_update(q: &mut Query, strength: LockClauseStrength, wait: LockWaitPolicy) {
    fn refs(n: &JoinTreeNode, out: &mut Vec<RtIndex>) {
        match n {
            JoinTreeNode::RangeTblRef(i) => out.push(*i),
            JoinTreeNode::JoinExpr(j) => {
                refs(&j.larg, out);
                refs(&j.rarg, out);
            }
            JoinTreeNode::FromExpr(f) => f.fromlist.iter().for_each(|n| refs(n, out)),
        }
    }
    let mut all = Vec::new();
    q.jointree.fromlist.iter().for_each(|n| refs(n, &mut all));
    for i in all {
        match &mut q.rtable[i as usize - 1].kind {
            RteKind::Relation { perminfoindex, .. } => {
                if let Some(p) = q.rteperminfos.get_mut((*perminfoindex as usize).wrapping_sub(1)) {
                    p.required_perms |= catalog::acl::ACL_SELECT_FOR_UPDATE;
                }
            }
            RteKind::Subquery { subquery, .. } => mark_for_update(subquery, strength, wait),
            _ => continue,
        }
        q.row_marks.push(RowMarkClause { rti: i, strength, wait_policy: wait, pushed_down: true });
    }
}

/// Why a view cannot be written through, if so. (PostgreSQL: `view_query_is_auto_updatable`)
pub(crate) fn not_updatable(v: &Query) -> Option<&'static str> {
    if !v.distinct_clause.is_empty() {
        return Some("Views containing DISTINCT are not automatically updatable.");
    }
    if !v.group_clause.is_empty() || !v.grouping_sets.is_empty() {
        return Some("Views containing GROUP BY are not automatically updatable.");
    }
    if v.having_qual.is_some() {
        return Some("Views containing HAVING are not automatically updatable.");
    }
    if v.set_operations.is_some() {
        return Some("Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.");
    }
    if !v.cte_list.is_empty() {
        return Some("Views containing WITH are not automatically updatable.");
    }
    if v.limit_offset.is_some() || v.limit_count.is_some() {
        return Some("Views containing LIMIT or OFFSET are not automatically updatable.");
    }
    if v.has_aggs {
        return Some("Views that return aggregate functions are not automatically updatable.");
    }
    if v.has_window_funcs {
        return Some("Views that return window functions are not automatically updatable.");
    }
    if v.has_target_srfs {
        return Some("Views that return set-returning functions are not automatically updatable.");
    }
    let single = "Views that do not select from a single table or view are not automatically updatable.";
    let [JoinTreeNode::RangeTblRef(i)] = &v.jointree.fromlist[..] else { return Some(single) };
    match &v.rte(*i).kind {
        RteKind::Relation { relkind: k, table_sample, .. } => {
            if table_sample.is_some() {
                return Some("Views containing TABLESAMPLE are not automatically updatable.");
            }
            if !matches!(*k, relkind::RELATION | relkind::FOREIGN_TABLE | relkind::VIEW | relkind::PARTITIONED_TABLE) {
                return Some(single);
            }
            None
        }
        _ => Some(single),
    }
}

/// Puts references to one range-table entry to another.
pub(crate) struct Renumber {
    pub from: RtIndex,
    pub to: RtIndex,
    pub depth: u32,
}

impl MutWalker for Renumber {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::Var(v) = e
            && v.varlevelsup == self.depth
        {
            if v.varno == self.from {
                v.varno = self.to;
            }
            if v.varnosyn == self.from {
                v.varnosyn = self.to;
            }
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

pub(crate) fn replace_ref(f: &mut FromExpr, from: RtIndex, to: RtIndex) {
    for n in &mut f.fromlist {
        if let JoinTreeNode::RangeTblRef(i) = n
            && *i == from
        {
            *i = to;
        }
    }
}

/// Puts the arguments of calls in the order of the parameters and fills in defaults, so that a plan's calls are positional.
/// (PostgreSQL: `expand_function_arguments`, which the planner runs)
struct FillArguments<'a>(&'a catalog::Catalog);

impl MutWalker for FillArguments<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::FuncExpr(f) = e {
            fill_arguments(self.0, f)?;
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        walk_query_mut(self, q)
    }
}

/// As [`rewrite`] does for every call of a query, for one.
pub fn fill_arguments(c: &catalog::Catalog, f: &mut FuncExpr) -> Result<()> {
    let named = f.args.iter().any(|a| matches!(a, Expr::NamedArgExpr(_)));
    let p = c.function_row(f.funcid)?;
    // CALL lists OUT arguments too, and needs nothing filled in once they are all there.
    let n = p.pronargs.max(0) as usize;
    if !named && f.args.len() >= n {
        return Ok(());
    }
    let mut slots: Vec<Option<Expr>> = vec![None; n.max(f.args.len())];
    for (i, a) in std::mem::take(&mut f.args).into_iter().enumerate() {
        let (at, e) = match a {
            Expr::NamedArgExpr(x) => (x.argnumber as usize, x.arg),
            e => (i, e),
        };
        let slot = slots.get_mut(at).ok_or_else(|| PgError::internal("an argument of no parameter"))?;
        *slot = Some(e);
    }
    let missing = || PgError::internal("not enough default arguments");
    let defaults = match &p.proargdefaults {
        Some(text) => crate::nodes::read_exprs(text, c)?,
        None => Vec::new(),
    };
    let first = n.saturating_sub(defaults.len());
    for (i, s) in slots.into_iter().enumerate() {
        f.args.push(match s {
            Some(e) => e,
            None => i.checked_sub(first).and_then(|k| defaults.get(k)).cloned().ok_or_else(missing)?,
        });
    }
    Ok(())
}

/// Whether a rule applies in a session of this role. (PostgreSQL: `matchLocks`)
pub(crate) fn rule_fires(r: &catalog::PgRewrite, is_replica: bool) -> bool {
    match r.ev_enabled {
        b'A' => true,
        b'R' => is_replica,
        b'O' => !is_replica,
        _ => false,
    }
}
