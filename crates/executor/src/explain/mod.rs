//! EXPLAIN: a plan as PostgreSQL's text, JSON, XML or YAML.
//!
//! The plan is first turned into a tree of properties, of which the formats are printers. `expr.rs` shows expressions.
//!
//! PostgreSQL: `explain.c`, `explain_format.c`.

mod expr;
mod format;

use analyze::query::*;
use base::{Oid, Result};
use catalog::quote_identifier;
use planner::{AggStrategy, Plan, PlanNode, PlannedStmt, SetOpCmd, SortCol};
use storage::BufferUsage;

use crate::context::ExecContext;
use crate::execution::Execution;
use crate::node::{HashInfo, Instrumentation};
use expr::{Deparser, Place};
pub use format::ExplainFormat;
use format::{Show, Tree, Value};

/// What to show.
#[derive(Clone, Debug)]
pub struct ExplainOptions {
    pub analyze: bool,
    pub verbose: bool,
    pub costs: bool,
    pub buffers: bool,
    pub timing: bool,
    pub summary: bool,
    /// What planning used and had, in kilobytes.
    pub memory: Option<(u64, u64)>,
    /// Settings that are not at their defaults, with their values.
    pub settings: Option<Vec<(String, String)>>,
    /// `track_io_timing` is on.
    pub io_timing: bool,
    pub format: ExplainFormat,
}

/// What turning the rows into the client's form took.
#[derive(Clone, Debug, Default)]
pub struct Serialization {
    pub milliseconds: f64,
    pub bytes: u64,
    pub format: &'static str,
    pub buffers: BufferUsage,
}

impl Default for ExplainOptions {
    fn default() -> ExplainOptions {
        ExplainOptions {
            analyze: false,
            verbose: false,
            costs: true,
            buffers: false,
            timing: true,
            summary: false,
            memory: None,
            settings: None,
            io_timing: false,
            format: ExplainFormat::Text,
        }
    }
}

/// The explanation of a plan, one line of text an entry; other formats give one entry.
/// `run` is its execution for ANALYZE; `planning` what planning took. Times are in milliseconds.
pub fn explain(
    cx: &mut ExecContext,
    planned: &PlannedStmt,
    run: Option<&Execution>,
    options: &ExplainOptions,
    planning: (f64, BufferUsage),
    execution_time: Option<f64>,
    serialization: Option<Serialization>,
) -> Result<Vec<String>> {
    let names = names(planned);
    let mut e = Explainer {
        d: Deparser { cx, planned, names: &names },
        run,
        options,
        several: false,
        prefix: false,
        hash: None,
    };
    e.several = planned.rtable.iter().filter(|r| !matches!(r.kind, RteKind::Group { .. })).count() > 1;
    e.prefix = e.several || options.verbose;
    let mut root = Tree::default();
    let plan = e.node(&planned.plan, None)?;
    root.group("Plan", plan);
    if let Some(settings) = &options.settings {
        let list: Vec<String> = settings.iter().map(|(k, v)| format!("{k} = '{v}'")).collect();
        let label = (!list.is_empty()).then(|| format!("Settings: {}", list.join(", ")));
        let mut t = Tree { label, ..Tree::default() };
        settings.iter().for_each(|(k, v)| t.hidden(k, Value::Text(v.clone())));
        root.group("Settings", t);
    }
    if options.buffers || options.memory.is_some() {
        let mut t = Tree::default();
        if options.buffers {
            buffers(&planning.1, options.io_timing, &mut t);
        }
        if let Some((used, allocated)) = options.memory {
            t.line(format!("Memory: used={used}kB  allocated={allocated}kB"));
            t.structured("Memory Used", used as i64);
            t.structured("Memory Allocated", allocated as i64);
        }
        root.group("Planning", t);
    }
    if options.summary {
        root.number("Planning Time", format!("{:.3}", planning.0), "ms");
    }
    if options.analyze {
        root.hidden("Triggers", Value::List(Vec::new()));
        if let Some(times) = run.and_then(Execution::trigger_times) {
            triggers(&e.d.cx.catalog, planned, times, options, &mut root)?;
        }
    }
    if let Some(s) = serialization {
        let kilobytes = s.bytes.div_ceil(1024);
        let time = if options.timing { format!("time={:.3} ms  ", s.milliseconds) } else { String::new() };
        let label = Some(format!("Serialization: {time}output={kilobytes}kB  format={}", s.format));
        let mut t = Tree { label, ..Tree::default() };
        if options.timing {
            t.hidden("Time", Value::Number(format!("{:.3}", s.milliseconds)));
        }
        t.structured("Output Volume", kilobytes as i64);
        t.hidden("Format", Value::Text(s.format.to_owned()));
        if options.buffers {
            buffers(&s.buffers, options.io_timing, &mut t);
        }
        root.group("Serialization", t);
    }
    if options.summary {
        if let Some(t) = execution_time {
            root.number("Execution Time", format!("{t:.3}"), "ms");
        }
    }
    Ok(format::print(&root, options.format))
}

/// What the triggers took that fired. (PostgreSQL: `ExplainPrintTriggers`)
fn triggers(
    catalog: &catalog::Catalog,
    planned: &PlannedStmt,
    times: &crate::trigger::TriggerTimes,
    options: &ExplainOptions,
    root: &mut Tree,
) -> Result<()> {
    let targets: Vec<base::Oid> = planned
        .result_relations
        .iter()
        .filter_map(|rti| match planned.rtable[*rti as usize - 1].kind {
            RteKind::Relation { relid, .. } => Some(relid),
            _ => None,
        })
        .collect();
    let place = |oid: base::Oid| targets.iter().position(|t| *t == oid).unwrap_or(targets.len());
    let mut fired: Vec<_> = times.0.iter().collect();
    fired.sort_by(|a, b| {
        let key = |t: &crate::trigger::TriggerTime| (place(t.trigger.tgrelid), t.trigger.tgname.clone());
        key(a).cmp(&key(b))
    });
    let several = targets.len() > 1 || fired.iter().any(|t| !targets.contains(&t.trigger.tgrelid));
    for t in fired {
        let constraint = match t.trigger.tgconstraint.valid() {
            Some(c) => catalog.constraint(c)?.map(|c| c.conname.clone()),
            None => None,
        };
        let mut line = match &constraint {
            Some(c) if !options.verbose => format!("Trigger for constraint {c}"),
            Some(c) => format!("Trigger {} for constraint {c}", t.trigger.tgname),
            None => format!("Trigger {}", t.trigger.tgname),
        };
        if several {
            line += &format!(" on {}", catalog.relation_entry(t.trigger.tgrelid)?.name());
        }
        line += ": ";
        if options.timing {
            line += &format!("time={:.3} ", t.time.as_secs_f64() * 1000.0);
        }
        root.line(line + &format!("calls={}", t.calls));
    }
    Ok(())
}

/// Range-table indexes that a plan's nodes name. (PostgreSQL: `ExplainPreScanNode`)
fn scanned(plan: &Plan, out: &mut Vec<u32>) {
    out.extend(plan.node.scanrelid());
    out.extend((plan.append_rel > 0).then_some(plan.append_rel));
    if let PlanNode::ModifyTable(m) = &plan.node {
        out.push(m.nominal_relation);
        out.extend(m.on_conflict.as_ref().map(|c| c.excl_rel_rti));
    }
    plan.children().into_iter().for_each(|c| scanned(c, out));
}

/// (PostgreSQL: `show_buffer_usage`)
fn buffers(b: &BufferUsage, io_timing: bool, t: &mut Tree) {
    let parts: Vec<String> = [("hit", b.hit), ("read", b.read), ("dirtied", b.dirtied), ("written", b.written)]
        .iter()
        .filter(|p| p.1 > 0)
        .map(|(word, n)| format!("{word}={n}"))
        .collect();
    if !parts.is_empty() {
        t.line(format!("Buffers: shared {}", parts.join(" ")));
    }
    t.structured("Shared Hit Blocks", b.hit as i64);
    t.structured("Shared Read Blocks", b.read as i64);
    t.structured("Shared Dirtied Blocks", b.dirtied as i64);
    t.structured("Shared Written Blocks", b.written as i64);
    for kind in ["Local", "Temp"] {
        for what in ["Hit", "Read", "Dirtied", "Written"] {
            if kind == "Local" || matches!(what, "Read" | "Written") {
                t.structured(&format!("{kind} {what} Blocks"), 0);
            }
        }
    }
    if io_timing {
        for kind in ["Shared", "Local", "Temp"] {
            for what in ["Read", "Write"] {
                t.hidden(&format!("{kind} I/O {what} Time"), Value::Number("0.000".to_owned()));
            }
        }
    }
}

/// Names for the range table: aliases made unique. (PostgreSQL: `select_rtable_names_for_explain`)
fn names(planned: &PlannedStmt) -> Vec<String> {
    let mut used: Vec<u32> = Vec::new();
    std::iter::once(&planned.plan).chain(&planned.subplans).for_each(|p| scanned(p, &mut used));
    let mut names: Vec<String> = Vec::new();
    for (i, rte) in planned.rtable.iter().enumerate() {
        let base = rte.alias.as_ref().map_or(&rte.eref.aliasname, |a| &a.aliasname).clone();
        let skip = matches!(rte.kind, RteKind::Join(_) | RteKind::Group { .. } | RteKind::Result)
            || !used.contains(&(i as u32 + 1));
        let (mut name, mut n) = (base.clone(), 0);
        while !skip && names.contains(&name) {
            n += 1;
            name = format!("{base}_{n}");
        }
        names.push(if skip { String::new() } else { name });
    }
    names
}

struct Explainer<'a> {
    d: Deparser<'a>,
    run: Option<&'a Execution>,
    options: &'a ExplainOptions,
    /// More than one range-table entry.
    several: bool,
    prefix: bool,
    /// Of the hash join whose Hash comes next.
    hash: Option<HashInfo>,
}

fn join_words(t: JoinType) -> (&'static str, &'static str) {
    match t {
        JoinType::Inner => ("Inner", ""),
        JoinType::Left => ("Left", " Left"),
        JoinType::Full => ("Full", " Full"),
        JoinType::Right => ("Right", " Right"),
        JoinType::Semi => ("Semi", " Semi"),
        JoinType::Anti => ("Anti", " Anti"),
        JoinType::RightSemi => ("Right Semi", " Right Semi"),
        JoinType::RightAnti => ("Right Anti", " Right Anti"),
    }
}

/// The node's name in text, its name elsewhere and further words of the latter.
fn title(plan: &Plan) -> (String, &'static str, Vec<(&'static str, String)>) {
    let plain = |n: &'static str| (n.to_owned(), n, Vec::new());
    let join = |n: &'static str, suffix: &str, t: JoinType| {
        let (word, text) = join_words(t);
        let text = if t == JoinType::Inner { format!("{n}{suffix}") } else { format!("{n}{text} Join") };
        (text, n, vec![("Join Type", word.to_owned())])
    };
    match &plan.node {
        PlanNode::Result { .. } => plain("Result"),
        PlanNode::ProjectSet => plain("ProjectSet"),
        PlanNode::ModifyTable(m) => {
            let op = match m.operation {
                CmdType::Insert => "Insert",
                CmdType::Update => "Update",
                CmdType::Delete => "Delete",
                CmdType::Merge => "Merge",
                _ => "???",
            };
            (op.to_owned(), "ModifyTable", vec![("Operation", op.to_owned())])
        }
        PlanNode::Append { .. } => plain("Append"),
        PlanNode::MergeAppend { .. } => plain("Merge Append"),
        PlanNode::RecursiveUnion { .. } => plain("Recursive Union"),
        PlanNode::BitmapAnd { .. } => plain("BitmapAnd"),
        PlanNode::BitmapOr { .. } => plain("BitmapOr"),
        PlanNode::SeqScan { .. } => plain("Seq Scan"),
        PlanNode::SampleScan { .. } => plain("Sample Scan"),
        PlanNode::IndexScan { .. } => plain("Index Scan"),
        PlanNode::IndexOnlyScan { .. } => plain("Index Only Scan"),
        PlanNode::BitmapIndexScan { .. } => plain("Bitmap Index Scan"),
        PlanNode::BitmapHeapScan { .. } => plain("Bitmap Heap Scan"),
        PlanNode::TidScan { .. } => plain("Tid Scan"),
        PlanNode::TidRangeScan { .. } => plain("Tid Range Scan"),
        PlanNode::SubqueryScan { .. } => plain("Subquery Scan"),
        PlanNode::FunctionScan { .. } => plain("Function Scan"),
        PlanNode::ValuesScan { .. } => plain("Values Scan"),
        PlanNode::TableFuncScan { .. } => plain("Table Function Scan"),
        PlanNode::CteScan { .. } => plain("CTE Scan"),
        PlanNode::NamedTuplestoreScan { .. } => plain("Named Tuplestore Scan"),
        PlanNode::WorkTableScan { .. } => plain("WorkTable Scan"),
        PlanNode::NestLoop { jointype, .. } => join("Nested Loop", "", *jointype),
        PlanNode::MergeJoin { jointype, .. } => {
            let (word, text) = join_words(*jointype);
            (format!("Merge{text} Join"), "Merge Join", vec![("Join Type", word.to_owned())])
        }
        PlanNode::HashJoin { jointype, .. } => {
            let (word, text) = join_words(*jointype);
            (format!("Hash{text} Join"), "Hash Join", vec![("Join Type", word.to_owned())])
        }
        PlanNode::Hash { .. } => plain("Hash"),
        PlanNode::Material => plain("Materialize"),
        PlanNode::Memoize { .. } => plain("Memoize"),
        PlanNode::Sort { .. } => plain("Sort"),
        PlanNode::IncrementalSort { .. } => plain("Incremental Sort"),
        PlanNode::Group { .. } => plain("Group"),
        PlanNode::Agg { strategy, .. } => {
            let (text, word) = match strategy {
                AggStrategy::Plain => ("Aggregate", "Plain"),
                AggStrategy::Sorted => ("GroupAggregate", "Sorted"),
                AggStrategy::Hashed => ("HashAggregate", "Hashed"),
                AggStrategy::Mixed => ("MixedAggregate", "Mixed"),
            };
            let more = vec![("Strategy", word.to_owned()), ("Partial Mode", "Simple".to_owned())];
            (text.to_owned(), "Aggregate", more)
        }
        PlanNode::WindowAgg(_) => plain("WindowAgg"),
        PlanNode::Unique { .. } => plain("Unique"),
        PlanNode::SetOp { cmd, hashed, .. } => {
            let word = match cmd {
                SetOpCmd::Intersect => "Intersect",
                SetOpCmd::IntersectAll => "Intersect All",
                SetOpCmd::Except => "Except",
                SetOpCmd::ExceptAll => "Except All",
            };
            let (text, strategy) = if *hashed { ("HashSetOp", "Hashed") } else { ("SetOp", "Sorted") };
            let more = vec![("Strategy", strategy.to_owned()), ("Command", word.to_owned())];
            (format!("{text} {word}"), "SetOp", more)
        }
        PlanNode::LockRows { .. } => plain("LockRows"),
        PlanNode::Limit { .. } => plain("Limit"),
    }
}

impl Explainer<'_> {
    fn instrumentation(&self, plan: &Plan) -> Option<Instrumentation> {
        self.run.and_then(|r| r.counters(plan))
    }

    fn node(&mut self, plan: &Plan, relationship: Option<&str>) -> Result<Tree> {
        let (text, name, more) = title(plan);
        let mut t = Tree { head: text, ..Tree::default() };
        t.hidden("Node Type", Value::Text(name.to_owned()));
        for (k, v) in more {
            t.hidden(k, Value::Text(v));
        }
        if let Some(r) = relationship {
            t.hidden("Parent Relationship", Value::Text(r.to_owned()));
        }
        t.hidden("Parallel Aware", Value::Bool(false));
        t.hidden("Async Capable", Value::Bool(false));
        self.target(plan, &mut t)?;
        if self.options.costs {
            t.head += &format!(
                "  (cost={:.2}..{:.2} rows={:.0} width={})",
                plan.startup_cost, plan.total_cost, plan.rows, plan.width
            );
            for (k, v) in [
                ("Startup Cost", format!("{:.2}", plan.startup_cost)),
                ("Total Cost", format!("{:.2}", plan.total_cost)),
                ("Plan Rows", format!("{:.0}", plan.rows)),
                ("Plan Width", plan.width.to_string()),
            ] {
                t.hidden(k, Value::Number(v));
            }
        }
        if self.options.analyze {
            self.actual(plan, &mut t);
        }
        let below: i32 = plan.children().iter().map(|c| c.disabled_nodes).sum();
        let disabled = plan.disabled_nodes > below;
        let shown = if disabled { Show::Always } else { Show::Structured };
        t.properties.push(("Disabled".to_owned(), Value::Bool(disabled), shown));
        if self.options.verbose && (!plan.targetlist.is_empty() || plan.physical) {
            self.output(plan, &mut t)?;
        }
        if let PlanNode::NestLoop { inner_unique, .. }
        | PlanNode::MergeJoin { inner_unique, .. }
        | PlanNode::HashJoin { inner_unique, .. } = &plan.node
        {
            let shown = if self.options.verbose && *inner_unique { Show::Always } else { Show::Structured };
            t.properties.push(("Inner Unique".to_owned(), Value::Bool(*inner_unique), shown));
        }
        self.details(plan, &mut t)?;
        if self.options.analyze {
            self.measured(plan, &mut t);
        } else if self.options.buffers {
            buffers(&BufferUsage::default(), self.options.io_timing, &mut t);
        }
        self.children(plan, &mut t)?;
        Ok(t)
    }

    /// (PostgreSQL: `show_plan_tlist`)
    fn output(&mut self, plan: &Plan, t: &mut Tree) -> Result<()> {
        if matches!(plan.node, PlanNode::Append { .. } | PlanNode::MergeAppend { .. } | PlanNode::RecursiveUnion { .. })
        {
            return Ok(());
        }
        let place = Place { plan, prefix: self.several };
        let physical = if plan.physical { self.d.physical_columns(plan, place)? } else { None };
        let list = match physical {
            Some(list) => list,
            None => plan.targetlist.iter().map(|e| self.d.show(&e.expr, place)).collect::<Result<_>>()?,
        };
        if !list.is_empty() {
            t.list("Output", list);
        }
        Ok(())
    }

    fn actual(&mut self, plan: &Plan, t: &mut Tree) {
        match self.instrumentation(plan).filter(|i| i.loops > 0) {
            None => t.head += " (never executed)",
            Some(i) => {
                let loops = i.loops as f64;
                let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0 / loops;
                let rows = i.rows as f64 / loops;
                t.head += &match self.options.timing {
                    true => format!(
                        " (actual time={:.3}..{:.3} rows={rows:.2} loops={})",
                        ms(i.startup),
                        ms(i.total),
                        i.loops
                    ),
                    false => format!(" (actual rows={rows:.2} loops={})", i.loops),
                };
                if self.options.timing {
                    t.hidden("Actual Startup Time", Value::Number(format!("{:.3}", ms(i.startup))));
                    t.hidden("Actual Total Time", Value::Number(format!("{:.3}", ms(i.total))));
                }
                t.hidden("Actual Rows", Value::Number(format!("{rows:.2}")));
                t.hidden("Actual Loops", Value::Number(i.loops.to_string()));
            }
        }
    }

    /// ` using INDEX on TABLE ALIAS`. (PostgreSQL: `ExplainTargetRel`, `ExplainScanTarget`)
    fn target(&mut self, plan: &Plan, t: &mut Tree) -> Result<()> {
        if let PlanNode::IndexScan { indexid, backward, .. } | PlanNode::IndexOnlyScan { indexid, backward, .. } =
            &plan.node
        {
            let name = self.relation_name(*indexid)?;
            if *backward {
                t.head += " Backward";
            }
            t.head += &format!(" using {}", quote_identifier(&name));
            t.hidden("Scan Direction", Value::Text(if *backward { "Backward" } else { "Forward" }.to_owned()));
            t.hidden("Index Name", Value::Text(name));
        }
        if let PlanNode::BitmapIndexScan { indexid, .. } = &plan.node {
            let name = self.relation_name(*indexid)?;
            t.head += &format!(" on {}", quote_identifier(&name));
            t.hidden("Index Name", Value::Text(name));
            return Ok(());
        }
        let relid = match &plan.node {
            PlanNode::ModifyTable(m) => Some(m.nominal_relation),
            node => node.scanrelid(),
        };
        let Some(relid) = relid else { return Ok(()) };
        let Some(rte) = self.d.planned.rtable.get(relid as usize - 1) else { return Ok(()) };
        let alias = self.d.names.get(relid as usize - 1).cloned().unwrap_or_default();
        let (mut object, mut key, mut schema) = (None, "", None);
        match &rte.kind {
            RteKind::Relation { relid, .. } => {
                if let Some(rel) = self.d.cx.catalog.relation(*relid)? {
                    object = Some(rel.name().to_owned());
                    key = "Relation Name";
                    schema = self.d.schema_name(rel.namespace())?;
                }
            }
            RteKind::Function { functions, .. } => {
                if let [one] = &functions[..]
                    && let Expr::FuncExpr(f) = &one.funcexpr
                    && let Some(proc) = self.d.cx.catalog.function(f.funcid)?
                {
                    object = Some(proc.proname.clone());
                    key = "Function Name";
                    schema = self.d.cx.catalog.namespace_name(proc.pronamespace)?;
                }
            }
            RteKind::Cte { name, .. } => {
                object = Some(name.clone());
                key = "CTE Name";
            }
            RteKind::NamedTuplestore { name, .. } => {
                object = Some(name.clone());
                key = "Tuplestore Name";
            }
            _ => {}
        }
        t.head += " on";
        if let Some(o) = &object {
            match schema.as_ref().filter(|_| self.options.verbose) {
                Some(s) => t.head += &format!(" {}.{}", quote_identifier(s), quote_identifier(o)),
                None => t.head += &format!(" {}", quote_identifier(o)),
            }
            t.hidden(key, Value::Text(o.clone()));
            if let Some(s) = schema.filter(|_| self.options.verbose) {
                t.hidden("Schema", Value::Text(s));
            }
        }
        if object.as_deref() != Some(&*alias) && !alias.is_empty() {
            t.head += &format!(" {}", quote_identifier(&alias));
        }
        t.hidden("Alias", Value::Text(alias));
        Ok(())
    }

    /// A table's name, with its alias where that is another one.
    fn table_and_alias(&mut self, rti: u32) -> Result<String> {
        let Some(rte) = self.d.planned.rtable.get(rti as usize - 1) else { return Ok(String::new()) };
        let RteKind::Relation { relid, .. } = rte.kind else { return Ok(String::new()) };
        let alias = self.d.names.get(rti as usize - 1).cloned().unwrap_or_default();
        let rel = self.d.cx.catalog.relation_entry(relid)?;
        let mut out = quote_identifier(rel.name());
        if self.options.verbose
            && let Some(s) = self.d.schema_name(rel.namespace())?
        {
            out = format!("{}.{out}", quote_identifier(&s));
        }
        if !alias.is_empty() && alias != rel.name() {
            out += &format!(" {}", quote_identifier(&alias));
        }
        Ok(out)
    }

    fn relation_name(&mut self, oid: Oid) -> Result<String> {
        Ok(self.d.cx.catalog.relation(oid)?.map(|r| r.name().to_owned()).unwrap_or_default())
    }

    fn qual(&mut self, label: &str, quals: &[Expr], plan: &Plan, prefix: bool, t: &mut Tree) -> Result<()> {
        if !quals.is_empty() {
            let text = self.d.quals(quals, Place { plan, prefix })?;
            t.text(label, text);
        }
        Ok(())
    }
    fn removed(&mut self, label: &str, plan: &Plan, t: &mut Tree) {
        if let Some(i) = self.instrumentation(plan).filter(|i| self.options.analyze && i.filtered > 0 && i.loops > 0) {
            t.number(label, format!("{:.0}", i.filtered as f64 / i.loops as f64), "");
        }
    }

    fn details(&mut self, plan: &Plan, t: &mut Tree) -> Result<()> {
        // Within one table's scan its columns need no prefix. (PostgreSQL: `show_scan_qual`)
        let scan = self.options.verbose || matches!(plan.node, PlanNode::SubqueryScan { .. });
        let upper = self.prefix;
        match &plan.node {
            PlanNode::IndexScan { indexqualorig, indexorderbyorig, .. } => {
                self.qual("Index Cond", indexqualorig, plan, scan, t)?;
                self.qual("Order By", indexorderbyorig, plan, scan, t)?;
                self.filter(plan, scan, t)?;
            }
            PlanNode::IndexOnlyScan { indexqual, indexorderby, .. } => {
                self.qual("Index Cond", indexqual, plan, scan, t)?;
                self.qual("Order By", indexorderby, plan, scan, t)?;
                self.filter(plan, scan, t)?;
            }
            PlanNode::BitmapIndexScan { indexqualorig, .. } => self.qual("Index Cond", indexqualorig, plan, scan, t)?,
            PlanNode::BitmapHeapScan { bitmapqualorig, .. } => {
                self.qual("Recheck Cond", bitmapqualorig, plan, scan, t)?;
                self.filter(plan, scan, t)?;
            }
            PlanNode::TidScan { tidquals, .. } => {
                // Any one of them.
                let one = match &tidquals[..] {
                    [_] => tidquals.clone(),
                    many => vec![Expr::BoolExpr(Box::new(BoolExpr {
                        boolop: BoolExprType::Or,
                        args: many.to_vec(),
                        location: base::error::Location::UNKNOWN,
                    }))],
                };
                self.qual("TID Cond", &one, plan, scan, t)?;
                self.filter(plan, scan, t)?;
            }
            PlanNode::TidRangeScan { tidrangequals, .. } => {
                self.qual("TID Cond", tidrangequals, plan, scan, t)?;
                self.filter(plan, scan, t)?;
            }
            PlanNode::SampleScan { sample, .. } => {
                let place = Place { plan, prefix: upper };
                let method = self.d.cx.catalog.function(sample.tsmhandler)?.map(|f| f.proname.clone());
                let args: Result<Vec<String>> = sample.args.iter().map(|e| self.d.show(e, place)).collect();
                let mut text = format!("{} ({})", method.unwrap_or_default(), args?.join(", "));
                if let Some(e) = &sample.repeatable {
                    text += &format!(" REPEATABLE ({})", self.d.show(e, place)?);
                }
                t.text("Sampling", text);
                self.filter(plan, scan, t)?;
            }
            PlanNode::FunctionScan { functions, .. } => {
                if self.options.verbose {
                    let place = Place { plan, prefix: scan };
                    let list: Result<Vec<String>> = functions.iter().map(|f| self.d.show(&f.funcexpr, place)).collect();
                    t.text("Function Call", list?.join(", "));
                }
                self.filter(plan, scan, t)?;
            }
            PlanNode::NestLoop { joinqual, .. } => {
                self.qual("Join Filter", joinqual, plan, upper, t)?;
                self.filter(plan, upper, t)?;
            }
            PlanNode::MergeJoin { mergeclauses, joinqual, .. } => {
                self.qual("Merge Cond", mergeclauses, plan, upper, t)?;
                self.qual("Join Filter", joinqual, plan, upper, t)?;
                self.filter(plan, upper, t)?;
            }
            PlanNode::HashJoin { hashclauses, joinqual, .. } => {
                self.qual("Hash Cond", hashclauses, plan, upper, t)?;
                self.qual("Join Filter", joinqual, plan, upper, t)?;
                self.filter(plan, upper, t)?;
            }
            PlanNode::Agg { strategy, columns, phases, .. } => {
                let place = Place { plan, prefix: upper };
                if phases.is_empty() {
                    let keys: Vec<i16> = columns.iter().map(|c| c.column).collect();
                    self.keys("Group Key", &keys, place, t)?;
                } else {
                    self.grouping_sets(*strategy, phases, place, t)?;
                }
                self.filter(plan, upper, t)?;
            }
            PlanNode::Group { columns } => {
                let keys: Vec<i16> = columns.iter().map(|c| c.column).collect();
                self.keys("Group Key", &keys, Place { plan, prefix: upper }, t)?;
                self.filter(plan, upper, t)?;
            }
            PlanNode::WindowAgg(w) => {
                let place = Place { plan, prefix: upper };
                let mut parts = Vec::new();
                for (word, list) in [("PARTITION BY", &w.partition), ("ORDER BY", &w.order)] {
                    if list.is_empty() {
                        continue;
                    }
                    let mut keys = Vec::new();
                    for c in list {
                        keys.push(self.key_below(c.column, place)?);
                    }
                    parts.push(format!("{word} {}", keys.join(", ")));
                }
                parts.extend(self.frame(w, place)?);
                t.text("Window", format!("{} AS ({})", quote_identifier(&w.winname), parts.join(" ")));
                self.qual("Run Condition", &w.run_condition_orig, plan, upper, t)?;
                self.filter(plan, upper, t)?;
            }
            PlanNode::Sort { keys } | PlanNode::MergeAppend { keys, .. } => {
                self.sort_keys("Sort Key", keys, plan, t)?
            }
            PlanNode::IncrementalSort { keys, presorted } => {
                self.sort_keys("Sort Key", keys, plan, t)?;
                let place = Place { plan, prefix: self.prefix };
                let mut list = Vec::new();
                for k in &keys[..(*presorted).min(keys.len())] {
                    list.push(self.key(k.column, place)?);
                }
                t.list("Presorted Key", list);
            }
            PlanNode::Result { constant_qual } => {
                self.qual("One-Time Filter", constant_qual, plan, upper, t)?;
                self.filter(plan, upper, t)?;
            }
            PlanNode::Memoize { param_exprs, binary_mode, .. } => {
                let place = Place { plan, prefix: true };
                let list: Result<Vec<String>> = param_exprs.iter().map(|e| self.d.show(e, place)).collect();
                t.text("Cache Key", list?.join(", "));
                t.text("Cache Mode", if *binary_mode { "binary" } else { "logical" }.to_owned());
            }
            PlanNode::ModifyTable(m) => {
                if m.result_relations.len() > 1 || m.result_relations.first() != Some(&m.nominal_relation) {
                    let (op, ..) = title(plan);
                    for r in &m.result_relations {
                        let line = format!("{op} on {}", self.table_and_alias(*r)?);
                        t.line(line);
                    }
                }
                if let Some(c) = &m.on_conflict {
                    t.text("Conflict Resolution", if c.update { "UPDATE" } else { "NOTHING" }.to_owned());
                    let mut names = Vec::new();
                    for i in &c.arbiter_indexes {
                        names.push(self.relation_name(*i)?);
                    }
                    if !names.is_empty() {
                        t.list("Conflict Arbiter Indexes", names);
                    }
                    self.qual("Conflict Filter", c.where_.as_slice(), plan, true, t)?;
                }
            }
            _ => self.filter(plan, scan, t)?,
        }
        Ok(())
    }
    /// What the operator told of its run.
    fn measured(&mut self, plan: &Plan, t: &mut Tree) {
        let hash = self.hash.take();
        let Some(i) = self.instrumentation(plan).filter(|i| i.loops > 0) else { return };
        if let Some(s) = &i.sort {
            let space = if s.disk { "Disk" } else { "Memory" };
            t.line(format!("Sort Method: {}  {space}: {}kB", s.method, s.kilobytes));
            t.hidden("Sort Method", Value::Text(s.method.to_owned()));
            t.structured("Sort Space Used", s.kilobytes);
            t.hidden("Sort Space Type", Value::Text(space.to_owned()));
        }
        match &plan.node {
            PlanNode::Hash { .. } => {
                if let Some(h) = hash {
                    t.line(format!("Buckets: {}  Batches: {}  Memory Usage: {}kB", h.buckets, h.batches, h.kilobytes));
                    t.structured("Hash Buckets", h.buckets as i64);
                    t.structured("Original Hash Buckets", h.buckets as i64);
                    t.structured("Hash Batches", h.batches as i64);
                    t.structured("Original Hash Batches", h.batches as i64);
                    t.structured("Peak Memory Usage", h.kilobytes);
                }
            }
            PlanNode::Agg { .. } => {
                if let Some(h) = &i.hash {
                    let disk =
                        if h.batches > 1 { format!("  Disk Usage: {}kB", h.disk_kilobytes) } else { String::new() };
                    t.line(format!("Batches: {}  Memory Usage: {}kB{disk}", h.batches, h.kilobytes));
                    t.structured("HashAgg Batches", h.batches as i64);
                    t.structured("Peak Memory Usage", h.kilobytes);
                    t.structured("Disk Usage", h.disk_kilobytes);
                }
            }
            PlanNode::BitmapHeapScan { .. } => {
                if i.exact_pages > 0 {
                    t.line(format!("Heap Blocks: exact={}", i.exact_pages));
                }
                t.structured("Exact Heap Blocks", i.exact_pages as i64);
                t.structured("Lossy Heap Blocks", 0);
            }
            PlanNode::IndexOnlyScan { .. } => t.number("Heap Fetches", i.heap_fetches.to_string(), ""),
            _ => {}
        }
        if let Some(n) = i.searches {
            t.number("Index Searches", n.to_string(), "");
        }
        if let Some(kb) = i.stored {
            t.line(format!("Storage: Memory  Maximum Storage: {kb}kB"));
            t.hidden("Storage", Value::Text("Memory".to_owned()));
            t.structured("Maximum Storage", kb);
        }
        if let Some(m) = &i.memo {
            t.line(format!(
                "Hits: {}  Misses: {}  Evictions: {}  Overflows: {}  Memory Usage: {}kB",
                m.hits, m.misses, m.evictions, m.overflows, m.kilobytes
            ));
            t.structured("Cache Hits", m.hits as i64);
            t.structured("Cache Misses", m.misses as i64);
            t.structured("Cache Evictions", m.evictions as i64);
            t.structured("Cache Overflows", m.overflows as i64);
            t.structured("Peak Memory Usage", m.kilobytes);
        }
        if self.options.buffers {
            buffers(&i.buffers, self.options.io_timing, t);
        }
    }
    fn filter(&mut self, plan: &Plan, prefix: bool, t: &mut Tree) -> Result<()> {
        self.qual("Filter", &plan.qual, plan, prefix, t)?;
        if !plan.qual.is_empty() {
            self.removed("Rows Removed by Filter", plan, t);
        }
        Ok(())
    }
    fn key(&mut self, column: i16, place: Place<'_>) -> Result<String> {
        let var = Expr::Var(Var {
            varno: OUTER_VAR,
            varattno: column,
            vartype: TypeMod { oid: Oid::INVALID, typmod: -1, collation: Oid::INVALID },
            varnullingrels: Vec::new(),
            varlevelsup: 0,
            varreturning: VarReturning::Default,
            varnosyn: 0,
            varattnosyn: 0,
            location: base::error::Location::UNKNOWN,
        });
        self.d.show(&var, place)
    }
    /// A key as the node below computes it.
    fn key_below(&mut self, column: i16, place: Place<'_>) -> Result<String> {
        match place.plan.outer.as_deref() {
            Some(child) => match child.targetlist.get(column as usize - 1) {
                Some(entry) => self.d.show(&entry.expr.clone(), Place { plan: child, ..place }),
                None => self.key(column, place),
            },
            None => self.key(column, place),
        }
    }

    /// A frame other than the usual one. (PostgreSQL: `get_window_frame_options`)
    fn frame(&mut self, w: &planner::WindowAggPlan, place: Place<'_>) -> Result<Option<String>> {
        use parser::ast::frame_option as f;
        let has = |bit: u32| w.frame_options & bit != 0;
        if !has(f::NONDEFAULT) {
            return Ok(None);
        }
        let mut out = String::new();
        if has(f::RANGE) {
            out += "RANGE ";
        } else if has(f::ROWS) {
            out += "ROWS ";
        } else if has(f::GROUPS) {
            out += "GROUPS ";
        }
        if has(f::BETWEEN) {
            out += "BETWEEN ";
        }
        if has(f::START_UNBOUNDED_PRECEDING) {
            out += "UNBOUNDED PRECEDING ";
        } else if has(f::START_CURRENT_ROW) {
            out += "CURRENT ROW ";
        } else if let Some(e) = &w.start_offset {
            let word = if has(f::START_OFFSET_PRECEDING) { "PRECEDING" } else { "FOLLOWING" };
            out += &format!("{} {word} ", self.d.show(e, place)?);
        }
        if has(f::BETWEEN) {
            out += "AND ";
            if has(f::END_UNBOUNDED_FOLLOWING) {
                out += "UNBOUNDED FOLLOWING ";
            } else if has(f::END_CURRENT_ROW) {
                out += "CURRENT ROW ";
            } else if let Some(e) = &w.end_offset {
                let word = if has(f::END_OFFSET_PRECEDING) { "PRECEDING" } else { "FOLLOWING" };
                out += &format!("{} {word} ", self.d.show(e, place)?);
            }
        }
        if has(f::EXCLUDE_CURRENT_ROW) {
            out += "EXCLUDE CURRENT ROW ";
        } else if has(f::EXCLUDE_GROUP) {
            out += "EXCLUDE GROUP ";
        } else if has(f::EXCLUDE_TIES) {
            out += "EXCLUDE TIES ";
        }
        Ok(Some(out.trim_end().to_owned()))
    }

    /// (PostgreSQL: `show_grouping_sets`)
    fn grouping_sets(
        &mut self,
        strategy: AggStrategy,
        phases: &[planner::AggPhase],
        place: Place<'_>,
        t: &mut Tree,
    ) -> Result<()> {
        for (i, phase) in phases.iter().enumerate() {
            let hashed = if i == 0 {
                matches!(strategy, AggStrategy::Hashed | AggStrategy::Mixed)
            } else {
                phase.strategy == AggStrategy::Hashed
            };
            let key = if hashed { "Hash Key" } else { "Group Key" };
            if !phase.sort.is_empty() {
                let mut list = Vec::new();
                for k in &phase.sort {
                    list.push(self.key_below(k.column, place)?);
                }
                t.line(format!("Sort Key: {}", list.join(", ")));
            }
            let indent = if phase.sort.is_empty() { "" } else { "  " };
            for set in &phase.sets {
                let mut list = Vec::new();
                for c in set {
                    list.push(self.key_below(*c, place)?);
                }
                let shown = if list.is_empty() { "()".to_owned() } else { list.join(", ") };
                t.line(format!("{indent}{key}: {shown}"));
            }
        }
        Ok(())
    }

    fn keys(&mut self, label: &str, columns: &[i16], place: Place<'_>, t: &mut Tree) -> Result<()> {
        if columns.is_empty() {
            return Ok(());
        }
        let list: Result<Vec<String>> = columns.iter().map(|c| self.key_below(*c, place)).collect();
        t.list(label, list?);
        Ok(())
    }
    fn sort_keys(&mut self, label: &str, keys: &[SortCol], plan: &Plan, t: &mut Tree) -> Result<()> {
        let place = Place { plan, prefix: self.prefix };
        let mut list = Vec::new();
        for k in keys {
            let mut text = self.key(k.column, place)?;
            if k.collation.is_valid()
                && k.collation != types::oid::DEFAULT_COLLATION
                && let Some(c) = self.d.cx.catalog.collation(k.collation)?
            {
                text += &format!(" COLLATE {}", quote_identifier(&c.collname));
            }
            let memberships = self.d.cx.catalog.operator_memberships(k.sortop)?;
            let descending = memberships.iter().any(|m| m.amopmethod == Oid(403) && m.amopstrategy == 5);
            if descending {
                text += " DESC";
            }
            match (descending, k.nulls_first) {
                (false, true) => text += " NULLS FIRST",
                (true, false) => text += " NULLS LAST",
                _ => {}
            }
            list.push(text);
        }
        t.list(label, list);
        Ok(())
    }

    /// The subplans that are left when execution begins.
    fn unpruned(&mut self, plan: &Plan, n: usize) -> Result<Vec<bool>> {
        let Some(prune) = &plan.prune else { return Ok(vec![true; n]) };
        let mut st = crate::state::Estate::detached();
        st.snapshot = self.d.cx.snapshot.clone();
        if let Some(run) = self.run {
            st.params = run.params();
        }
        let mut pruner = crate::append_prune::Pruner::build(&mut *self.d.cx, prune, n)?;
        let found = pruner.starting(&mut crate::state::Run { cx: &mut *self.d.cx, st: &mut st });
        // Values that are not known leave everything.
        match found {
            Ok(list) => Ok(list.to_vec()),
            Err(e) if e.sqlstate() == base::sqlstate::UNDEFINED_PARAMETER => Ok(vec![true; n]),
            Err(e) => Err(e),
        }
    }

    fn children(&mut self, plan: &Plan, t: &mut Tree) -> Result<()> {
        for s in &plan.init_plans {
            self.subplan(s, "InitPlan", t)?;
        }
        if let Some(p) = plan.outer.as_deref() {
            let c = self.node(p, Some("Outer"))?;
            t.child("Plans", c);
        }
        if let Some(p) = plan.inner.as_deref() {
            self.hash = self.instrumentation(plan).and_then(|i| i.hash);
            let c = self.node(p, Some("Inner"))?;
            t.child("Plans", c);
        }
        match &plan.node {
            PlanNode::Append { plans }
            | PlanNode::MergeAppend { plans, .. }
            | PlanNode::BitmapAnd { plans }
            | PlanNode::BitmapOr { plans } => {
                let wanted = self.unpruned(plan, plans.len())?;
                let removed = wanted.iter().filter(|w| !**w).count();
                if plan.prune.is_some() && removed > 0 {
                    t.line(format!("Subplans Removed: {removed}"));
                }
                for (p, _) in plans.iter().zip(wanted).filter(|(_, w)| *w) {
                    let c = self.node(p, Some("Member"))?;
                    t.child("Plans", c);
                }
            }
            PlanNode::SubqueryScan { subplan, .. } => {
                let c = self.node(subplan, Some("Subquery"))?;
                t.child("Plans", c);
            }
            _ => {}
        }
        let mut found: Vec<SubPlan> = Vec::new();
        fn sublinks(e: &Expr, out: &mut Vec<SubPlan>) {
            if let Expr::SubPlan(s) = e
                && !out.iter().any(|o| o.plan_id == s.plan_id)
            {
                out.push((**s).clone());
            }
            e.children(&mut |c| sublinks(c, out));
        }
        let mut exprs = Vec::new();
        planner::node_exprs(plan, &mut exprs);
        exprs.into_iter().for_each(|e| sublinks(e, &mut found));
        for s in found {
            self.subplan(&s, "SubPlan", t)?;
        }
        Ok(())
    }
    fn subplan(&mut self, s: &SubPlan, relationship: &str, t: &mut Tree) -> Result<()> {
        let planned = self.d.planned;
        let Some(plan) = planned.subplans.get(s.plan_id) else { return Ok(()) };
        let mut c = self.node(plan, Some(relationship))?;
        c.hidden("Subplan Name", Value::Text(s.plan_name.clone()));
        c.label = Some(s.plan_name.clone());
        t.child("Plans", c);
        Ok(())
    }
}
