//! Plans as compact text: a node a line, indented, for tests and debugging.

use analyze::query::*;

use crate::plan::*;

/// The whole plan with its subplans.
pub fn dump(p: &PlannedStmt) -> String {
    let mut out = String::new();
    node(p, &p.plan, 0, &mut out);
    for (i, s) in p.subplans.iter().enumerate() {
        out.push_str(&format!("SubPlan {}\n", i + 1));
        node(p, s, 1, &mut out);
    }
    out
}

fn name(p: &PlannedStmt, rti: RtIndex) -> String {
    p.rtable.get(rti as usize - 1).map_or_else(|| format!("rel{rti}"), |r| r.eref.aliasname.clone())
}

fn node(p: &PlannedStmt, plan: &Plan, depth: usize, out: &mut String) {
    let mut line = "  ".repeat(depth);
    line.push_str(&label(p, plan));
    if !plan.qual.is_empty() {
        line.push_str(&format!(" filter={}", list(p, &plan.qual)));
    }
    for s in &plan.init_plans {
        line.push_str(&format!(" init={}", s.plan_id + 1));
    }
    if plan.capacity == 1 {
        line.push_str(" capacity=1");
    }
    out.push_str(line.trim_end());
    out.push('\n');
    for c in plan.children() {
        node(p, c, depth + 1, out);
    }
}

fn label(p: &PlannedStmt, plan: &Plan) -> String {
    let join = |kind: &str, t: &JoinType| format!("{kind} {t:?}");
    match &plan.node {
        PlanNode::Result { constant_qual } if constant_qual.is_empty() => "Result".into(),
        PlanNode::Result { constant_qual } => format!("Result one-time={}", list(p, constant_qual)),
        PlanNode::ProjectSet => "ProjectSet".into(),
        PlanNode::ModifyTable(m) => format!("{:?} on {}", m.operation, name(p, m.nominal_relation)),
        PlanNode::Append { .. } => "Append".into(),
        PlanNode::MergeAppend { .. } => "MergeAppend".into(),
        PlanNode::RecursiveUnion { .. } => "RecursiveUnion".into(),
        PlanNode::BitmapAnd { .. } => "BitmapAnd".into(),
        PlanNode::BitmapOr { .. } => "BitmapOr".into(),
        PlanNode::SeqScan { scanrelid } => format!("SeqScan {}", name(p, *scanrelid)),
        PlanNode::SampleScan { scanrelid, .. } => format!("SampleScan {}", name(p, *scanrelid)),
        PlanNode::IndexScan { scanrelid, indexid, indexqual, backward, .. } => {
            format!(
                "IndexScan{} {} on {} cond={}",
                if *backward { " Backward" } else { "" },
                indexid,
                name(p, *scanrelid),
                list(p, indexqual)
            )
        }
        PlanNode::IndexOnlyScan { scanrelid, indexid, indexqual, backward, .. } => {
            format!(
                "IndexOnlyScan{} {} on {} cond={}",
                if *backward { " Backward" } else { "" },
                indexid,
                name(p, *scanrelid),
                list(p, indexqual)
            )
        }
        PlanNode::BitmapIndexScan { indexid, indexqual, .. } => {
            format!("BitmapIndexScan {indexid} cond={}", list(p, indexqual))
        }
        PlanNode::BitmapHeapScan { scanrelid, bitmapqualorig } => {
            format!("BitmapHeapScan {} recheck={}", name(p, *scanrelid), list(p, bitmapqualorig))
        }
        PlanNode::TidScan { scanrelid, tidquals } => {
            format!("TidScan {} cond={}", name(p, *scanrelid), list(p, tidquals))
        }
        PlanNode::TidRangeScan { scanrelid, .. } => format!("TidRangeScan {}", name(p, *scanrelid)),
        PlanNode::SubqueryScan { scanrelid, .. } => format!("SubqueryScan {}", name(p, *scanrelid)),
        PlanNode::FunctionScan { scanrelid, .. } => format!("FunctionScan {}", name(p, *scanrelid)),
        PlanNode::ValuesScan { scanrelid, .. } => format!("ValuesScan {}", name(p, *scanrelid)),
        PlanNode::TableFuncScan { scanrelid, .. } => format!("TableFuncScan {}", name(p, *scanrelid)),
        PlanNode::CteScan { scanrelid, plan_id, .. } => format!("CteScan {} plan={}", name(p, *scanrelid), plan_id + 1),
        PlanNode::NamedTuplestoreScan { scanrelid } => format!("NamedTuplestoreScan {}", name(p, *scanrelid)),
        PlanNode::WorkTableScan { scanrelid, .. } => format!("WorkTableScan {}", name(p, *scanrelid)),
        PlanNode::NestLoop { jointype, joinqual, inner_unique, params } => {
            let mut s = join("NestLoop", jointype);
            if *inner_unique {
                s.push_str(" unique");
            }
            if !joinqual.is_empty() {
                s.push_str(&format!(" on={}", list(p, joinqual)));
            }
            for x in params {
                s.push_str(&format!(" ${}={}", x.param, expr(p, &x.value)));
            }
            s
        }
        PlanNode::MergeJoin { jointype, mergeclauses, joinqual, .. } => {
            format!(
                "{} on={}{}",
                join("MergeJoin", jointype),
                list(p, mergeclauses),
                if joinqual.is_empty() { String::new() } else { list(p, joinqual) }
            )
        }
        PlanNode::HashJoin { jointype, hashclauses, joinqual, .. } => {
            format!(
                "{} on={}{}",
                join("HashJoin", jointype),
                list(p, hashclauses),
                if joinqual.is_empty() { String::new() } else { list(p, joinqual) }
            )
        }
        PlanNode::Hash { .. } => "Hash".into(),
        PlanNode::Material => "Material".into(),
        PlanNode::Memoize { param_exprs, .. } => format!("Memoize {}", list(p, param_exprs)),
        PlanNode::Sort { keys } => format!("Sort {}", sort(keys)),
        PlanNode::IncrementalSort { keys, presorted } => {
            format!("IncrementalSort {} presorted={presorted}", sort(keys))
        }
        PlanNode::Group { columns } => {
            format!("Group {}", columns.iter().map(|c| c.column.to_string()).collect::<Vec<_>>().join(","))
        }
        PlanNode::Agg { strategy, columns, phases, .. } => {
            let cols = columns.iter().map(|c| c.column.to_string()).collect::<Vec<_>>().join(",");
            let sets: Vec<String> = phases.iter().flat_map(|p| &p.sets).map(|s| format!("{s:?}")).collect();
            format!("Agg {strategy:?} {cols}{}", sets.join(""))
        }
        PlanNode::WindowAgg(w) => format!("WindowAgg {}", w.winname),
        PlanNode::Unique { columns } => {
            format!("Unique {}", columns.iter().map(|c| c.column.to_string()).collect::<Vec<_>>().join(","))
        }
        PlanNode::SetOp { cmd, .. } => format!("SetOp {cmd:?}"),
        PlanNode::LockRows { .. } => "LockRows".into(),
        PlanNode::Limit { .. } => "Limit".into(),
    }
}

fn sort(keys: &[SortCol]) -> String {
    keys.iter().map(|k| k.column.to_string()).collect::<Vec<_>>().join(",")
}

fn list(p: &PlannedStmt, l: &[Expr]) -> String {
    let parts: Vec<String> = l.iter().map(|e| expr(p, e)).collect();
    format!("[{}]", parts.join("; "))
}

/// An expression, roughly.
fn expr(p: &PlannedStmt, e: &Expr) -> String {
    match e {
        Expr::Var(v) => match v.varno {
            OUTER_VAR => format!("o{}", v.varattno),
            INNER_VAR => format!("i{}", v.varattno),
            INDEX_VAR => format!("x{}", v.varattno),
            n => format!("{}.{}", name(p, n), v.varattno),
        },
        Expr::Const(c) => match c.value.as_ref() {
            types::DatumRef::Null => "null".into(),
            types::DatumRef::Word(w) => format!("{}", w as i64),
            types::DatumRef::Bytes(b) | types::DatumRef::Toasted(b) => format!("'{}'", String::from_utf8_lossy(b)),
        },
        Expr::Param(x) => format!("${}{}", if x.kind == ParamKind::Extern { "ext" } else { "" }, x.id),
        Expr::OpExpr(o) => {
            let a: Vec<String> = o.args.iter().map(|a| expr(p, a)).collect();
            a.join(&format!(" op{} ", o.opno))
        }
        Expr::SubPlan(s) => format!("{}", s.plan_name),
        e => {
            let mut parts = Vec::new();
            e.children(&mut |c| parts.push(expr(p, c)));
            let debug = format!("{e:?}");
            let kind = debug.split(['(', ' ', '{']).next().unwrap_or("").to_owned();
            format!("{kind}({})", parts.join(", "))
        }
    }
}
