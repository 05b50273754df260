//! Which partitions a query's conditions leave: from clauses to [`PruneSteps`].
//!
//! With constants the steps are evaluated while planning, so that other partitions never get paths. Steps over values that are known
//! only at a run (parameters, stable functions, outer rows of a nested loop) go into the plan's Append.
//!
//! PostgreSQL: `partprune.c` (`gen_partprune_steps`, `match_clause_to_partition_key`, `prune_append_rel_partitions`).

use analyze::partition::prune::{Op, PruneSteps, PruneValue, Step};
use analyze::partition::{KeyColumn, PartitionDesc, Strategy};
use analyze::query::*;
use base::{Oid, Result};
use types::Datum;
use types::oid::BOOLOID;

use crate::node::{Planner, Root};
use crate::plan::{AppendPrune, PrunedPart, PrunedTable};
use crate::util::*;

/// Families whose one operator on a boolean column is the column itself.
const BOOL_FAMILIES: [Oid; 2] = [Oid(424), Oid(2222)];

/// Which values may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Constants.
    Planning,
    /// What is known when execution begins: external parameters, stable functions.
    Starting,
    /// Parameters that change during the run too.
    Running,
}

/// Steps in the making.
pub(crate) struct Generator<'a> {
    pub desc: &'a PartitionDesc,
    /// The key columns over the relation that the clauses speak of.
    pub keys: &'a [Expr],
    /// What the partitioned table is bounded by as a partition itself.
    pub bounds: &'a [Expr],
    pub known: Known,
    pub values: Vec<PruneValue>,
    /// Some value is not constant: steps made with [`Known::Planning`] would be fewer.
    pub mutable: bool,
    /// Some value depends on a parameter of the run.
    pub running: bool,
}

/// A clause on one key column.
struct Matched {
    column: usize,
    op: Op,
    value: usize,
}

enum Match {
    Clause(Matched),
    Null(usize, bool),
    Steps(Step),
    /// It does not help.
    No,
}

impl Planner<'_, '_> {
    /// The steps for conditions that all hold; `None` if they prune nothing. (PostgreSQL: `gen_partprune_steps_internal`)
    pub(crate) fn prune_steps(&mut self, g: &mut Generator<'_>, clauses: &[Expr]) -> Result<Option<Step>> {
        let n = g.keys.len();
        let mut steps: Vec<Step> = Vec::new();
        let mut matched: Vec<Matched> = Vec::new();
        let (mut null, mut not_null) = (vec![false; n], vec![false; n]);
        for clause in clauses {
            if is_const_false_or_null(clause) {
                return Ok(Some(Step::Never));
            }
            if let Expr::BoolExpr(b) = clause {
                match b.boolop {
                    BoolExprType::And => {
                        steps.extend(self.prune_steps(g, &b.args)?);
                        continue;
                    }
                    BoolExprType::Or => {
                        let mut arms = Vec::new();
                        let mut all = true;
                        for arm in &b.args {
                            if !g.bounds.is_empty() && self.excluded_by(g.bounds, [arm])? {
                                continue;
                            }
                            match self.prune_steps(g, std::slice::from_ref(arm))? {
                                Some(Step::Never) => {}
                                Some(s) => arms.push(s),
                                None => {
                                    all = false;
                                    break;
                                }
                            }
                        }
                        if all {
                            steps.push(if arms.is_empty() { Step::Never } else { Step::Or(arms) });
                        }
                        continue;
                    }
                    BoolExprType::Not => {}
                }
            }
            for i in 0..n {
                match self.match_key(g, clause, i)? {
                    Match::Clause(m) => {
                        matched.push(m);
                        break;
                    }
                    Match::Null(i, not) => {
                        if not {
                            not_null[i] = true;
                        } else {
                            null[i] = true;
                        }
                        break;
                    }
                    Match::Steps(s) => {
                        steps.push(s);
                        break;
                    }
                    Match::No => {}
                }
            }
        }
        for i in 0..n {
            let strict = not_null[i] || matched.iter().any(|m| m.column == i);
            if null[i] && strict {
                return Ok(Some(Step::Never));
            }
        }
        let nulls = null.iter().filter(|x| **x).count();
        if nulls > 0 && g.desc.key.strategy != Strategy::Hash {
            steps.push(Step::Null);
        } else if !matched.is_empty() || nulls > 0 {
            self.steps_of(g, &matched, &null, &mut steps);
        } else if not_null.iter().filter(|x| **x).count() == n && g.desc.key.strategy != Strategy::Hash {
            steps.push(Step::NotNull);
        }
        Ok(match steps.len() {
            0 => None,
            1 => steps.pop(),
            _ => Some(Step::And(steps)),
        })
    }

    /// (PostgreSQL: `gen_prune_steps_from_opexps`)
    fn steps_of(&mut self, g: &Generator<'_>, matched: &[Matched], null: &[bool], steps: &mut Vec<Step>) {
        let n = g.keys.len();
        let equal = |i: usize| matched.iter().find(|m| m.column == i && m.op == Op::Eq);
        if g.desc.key.strategy == Strategy::Hash {
            if (0..n).all(|i| null[i] || equal(i).is_some()) {
                steps.push(Step::Hash((0..n).map(|i| equal(i).map(|m| m.value)).collect()));
            }
            return;
        }
        for m in matched {
            let also = match m.op {
                Op::Lt | Op::Le => Op::Le,
                Op::Gt | Op::Ge => Op::Ge,
                Op::Eq | Op::Ne => Op::Eq,
            };
            let mut open = false;
            let before = (0..m.column).map_while(|i| {
                equal(i).or_else(|| {
                    open = true;
                    matched.iter().find(|m| m.column == i && m.op == also)
                })
            });
            let prefix: Vec<usize> = before.map(|m| m.value).collect();
            if prefix.len() == m.column {
                steps.push(Step::Compare { prefix, op: m.op, value: m.value, open });
            }
        }
    }

    /// A value that key columns may be compared with now, or then. (`None`: not usable)
    fn prune_value(&mut self, g: &mut Generator<'_>, k: usize, e: &Expr, ty: Oid) -> Result<Option<usize>> {
        if !matches!(e, Expr::Const(_)) {
            if g.known == Known::Planning {
                return Ok(None);
            }
            let has_vars = e.any(&mut |x| matches!(x, Expr::Var(_) | Expr::SubLink(_) | Expr::PlaceHolderVar(_)));
            if has_vars || analyze::ddl::contains_volatile(&self.cx.catalog, e)? {
                return Ok(None);
            }
            let exec = e.any(&mut |x| {
                matches!(x, Expr::Param(p) if p.kind == ParamKind::Exec) || matches!(x, Expr::SubPlan(_))
            });
            if exec {
                g.running = true;
                if g.known != Known::Running {
                    return Ok(None);
                }
            } else {
                g.mutable = true;
            }
        }
        let key = &g.desc.key.columns[k];
        let hash = g.desc.key.strategy == Strategy::Hash;
        let (support, compare) = if ty == key.opcintype {
            (key.support, key.compare.clone())
        } else {
            let (left, number) = if hash { (ty, 2) } else { (key.opcintype, 1) };
            let Some(proc) = self.cx.catalog.opfamily_proc(key.opfamily, left, ty, number)? else { return Ok(None) };
            let compare = if hash { None } else { Some(self.cx.catalog.comparator(proc, key.collation)?) };
            (proc, compare)
        };
        g.values.push(PruneValue { expr: e.clone(), compare, support, collation: key.collation });
        Ok(Some(g.values.len() - 1))
    }

    /// (PostgreSQL: `match_clause_to_partition_key`)
    fn match_key(&mut self, g: &mut Generator<'_>, clause: &Expr, i: usize) -> Result<Match> {
        let key = &g.keys[i];
        let column = &g.desc.key.columns[i];
        let same = |e: &Expr| strip_relabel(e) == key;
        if BOOL_FAMILIES.contains(&column.opfamily)
            && let Some(m) = self.match_boolean(g, clause, i)?
        {
            return Ok(m);
        }
        match clause {
            Expr::OpExpr(o) if o.args.len() == 2 => {
                let (left, right) = (strip_relabel(&o.args[0]), strip_relabel(&o.args[1]));
                let (opno, other) = if left == key {
                    (o.opno, right)
                } else if right == key {
                    match self.cx.catalog.operator(o.opno)?.and_then(|r| r.oprcom.valid()) {
                        Some(c) => (c, left),
                        None => return Ok(Match::No),
                    }
                } else {
                    return Ok(Match::No);
                };
                if column.collation.is_valid() && column.collation != o.inputcollid {
                    return Ok(Match::No);
                }
                let Some((op, right_type)) = self.prune_operator(g, column, opno)? else { return Ok(Match::No) };
                let other = other.clone();
                Ok(match self.prune_value(g, i, &other, right_type)? {
                    Some(value) => Match::Clause(Matched { column: i, op, value }),
                    None => Match::No,
                })
            }
            Expr::ScalarArrayOpExpr(s) => {
                let [left, right] = s.args.as_slice() else { return Ok(Match::No) };
                if !same(left) || (column.collation.is_valid() && column.collation != s.inputcollid) {
                    return Ok(Match::No);
                }
                let Some((op, right_type)) = self.prune_operator(g, column, s.opno)? else { return Ok(Match::No) };
                let elements = match right {
                    Expr::Const(c) if c.value.is_null() => return Ok(Match::Steps(Step::Never)),
                    Expr::Const(c) => self.array_constants(c)?,
                    Expr::ArrayExpr(a) if !a.multidims => a.elements.clone(),
                    _ => return Ok(Match::No),
                };
                let mut arms = Vec::new();
                for e in &elements {
                    if matches!(e, Expr::Const(c) if c.value.is_null()) {
                        if s.use_or {
                            continue;
                        }
                        return Ok(Match::Steps(Step::Never));
                    }
                    let Some(value) = self.prune_value(g, i, strip_relabel(e), right_type)? else {
                        return Ok(Match::No);
                    };
                    let mut own = Vec::new();
                    let m = Matched { column: i, op, value };
                    self.steps_of(g, &[m], &vec![false; g.keys.len()], &mut own);
                    match own.pop() {
                        Some(s) => arms.push(s),
                        None => return Ok(Match::No),
                    }
                }
                Ok(Match::Steps(match (s.use_or, arms.is_empty()) {
                    (true, true) => Step::Never,
                    (true, false) => Step::Or(arms),
                    (false, true) => return Ok(Match::No),
                    (false, false) => Step::And(arms),
                }))
            }
            Expr::NullTest(t) if same(&t.arg) => Ok(Match::Null(i, t.not)),
            _ => Ok(Match::No),
        }
    }

    /// How an operator compares a key column, and its right type.
    fn prune_operator(&mut self, g: &Generator<'_>, k: &KeyColumn, opno: Oid) -> Result<Option<(Op, Oid)>> {
        let catalog = &self.cx.catalog;
        let hash = g.desc.key.strategy == Strategy::Hash;
        let strategy = |opno: Oid| -> Result<Option<(i16, Oid)>> {
            let m = catalog.operator_in_family(opno, b's', k.opfamily)?;
            Ok(m.map(|m| (m.amopstrategy, m.amoprighttype)))
        };
        let Some(row) = catalog.operator(opno)? else { return Ok(None) };
        if !is_strict(catalog, row.oprcode)? {
            return Ok(None);
        }
        // A stable comparison, such as of dates with timestamps of a zone, prunes when it runs.
        if g.known == Known::Planning && catalog.function_row(row.oprcode)?.provolatile != b'i' {
            return Ok(None);
        }
        if let Some((s, ty)) = strategy(opno)? {
            let op = match (hash, s) {
                (true, _) | (false, 3) => Op::Eq,
                (false, 1) => Op::Lt,
                (false, 2) => Op::Le,
                (false, 4) => Op::Ge,
                (false, 5) => Op::Gt,
                _ => return Ok(None),
            };
            return Ok(Some((op, ty)));
        }
        if g.desc.key.strategy != Strategy::List {
            return Ok(None);
        }
        let Some(negator) = row.oprnegate.valid() else { return Ok(None) };
        Ok(strategy(negator)?.filter(|s| s.0 == 3).map(|(_, ty)| (Op::Ne, ty)))
    }

    /// A boolean key column as a condition of its own. (PostgreSQL: `match_boolean_partition_clause`)
    fn match_boolean(&mut self, g: &mut Generator<'_>, clause: &Expr, i: usize) -> Result<Option<Match>> {
        use BoolTestType::*;
        let key = g.keys[i].clone();
        let is_key = |e: &Expr| *strip_relabel(e) == key;
        let negated = |e: &Expr| match strip_relabel(e) {
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Not => b.args.first().is_some_and(&is_key),
            _ => false,
        };
        let (value, or_null) = match clause {
            Expr::BooleanTest(t) => {
                let inverted = negated(&t.arg);
                if !is_key(&t.arg) && !inverted {
                    return Ok(None);
                }
                match t.booltesttype {
                    IsUnknown => return Ok(Some(Match::Null(i, false))),
                    IsNotUnknown => return Ok(Some(Match::Null(i, true))),
                    IsTrue => (!inverted, false),
                    IsFalse => (inverted, false),
                    IsNotTrue => (inverted, true),
                    IsNotFalse => (!inverted, true),
                }
            }
            e if is_key(e) => (true, false),
            e if negated(e) => (false, false),
            _ => return Ok(None),
        };
        let ty = TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID };
        let e = Expr::Const(Const { ty, len: 1, byval: true, value: Datum::bool(value), ..Const::default() });
        let Some(value) = self.prune_value(g, i, &e, BOOLOID)? else { return Ok(None) };
        let m = Matched { column: i, op: Op::Eq, value };
        if !or_null {
            return Ok(Some(Match::Clause(m)));
        }
        let mut arms = Vec::new();
        self.steps_of(g, &[m], &vec![false; g.keys.len()], &mut arms);
        if arms.is_empty() {
            return Ok(None);
        }
        arms.push(Step::Null);
        Ok(Some(Match::Steps(Step::Or(arms))))
    }

    /// The elements of a constant array.
    fn array_constants(&mut self, c: &Const) -> Result<Vec<Expr>> {
        let bytes = match &c.value {
            Datum::Toasted(b) => self.cx.rt.detoast(b)?,
            v => v.as_ref().as_bytes().to_vec(),
        };
        let array = types::array::ArrayRef::new(&bytes)?;
        let info = self.cx.rt.type_info(array.elem_type())?;
        let element = types::array::ElementType::of(&info);
        let ty = TypeMod { oid: array.elem_type(), typmod: -1, collation: c.ty.collation };
        let one = |v: Datum| Expr::Const(Const { ty, len: info.len, byval: info.byval, value: v, ..Const::default() });
        array.elements(&element).map(|v| v.map(|v| one(v.to_owned()))).collect()
    }

    /// The partitions that conditions with constants leave. (PostgreSQL: `prune_append_rel_partitions`)
    /// `bounds`: of a partition that is partitioned itself, its own condition.
    pub(crate) fn prune_now(
        &mut self,
        desc: &PartitionDesc,
        keys: &[Expr],
        bounds: &[Expr],
        clauses: &[Expr],
    ) -> Result<Vec<bool>> {
        let known = Known::Planning;
        let mut g = Generator { desc, keys, bounds, known, values: Vec::new(), mutable: false, running: false };
        let mut all = clauses.to_vec();
        if desc.default.is_some() {
            // It may exclude the default partition.
            all.extend(bounds.iter().cloned());
        }
        let Some(step) = self.prune_steps(&mut g, &all)? else { return Ok(vec![true; desc.parts.len()]) };
        let steps = PruneSteps { step, values: g.values };
        let mut values = Vec::with_capacity(steps.values.len());
        for v in &steps.values {
            values.push(match &v.expr {
                Expr::Const(c) => match &c.value {
                    Datum::Toasted(b) => Datum::bytes(self.cx.rt.detoast(b)?),
                    v => v.clone(),
                },
                _ => return Ok(vec![true; desc.parts.len()]),
            });
        }
        desc.matching(self.cx.rt, &steps, &values)
    }

    /// What an Append over partitions can leave out when it runs. `plans`: the tables of its subplans, in their order.
    /// (PostgreSQL: `make_partition_pruneinfo`)
    pub(crate) fn prune_later(&mut self, root: &Root, rti: RtIndex, plans: &[Oid]) -> Result<Option<AppendPrune>> {
        if !self.cx.cost.enable_partition_pruning {
            return Ok(None);
        }
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        let Some(named) = rel.relation.clone().filter(|r| r.partition_key.is_some()) else { return Ok(None) };
        let clauses: Vec<Expr> = rel.baserestrict.iter().map(|r| r.clause.clone()).collect();
        let mut out = AppendPrune { tables: Vec::new() };
        self.pruned_table(rti, &named, &named, &clauses, plans, &mut out)?;
        let useful = out.tables.iter().any(|t| t.starting.is_some() || t.running.is_some());
        Ok(useful.then_some(out))
    }

    fn pruned_table(
        &mut self,
        rti: RtIndex,
        named: &catalog::Relation,
        table: &catalog::Relation,
        clauses: &[Expr],
        plans: &[Oid],
        out: &mut AppendPrune,
    ) -> Result<usize> {
        let catalog = self.cx.catalog.clone();
        let desc = analyze::partition::desc_of(&catalog, table, self.cx.rt)?;
        let keys = self.partition_keys(&desc, rti, named, table)?;
        let mut made = Vec::new();
        for known in [Known::Starting, Known::Running] {
            let mut g =
                Generator { desc: &desc, keys: &keys, bounds: &[], known, values: Vec::new(), mutable: false, running: false };
            let step = self.prune_steps(&mut g, clauses)?;
            let useful = if known == Known::Starting { g.mutable } else { g.running };
            made.push(step.filter(|_| useful).map(|step| PruneSteps { step, values: g.values }));
        }
        let running = made.pop().flatten();
        let starting = made.pop().flatten();
        let number = out.tables.len();
        out.tables.push(PrunedTable { relid: table.oid, starting, running, parts: Vec::new() });
        let mut parts = Vec::new();
        for part in &desc.parts {
            parts.push(match plans.iter().position(|p| *p == part.oid) {
                Some(i) => PrunedPart::Plan(i),
                None if part.is_leaf => PrunedPart::Gone,
                None => {
                    let below = catalog.relation_entry(part.oid)?;
                    PrunedPart::Table(self.pruned_table(rti, named, &below, clauses, plans, out)?)
                }
            });
        }
        out.tables[number].parts = parts;
        Ok(number)
    }
}
