//! Rules: CREATE RULE analyzed, and statements on tables with rules rewritten.
//!
//! In a rule's trees the range table begins with OLD and NEW. To apply a rule to a statement, the statement's range table is put
//! before the action's; OLD becomes the statement's target, and each column of NEW what the statement assigns to it.
//!
//! PostgreSQL: `transformRuleStmt`; `rewriteHandler.c` (`RewriteQuery`, `fireRules`, `rewriteRuleAction`).

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{PgRewrite, Relation};
use parser::ast;

use crate::context::{AnalyzeContext, ParamTypes};
use crate::level::increment_levels;
use crate::query::*;
use crate::relation::lock;
use crate::rewrite::Rewriter;
use crate::state::{Analyzer, ExprKind};
use crate::walker::*;

/// The places of OLD and NEW in a rule's range tables. (PostgreSQL: `PRS2_OLD_VARNO`, `PRS2_NEW_VARNO`)
const OLD: RtIndex = 1;
const NEW: RtIndex = 2;

/// A rule as it is stored.
pub struct Rule {
    pub qual: Option<Expr>,
    pub actions: Vec<Query>,
}

fn event_type(event: CmdType) -> u8 {
    match event {
        CmdType::Select => b'1',
        CmdType::Update => b'2',
        CmdType::Insert => b'3',
        CmdType::Delete => b'4',
        _ => 0,
    }
}

/// Analyzes CREATE RULE on a table. (PostgreSQL: `transformRuleStmt`)
pub fn analyze_rule(cx: &mut AnalyzeContext<'_>, rel: &Relation, stmt: &ast::RuleStmt, source: &str) -> Result<Rule> {
    let event = match stmt.event {
        ast::CmdType::Select => CmdType::Select,
        ast::CmdType::Update => CmdType::Update,
        ast::CmdType::Insert => CmdType::Insert,
        _ => CmdType::Delete,
    };
    let invalid = |text: &str| PgError::new(INVALID_OBJECT_DEFINITION, text);
    let qual = match &stmt.where_clause {
        Some(w) => {
            let mut params = ParamTypes::None;
            let mut a = Analyzer::new(cx, source, &mut params);
            seed(&mut a, rel, event, true)?;
            let mut e = a.where_clause(w, ExprKind::Where, "WHERE")?;
            if a.level().rtable.len() > 2 {
                return Err(invalid("rule WHERE condition cannot contain references to other relations"));
            }
            a.assign_collations(&mut e)?;
            Some(e)
        }
        None => None,
    };
    let mut actions = Vec::new();
    if stmt.actions.is_empty() {
        // DO NOTHING.
        let mut q = Query::new(CmdType::Utility);
        q.can_set_tag = false;
        actions.push(q);
    }
    for action in &stmt.actions {
        if matches!(action, ast::Statement::Notify(_)) {
            return Err(PgError::unsupported("NOTIFY in rules"));
        }
        let mut params = ParamTypes::None;
        let mut a = Analyzer::new(cx, source, &mut params);
        seed(&mut a, rel, event, false)?;
        a.in_rule = true;
        let mut top = a.transform_statement(action)?;
        check_action(&mut top, event, stmt.where_clause.is_some(), qual.as_ref())?;
        actions.push(top);
    }
    Ok(Rule { qual, actions })
}

/// Puts OLD and NEW into the range table, and those that the event has into the names.
fn seed(a: &mut Analyzer<'_, '_>, rel: &Relation, event: CmdType, columns: bool) -> Result<()> {
    let alias = |name: &str| Some(Alias { aliasname: name.to_owned(), colnames: Vec::new() });
    let old = a.add_relation(rel, lock::ACCESS_SHARE, alias("old"), false, false, 0)?;
    let new = a.add_relation(rel, lock::ACCESS_SHARE, alias("new"), false, false, 0)?;
    let items = match event {
        // Actions may name both, and hear which of them the event has not.
        _ if !columns => vec![old, new],
        CmdType::Insert => vec![new],
        CmdType::Update => vec![old, new],
        _ => vec![old],
    };
    for mut item in items {
        (item.rel_visible, item.cols_visible) = (true, columns);
        (item.lateral_only, item.lateral_ok) = (false, true);
        a.lv().namespace.push(item);
    }
    Ok(())
}

fn check_action(top: &mut Query, event: CmdType, conditional: bool, qual: Option<&Expr>) -> Result<()> {
    let invalid = |text: &str| Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    if top.command_type == CmdType::Utility {
        if conditional {
            return invalid("rules with WHERE conditions can only have SELECT, INSERT, UPDATE, or DELETE actions");
        }
        return Err(PgError::unsupported("utility statements in rules"));
    }
    let sub = match insert_select(top)? {
        Some(i) => subquery_mut(top, i)?,
        None => top,
    };
    if sub.set_operations.is_some() && conditional {
        let text = "conditional UNION/INTERSECT/EXCEPT statements are not implemented";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    let in_qual = |n: RtIndex| -> Result<bool> {
        qual.map_or(Ok(false), |q| any_expr_deep(q, |e| matches!(e, Expr::Var(v) if v.varno == n)))
    };
    let has_old = uses(sub, OLD)? || in_qual(OLD)?;
    let has_new = uses(sub, NEW)? || in_qual(NEW)?;
    match event {
        CmdType::Select if has_old => return invalid("ON SELECT rule cannot use OLD"),
        CmdType::Select if has_new => return invalid("ON SELECT rule cannot use NEW"),
        CmdType::Insert if has_old => return invalid("ON INSERT rule cannot use OLD"),
        CmdType::Delete if has_new => return invalid("ON DELETE rule cannot use NEW"),
        _ => {}
    }
    // What is read of OLD comes from the statement's own scan of the table.
    if has_old || has_new && event == CmdType::Update {
        if sub.set_operations.is_some() {
            let text = "conditional UNION/INTERSECT/EXCEPT statements are not implemented";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        sub.jointree.fromlist.push(JoinTreeNode::RangeTblRef(OLD));
    }
    Ok(())
}

/// In `INSERT ... SELECT` OLD and NEW are in the SELECT's range table: its place. (PostgreSQL: `getInsertSelectQuery`)
fn insert_select(q: &Query) -> Result<Option<RtIndex>> {
    if q.command_type != CmdType::Insert {
        return Ok(None);
    }
    let seeded = |q: &Query| {
        let named = |i: usize, name: &str| q.rtable.get(i).is_some_and(|r| r.eref.aliasname == name);
        q.rtable.len() >= 2 && named(0, "old") && named(1, "new")
    };
    if seeded(q) {
        return Ok(None);
    }
    if let [JoinTreeNode::RangeTblRef(i)] = q.jointree.fromlist[..]
        && let RteKind::Subquery { subquery, .. } = &q.rte(i).kind
        && seeded(subquery)
    {
        return Ok(Some(i));
    }
    Err(PgError::internal("could not find rule placeholders"))
}

fn subquery_mut(q: &mut Query, i: RtIndex) -> Result<&mut Query> {
    match &mut q.rtable[i as usize - 1].kind {
        RteKind::Subquery { subquery, .. } => Ok(subquery),
        _ => Err(PgError::internal("a subquery is gone")),
    }
}

/// Whether a query's expressions use a range-table entry of its own level.
fn uses(q: &Query, n: RtIndex) -> Result<bool> {
    struct W(RtIndex, u32);
    impl Walker for W {
        type Break = Found;
        fn expr(&mut self, e: &Expr) -> Result<(), Found> {
            match e {
                Expr::Var(v) if v.varno == self.0 && v.varlevelsup == self.1 => Err(Found::Yes),
                _ => walk_expr(self, e),
            }
        }
        fn query(&mut self, q: &Query) -> Result<(), Found> {
            self.1 += 1;
            walk_query(self, q)?;
            self.1 -= 1;
            Ok(())
        }
    }
    found(walk_query(&mut W(n, 0), q))
}

/// Renumbers the range table that a tree speaks of.
struct MapVars<'f> {
    f: &'f dyn Fn(RtIndex) -> RtIndex,
    depth: u32,
}

impl MutWalker for MapVars<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        match e {
            Expr::Var(v) if v.varlevelsup == self.depth => {
                v.varno = (self.f)(v.varno);
                if v.varnosyn > 0 {
                    v.varnosyn = (self.f)(v.varnosyn);
                }
                v.varnullingrels.iter_mut().for_each(|n| *n = (self.f)(*n));
            }
            Expr::CurrentOfExpr(c) if self.depth == 0 => c.cvarno = (self.f)(c.cvarno),
            _ => {}
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let done = walk_query_mut(self, q);
        self.depth -= 1;
        done
    }
}

fn map_join_tree(n: &mut JoinTreeNode, f: &dyn Fn(RtIndex) -> RtIndex) {
    match n {
        JoinTreeNode::RangeTblRef(i) => *i = f(*i),
        JoinTreeNode::FromExpr(x) => x.fromlist.iter_mut().for_each(|n| map_join_tree(n, f)),
        JoinTreeNode::JoinExpr(j) => {
            if j.rtindex > 0 {
                j.rtindex = f(j.rtindex);
            }
            map_join_tree(&mut j.larg, f);
            map_join_tree(&mut j.rarg, f);
        }
    }
}

/// Renumbers a query's own level. (PostgreSQL: `OffsetVarNodes`, `ChangeVarNodes`)
fn map_query(q: &mut Query, f: &dyn Fn(RtIndex) -> RtIndex) -> Result<()> {
    walk_query_mut(&mut MapVars { f, depth: 0 }, q)?;
    q.result_relation = q.result_relation.map(f);
    if q.merge_target_relation > 0 {
        q.merge_target_relation = f(q.merge_target_relation);
    }
    q.row_marks.iter_mut().for_each(|m| m.rti = f(m.rti));
    if let Some(c) = &mut q.on_conflict
        && c.excl_rel_index > 0
    {
        c.excl_rel_index = f(c.excl_rel_index);
    }
    q.jointree.fromlist.iter_mut().for_each(|n| map_join_tree(n, f));
    Ok(())
}

/// What the columns of NEW are. (PostgreSQL: `ReplaceVarsFromTargetList`)
struct ReplaceNew<'t> {
    new: RtIndex,
    targets: &'t [TargetEntry],
    /// Where columns that are not assigned keep their value: an UPDATE's target; else they are null.
    otherwise: Option<RtIndex>,
    rel: &'t Relation,
    depth: u32,
    found_sublink: bool,
}

impl ReplaceNew<'_> {
    fn column(&mut self, attno: AttrNumber, like: &Var) -> Result<Expr> {
        if attno < 0 {
            return Err(PgError::unsupported("system columns of NEW in rules"));
        }
        if let Some(t) = self.targets.iter().find(|t| !t.resjunk && t.resno == attno) {
            let mut e = t.expr.clone();
            increment_levels(&mut e, i64::from(self.depth), 0)?;
            self.found_sublink |= any_expr(&e, |e| matches!(e, Expr::SubLink(_)))?;
            return Ok(e);
        }
        match self.otherwise {
            Some(n) => {
                let mut v = like.clone();
                (v.varno, v.varattno) = (n, attno);
                (v.varnosyn, v.varattnosyn) = (n, attno);
                Ok(Expr::Var(v))
            }
            None => {
                let a = &self.rel.desc.attrs[attno as usize - 1];
                let mut e = crate::coerce::null_const(a.type_oid, a.len, a.byval);
                if let Expr::Const(c) = &mut e {
                    c.ty = crate::relation::attr_type(a);
                }
                Ok(e)
            }
        }
    }
}

impl MutWalker for ReplaceNew<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::Var(v) = e
            && v.varno == self.new
            && v.varlevelsup == self.depth
        {
            let v = v.clone();
            if v.varattno == 0 {
                let mut row = RowExpr { row_typeid: v.vartype.oid, ..RowExpr::default() };
                row.row_format = CoercionForm::ImplicitCast;
                for (i, a) in self.rel.desc.attrs.iter().enumerate() {
                    let like = Var { vartype: crate::relation::attr_type(a), ..v.clone() };
                    row.args.push(self.column(i as AttrNumber + 1, &like)?);
                    row.colnames.push(a.name.to_string());
                }
                *e = Expr::RowExpr(Box::new(row));
                return Ok(());
            }
            *e = self.column(v.varattno, &v)?;
            return Ok(());
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let before = std::mem::take(&mut self.found_sublink);
        let done = walk_query_mut(self, q);
        q.has_sub_links |= self.found_sublink;
        self.found_sublink |= before;
        self.depth -= 1;
        done
    }
}

fn and(a: Option<Expr>, b: Option<Expr>) -> Option<Expr> {
    match (a, b) {
        (Some(a), Some(b)) => Some(crate::expr::bool_expr(BoolExprType::And, vec![a, b], Location::UNKNOWN)),
        (a, b) => a.or(b),
    }
}

/// Where a product of rewriting comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Original,
    Instead,
    QualInstead,
    Also,
}

/// A statement with what its target's rules make of it, in the order to run. (PostgreSQL: `QueryRewrite`)
pub(crate) fn apply(r: &mut Rewriter<'_, '_>, q: Query) -> Result<Vec<Query>> {
    let command = q.command_type;
    let mut products = expand(r, q, Source::Original, &mut Vec::new())?;
    // One of them reports what was done: the original, or the last of its kind that stands in for it.
    let stands_in =
        |(q, s): &(Query, Source)| q.command_type == command && matches!(s, Source::Instead | Source::QualInstead);
    let teller = match products.iter().position(|(_, s)| *s == Source::Original) {
        Some(i) => Some(i),
        None => products.iter().rposition(stands_in),
    };
    for (i, (q, _)) in products.iter_mut().enumerate() {
        q.can_set_tag = Some(i) == teller;
    }
    Ok(products.into_iter().map(|(q, _)| q).collect())
}

fn expand(
    r: &mut Rewriter<'_, '_>,
    q: Query,
    source: Source,
    events: &mut Vec<(Oid, u8)>,
) -> Result<Vec<(Query, Source)>> {
    let target = match q.result_relation.map(|n| &q.rte(n).kind) {
        Some(RteKind::Relation { relid, .. }) => *relid,
        _ => return Ok(vec![(q, source)]),
    };
    let event = event_type(q.command_type);
    let rel = r.cx.catalog.relation_entry(target)?;
    let replica = r.cx.settings().is_replica;
    let rules: Vec<PgRewrite> = rel
        .rules
        .iter()
        .filter(|k| event > 0 && k.ev_type == event && crate::rewrite::rule_fires(k, replica))
        .cloned()
        .collect();
    if q.command_type == CmdType::Merge && rel.rules.iter().any(|k| k.ev_type != b'1') {
        let text = format!("cannot execute MERGE on relation \"{}\"", rel.name());
        let detail = "MERGE is not supported for relations with rules.";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail));
    }
    if rules.is_empty() {
        // The table of a view may have rules, too.
        if rel.kind() == crate::lookup::relkind::VIEW && !r.has_instead_trigger(&rel, &q)? {
            let mut q = q;
            r.defaults(&mut q, &rel)?;
            r.updatable_view(&mut q, &rel)?;
            return expand(r, q, source, events);
        }
        return Ok(vec![(q, source)]);
    }
    if events.contains(&(rel.oid, event)) {
        let text = format!("infinite recursion detected in rules for relation \"{}\"", rel.name());
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    if q.on_conflict.is_some() {
        let text = "INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    // Rules see the defaults that the statement leaves out.
    let mut filled = q.clone();
    r.defaults(&mut filled, &rel)?;
    let mut fired: Vec<(Query, Source)> = Vec::new();
    let mut rest = Some(q.clone());
    let (mut instead, mut conditional, mut returned) = (false, false, false);
    for rule in &rules {
        let qual = match rule.ev_qual.as_str() {
            "<>" => None,
            text => Some(crate::nodes::read_expr(text, &r.cx.catalog)?),
        };
        let kind = match (rule.is_instead, &qual) {
            (true, None) => Source::Instead,
            (true, Some(_)) => Source::QualInstead,
            (false, _) => Source::Also,
        };
        if kind == Source::Instead {
            instead = true;
        } else if kind == Source::QualInstead && !instead {
            conditional = true;
            let inverted = rest.take().map(|rest| with_inverted(rest, &filled, qual.as_ref(), &rel)).transpose()?;
            rest = inverted;
        }
        for mut action in crate::nodes::read_queries(&rule.ev_action, &r.cx.catalog)? {
            if action.command_type == CmdType::Utility {
                continue;
            }
            crate::rewrite::set_check_as_user(&mut action, rel.owner())?;
            crate::rewrite::lock_tables(r.cx, &action)?;
            fired.push((apply_action(&filled, action, qual.clone(), &rel, &mut returned)?, kind));
        }
    }
    if instead && !q.returning_list.is_empty() && !returned {
        let (verb, name) = match q.command_type {
            CmdType::Insert => ("INSERT", "INSERT"),
            CmdType::Update => ("UPDATE", "UPDATE"),
            _ => ("DELETE", "DELETE"),
        };
        let text = format!("cannot perform {verb} RETURNING on relation \"{}\"", rel.name());
        let hint = format!("You need an unconditional ON {name} DO INSTEAD rule with a RETURNING clause.");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).hint(hint));
    }
    if conditional && !instead && rel.kind() == crate::lookup::relkind::VIEW {
        let (verb, what, event) = match q.command_type {
            CmdType::Insert => ("insert into", "inserting into", "INSERT"),
            CmdType::Update => ("update", "updating", "UPDATE"),
            _ => ("delete from", "deleting from", "DELETE"),
        };
        let text = format!("cannot {verb} view \"{}\"", rel.name());
        let hint = format!(
            "To enable {what} the view, provide an INSTEAD OF {event} trigger or an unconditional ON {event} DO INSTEAD rule."
        );
        let detail = "Views with conditional DO INSTEAD rules are not automatically updatable.";
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).detail(detail).hint(hint));
    }
    events.push((rel.oid, event));
    let mut out = Vec::new();
    for (product, kind) in fired {
        out.extend(
            expand(r, product, kind, events)?
                .into_iter()
                .map(|(q, s)| (q, if s == Source::Original { kind } else { s })),
        );
    }
    events.pop();
    if !instead && let Some(rest) = rest {
        // An INSERT comes first, so that its rules see the row; others last, while the rows are still there to be seen.
        let rest = match rel.kind() == crate::lookup::relkind::VIEW && !r.has_instead_trigger(&rel, &rest)? {
            true => {
                let mut rest = rest;
                r.defaults(&mut rest, &rel)?;
                r.updatable_view(&mut rest, &rel)?;
                expand(r, rest, source, events)?
            }
            false => vec![(rest, source)],
        };
        match rest.first().map(|r| r.0.command_type) {
            Some(CmdType::Insert) => drop(out.splice(0..0, rest)),
            _ => out.extend(rest),
        }
    }
    Ok(out)
}

/// The statement for the rows that a conditional INSTEAD rule leaves alone. (PostgreSQL: `CopyAndAddInvertedQual`)
fn with_inverted(mut q: Query, filled: &Query, qual: Option<&Expr>, rel: &Relation) -> Result<Query> {
    let (Some(qual), Some(rti)) = (qual, q.result_relation) else { return Ok(q) };
    let mut e = qual.clone();
    let offset = q.rtable.len() as RtIndex;
    let place = |n: RtIndex| if n == OLD { rti } else { n + offset };
    MapVars { f: &place, depth: 0 }.expr(&mut e)?;
    let mut replace = replacement(filled, rel, NEW + offset, rti);
    replace.expr(&mut e)?;
    q.has_sub_links |= replace.found_sublink || any_expr(&e, |e| matches!(e, Expr::SubLink(_)))?;
    let test = BooleanTest { arg: e, booltesttype: BoolTestType::IsNotTrue, ..BooleanTest::default() };
    q.jointree.quals = and(q.jointree.quals.take(), Some(Expr::BooleanTest(Box::new(test))));
    Ok(q)
}

fn replacement<'t>(q: &'t Query, rel: &'t Relation, new: RtIndex, rti: RtIndex) -> ReplaceNew<'t> {
    let otherwise = (q.command_type == CmdType::Update).then_some(rti);
    ReplaceNew { new, targets: &q.target_list, otherwise, rel, depth: 0, found_sublink: false }
}

/// An action in the place of, or besides, the statement. (PostgreSQL: `rewriteRuleAction`)
fn apply_action(
    q: &Query,
    mut action: Query,
    qual: Option<Expr>,
    rel: &Relation,
    returned: &mut bool,
) -> Result<Query> {
    let rti = q.result_relation.ok_or_else(|| PgError::internal("a rule on no table"))?;
    let offset = q.rtable.len() as RtIndex;
    let place = |n: RtIndex| if n == OLD { rti } else { n + offset };
    let inner = insert_select(&action)?;
    let returning = if inner.is_none() { Vec::new() } else { std::mem::take(&mut action.returning_list) };
    {
        let sub = match inner {
            Some(i) => subquery_mut(&mut action, i)?,
            None => &mut action,
        };
        map_query(sub, &place)?;
        let mut qual = qual;
        if let Some(e) = &mut qual {
            MapVars { f: &place, depth: 0 }.expr(e)?;
        }
        // The statement's range table comes first.
        let shift = q.rteperminfos.len() as u32;
        let mut rtable = q.rtable.clone();
        for mut rte in std::mem::take(&mut sub.rtable) {
            match &mut rte.kind {
                RteKind::Relation { perminfoindex, .. } if *perminfoindex > 0 => *perminfoindex += shift,
                RteKind::Subquery { view: Some(v), .. } if v.perminfoindex > 0 => v.perminfoindex += shift,
                RteKind::Subquery { .. } => rte.lateral = true,
                _ => {}
            }
            rtable.push(rte);
        }
        sub.rtable = rtable;
        let mut perms = q.rteperminfos.clone();
        perms.append(&mut sub.rteperminfos);
        sub.rteperminfos = perms;
        if sub.set_operations.is_some() && !q.jointree.fromlist.is_empty() {
            let text = "conditional UNION/INTERSECT/EXCEPT statements are not implemented";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        // The statement's FROM, without its target where the action reads that itself.
        let in_action = join_refs(&sub.jointree.fromlist).contains(&rti);
        let used = |e: &Option<Expr>| -> Result<bool> {
            let own = |e: &Expr| matches!(e, Expr::Var(v) if v.varno == rti && v.varlevelsup == 0);
            e.as_ref().map_or(Ok(false), |e| any_expr(e, own))
        };
        let keep = !in_action && (used(&qual)? || used(&q.jointree.quals)?);
        let mut from: Vec<JoinTreeNode> = q
            .jointree
            .fromlist
            .iter()
            .filter(|n| keep || !matches!(n, JoinTreeNode::RangeTblRef(i) if *i == rti))
            .cloned()
            .collect();
        from.append(&mut sub.jointree.fromlist);
        sub.jointree.fromlist = from;
        if !q.cte_list.is_empty() {
            if q.has_modifying_cte {
                let text = "WITH cannot be used in a query that is rewritten by rules into multiple queries";
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
            }
            if sub.cte_list.iter().any(|c| q.cte_list.iter().any(|d| d.ctename == c.ctename)) {
                return Err(PgError::unsupported("WITH of one name in a rule and a statement"));
            }
            let mut list = q.cte_list.clone();
            list.append(&mut sub.cte_list);
            sub.cte_list = list;
            sub.has_recursive |= q.has_recursive;
        }
        sub.jointree.quals = and(sub.jointree.quals.take(), and(qual, q.jointree.quals.clone()));
        sub.has_sub_links |= q.has_sub_links
            || sub.jointree.quals.as_ref().map_or(Ok(false), |e| any_expr(e, |e| matches!(e, Expr::SubLink(_))))?;
        if matches!(q.command_type, CmdType::Insert | CmdType::Update) {
            let mut replace = replacement(q, rel, NEW + offset, rti);
            walk_query_mut(&mut replace, sub)?;
            let found = replace.found_sublink;
            sub.has_sub_links |= found;
        }
    }
    if inner.is_some() {
        action.returning_list = returning;
    }
    // The rule's RETURNING says what the statement's is made of.
    if q.returning_list.is_empty() {
        action.returning_list.clear();
    } else if !action.returning_list.is_empty() {
        if *returned {
            let text = "cannot have RETURNING lists in multiple rules";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        *returned = true;
        let targets = std::mem::take(&mut action.returning_list);
        let mut list = q.returning_list.clone();
        let mut replace =
            ReplaceNew { new: rti, targets: &targets, otherwise: None, rel, depth: 0, found_sublink: false };
        list.iter_mut().try_for_each(|t| replace.expr(&mut t.expr))?;
        action.has_sub_links |= replace.found_sublink;
        action.returning_list = list;
    }
    Ok(action)
}

fn join_refs(list: &[JoinTreeNode]) -> Vec<RtIndex> {
    let mut out = Vec::new();
    for n in list {
        match n {
            JoinTreeNode::RangeTblRef(i) => out.push(*i),
            JoinTreeNode::FromExpr(f) => out.extend(join_refs(&f.fromlist)),
            JoinTreeNode::JoinExpr(j) => {
                out.extend(join_refs(std::slice::from_ref(&j.larg)));
                out.extend(join_refs(std::slice::from_ref(&j.rarg)));
            }
        }
    }
    out
}
