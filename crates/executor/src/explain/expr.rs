//! Expressions of a plan as EXPLAIN shows them.
//!
//! A Var of a child's output is shown as what the child computes it from; an expression in such a place stands in parentheses.
//!
//! PostgreSQL: `ruleutils.c`: `deparse_expression`, `set_deparse_plan`, `get_rule_expr`.

use analyze::query::*;
use base::{Oid, Result};
use catalog::quote_identifier;
use planner::{Plan, PlanNode, PlannedStmt};
use types::oid::*;

use crate::context::ExecContext;

/// Where a node's expressions find their columns.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub plan: &'a Plan,
    /// Columns are shown with their table's name.
    pub prefix: bool,
}

pub(super) struct Deparser<'a> {
    pub cx: &'a mut ExecContext,
    pub planned: &'a PlannedStmt,
    /// The names of range-table entries, unique.
    pub names: &'a [String],
}

impl<'a> Deparser<'a> {
    /// One condition out of several, ANDed.
    pub fn quals(&mut self, quals: &[Expr], place: Place<'_>) -> Result<String> {
        match quals {
            [one] => self.show(one, place),
            many => {
                let parts: Result<Vec<String>> = many.iter().map(|q| self.show(q, place)).collect();
                Ok(format!("({})", parts?.join(" AND ")))
            }
        }
    }
    /// An expression as it stands alone.
    pub fn show(&mut self, e: &Expr, place: Place<'_>) -> Result<String> {
        self.expr(e, place)
    }

    fn expr(&mut self, e: &Expr, p: Place<'_>) -> Result<String> {
        self.shown(e, p, false)
    }
    /// An operand: casts that were not written are shown too, for they decide which operator it is.
    fn arg(&mut self, e: &Expr, p: Place<'_>) -> Result<String> {
        self.shown(e, p, true)
    }

    fn shown(&mut self, e: &Expr, p: Place<'_>, implicit: bool) -> Result<String> {
        let hidden = |f: CoercionForm| f == CoercionForm::ImplicitCast && !implicit;
        Ok(match e {
            Expr::Var(v) => self.var(v, p)?,
            Expr::Const(c) => self.constant(c, true)?,
            Expr::Param(param) => match param.kind {
                ParamKind::Extern => format!("${}", param.id),
                _ => self.exec_param(param.id, p)?,
            },
            Expr::OpExpr(o) => self.operator(&o.args, o.opno, p)?,
            Expr::DistinctExpr(o) => {
                format!("({} IS DISTINCT FROM {})", self.arg(&o.args[0], p)?, self.arg(&o.args[1], p)?)
            }
            Expr::NullIfExpr(o) => format!("NULLIF({})", self.list(&o.args, p)?),
            Expr::BoolExpr(b) => match b.boolop {
                BoolExprType::Not => format!("(NOT {})", self.expr(&b.args[0], p)?),
                op => {
                    let word = if op == BoolExprType::And { " AND " } else { " OR " };
                    let parts: Result<Vec<String>> = b.args.iter().map(|a| self.expr(a, p)).collect();
                    format!("({})", parts?.join(word))
                }
            },
            Expr::FuncExpr(f) => self.function(f, p, implicit)?,
            Expr::RelabelType(r) => match hidden(r.relabelformat) {
                true => self.expr(&r.arg, p)?,
                false => self.cast(&r.arg, r.resulttype.oid, r.resulttype.typmod, p)?,
            },
            Expr::CoerceViaIO(c) => match hidden(c.coerceformat) {
                true => self.expr(&c.arg, p)?,
                false => self.cast(&c.arg, c.resulttype, -1, p)?,
            },
            Expr::ArrayCoerceExpr(a) => match hidden(a.coerceformat) {
                true => self.expr(&a.arg, p)?,
                false => self.cast(&a.arg, a.resulttype.oid, a.resulttype.typmod, p)?,
            },
            Expr::CoerceToDomain(c) => match hidden(c.coercionformat) {
                true => self.expr(&c.arg, p)?,
                false => self.cast(&c.arg, c.resulttype.oid, c.resulttype.typmod, p)?,
            },
            Expr::ConvertRowtypeExpr(c) => self.cast(&c.arg, c.resulttype, -1, p)?,
            Expr::CollateExpr(c) => {
                let name = self.cx.catalog.collation(c.coll_oid)?.map(|c| c.collname.clone()).unwrap_or_default();
                format!("({} COLLATE {})", self.expr(&c.arg, p)?, quote_identifier(&name))
            }
            Expr::ScalarArrayOpExpr(s) => {
                let op = self.operator_name(s.opno)?;
                let word = if s.use_or { "ANY" } else { "ALL" };
                format!("({} {op} {word} ({}))", self.arg(&s.args[0], p)?, self.arg(&s.args[1], p)?)
            }
            Expr::NullTest(n) => {
                let word = if n.not { "IS NOT NULL" } else { "IS NULL" };
                format!("({} {word})", self.arg(&n.arg, p)?)
            }
            Expr::BooleanTest(b) => {
                let word = match b.booltesttype {
                    BoolTestType::IsTrue => "IS TRUE",
                    BoolTestType::IsNotTrue => "IS NOT TRUE",
                    BoolTestType::IsFalse => "IS FALSE",
                    BoolTestType::IsNotFalse => "IS NOT FALSE",
                    BoolTestType::IsUnknown => "IS UNKNOWN",
                    BoolTestType::IsNotUnknown => "IS NOT UNKNOWN",
                };
                format!("({} {word})", self.expr(&b.arg, p)?)
            }
            Expr::CaseExpr(c) => self.case(c, p)?,
            Expr::CaseTestExpr(_) => "CASE_TEST_EXPR".to_owned(),
            Expr::CoalesceExpr(c) => format!("COALESCE({})", self.list(&c.args, p)?),
            Expr::MinMaxExpr(m) => {
                format!("{}({})", if m.greatest { "GREATEST" } else { "LEAST" }, self.list(&m.args, p)?)
            }
            Expr::ArrayExpr(a) => format!("ARRAY[{}]", self.list(&a.elements, p)?),
            Expr::RowExpr(r) => format!("ROW({})", self.list(&r.args, p)?),
            Expr::RowCompareExpr(r) => {
                let op = self.operator_name(r.opnos[0])?;
                format!("(ROW({}) {op} ROW({}))", self.list(&r.largs, p)?, self.list(&r.rargs, p)?)
            }
            Expr::Aggref(a) => self.aggregate(a, p)?,
            Expr::GroupingFunc(g) => format!("GROUPING({})", self.list(&g.args, p)?),
            Expr::WindowFunc(w) => {
                let name = self.function_name(w.winfnoid)?;
                let args = if w.winstar { "*".to_owned() } else { self.list(&w.args, p)? };
                let over = match &p.plan.node {
                    PlanNode::WindowAgg(x) if x.winref == w.winref => quote_identifier(&x.winname),
                    _ => "(?)".to_owned(),
                };
                let filter = match &w.aggfilter {
                    Some(f) => format!(" FILTER (WHERE {})", self.expr(f, p)?),
                    None => String::new(),
                };
                format!("{name}({args}){filter} OVER {over}")
            }
            Expr::SQLValueFunction(s) => self.value_function(s),
            Expr::SubscriptingRef(s) => {
                let mut text = self.expr(&s.refexpr, p)?;
                for (i, u) in s.refupperindexpr.iter().enumerate() {
                    let upper = u.as_ref().map_or(Ok(String::new()), |e| self.expr(e, p))?;
                    match s.reflowerindexpr.get(i) {
                        Some(l) => {
                            let lower = l.as_ref().map_or(Ok(String::new()), |e| self.expr(e, p))?;
                            text += &format!("[{lower}:{upper}]");
                        }
                        None => text += &format!("[{upper}]"),
                    }
                }
                text
            }
            Expr::FieldSelect(f) => {
                let desc = types::Runtime::row_type(self.cx, f.arg.type_oid(), f.arg.typmod()).ok();
                let name = desc.and_then(|d| d.attrs.get(f.fieldnum as usize - 1).map(|a| a.name.to_string()));
                format!("({}).{}", self.expr(&f.arg, p)?, quote_identifier(&name.unwrap_or_default()))
            }
            Expr::SubPlan(s) => self.subplan(s, p)?,
            Expr::PlaceHolderVar(x) => self.expr(&x.phexpr, p)?,
            Expr::NamedArgExpr(n) => format!("{} => {}", quote_identifier(&n.name), self.expr(&n.arg, p)?),
            Expr::JsonValueExpr(j) => self.expr(&j.formatted_expr, p)?,
            Expr::JsonConstructorExpr(j) => match &j.func {
                Some(f) => self.expr(f, p)?,
                None => "JSON(..)".to_owned(),
            },
            Expr::NextValueExpr { seqid, .. } => {
                let name = self.cx.catalog.relation(*seqid)?.map(|r| r.name().to_owned()).unwrap_or_default();
                format!("nextval('{name}'::regclass)")
            }
            Expr::CoerceToDomainValue(_) => "VALUE".to_owned(),
            Expr::SetToDefault(..) => "DEFAULT".to_owned(),
            Expr::MergeSupportFunc(_) => "MERGE_ACTION()".to_owned(),
            Expr::InferenceElem(i) => self.expr(&i.expr, p)?,
            Expr::SubLink(_) => "(SubLink)".to_owned(),
            Expr::CurrentOfExpr(c) => match &c.cursor_name {
                Some(n) => format!("CURRENT OF {}", quote_identifier(n)),
                None => format!("CURRENT OF ${}", c.cursor_param),
            },
            Expr::FieldStore(_) | Expr::XmlExpr(_) | Expr::JsonIsPredicate(_) | Expr::JsonExpr(_) => "(?)".to_owned(),
        })
    }

    fn list(&mut self, list: &[Expr], p: Place<'_>) -> Result<String> {
        let parts: Result<Vec<String>> = list.iter().map(|a| self.argument(a, p)).collect();
        Ok(parts?.join(", "))
    }
    /// Within a list separated by commas the outer parentheses of an operator are kept, as PostgreSQL does.
    fn argument(&mut self, e: &Expr, p: Place<'_>) -> Result<String> {
        self.arg(e, p)
    }

    fn var(&mut self, v: &Var, p: Place<'_>) -> Result<String> {
        // What a MergeAppend over an inherited table sorts by are that table's columns.
        if v.varno == OUTER_VAR
            && p.plan.append_rel > 0
            && matches!(p.plan.node, PlanNode::MergeAppend { .. })
            && let Some(Expr::Var(k)) = p.plan.targetlist.get(v.varattno as usize - 1).map(|t| &t.expr)
            && k.varnosyn == p.plan.append_rel
        {
            return Ok(self.column(&Var { varno: k.varnosyn, varattno: k.varattnosyn, ..k.clone() }, p));
        }
        let child = match v.varno {
            OUTER_VAR => match &p.plan.node {
                PlanNode::Append { plans } | PlanNode::MergeAppend { plans, .. } => plans.first(),
                _ => p.plan.outer.as_deref(),
            },
            INNER_VAR => p.plan.inner.as_deref(),
            INDEX_VAR => None,
            _ => return Ok(self.column(v, p)),
        };
        if v.varno == INDEX_VAR {
            return self.index_column(v, p);
        }
        // A Hash node shows its input's columns.
        let Some(child) = child else { return Ok(format!("?column{}?", v.varattno)) };
        let Some(entry) = child.targetlist.get(v.varattno as usize - 1) else {
            return Ok(format!("?column{}?", v.varattno));
        };
        // Columns of an Append over an inherited table are that table's.
        if child.append_rel > 0
            && let Expr::Var(v) = &entry.expr
            && v.varnosyn == child.append_rel
        {
            let of = Var { varno: v.varnosyn, varattno: v.varattnosyn, ..v.clone() };
            return Ok(self.column(&of, p));
        }
        let below = Place { plan: child, prefix: p.prefix };
        let text = self.arg(&entry.expr, below)?;
        // What is no column stands in parentheses, lest operators around it bind wrongly.
        Ok(if matches!(entry.expr, Expr::Var(_)) { text } else { format!("({text})") })
    }

    /// All columns of what a node scans, where that is what PostgreSQL would hand on.
    pub fn physical_columns(&mut self, plan: &Plan, p: Place<'_>) -> Result<Option<Vec<String>>> {
        if let PlanNode::IndexOnlyScan { indextlist, .. } = &plan.node {
            return indextlist.iter().map(|t| self.expr(&t.expr, p)).collect::<Result<Vec<_>>>().map(Some);
        }
        let Some(relid) = plan.node.scanrelid() else { return Ok(None) };
        let Some(rte) = self.planned.rtable.get(relid as usize - 1) else { return Ok(None) };
        if matches!(rte.kind, RteKind::Subquery { .. }) {
            return Ok(None);
        }
        let names = self.column_names(relid)?;
        let table = self.names.get(relid as usize - 1).map_or("", String::as_str);
        let shown = names.iter().map(|c| match p.prefix && !table.is_empty() {
            true => format!("{}.{}", quote_identifier(table), quote_identifier(c)),
            false => quote_identifier(c),
        });
        Ok(Some(shown.collect()))
    }

    /// The names of a range-table entry's columns: its aliases, or those its relation has now.
    fn column_names(&mut self, relid: RtIndex) -> Result<Vec<String>> {
        let Some(rte) = self.planned.rtable.get(relid as usize - 1) else { return Ok(Vec::new()) };
        Ok(rte.eref.colnames.clone())
    }

    fn index_column(&mut self, v: &Var, p: Place<'_>) -> Result<String> {
        let (relid, indexid) = match &p.plan.node {
            PlanNode::IndexScan { scanrelid, indexid, .. }
            | PlanNode::IndexOnlyScan { scanrelid, indexid, .. }
            | PlanNode::BitmapIndexScan { scanrelid, indexid, .. } => (*scanrelid, *indexid),
            _ => return Ok(format!("?column{}?", v.varattno)),
        };
        if let PlanNode::IndexOnlyScan { indextlist, .. } = &p.plan.node
            && let Some(t) = indextlist.get(v.varattno as usize - 1)
        {
            return self.expr(&t.expr.clone(), p);
        }
        let index = self.cx.catalog.relation(indexid)?;
        let column = index.as_ref().and_then(|i| i.index.as_ref()?.columns.get(v.varattno as usize - 1).copied());
        match column {
            Some(n) if n > 0 => Ok(self.column(&Var { varno: relid, varattno: n, ..v.clone() }, p)),
            _ => Ok(format!("?column{}?", v.varattno)),
        }
    }

    fn column(&mut self, v: &Var, p: Place<'_>) -> String {
        let Some(rte) = self.planned.rtable.get(v.varno as usize - 1) else { return "?".to_owned() };
        let name = match v.varattno {
            0 => "*".to_owned(),
            n if n > 0 => {
                let name = rte.eref.colnames.get(n as usize - 1).map_or("?", String::as_str);
                quote_identifier(name)
            }
            n => match n {
                sysattr::CTID => "ctid",
                sysattr::XMIN => "xmin",
                sysattr::CMIN => "cmin",
                sysattr::XMAX => "xmax",
                sysattr::CMAX => "cmax",
                _ => "tableoid",
            }
            .to_owned(),
        };
        let table = self.names.get(v.varno as usize - 1).map_or("", String::as_str);
        match v.varreturning {
            VarReturning::Old => format!("old.{name}"),
            VarReturning::New => format!("new.{name}"),
            VarReturning::Default if (p.prefix || v.varattno == 0) && !table.is_empty() => {
                format!("{}.{name}", quote_identifier(table))
            }
            VarReturning::Default => name,
        }
    }

    /// A parameter set by a nested loop or a sublink above shows as what it stands for; an initplan's by its name.
    fn exec_param(&mut self, id: i32, p: Place<'_>) -> Result<String> {
        let planned = self.planned;
        for plan in std::iter::once(&planned.plan).chain(&planned.subplans) {
            if let Some((node, value)) = find_param(plan, id) {
                let text = self.expr(value, Place { plan: node, prefix: true })?;
                let plain = matches!(value, Expr::Var(_) | Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::Param(_));
                return Ok(if plain { text } else { format!("({text})") });
            }
            if let Some(name) = find_initplan(plan, id) {
                return Ok(name);
            }
        }
        let _ = p;
        Ok(format!("${id}"))
    }

    /// (PostgreSQL: `get_namespace_name_or_temp`)
    pub fn schema_name(&mut self, oid: Oid) -> Result<Option<String>> {
        let name = self.cx.catalog.namespace_name(oid)?;
        Ok(name.map(|n| if n.starts_with("pg_temp_") { "pg_temp".to_owned() } else { n }))
    }

    fn operator_name(&mut self, opno: Oid) -> Result<String> {
        Ok(self.cx.catalog.operator(opno)?.map_or_else(|| "?".to_owned(), |o| o.oprname.clone()))
    }
    fn operator(&mut self, args: &[Expr], opno: Oid, p: Place<'_>) -> Result<String> {
        let op = self.operator_name(opno)?;
        match args {
            [one] => Ok(format!("({op} {})", self.arg(one, p)?)),
            [a, b] => Ok(format!("({} {op} {})", self.arg(a, p)?, self.arg(b, p)?)),
            _ => Ok("?".to_owned()),
        }
    }
    fn function_name(&mut self, oid: Oid) -> Result<String> {
        let Some(f) = self.cx.catalog.function(oid)? else { return Ok("?".to_owned()) };
        let name = quote_identifier(&f.proname);
        if f.pronamespace == catalog::oids::PG_CATALOG_NAMESPACE {
            return Ok(name);
        }
        let path = self.cx.catalog.search_path()?;
        if path.function_position(f.pronamespace).is_some() {
            return Ok(name);
        }
        let schema = self.cx.catalog.namespace_name(f.pronamespace)?.unwrap_or_default();
        Ok(format!("{}.{name}", quote_identifier(&schema)))
    }
    fn function(&mut self, f: &FuncExpr, p: Place<'_>, implicit: bool) -> Result<String> {
        match f.funcformat {
            CoercionForm::ImplicitCast if !implicit => return self.expr(&f.args[0], p),
            CoercionForm::ExplicitCast | CoercionForm::ImplicitCast => {
                return self.cast(&f.args[0], f.funcresulttype, f.funcresulttypmod, p);
            }
            _ => {}
        }
        let name = self.function_name(f.funcid)?;
        let mut parts = Vec::with_capacity(f.args.len());
        for (i, a) in f.args.iter().enumerate() {
            let text = self.argument(a, p)?;
            parts.push(if f.funcvariadic && i + 1 == f.args.len() { format!("VARIADIC {text}") } else { text });
        }
        Ok(format!("{name}({})", parts.join(", ")))
    }
    fn cast(&mut self, arg: &Expr, to: Oid, typmod: i32, p: Place<'_>) -> Result<String> {
        let ty = self.cx.catalog.format_type(to, Some(typmod))?;
        if let Expr::Const(c) = arg
            && (c.ty.oid == UNKNOWNOID || (c.ty.oid == to && c.ty.typmod == -1))
        {
            return Ok(format!("{}::{ty}", self.constant(c, false)?));
        }
        Ok(format!("({})::{ty}", self.expr(arg, p)?))
    }
    fn case(&mut self, c: &CaseExpr, p: Place<'_>) -> Result<String> {
        let mut text = "CASE".to_owned();
        if let Some(a) = &c.arg {
            text += &format!(" {}", self.arg(a, p)?);
        }
        for w in &c.args {
            let when = match (&c.arg, &w.expr) {
                (Some(_), Expr::OpExpr(o)) if o.args.len() == 2 => self.arg(&o.args[1], p)?,
                (_, e) => self.expr(e, p)?,
            };
            text += &format!(" WHEN {when} THEN {}", self.arg(&w.result, p)?);
        }
        Ok(text + &format!(" ELSE {} END", self.arg(&c.defresult, p)?))
    }
    fn aggregate(&mut self, a: &Aggref, p: Place<'_>) -> Result<String> {
        let name = self.function_name(a.aggfnoid)?;
        let mut args = if a.aggstar { "*".to_owned() } else { String::new() };
        let plain: Vec<Expr> = a.args.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
        if !a.aggstar {
            args = self.list(&plain, p)?;
        }
        if !a.aggdistinct.is_empty() {
            args = format!("DISTINCT {args}");
        }
        let mut within = String::new();
        if !a.aggorder.is_empty() {
            let mut keys = Vec::new();
            for s in &a.aggorder {
                if let Some(t) = a.args.iter().find(|t| t.ressortgroupref == s.tle_sort_group_ref) {
                    let nulls = match (s.reverse_sort, s.nulls_first) {
                        (false, true) => " NULLS FIRST",
                        (true, false) => " DESC NULLS LAST",
                        (true, true) => " DESC",
                        (false, false) => "",
                    };
                    keys.push(self.expr(&t.expr, p)? + nulls);
                }
            }
            let keys = keys.join(", ");
            if a.aggkind == b'n' {
                args += &format!(" ORDER BY {keys}");
            } else {
                let direct: Result<Vec<String>> = a.aggdirectargs.iter().map(|e| self.expr(e, p)).collect();
                args = direct?.join(", ");
                within = format!(" WITHIN GROUP (ORDER BY {keys})");
            }
        }
        if a.aggvariadic && within.is_empty() {
            args = match args.rfind(", ") {
                Some(at) => format!("{}, VARIADIC {}", &args[..at], &args[at + 2..]),
                None => format!("VARIADIC {args}"),
            };
        }
        let mut text = format!("{name}({args}){within}");
        if let Some(f) = &a.aggfilter {
            text += &format!(" FILTER (WHERE {})", self.expr(f, p)?);
        }
        Ok(text)
    }
    fn value_function(&self, s: &SQLValueFunction) -> String {
        let name = match s.op {
            SvfOp::CurrentDate => "CURRENT_DATE",
            SvfOp::CurrentTime | SvfOp::CurrentTimeN => "CURRENT_TIME",
            SvfOp::CurrentTimestamp | SvfOp::CurrentTimestampN => "CURRENT_TIMESTAMP",
            SvfOp::LocalTime | SvfOp::LocalTimeN => "LOCALTIME",
            SvfOp::LocalTimestamp | SvfOp::LocalTimestampN => "LOCALTIMESTAMP",
            SvfOp::CurrentRole => "CURRENT_ROLE",
            SvfOp::CurrentUser => "CURRENT_USER",
            SvfOp::User => "USER",
            SvfOp::SessionUser => "SESSION_USER",
            SvfOp::CurrentCatalog => "CURRENT_CATALOG",
            SvfOp::CurrentSchema => "CURRENT_SCHEMA",
        };
        if s.typmod >= 0 { format!("{name}({})", s.typmod) } else { name.to_owned() }
    }
    fn subplan(&mut self, s: &SubPlan, p: Place<'_>) -> Result<String> {
        let name = &s.plan_name;
        let hashed = if s.use_hash_table { "hashed " } else { "" };
        Ok(match s.sub_link_type {
            SubLinkType::Exists => format!("EXISTS({hashed}{name})"),
            SubLinkType::Array => format!("ARRAY({hashed}{name})"),
            SubLinkType::Any | SubLinkType::All => {
                let word = if s.sub_link_type == SubLinkType::Any { "ANY" } else { "ALL" };
                let test = match &s.testexpr {
                    Some(t) => self.sublink_test(t, s, p)?,
                    None => String::new(),
                };
                format!("({word} {test})", test = test.replace("\u{1}", &format!("{hashed}{name}")))
            }
            SubLinkType::RowCompare => match &s.testexpr {
                Some(t) => format!("({})", self.sublink_test(t, s, p)?),
                None => format!("({hashed}{name})"),
            },
            SubLinkType::MultiExpr => format!("(rescan {hashed}{name})"),
            SubLinkType::Cte => format!("CTE({hashed}{name})"),
            _ => format!("({hashed}{name})"),
        })
    }
    fn sublink_test(&mut self, t: &Expr, s: &SubPlan, p: Place<'_>) -> Result<String> {
        // The subquery's columns show as `(SubPlan 1).colN`.
        let hashed = if s.use_hash_table { "hashed " } else { "" };
        let mut copy = t.clone();
        let mut found = Vec::new();
        fn replace(e: &mut Expr, ids: &[i32], found: &mut Vec<usize>) {
            if let Expr::Param(x) = e
                && let Some(at) = ids.iter().position(|i| *i == x.id)
            {
                found.push(at);
                x.id = 1_000_000 + at as i32;
                return;
            }
            e.children_mut(&mut |c| replace(c, ids, found));
        }
        replace(&mut copy, &s.param_ids, &mut found);
        let mut text = self.expr(&copy, p)?;
        for at in found {
            text = text.replace(&format!("${}", 1_000_000 + at), &format!("({hashed}{}).col{}", s.plan_name, at + 1));
        }
        Ok(text)
    }

    /// (PostgreSQL: `get_const_expr`)
    fn constant(&mut self, c: &Const, typed: bool) -> Result<String> {
        let ty = self.cx.catalog.format_type(c.ty.oid, Some(c.ty.typmod))?;
        if c.value.is_null() {
            return Ok(if typed { format!("NULL::{ty}") } else { "NULL".to_owned() });
        }
        let text = match (&c.value, c.ty.oid) {
            (v, UNKNOWNOID) => String::from_utf8_lossy(v.as_ref().as_bytes()).into_owned(),
            (v, oid) => self.cx.output(oid, v.as_ref())?,
        };
        let mut needs_label = typed;
        let shown = match c.ty.oid {
            BOOLOID => return Ok(if text == "t" { "true".to_owned() } else { "false".to_owned() }),
            INT4OID => {
                needs_label = false;
                if text.starts_with('-') { format!("'{text}'::integer") } else { text }
            }
            NUMERICOID if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['e', 'E', '.']) => {
                needs_label = false;
                text
            }
            UNKNOWNOID => {
                needs_label = typed;
                quoted(&text)
            }
            _ => quoted(&text),
        };
        let mut out = if needs_label && typed { format!("{shown}::{ty}") } else { shown };
        if typed && c.ty.collation.is_valid() && c.ty.collation != self.cx.catalog.type_row(c.ty.oid)?.typcollation {
            let name = self.cx.catalog.collation(c.ty.collation)?.map(|c| c.collname.clone()).unwrap_or_default();
            out += &format!(" COLLATE {}", quote_identifier(&name));
        }
        Ok(out)
    }
}

fn quoted(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// The nested loop or sublink below `plan` that sets a parameter, with the value's expression.
fn find_param(plan: &Plan, id: i32) -> Option<(&Plan, &Expr)> {
    if let PlanNode::NestLoop { params, .. } = &plan.node
        && let Some(p) = params.iter().find(|p| p.param == id)
    {
        return Some((plan, &p.value));
    }
    let mut found = None;
    fn sublinks<'e>(e: &'e Expr, id: i32, found: &mut Option<&'e Expr>) {
        if let Expr::SubPlan(s) = e
            && let Some(at) = s.par_param.iter().position(|p| *p == id)
        {
            *found = s.args.get(at);
        }
        e.children(&mut |c| sublinks(c, id, found));
    }
    let mut exprs = Vec::new();
    planner::node_exprs(plan, &mut exprs);
    exprs.into_iter().for_each(|e| sublinks(e, id, &mut found));
    if let Some(e) = found {
        return Some((plan, e));
    }
    plan.children().into_iter().find_map(|c| find_param(c, id))
}

fn find_initplan(plan: &Plan, id: i32) -> Option<String> {
    for s in &plan.init_plans {
        if let Some(at) = s.set_param.iter().position(|p| *p == id) {
            return Some(match s.sub_link_type {
                SubLinkType::Exists | SubLinkType::Array => format!("({}).col1", s.plan_name),
                _ => format!("({}).col{}", s.plan_name, at + 1),
            });
        }
    }
    plan.children().into_iter().find_map(|c| find_initplan(c, id))
}
