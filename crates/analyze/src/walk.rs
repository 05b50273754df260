//! Walking expression trees: the direct children of a node, read-only and for change, and what type a node yields.
//!
//! The children of a `SubLink` are its test expression only: its subquery belongs to the next level, see
//! [`Query::for_each_expr`]. (PostgreSQL: `nodeFuncs.c`: `expression_tree_walker`, `exprType`, `exprTypmod`, `exprCollation`)

use base::error::Location;
use base::{Oid, Result};
use types::oid::*;

use crate::query::*;

macro_rules! each_child {
    ($e:expr, $f:ident, $iter:ident, $as_opt:ident, $($r:tt)+) => {{
        match $e {
            Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::CaseTestExpr(_) | Expr::SQLValueFunction(_)
            | Expr::MergeSupportFunc(_) | Expr::CoerceToDomainValue(_) | Expr::SetToDefault(..) | Expr::CurrentOfExpr(_)
            | Expr::NextValueExpr { .. } => {}
            Expr::Aggref(x) => {
                for a in x.aggdirectargs.$iter() { $f(a)?; }
                for a in x.args.$iter() { $f($($r)+ a.expr)?; }
                if let Some(a) = $($r)+ x.aggfilter { $f(a)?; }
            }
            Expr::GroupingFunc(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::WindowFunc(x) => {
                for a in x.args.$iter() { $f(a)?; }
                if let Some(a) = $($r)+ x.aggfilter { $f(a)?; }
            }
            Expr::SubscriptingRef(x) => {
                for a in x.refupperindexpr.$iter() { if let Some(a) = a.$as_opt() { $f(a)?; } }
                for a in x.reflowerindexpr.$iter() { if let Some(a) = a.$as_opt() { $f(a)?; } }
                $f($($r)+ x.refexpr)?;
                if let Some(a) = $($r)+ x.refassgnexpr { $f(a)?; }
            }
            Expr::FuncExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::NamedArgExpr(x) => $f($($r)+ x.arg)?,
            Expr::OpExpr(x) | Expr::DistinctExpr(x) | Expr::NullIfExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::ScalarArrayOpExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::BoolExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::SubLink(x) => if let Some(a) = $($r)+ x.testexpr { $f(a)?; },
            Expr::FieldSelect(x) => $f($($r)+ x.arg)?,
            Expr::FieldStore(x) => {
                $f($($r)+ x.arg)?;
                for a in x.newvals.$iter() { $f(a)?; }
            }
            Expr::RelabelType(x) => $f($($r)+ x.arg)?,
            Expr::CoerceViaIO(x) => $f($($r)+ x.arg)?,
            Expr::ArrayCoerceExpr(x) => {
                $f($($r)+ x.arg)?;
                $f($($r)+ x.elemexpr)?;
            }
            Expr::ConvertRowtypeExpr(x) => $f($($r)+ x.arg)?,
            Expr::CollateExpr(x) => $f($($r)+ x.arg)?,
            Expr::CaseExpr(x) => {
                if let Some(a) = $($r)+ x.arg { $f(a)?; }
                for w in x.args.$iter() { $f($($r)+ w.expr)?; $f($($r)+ w.result)?; }
                $f($($r)+ x.defresult)?;
            }
            Expr::ArrayExpr(x) => for a in x.elements.$iter() { $f(a)?; },
            Expr::RowExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::RowCompareExpr(x) => {
                for a in x.largs.$iter() { $f(a)?; }
                for a in x.rargs.$iter() { $f(a)?; }
            }
            Expr::CoalesceExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::MinMaxExpr(x) => for a in x.args.$iter() { $f(a)?; },
            Expr::XmlExpr(x) => {
                for a in x.named_args.$iter() { $f(a)?; }
                for a in x.args.$iter() { $f(a)?; }
            }
            Expr::JsonValueExpr(x) => {
                $f($($r)+ x.raw_expr)?;
                $f($($r)+ x.formatted_expr)?;
            }
            Expr::JsonConstructorExpr(x) => {
                for a in x.args.$iter() { $f(a)?; }
                if let Some(a) = $($r)+ x.func { $f(a)?; }
                if let Some(a) = $($r)+ x.coercion { $f(a)?; }
            }
            Expr::JsonIsPredicate(x) => $f($($r)+ x.expr)?,
            Expr::JsonExpr(x) => {
                $f($($r)+ x.formatted_expr)?;
                $f($($r)+ x.path_spec)?;
                for a in x.passing_values.$iter() { $f(a)?; }
                if let Some(b) = $($r)+ x.on_empty { if let Some(a) = $($r)+ b.expr { $f(a)?; } }
                if let Some(b) = $($r)+ x.on_error { if let Some(a) = $($r)+ b.expr { $f(a)?; } }
            }
            Expr::NullTest(x) => $f($($r)+ x.arg)?,
            Expr::BooleanTest(x) => $f($($r)+ x.arg)?,
            Expr::CoerceToDomain(x) => $f($($r)+ x.arg)?,
            Expr::InferenceElem(x) => $f($($r)+ x.expr)?,
            Expr::SubPlan(x) => {
                if let Some(a) = $($r)+ x.testexpr { $f(a)?; }
                for a in x.args.$iter() { $f(a)?; }
            }
            Expr::PlaceHolderVar(x) => $f($($r)+ x.phexpr)?,
        }
        Ok(())
    }};
}

impl Expr {
    /// Calls `f` on each direct child.
    pub fn try_children<'a>(&'a self, f: &mut dyn FnMut(&'a Expr) -> Result<()>) -> Result<()> {
        each_child!(self, f, iter, as_ref, &)
    }
    /// Calls `f` on each direct child, which it may replace.
    pub fn try_children_mut(&mut self, f: &mut dyn FnMut(&mut Expr) -> Result<()>) -> Result<()> {
        each_child!(self, f, iter_mut, as_mut, &mut)
    }
    /// As `try_children`, where nothing can fail.
    pub fn children<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        let done = self.try_children(&mut |e| {
            f(e);
            Ok(())
        });
        debug_assert!(done.is_ok());
    }
    pub fn children_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        let done = self.try_children_mut(&mut |e| {
            f(e);
            Ok(())
        });
        debug_assert!(done.is_ok());
    }
    /// Whether `f` holds for this node or any below it.
    pub fn any(&self, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
        if f(self) {
            return true;
        }
        let mut found = false;
        self.children(&mut |e| found = found || e.any(f));
        found
    }

    /// (PostgreSQL: `exprType`)
    pub fn type_oid(&self) -> Oid {
        match self {
            Expr::Var(x) => x.vartype.oid,
            Expr::Const(x) => x.ty.oid,
            Expr::Param(x) => x.ty.oid,
            Expr::Aggref(x) => x.aggtype,
            Expr::GroupingFunc(_) => INT4OID,
            Expr::WindowFunc(x) => x.wintype,
            Expr::SubscriptingRef(x) => x.refrestype,
            Expr::FuncExpr(x) => x.funcresulttype,
            Expr::NamedArgExpr(x) => x.arg.type_oid(),
            Expr::OpExpr(x) | Expr::DistinctExpr(x) => x.opresulttype,
            Expr::NullIfExpr(x) => x.args.first().map_or(x.opresulttype, Expr::type_oid),
            Expr::ScalarArrayOpExpr(_) | Expr::BoolExpr(_) | Expr::RowCompareExpr(_) => BOOLOID,
            Expr::SubLink(x) => match x.sub_link_type {
                SubLinkType::Expr | SubLinkType::Array => sublink_column(x).map_or(UNKNOWNOID, |t| {
                    if x.sub_link_type == SubLinkType::Array { x.array_type } else { t.expr.type_oid() }
                }),
                SubLinkType::MultiExpr => RECORDOID,
                _ => BOOLOID,
            },
            Expr::FieldSelect(x) => x.resulttype.oid,
            Expr::FieldStore(x) => x.resulttype,
            Expr::RelabelType(x) => x.resulttype.oid,
            Expr::CoerceViaIO(x) => x.resulttype,
            Expr::ArrayCoerceExpr(x) => x.resulttype.oid,
            Expr::ConvertRowtypeExpr(x) => x.resulttype,
            Expr::CollateExpr(x) => x.arg.type_oid(),
            Expr::CaseExpr(x) => x.casetype,
            Expr::CaseTestExpr(t) => t.oid,
            Expr::ArrayExpr(x) => x.array_typeid,
            Expr::RowExpr(x) => x.row_typeid,
            Expr::CoalesceExpr(x) => x.coalescetype,
            Expr::MinMaxExpr(x) => x.minmaxtype,
            Expr::SQLValueFunction(x) => x.type_oid,
            Expr::XmlExpr(x) => match x.op {
                XmlExprOp::Document => BOOLOID,
                XmlExprOp::Serialize => x.type_oid,
                _ => XMLOID,
            },
            Expr::JsonValueExpr(x) => x.formatted_expr.type_oid(),
            Expr::JsonConstructorExpr(x) => x.returning.typid,
            Expr::JsonIsPredicate(_) => BOOLOID,
            Expr::JsonExpr(x) => x.returning.typid,
            Expr::NullTest(_) | Expr::BooleanTest(_) | Expr::CurrentOfExpr(_) => BOOLOID,
            Expr::MergeSupportFunc(t) => t.oid,
            Expr::CoerceToDomain(x) => x.resulttype.oid,
            Expr::CoerceToDomainValue(t) | Expr::SetToDefault(t, _) => t.oid,
            Expr::NextValueExpr { type_oid, .. } => *type_oid,
            Expr::InferenceElem(x) => x.expr.type_oid(),
            Expr::SubPlan(x) => match x.sub_link_type {
                SubLinkType::Expr => x.first_col.oid,
                SubLinkType::Array if x.array_type.is_valid() => x.array_type,
                SubLinkType::Array => array_type_of(x.first_col.oid),
                SubLinkType::MultiExpr => RECORDOID,
                _ => BOOLOID,
            },
            Expr::PlaceHolderVar(x) => x.phexpr.type_oid(),
        }
    }

    /// (PostgreSQL: `exprTypmod`)
    pub fn typmod(&self) -> i32 {
        match self {
            Expr::Var(x) => x.vartype.typmod,
            Expr::Const(x) => x.ty.typmod,
            Expr::Param(x) => x.ty.typmod,
            Expr::SubscriptingRef(x) => x.reftypmod,
            Expr::FuncExpr(_) => self.length_coercion_typmod().unwrap_or(-1),
            Expr::NamedArgExpr(x) => x.arg.typmod(),
            Expr::NullIfExpr(x) => x.args.first().map_or(-1, Expr::typmod),
            Expr::SubLink(x) if matches!(x.sub_link_type, SubLinkType::Expr | SubLinkType::Array) => {
                sublink_column(x).map_or(-1, |t| t.expr.typmod())
            }
            Expr::SubPlan(x) if matches!(x.sub_link_type, SubLinkType::Expr | SubLinkType::Array) => x.first_col.typmod,
            Expr::FieldSelect(x) => x.resulttype.typmod,
            Expr::RelabelType(x) => x.resulttype.typmod,
            Expr::ArrayCoerceExpr(x) => x.resulttype.typmod,
            Expr::CollateExpr(x) => x.arg.typmod(),
            Expr::CaseExpr(x) => {
                let all = x.args.iter().map(|w| &w.result).chain([&x.defresult]);
                common_typmod(x.casetype, all)
            }
            Expr::CaseTestExpr(t) | Expr::CoerceToDomainValue(t) | Expr::SetToDefault(t, _) => t.typmod,
            Expr::ArrayExpr(x) => match x.elements.first() {
                None => -1,
                Some(first) => {
                    let ty = if x.multidims { x.array_typeid } else { x.element_typeid };
                    if first.type_oid() == ty { common_typmod(ty, x.elements.iter()) } else { -1 }
                }
            },
            Expr::CoalesceExpr(x) => common_typmod(x.coalescetype, x.args.iter()),
            Expr::MinMaxExpr(x) => common_typmod(x.minmaxtype, x.args.iter()),
            Expr::SQLValueFunction(x) => x.typmod,
            Expr::JsonValueExpr(x) => x.formatted_expr.typmod(),
            Expr::JsonConstructorExpr(x) => x.returning.typmod,
            Expr::JsonExpr(x) => x.returning.typmod,
            Expr::CoerceToDomain(x) => x.resulttype.typmod,
            Expr::PlaceHolderVar(x) => x.phexpr.typmod(),
            _ => -1,
        }
    }

    /// The collation of the result. (PostgreSQL: `exprCollation`)
    pub fn collation(&self) -> Oid {
        match self {
            Expr::Var(x) => x.vartype.collation,
            Expr::Const(x) => x.ty.collation,
            Expr::Param(x) => x.ty.collation,
            Expr::Aggref(x) => x.aggcollid,
            Expr::WindowFunc(x) => x.wincollid,
            Expr::SubscriptingRef(x) => x.refcollid,
            Expr::FuncExpr(x) => x.funccollid,
            Expr::NamedArgExpr(x) => x.arg.collation(),
            Expr::OpExpr(x) | Expr::DistinctExpr(x) | Expr::NullIfExpr(x) => x.opcollid,
            Expr::SubLink(x) if matches!(x.sub_link_type, SubLinkType::Expr | SubLinkType::Array) => {
                sublink_column(x).map_or(Oid::INVALID, |t| t.expr.collation())
            }
            Expr::SubPlan(x) if matches!(x.sub_link_type, SubLinkType::Expr | SubLinkType::Array) => {
                x.first_col.collation
            }
            Expr::FieldSelect(x) => x.resulttype.collation,
            Expr::RelabelType(x) => x.resulttype.collation,
            Expr::CoerceViaIO(x) => x.resultcollid,
            Expr::ArrayCoerceExpr(x) => x.resulttype.collation,
            Expr::CollateExpr(x) => x.coll_oid,
            Expr::CaseExpr(x) => x.casecollid,
            Expr::CaseTestExpr(t) | Expr::CoerceToDomainValue(t) | Expr::SetToDefault(t, _) => t.collation,
            Expr::ArrayExpr(x) => x.array_collid,
            Expr::CoalesceExpr(x) => x.coalescecollid,
            Expr::MinMaxExpr(x) => x.minmaxcollid,
            Expr::SQLValueFunction(x) if x.type_oid == NAMEOID => C_COLLATION,
            Expr::JsonValueExpr(x) => x.formatted_expr.collation(),
            Expr::JsonConstructorExpr(x) => x.coercion.as_ref().map_or(Oid::INVALID, Expr::collation),
            Expr::JsonExpr(x) => x.collation,
            Expr::MergeSupportFunc(t) => t.collation,
            Expr::CoerceToDomain(x) => x.resulttype.collation,
            Expr::InferenceElem(x) => x.expr.collation(),
            Expr::PlaceHolderVar(x) => x.phexpr.collation(),
            _ => Oid::INVALID,
        }
    }

    pub fn type_mod(&self) -> TypeMod {
        TypeMod { oid: self.type_oid(), typmod: self.typmod(), collation: self.collation() }
    }
    /// `true`, `false` or null of type boolean.
    pub fn bool_const(value: Option<bool>) -> Expr {
        let ty = TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID };
        let value = value.map_or(types::Datum::Null, types::Datum::bool);
        Expr::Const(Const { ty, len: 1, byval: true, value, location: Location::UNKNOWN })
    }
    /// The conjunction of these; `None` for none.
    pub fn and_all(mut quals: Vec<Expr>) -> Option<Expr> {
        match quals.len() {
            0 | 1 => quals.pop(),
            _ => Some(Expr::BoolExpr(Box::new(BoolExpr {
                boolop: BoolExprType::And,
                args: quals,
                location: Location::UNKNOWN,
            }))),
        }
    }
}

fn sublink_column(link: &SubLink) -> Option<&TargetEntry> {
    link.subselect.target_list.iter().find(|t| !t.resjunk)
}

fn common_typmod<'a>(ty: Oid, exprs: impl Iterator<Item = &'a Expr>) -> i32 {
    let mut common = None;
    for e in exprs {
        let typmod = e.typmod();
        if e.type_oid() != ty || typmod < 0 || common.is_some_and(|c| c != typmod) {
            return -1;
        }
        common = Some(typmod);
    }
    common.unwrap_or(-1)
}

/// The array type over a built-in type; invalid for others. Where a catalog is at hand, ask it instead.
pub fn array_type_of(elem: Oid) -> Oid {
    match elem {
        BOOLOID => BOOLARRAYOID,
        BYTEAOID => BYTEAARRAYOID,
        CHAROID => CHARARRAYOID,
        NAMEOID => NAMEARRAYOID,
        INT8OID => INT8ARRAYOID,
        INT2OID => INT2ARRAYOID,
        INT4OID => INT4ARRAYOID,
        TEXTOID => TEXTARRAYOID,
        OIDOID => OIDARRAYOID,
        TIDOID => TIDARRAYOID,
        XIDOID => XIDARRAYOID,
        CIDOID => CIDARRAYOID,
        JSONOID => JSONARRAYOID,
        JSONBOID => JSONBARRAYOID,
        XMLOID => XMLARRAYOID,
        FLOAT4OID => FLOAT4ARRAYOID,
        FLOAT8OID => FLOAT8ARRAYOID,
        BPCHAROID => BPCHARARRAYOID,
        VARCHAROID => VARCHARARRAYOID,
        DATEOID => DATEARRAYOID,
        TIMEOID => TIMEARRAYOID,
        TIMETZOID => TIMETZARRAYOID,
        TIMESTAMPOID => TIMESTAMPARRAYOID,
        TIMESTAMPTZOID => TIMESTAMPTZARRAYOID,
        INTERVALOID => INTERVALARRAYOID,
        NUMERICOID => NUMERICARRAYOID,
        UUIDOID => UUIDARRAYOID,
        REGCLASSOID => REGCLASSARRAYOID,
        REGTYPEOID => REGTYPEARRAYOID,
        REGPROCOID => REGPROCARRAYOID,
        INETOID => INETARRAYOID,
        ACLITEMOID => ACLITEMARRAYOID,
        CSTRINGOID => CSTRINGARRAYOID,
        RECORDOID => RECORDARRAYOID,
        PGLSNOID => PGLSNARRAYOID,
        _ => Oid::INVALID,
    }
}

impl Query {
    /// Calls `f` on every expression of this query level, subqueries in FROM and CTEs excepted.
    pub fn for_each_expr(&self, f: &mut dyn FnMut(&Expr)) {
        // One list serves both forms; a clone is cheap next to planning.
        let mut copy = self.clone();
        let done = copy.try_for_each_expr_mut(&mut |e| {
            f(e);
            Ok(())
        });
        debug_assert!(done.is_ok());
    }

    /// Calls `f` on every expression of this query level, which it may replace; subqueries in FROM and CTEs excepted.
    /// (PostgreSQL: `query_tree_mutator`)
    pub fn try_for_each_expr_mut(&mut self, f: &mut dyn FnMut(&mut Expr) -> Result<()>) -> Result<()> {
        for t in self.target_list.iter_mut().chain(&mut self.returning_list) {
            f(&mut t.expr)?;
        }
        jointree_exprs(&mut self.jointree, f)?;
        for action in &mut self.merge_actions {
            if let Some(q) = &mut action.qual {
                f(q)?;
            }
            for t in &mut action.target_list {
                f(&mut t.expr)?;
            }
        }
        if let Some(c) = &mut self.on_conflict {
            for e in &mut c.arbiter_elems {
                f(&mut e.expr)?;
            }
            for q in [&mut c.arbiter_where, &mut c.on_conflict_where].into_iter().flatten() {
                f(q)?;
            }
            for t in c.on_conflict_set.iter_mut().chain(&mut c.excl_rel_tlist) {
                f(&mut t.expr)?;
            }
        }
        let singles =
            [&mut self.merge_join_condition, &mut self.having_qual, &mut self.limit_offset, &mut self.limit_count];
        for e in singles.into_iter().flatten() {
            f(e)?;
        }
        for w in &mut self.window_clause {
            for e in [&mut w.start_offset, &mut w.end_offset].into_iter().flatten() {
                f(e)?;
            }
        }
        for rte in &mut self.rtable {
            for q in &mut rte.security_quals {
                f(q)?;
            }
            match &mut rte.kind {
                RteKind::Relation { table_sample: Some(s), .. } => {
                    for a in s.args.iter_mut().chain(&mut s.repeatable) {
                        f(a)?;
                    }
                }
                RteKind::Join(j) => {
                    for e in &mut j.join_alias_vars {
                        f(e)?;
                    }
                }
                RteKind::Function { functions, .. } => {
                    for func in functions {
                        f(&mut func.funcexpr)?;
                    }
                }
                RteKind::TableFunc(t) => {
                    f(&mut t.docexpr)?;
                    let lists = [&mut t.colexprs, &mut t.coldefexprs, &mut t.colvalexprs];
                    let optional = lists.into_iter().flatten().flatten();
                    for e in t.ns_uris.iter_mut().chain(&mut t.rowexpr).chain(optional).chain(&mut t.passingvalexprs) {
                        f(e)?;
                    }
                }
                RteKind::Values { lists, .. } => {
                    for e in lists.iter_mut().flatten() {
                        f(e)?;
                    }
                }
                RteKind::Group { exprs } => {
                    for e in exprs {
                        f(e)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The direct subqueries of this level: in FROM, CTEs and sublinks.
    pub fn for_each_subquery_mut(&mut self, f: &mut dyn FnMut(&mut Query) -> Result<()>) -> Result<()> {
        for cte in &mut self.cte_list {
            f(&mut cte.ctequery)?;
        }
        for rte in &mut self.rtable {
            if let RteKind::Subquery { subquery, .. } = &mut rte.kind {
                f(subquery)?;
            }
        }
        self.try_for_each_expr_mut(&mut |e| sublink_queries(e, f))
    }
}

fn sublink_queries(e: &mut Expr, f: &mut dyn FnMut(&mut Query) -> Result<()>) -> Result<()> {
    if let Expr::SubLink(link) = e {
        f(&mut link.subselect)?;
    }
    e.try_children_mut(&mut |c| sublink_queries(c, f))
}

fn jointree_exprs(from: &mut FromExpr, f: &mut dyn FnMut(&mut Expr) -> Result<()>) -> Result<()> {
    for node in &mut from.fromlist {
        join_node_exprs(node, f)?;
    }
    from.quals.as_mut().map_or(Ok(()), f)
}

fn join_node_exprs(node: &mut JoinTreeNode, f: &mut dyn FnMut(&mut Expr) -> Result<()>) -> Result<()> {
    match node {
        JoinTreeNode::RangeTblRef(_) => Ok(()),
        JoinTreeNode::FromExpr(from) => jointree_exprs(from, f),
        JoinTreeNode::JoinExpr(j) => {
            join_node_exprs(&mut j.larg, f)?;
            join_node_exprs(&mut j.rarg, f)?;
            j.quals.as_mut().map_or(Ok(()), f)
        }
    }
}
