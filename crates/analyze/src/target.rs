//! Target lists: `SELECT`'s, with `*` and names made up; and assignment targets of INSERT and UPDATE.
//!
//! PostgreSQL: `parser/parse_target.c`.

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use parser::ast;
use types::oid::*;

use crate::coerce::{Context, null_const, plain};
use crate::lookup::{Lookup, format_type};
use crate::query::*;
use crate::relation::attr_type;
use crate::state::{Analyzer, ExprKind};

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `transformTargetList`)
    pub(crate) fn target_list(&mut self, list: &[ast::ResTarget], kind: ExprKind) -> Result<Vec<TargetEntry>> {
        let expand = kind != ExprKind::UpdateSource;
        let mut out = Vec::new();
        for t in list {
            let val = t.val.as_ref().ok_or_else(|| PgError::internal("a target without a value"))?;
            if expand {
                if let Some(vars) = self.star(val, kind)? {
                    for (expr, name) in vars {
                        let resno = self.next_resno();
                        out.push(target_entry(expr, resno, Some(name)));
                    }
                    continue;
                }
            }
            out.push(self.target_entry(val, None, kind, t.name.clone(), false)?);
        }
        let lv = self.lv();
        if !lv.multiassign.is_empty() && kind != ExprKind::UpdateSource {
            return Err(PgError::internal("a multiple assignment outside UPDATE"));
        }
        self.append_multiassign(&mut out);
        Ok(out)
    }

    /// The subqueries of multiple assignments go in as junk. (PostgreSQL: `p_multiassign_exprs`)
    pub(crate) fn append_multiassign(&mut self, out: &mut Vec<TargetEntry>) {
        let all = std::mem::take(&mut self.lv().multiassign);
        for m in all {
            if matches!(m.expr, Expr::SubLink(_)) {
                let resno = self.next_resno();
                let mut t = target_entry(m.expr, resno, None);
                t.resjunk = true;
                out.push(t);
            }
        }
    }

    /// (PostgreSQL: `transformTargetEntry`)
    pub(crate) fn target_entry(
        &mut self,
        val: &ast::Expr,
        done: Option<Expr>,
        kind: ExprKind,
        name: Option<String>,
        junk: bool,
    ) -> Result<TargetEntry> {
        let expr = match done {
            Some(e) => e,
            None => match (kind, val) {
                (ExprKind::UpdateSource, ast::Expr::SetToDefault(l)) => Expr::SetToDefault(plain(UNKNOWNOID), *l),
                _ => self.transform_expr(val, kind)?,
            },
        };
        let name = name.or_else(|| (!junk).then(|| figure_name(val)));
        let resno = self.next_resno();
        let mut t = target_entry(expr, resno, name);
        t.resjunk = junk;
        Ok(t)
    }

    /// The columns that `*`, `t.*` or `(row).*` stands for; `None` for anything else.
    pub(crate) fn star(&mut self, val: &ast::Expr, kind: ExprKind) -> Result<Option<Vec<(Expr, String)>>> {
        match val {
            ast::Expr::ColumnRef(c) if c.fields.last() == Some(&ast::Field::Star) => self.expand_star(c).map(Some),
            ast::Expr::AIndirection(i) if i.indirection.last() == Some(&ast::Indirection::Star) => {
                let inner = &i.indirection[..i.indirection.len() - 1];
                let e = match inner {
                    [] => i.arg.clone(),
                    _ => ast::Expr::AIndirection(Box::new(ast::AIndirection {
                        arg: i.arg.clone(),
                        indirection: inner.to_vec(),
                    })),
                };
                let e = self.transform_expr(&e, kind)?;
                self.expand_row(e).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// (PostgreSQL: `ExpandColumnRefStar`)
    fn expand_star(&mut self, c: &ast::ColumnRef) -> Result<Vec<(Expr, String)>> {
        let l = c.location;
        if c.fields.len() == 1 {
            let items = self.level().namespace.clone();
            let mut out = Vec::new();
            let mut found = false;
            for item in items.iter().filter(|i| i.cols_visible) {
                found = true;
                for (e, n) in self.expand_item_vars(item, 0, l, true)? {
                    self.mark_read(&e);
                    out.push((e, n));
                }
                self.mark_item_select(item);
            }
            if !found {
                return Err(PgError::new(SYNTAX_ERROR, "SELECT * with no tables specified is not valid").at(l));
            }
            return Ok(out);
        }
        let mut parts: Vec<&str> = Vec::new();
        for f in &c.fields {
            if let ast::Field::Name(n) = f {
                parts.push(n);
            }
        }
        let (schema, rel) = match &parts[..] {
            [rel] => (None, *rel),
            [schema, rel] => (Some(*schema), *rel),
            [db, schema, rel] => {
                if **db != *self.cx.settings().database_name {
                    let m = format!(
                        "cross-database references are not implemented: {}",
                        crate::expr::fields_text(&c.fields)
                    );
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(l));
                }
                (Some(*schema), *rel)
            }
            _ => {
                let m =
                    format!("improper qualified name (too many dotted names): {}", crate::expr::fields_text(&c.fields));
                return Err(PgError::new(SYNTAX_ERROR, m).at(l));
            }
        };
        if let Some(h) = &mut self.cx.hooks
            && let Some(e) = h.before_column(c)?
        {
            return self.expand_row(e);
        }
        let found = self.find_item(schema, rel, l)?;
        if found.is_none()
            && let Some(h) = &mut self.cx.hooks
            && let Some(e) = h.after_column(c, None)?
        {
            return self.expand_row(e);
        }
        let Some((up, item)) = found else {
            let rv = ast::RangeVar {
                schemaname: schema.map(str::to_owned),
                relname: rel.to_owned(),
                location: l,
                ..ast::RangeVar::default()
            };
            return Err(self.missing_rte(&rv)?);
        };
        let out = self.expand_item_vars(&item, up, l, true)?;
        for (e, _) in &out {
            self.mark_read(e);
        }
        if up == 0 {
            self.mark_item_select(&item);
        }
        Ok(out)
    }

    /// Reading no columns at all still takes the right to read.
    fn mark_item_select(&mut self, item: &crate::state::NsItem) {
        let lv = self.lv();
        if item.perminfo > 0 {
            lv.perminfos[item.perminfo as usize - 1].required_perms |= catalog::acl::ACL_SELECT;
        }
    }

    pub(crate) fn mark_read(&mut self, e: &Expr) {
        if let Expr::Var(v) = e {
            let level = self.levels.len() - 1 - v.varlevelsup as usize;
            self.mark_select(level, v.varno, v.varattno);
        }
    }

    /// (PostgreSQL: `ExpandRowReference`)
    fn expand_row(&mut self, e: Expr) -> Result<Vec<(Expr, String)>> {
        if let Expr::Var(v) = &e
            && v.varattno == 0
        {
            let level = self.levels.len() - 1 - v.varlevelsup as usize;
            let item = self.levels[level].namespace.iter().find(|i| i.rtindex == v.varno).cloned();
            if let Some(item) = item {
                let out = self.expand_item_vars(&item, v.varlevelsup, v.location, true)?;
                for (e, _) in &out {
                    self.mark_read(e);
                }
                return Ok(out);
            }
        }
        let desc = self.value_row_desc(&e)?;
        let Some(desc) = desc else {
            let m = "record type has not been registered";
            let t = e.type_oid();
            return Err(match t == RECORDOID {
                true => PgError::new(WRONG_OBJECT_TYPE, m),
                false => {
                    let m = format!("type {} is not composite", format_type(self.cat(), t)?);
                    PgError::new(WRONG_OBJECT_TYPE, m)
                }
            });
        };
        let mut out = Vec::new();
        for (i, a) in desc.attrs.iter().enumerate().filter(|(_, a)| !a.dropped) {
            let f = FieldSelect { arg: e.clone(), fieldnum: i as AttrNumber + 1, resulttype: attr_type(a) };
            out.push((Expr::FieldSelect(Box::new(f)), a.name.to_string()));
        }
        Ok(out)
    }

    /// Several expressions, `*` expanded. (PostgreSQL: `transformExpressionList`)
    pub(crate) fn expression_list(
        &mut self,
        list: &[ast::Expr],
        kind: ExprKind,
        allow_default: bool,
    ) -> Result<Vec<Expr>> {
        let mut out = Vec::new();
        for e in list {
            if let Some(vars) = self.star(e, kind)? {
                out.extend(vars.into_iter().map(|v| v.0));
                continue;
            }
            out.push(match e {
                ast::Expr::SetToDefault(l) if allow_default => Expr::SetToDefault(plain(UNKNOWNOID), *l),
                e => self.transform_expr(e, kind)?,
            });
        }
        Ok(out)
    }

    /// Unknown literals left over become text. (PostgreSQL: `resolveTargetListUnknowns`)
    pub(crate) fn resolve_unknowns(&mut self, list: &mut [TargetEntry]) -> Result<()> {
        for t in list {
            if t.expr.type_oid() == UNKNOWNOID {
                let e = std::mem::replace(&mut t.expr, crate::coerce::bool_const(false));
                let (f, cx) = (CoercionForm::ImplicitCast, Context::Implicit);
                t.expr = self.coerce_type(e, UNKNOWNOID, TEXTOID, -1, cx, f, Location::UNKNOWN)?;
            }
        }
        Ok(())
    }

    /// Which table's column each target shows. (PostgreSQL: `markTargetListOrigins`)
    pub(crate) fn mark_origins(&self, list: &mut [TargetEntry]) {
        for t in list {
            if let Expr::Var(v) = &t.expr
                && let Some((rel, col)) = self.origin(v, 0)
            {
                (t.resorigtbl, t.resorigcol) = (rel, col);
            }
        }
    }

    fn origin(&self, v: &Var, extra: u32) -> Option<(Oid, AttrNumber)> {
        let level = (self.levels.len() - 1).checked_sub((v.varlevelsup + extra) as usize)?;
        let rte = self.levels[level].rtable.get(v.varno as usize - 1)?;
        match &rte.kind {
            RteKind::Relation { relid, .. } => Some((*relid, v.varattno)),
            RteKind::Subquery { subquery, .. } if v.varattno > 0 => {
                let t = subquery.target_list.iter().find(|t| t.resno == v.varattno && !t.resjunk)?;
                t.resorigtbl.is_valid().then_some((t.resorigtbl, t.resorigcol))
            }
            RteKind::Cte { name, levels_up, self_reference: false, .. } if v.varattno > 0 => {
                let l = level.checked_sub(*levels_up as usize)?;
                let q = self.levels[l].ctes.iter().find(|c| c.name == *name)?.query.clone()?;
                let list = if q.command_type == CmdType::Select { &q.target_list } else { &q.returning_list };
                let t = list.iter().find(|t| t.resno == v.varattno && !t.resjunk)?;
                t.resorigtbl.is_valid().then_some((t.resorigtbl, t.resorigcol))
            }
            _ => None,
        }
    }

    /// The value for a column, converted to its type; with indirection an assignment to a part of it.
    /// (PostgreSQL: `transformAssignedExpr`)
    pub(crate) fn assigned_expr(
        &mut self,
        mut e: Expr,
        kind: ExprKind,
        colname: &str,
        attnum: AttrNumber,
        indirection: &[ast::Indirection],
        location: Location,
    ) -> Result<Expr> {
        let target = self.level().target.clone().ok_or_else(|| PgError::internal("no target relation"))?;
        let unsupported = |m: String| PgError::new(FEATURE_NOT_SUPPORTED, m).at(location);
        if attnum <= 0 {
            return Err(unsupported(format!("cannot assign to system column \"{colname}\"")));
        }
        let rel = self.cat().relation_entry(target.relid)?;
        let ty = attr_type(&rel.desc.attrs[attnum as usize - 1]);
        if let Expr::SetToDefault(t, _) = &mut e {
            *t = ty;
            match indirection.first() {
                Some(ast::Indirection::Indices(_)) => {
                    return Err(unsupported("cannot set an array element to DEFAULT".to_owned()));
                }
                Some(_) => return Err(unsupported("cannot set a subfield to DEFAULT".to_owned())),
                None => return Ok(e),
            }
        }
        let from = e.type_oid();
        if !indirection.is_empty() {
            // A new row starts from a null value, an update from the old one.
            let base = if kind == ExprKind::InsertTarget {
                let t = self.cat().type_row(ty.oid)?;
                let mut n = null_const(ty.oid, t.typlen, t.typbyval);
                if let Expr::Const(c) = &mut n {
                    c.ty = ty;
                }
                n
            } else {
                Expr::Var(Var {
                    varno: target.item.rtindex,
                    varattno: attnum,
                    vartype: ty,
                    varnullingrels: Vec::new(),
                    varlevelsup: 0,
                    varreturning: VarReturning::Default,
                    varnosyn: target.item.rtindex,
                    varattnosyn: attnum,
                    location,
                })
            };
            return self.with_kind(kind, |a| {
                a.assignment_indirection(Some(base), colname, false, ty, indirection, e, location)
            });
        }
        let at = e.location();
        let f = CoercionForm::ImplicitCast;
        match self.coerce_to_target_type(e, from, ty.oid, ty.typmod, Context::Assignment, f, Location::UNKNOWN)? {
            Some(e) => Ok(e),
            None => {
                let (to, from) = (format_type(self.cat(), ty.oid)?, format_type(self.cat(), from)?);
                let m = format!("column \"{colname}\" is of type {to} but expression is of type {from}");
                Err(PgError::new(DATATYPE_MISMATCH, m).hint("You will need to rewrite or cast the expression.").at(at))
            }
        }
    }

    /// `col[1].f = value`. (PostgreSQL: `transformAssignmentIndirection`)
    pub(crate) fn assignment_indirection(
        &mut self,
        base: Option<Expr>,
        name: &str,
        subscripted: bool,
        ty: TypeMod,
        steps: &[ast::Indirection],
        rhs: Expr,
        location: Location,
    ) -> Result<Expr> {
        crate::walker::check_depth()?;
        // What is nested deeper is read from the container, which stands in for itself.
        let base = base.unwrap_or(Expr::CaseTestExpr(ty));
        let n = steps.iter().take_while(|s| matches!(s, ast::Indirection::Indices(_))).count();
        if n > 0 {
            let indices: Vec<&ast::AIndices> = steps[..n]
                .iter()
                .filter_map(|s| if let ast::Indirection::Indices(i) = s { Some(i) } else { None })
                .collect();
            let (container, cmod) = self.container_type(ty.oid, ty.typmod)?;
            let Expr::SubscriptingRef(mut s) = self.subscripts(base, container, cmod, &indices, None)? else {
                return Err(PgError::internal("a subscript that is none"));
            };
            let elem = TypeMod { oid: s.refrestype, typmod: cmod, collation: self.cat().type_collation(s.refrestype)? };
            let rhs = self.assignment_rest(None, name, true, elem, &steps[n..], rhs, location)?;
            s.refassgnexpr = Some(rhs);
            s.refrestype = container;
            let mut result = Expr::SubscriptingRef(s);
            if container != ty.oid {
                let (f, cx) = (CoercionForm::ImplicitCast, Context::Assignment);
                let r = self.coerce_to_target_type(result, container, ty.oid, ty.typmod, cx, f, Location::UNKNOWN)?;
                result = match r {
                    Some(e) => e,
                    None => return Err(self.cannot_cast(container, ty.oid)?.at(location)),
                };
            }
            return Ok(result);
        }
        let field = match &steps[0] {
            ast::Indirection::Field(f) => f,
            _ => {
                let m = "row expansion via \"*\" is not supported here";
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location));
            }
        };
        let (rowtype, rowmod) = self.cat().base_type(ty.oid, ty.typmod)?;
        let relid = self.cat().type_relid(rowtype)?;
        let shown = format_type(self.cat(), ty.oid)?;
        if !relid.is_valid() {
            let m = format!(
                "cannot assign to field \"{field}\" of column \"{name}\" because its type {shown} is not a composite type"
            );
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(location));
        }
        let Some(a) = self.cat().attribute_by_name(relid, field)? else {
            let m = format!(
                "cannot assign to field \"{field}\" of column \"{name}\" because there is no such column in data type {shown}"
            );
            return Err(PgError::new(UNDEFINED_COLUMN, m).at(location));
        };
        let fty = TypeMod { oid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation };
        let _ = subscripted;
        let rhs = self.assignment_rest(None, field, false, fty, &steps[1..], rhs, location)?;
        let store = Expr::FieldStore(Box::new(FieldStore {
            arg: base,
            newvals: vec![rhs],
            fieldnums: vec![a.attnum],
            resulttype: rowtype,
        }));
        if rowtype == ty.oid {
            return Ok(store);
        }
        let (f, cx) = (CoercionForm::ImplicitCast, Context::Implicit);
        self.coerce_to_domain(store, rowtype, rowmod, ty.oid, cx, f, location, false)
    }

    fn assignment_rest(
        &mut self,
        base: Option<Expr>,
        name: &str,
        subscripted: bool,
        ty: TypeMod,
        steps: &[ast::Indirection],
        rhs: Expr,
        location: Location,
    ) -> Result<Expr> {
        if !steps.is_empty() {
            return self.assignment_indirection(base, name, subscripted, ty, steps, rhs, location);
        }
        let from = rhs.type_oid();
        let cx = if self.plpgsql { Context::Plpgsql } else { Context::Assignment };
        let f = CoercionForm::ImplicitCast;
        if let Some(e) = self.coerce_to_target_type(rhs, from, ty.oid, ty.typmod, cx, f, Location::UNKNOWN)? {
            return Ok(e);
        }
        let (to, from) = (format_type(self.cat(), ty.oid)?, format_type(self.cat(), from)?);
        let m = match subscripted {
            true => format!("subscripted assignment to \"{name}\" requires type {to} but expression is of type {from}"),
            false => format!("subfield \"{name}\" is of type {to} but expression is of type {from}"),
        };
        Err(PgError::new(DATATYPE_MISMATCH, m).hint("You will need to rewrite or cast the expression.").at(location))
    }
}

pub(crate) fn target_entry(expr: Expr, resno: AttrNumber, resname: Option<String>) -> TargetEntry {
    TargetEntry { expr, resno, resname, ressortgroupref: 0, resorigtbl: Oid::INVALID, resorigcol: 0, resjunk: false }
}

/// The name of a column that was given none. (PostgreSQL: `FigureColname`)
pub(crate) fn figure_name(e: &ast::Expr) -> String {
    figure(e).map_or_else(|| "?column?".to_owned(), |f| f.0)
}

/// The name, and whether it is better than one from a cast around it.
pub(crate) fn figure(e: &ast::Expr) -> Option<(String, bool)> {
    let sure = |s: &str| Some((s.to_owned(), true));
    match e {
        ast::Expr::ColumnRef(c) => c.fields.iter().rev().find_map(|f| match f {
            ast::Field::Name(n) => sure(n),
            ast::Field::Star => None,
        }),
        ast::Expr::AIndirection(i) => {
            let field = i.indirection.iter().rev().find_map(|s| match s {
                ast::Indirection::Field(f) => Some(f),
                _ => None,
            });
            match field {
                Some(f) => sure(f),
                None => figure(&i.arg),
            }
        }
        ast::Expr::FuncCall(f) => f.funcname.last().and_then(|n| sure(n)),
        ast::Expr::AExpr(a) if a.kind == ast::AExprKind::Nullif => sure("nullif"),
        ast::Expr::TypeCast(t) => match figure(&t.arg) {
            Some((n, true)) => Some((n, true)),
            weak => t.type_name.names.last().map(|n| (n.clone(), false)).or(weak),
        },
        ast::Expr::CollateClause(c) => c.arg.as_ref().and_then(figure),
        ast::Expr::GroupingFunc(_) => sure("grouping"),
        ast::Expr::MergeSupportFunc(_) => sure("merge_action"),
        ast::Expr::SubLink(s) => match s.sub_link_type {
            ast::SubLinkType::Exists => sure("exists"),
            ast::SubLinkType::Array => sure("array"),
            ast::SubLinkType::Expr => {
                let mut q = &s.subselect;
                while let Some(l) = &q.larg {
                    q = l;
                }
                let t = q.target_list.first()?;
                match &t.name {
                    Some(n) => sure(n),
                    None => figure(t.val.as_ref()?),
                }
            }
            _ => None,
        },
        ast::Expr::CaseExpr(c) => match c.defresult.as_ref().and_then(figure) {
            Some((n, true)) => Some((n, true)),
            weak => Some(weak.map_or_else(|| ("case".to_owned(), false), |_| ("case".to_owned(), false))),
        },
        ast::Expr::AArrayExpr(_) => sure("array"),
        ast::Expr::RowExpr(_) => sure("row"),
        ast::Expr::CoalesceExpr(_) => sure("coalesce"),
        ast::Expr::MinMaxExpr(m) => sure(if m.op == ast::MinMaxOp::Greatest { "greatest" } else { "least" }),
        ast::Expr::SQLValueFunction(s) => {
            use ast::SQLValueFunctionOp as O;
            sure(match s.op {
                O::CurrentDate => "current_date",
                O::CurrentTime | O::CurrentTimeN => "current_time",
                O::CurrentTimestamp | O::CurrentTimestampN => "current_timestamp",
                O::Localtime | O::LocaltimeN => "localtime",
                O::Localtimestamp | O::LocaltimestampN => "localtimestamp",
                O::CurrentRole => "current_role",
                O::CurrentUser => "current_user",
                O::User => "user",
                O::SessionUser => "session_user",
                O::CurrentCatalog => "current_catalog",
                O::CurrentSchema => "current_schema",
            })
        }
        ast::Expr::XmlExpr(x) => {
            use ast::XmlExprOp as X;
            sure(match x.op {
                X::IsXmlConcat => "xmlconcat",
                X::IsXmlElement => "xmlelement",
                X::IsXmlForest => "xmlforest",
                X::IsXmlParse => "xmlparse",
                X::IsXmlPi => "xmlpi",
                X::IsXmlRoot => "xmlroot",
                X::IsXmlSerialize => "xmlserialize",
                X::IsDocument => return None,
            })
        }
        ast::Expr::XmlSerialize(_) => sure("xmlserialize"),
        ast::Expr::JsonParseExpr(_) => sure("json"),
        ast::Expr::JsonScalarExpr(_) => sure("json_scalar"),
        ast::Expr::JsonSerializeExpr(_) => sure("json_serialize"),
        ast::Expr::JsonObjectConstructor(_) => sure("json_object"),
        ast::Expr::JsonArrayConstructor(_) | ast::Expr::JsonArrayQueryConstructor(_) => sure("json_array"),
        ast::Expr::JsonObjectAgg(_) => sure("json_objectagg"),
        ast::Expr::JsonArrayAgg(_) => sure("json_arrayagg"),
        ast::Expr::JsonFuncExpr(j) => sure(match j.op {
            ast::JsonExprOp::Exists => "json_exists",
            ast::JsonExprOp::Query => "json_query",
            ast::JsonExprOp::Value => "json_value",
            ast::JsonExprOp::Table => return None,
        }),
        _ => None,
    }
}
