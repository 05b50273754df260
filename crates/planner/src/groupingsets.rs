//! GROUPING SETS: which sets share a sort (as each other's prefixes), which are hashed, and what that costs.
//!
//! PostgreSQL: `preprocess_grouping_sets`, `extract_rollup_sets`, `consider_groupingsets_paths`, `create_groupingsets_path`,
//! `bipartite_match.c`, `knapsack.c`.

use std::collections::VecDeque;
use std::rc::Rc;

use analyze::query::*;
use base::{PgError, Result};

use crate::costsize::AggCosts;
use crate::node::*;
use crate::pathnode::*;
use crate::plan::*;
use crate::upper::strip_group_nulling;
use crate::util::*;

/// Sets that one sorted (or one hashed) pass over the input serves, the longest first.
#[derive(Clone)]
pub(crate) struct Rollup {
    pub clause: Vec<SortGroupClause>,
    pub sets: Vec<Vec<u32>>,
    set_groups: Vec<f64>,
    pub groups: f64,
    hashable: bool,
    pub hashed: bool,
}

/// (PostgreSQL: `grouping_sets_data`)
#[derive(Clone, Default)]
pub(crate) struct GroupingSets {
    pub rollups: Vec<Rollup>,
    unsortable: Vec<(Vec<u32>, f64)>,
    any_hashable: bool,
}

/// What an aggregation over grouping sets is made with.
pub(crate) struct SetsContext<'a> {
    pub costs: &'a AggCosts,
    pub having: &'a [Expr],
    pub having_cost: (f64, f64),
    pub having_selectivity: f64,
    pub target: &'a Rc<Target>,
}

impl Planner<'_, '_> {
    /// `sets`: all of them, expanded. (PostgreSQL: `preprocess_grouping_sets`)
    pub(crate) fn prepare_grouping_sets(&mut self, root: &Root, mut sets: Vec<Vec<u32>>) -> Result<GroupingSets> {
        let parse = &root.parse;
        sets.sort_by_key(Vec::len);
        let refs = |test: &dyn Fn(&SortGroupClause) -> bool| -> Vec<u32> {
            parse.group_clause.iter().filter(|c| !test(c)).map(|c| c.tle_sort_group_ref).collect()
        };
        let unhashable = refs(&|c| c.hashable);
        let unsortable = refs(&|c| c.sortop.is_valid());
        let touches = |s: &[u32], list: &[u32]| s.iter().any(|r| list.contains(r));
        let mut out = GroupingSets { any_hashable: false, ..GroupingSets::default() };
        let (hash_only, sortable): (Vec<_>, Vec<_>) = sets.into_iter().partition(|s| touches(s, &unsortable));
        if hash_only.iter().any(|s| touches(s, &unhashable)) {
            return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, "could not implement GROUP BY")
                .detail("Some of the datatypes only support hashing, while others only support sorting."));
        }
        out.unsortable = hash_only.into_iter().map(|s| (s, 0.0)).collect();
        let chains = if sortable.is_empty() { Vec::new() } else { rollup_chains(sortable) };
        let only = chains.len() == 1;
        for chain in chains {
            let order: Vec<u32> = if only && out.unsortable.is_empty() {
                parse.sort_clause.iter().map(|c| c.tle_sort_group_ref).collect()
            } else {
                Vec::new()
            };
            let sets = in_prefix_order(chain, order);
            let first = sets.first().cloned().unwrap_or_default();
            let hashable = !first.is_empty() && !touches(&first, &unhashable);
            out.any_hashable |= hashable;
            let clause = clause_of(parse, &first);
            let n = sets.len();
            out.rollups.push(Rollup { clause, sets, set_groups: vec![0.0; n], groups: 0.0, hashable, hashed: false });
        }
        Ok(out)
    }

    /// (PostgreSQL: `get_number_of_groups`, for grouping sets)
    pub(crate) fn count_set_groups(&mut self, root: &Root, data: &mut GroupingSets, rows: f64) -> Result<f64> {
        let mut total = 0.0;
        let groups_of = |me: &mut Self, set: &[u32]| -> Result<f64> {
            let mut list = Vec::new();
            for r in set {
                list.push(strip_group_nulling(&sortgroup_tle(&root.tlist, *r)?.expr, root.group_rti));
            }
            me.num_groups(root, &list, rows)
        };
        for r in &mut data.rollups {
            r.groups = 0.0;
            for (set, n) in r.sets.iter().zip(&mut r.set_groups) {
                *n = groups_of(self, set)?;
                r.groups += *n;
            }
            total += r.groups;
        }
        for (set, n) in &mut data.unsortable {
            *n = groups_of(self, set)?;
            total += *n;
        }
        Ok(total)
    }

    /// Paths over one input path; `sorted`: it has the first rollup's order. (PostgreSQL: `consider_groupingsets_paths`)
    pub(crate) fn grouping_sets_paths(
        &mut self,
        root: &Root,
        cx: &SetsContext<'_>,
        data: &GroupingSets,
        sub: &P,
        sorted: bool,
        can_hash: bool,
    ) -> Vec<P> {
        let c = self.cx.cost;
        let limit = c.work_mem * c.hash_mem_multiplier * 1024.0;
        let entry = f64::from((sub.target.width + 7) & !7) + 16.0 + 40.0 + cx.costs.trans_space;
        let single = |set: &Vec<u32>, n: f64| Rollup {
            clause: clause_of(&root.parse, set),
            sets: vec![set.clone()],
            set_groups: vec![n],
            groups: n,
            hashable: true,
            hashed: true,
        };
        let mut out = Vec::new();
        if !sorted {
            let mut rest = &data.rollups[..];
            let mut unhashed = None;
            if !data.rollups.is_empty() && self.satisfies(&sub.pathkeys, &root.group_pathkeys) {
                unhashed = rest.first().cloned();
                rest = &rest[1..];
            }
            let hash_groups: f64 = rest.iter().map(|r| r.groups).chain(data.unsortable.iter().map(|u| u.1)).sum();
            if entry * hash_groups > limit && !data.rollups.is_empty() {
                return out;
            }
            let mut all: Vec<(Vec<u32>, f64)> = data.unsortable.clone();
            for r in rest {
                // A rollup with no columns at all has only empty sets, for which hashing is no question.
                if !r.hashable && !r.clause.is_empty() {
                    return out;
                }
                all.extend(r.sets.iter().cloned().zip(r.set_groups.iter().copied()));
            }
            let (empty, full): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| s.0.is_empty());
            let mut rollups: Vec<Rollup> = full.iter().map(|(s, n)| single(s, *n)).collect();
            if rollups.is_empty() {
                return out;
            }
            let mut strategy = AggStrategy::Hashed;
            if let Some(r) = unhashed {
                rollups.push(r);
                strategy = AggStrategy::Mixed;
            } else if !empty.is_empty() {
                let n = empty.len();
                let groups = n as f64;
                rollups.push(Rollup {
                    clause: Vec::new(),
                    sets: empty.into_iter().map(|e| e.0).collect(),
                    set_groups: vec![1.0; n],
                    groups,
                    hashable: false,
                    hashed: false,
                });
                strategy = AggStrategy::Mixed;
            }
            out.push(self.grouping_sets_path(root, cx, sub, strategy, rollups));
            return out;
        }
        if data.rollups.is_empty() {
            return out;
        }
        if can_hash && data.any_hashable {
            let mut hash_sets = data.unsortable.clone();
            let mut rollups: Vec<Rollup> = Vec::new();
            let room = limit - entry * data.unsortable.iter().map(|u| u.1).sum::<f64>();
            if room > 0.0 && data.rollups.len() > 1 {
                let scale = (room / (20.0 * data.rollups.len() as f64)).max(1.0);
                let capacity = (room / scale).floor();
                let weights: Vec<usize> = data.rollups[1..]
                    .iter()
                    .filter(|r| r.hashable)
                    .map(|r| (entry * r.groups / scale).floor().min(capacity + 1.0) as usize)
                    .collect();
                let chosen = knapsack(capacity as usize, &weights);
                if chosen.iter().any(|c| *c) {
                    rollups.push(data.rollups[0].clone());
                    let mut i = 0;
                    for r in &data.rollups[1..] {
                        let hash = r.hashable && {
                            i += 1;
                            chosen[i - 1]
                        };
                        if hash {
                            hash_sets.extend(r.sets.iter().cloned().zip(r.set_groups.iter().copied()));
                        } else {
                            rollups.push(r.clone());
                        }
                    }
                }
            }
            if rollups.is_empty() && !hash_sets.is_empty() {
                rollups.clone_from(&data.rollups);
            }
            for (s, n) in &hash_sets {
                rollups.insert(0, single(s, *n));
            }
            if !rollups.is_empty() {
                out.push(self.grouping_sets_path(root, cx, sub, AggStrategy::Mixed, rollups));
            }
        }
        if data.unsortable.is_empty() {
            out.push(self.grouping_sets_path(root, cx, sub, AggStrategy::Sorted, data.rollups.clone()));
        }
        out
    }

    /// (PostgreSQL: `create_groupingsets_path`)
    fn grouping_sets_path(
        &mut self,
        root: &Root,
        cx: &SetsContext<'_>,
        sub: &P,
        strategy: AggStrategy,
        rollups: Vec<Rollup>,
    ) -> P {
        let strategy = match (strategy, &rollups[..]) {
            (AggStrategy::Sorted, [one]) if one.clause.is_empty() => AggStrategy::Plain,
            (AggStrategy::Mixed, [_]) => AggStrategy::Hashed,
            (s, _) => s,
        };
        let c = self.cx.cost;
        let (mut first, mut first_sort) = (true, true);
        let (mut startup, mut total, mut rows, mut disabled) = (0.0, 0.0, 0.0, sub.disabled);
        for r in &rollups {
            let columns = r.sets.first().map_or(0, Vec::len);
            let mut input = (0.0, 0.0);
            let how = if first {
                input = (sub.startup, sub.total);
                strategy
            } else if r.hashed {
                AggStrategy::Hashed
            } else {
                if !first_sort {
                    let s = self.cost_sort(0.0, sub.rows, sub.target.width, -1.0);
                    input = (s.startup, s.total);
                    disabled += i32::from(!c.enable_sort);
                }
                AggStrategy::Sorted
            };
            if !r.hashed {
                first_sort = false;
            }
            if matches!(how, AggStrategy::Hashed | AggStrategy::Mixed) && !c.enable_hashagg {
                disabled += 1;
            }
            let width = sub.target.width;
            let cost = self.cost_agg(how, cx.costs, columns, r.groups, &cx.having_cost, input, sub.rows, width);
            if first {
                startup = cost.startup;
            }
            total += cost.total;
            rows += crate::cost::clamp_row_est(r.groups * cx.having_selectivity);
            first = false;
        }
        let keys = if strategy == AggStrategy::Sorted && rollups.len() == 1 {
            root.group_pathkeys.clone()
        } else {
            Vec::new()
        };
        let groups = rollups.iter().map(|r| r.groups).sum();
        let kind = PathKind::Agg {
            sub: sub.clone(),
            strategy,
            clauses: root.parse.group_clause.clone(),
            having: cx.having.to_vec(),
            groups,
            rollups,
        };
        let mut p = upper_path(kind, sub, cx.target.clone());
        (p.rows, p.startup, p.total) = (rows, startup, total);
        (p.pathkeys, p.disabled) = (keys, disabled);
        p.startup += cx.target.startup;
        p.total += cx.target.startup + cx.target.per_tuple * p.rows;
        Rc::new(p)
    }
}

fn clause_of(q: &Query, set: &[u32]) -> Vec<SortGroupClause> {
    set.iter().filter_map(|r| q.group_clause.iter().find(|c| c.tle_sort_group_ref == *r).cloned()).collect()
}

/// Divides sets (shortest first) into as few chains of subsets as possible. (PostgreSQL: `extract_rollup_sets`)
fn rollup_chains(sets: Vec<Vec<u32>>) -> Vec<Vec<Vec<u32>>> {
    let empty = sets.iter().filter(|s| s.is_empty()).count();
    if empty == sets.len() {
        return vec![sets];
    }
    // Equal sets stand together, the first one for all.
    let mut distinct: Vec<Vec<Vec<u32>>> = Vec::new();
    for s in sets.into_iter().filter(|s| !s.is_empty()) {
        let equal = |d: &Vec<Vec<u32>>| d[0].len() == s.len() && s.iter().all(|x| d[0].contains(x));
        match distinct.iter_mut().find(|d| equal(d)) {
            Some(d) => d.push(s),
            None => distinct.push(vec![s]),
        }
    }
    // Numbers from 1; 0 is none.
    let n = distinct.len();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); n + 1];
    for i in 1..=n {
        for j in (1..i).rev() {
            let (big, small) = (&distinct[i - 1][0], &distinct[j - 1][0]);
            if small.len() < big.len() && small.iter().all(|x| big.contains(x)) {
                below[i].push(j);
            }
        }
    }
    let (up, down) = bipartite_match(n, &below);
    let mut chain_of = vec![0; n + 1];
    let mut chains: Vec<Vec<Vec<u32>>> = Vec::new();
    for i in 1..=n {
        let (u, v) = (down[i], up[i]);
        chain_of[i] = if u > 0 && u < i {
            chain_of[u]
        } else if v > 0 && v < i {
            chain_of[v]
        } else {
            chains.push(Vec::new());
            chains.len()
        };
        chains[chain_of[i] - 1].append(&mut distinct[i - 1]);
    }
    if let Some(first) = chains.first_mut() {
        first.splice(0..0, std::iter::repeat_n(Vec::new(), empty));
    }
    chains
}

/// The largest matching by Hopcroft and Karp: each number's partner on the other side, 0 none.
fn bipartite_match(n: usize, below: &[Vec<usize>]) -> (Vec<usize>, Vec<usize>) {
    const FAR: usize = usize::MAX;
    let (mut left, mut right) = (vec![0; n + 1], vec![0; n + 1]);
    let mut distance = vec![FAR; n + 1];
    fn grow(u: usize, below: &[Vec<usize>], left: &mut [usize], right: &mut [usize], distance: &mut [usize]) -> bool {
        if u == 0 {
            return true;
        }
        if distance[u] == FAR {
            return false;
        }
        let next = distance[u] + 1;
        for &v in below[u].iter().rev() {
            if distance[right[v]] == next && grow(right[v], below, left, right, distance) {
                (left[u], right[v]) = (v, u);
                return true;
            }
        }
        distance[u] = FAR;
        false
    }
    loop {
        distance.fill(FAR);
        let mut queue = VecDeque::new();
        for u in (1..=n).filter(|u| left[*u] == 0) {
            distance[u] = 0;
            queue.push_back(u);
        }
        while let Some(u) = queue.pop_front() {
            if distance[u] >= distance[0] {
                continue;
            }
            for &v in below[u].iter().rev() {
                let w = right[v];
                if distance[w] == FAR {
                    distance[w] = distance[u] + 1;
                    if w != 0 {
                        queue.push_back(w);
                    }
                }
            }
        }
        if distance[0] == FAR {
            return (left, right);
        }
        for u in 1..=n {
            if left[u] == 0 {
                grow(u, below, &mut left, &mut right, &mut distance);
            }
        }
    }
}

/// Orders a chain's columns so that each set is a prefix of the next longer one, by the wanted order as far as that goes.
/// The longest comes first. (PostgreSQL: `reorder_grouping_sets`)
fn in_prefix_order(chain: Vec<Vec<u32>>, mut wanted: Vec<u32>) -> Vec<Vec<u32>> {
    let mut previous: Vec<u32> = Vec::new();
    let mut out = Vec::new();
    for set in chain {
        let mut new: Vec<u32> = set.into_iter().filter(|x| !previous.contains(x)).collect();
        while wanted.len() > previous.len() && !new.is_empty() {
            let next = wanted[previous.len()];
            match new.iter().position(|x| *x == next) {
                Some(at) => {
                    new.remove(at);
                    previous.push(next);
                }
                None => wanted.clear(),
            }
        }
        previous.extend(new);
        out.insert(0, previous.clone());
    }
    out
}

/// Which items to take so that as many as possible fit. (PostgreSQL: `DiscreteKnapsack`)
fn knapsack(capacity: usize, weights: &[usize]) -> Vec<bool> {
    let mut best: Vec<(usize, Vec<bool>)> = vec![(0, vec![false; weights.len()]); capacity + 1];
    for (i, &w) in weights.iter().enumerate() {
        for j in (w..=capacity).rev() {
            if best[j].0 <= best[j - w].0 + 1 && best[j].0 < best[j - w].0 + 1 {
                let (value, mut items) = best[j - w].clone();
                items[i] = true;
                best[j] = (value + 1, items);
            }
        }
    }
    best.pop().map(|b| b.1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollup_is_one_chain_and_a_cube_needs_several() {
        let chains = rollup_chains(vec![vec![], vec![1], vec![1, 2], vec![1, 2, 3]]);
        assert_eq!(chains, vec![vec![vec![], vec![1], vec![1, 2], vec![1, 2, 3]]]);
        let cube = rollup_chains(vec![vec![], vec![1], vec![2], vec![1, 2]]);
        assert_eq!(cube.len(), 2);
        assert_eq!(in_prefix_order(vec![vec![], vec![2], vec![1, 2]], vec![]), vec![vec![2, 1], vec![2], vec![]]);
    }

    #[test]
    fn as_many_items_as_fit() {
        assert_eq!(knapsack(10, &[5, 5, 5]), vec![true, true, false]);
        assert_eq!(knapsack(0, &[1]), vec![false]);
    }
}
