//! The fields of `Query`, its clauses and range-table entries, in PostgreSQL's order.

use std::sync::Arc;

use base::{Oid, PgError, Result};
use types::TupleDesc;

use super::archive::{Archive, bad};
use super::expr::{expr, inference, many, one, opt, sort_group, target};
use crate::query::*;
use crate::relation::{FuncClass, Rows};
use crate::walker::check_depth;

type A<'a> = Archive<'a>;

const COMMANDS: [(CmdType, i32); 6] = [
    (CmdType::Select, 1),
    (CmdType::Update, 2),
    (CmdType::Insert, 3),
    (CmdType::Delete, 4),
    (CmdType::Merge, 5),
    // A rule's DO NOTHING; real utility statements are not stored.
    (CmdType::Utility, 7),
];
const JOINS: [(JoinType, i32); 8] = [
    (JoinType::Inner, 0),
    (JoinType::Left, 1),
    (JoinType::Full, 2),
    (JoinType::Right, 3),
    (JoinType::Semi, 4),
    (JoinType::Anti, 5),
    (JoinType::RightSemi, 6),
    (JoinType::RightAnti, 7),
];
const OVERRIDES: [(OverridingKind, i32); 3] =
    [(OverridingKind::NotSet, 0), (OverridingKind::UserValue, 1), (OverridingKind::SystemValue, 2)];

pub(super) fn query(a: &mut A<'_>, q: &mut Query) -> Result<()> {
    check_depth()?;
    if q.utility.is_some() {
        return Err(PgError::unsupported("storing utility statements"));
    }
    a.node("QUERY", |a| {
        a.code("commandType", &mut q.command_type, &COMMANDS)?;
        a.fixed("querySource", "0")?;
        a.flag("canSetTag", &mut q.can_set_tag)?;
        a.fixed("utilityStmt", "<>")?;
        let mut result = q.result_relation.unwrap_or(0);
        a.num("resultRelation", &mut result)?;
        q.result_relation = (result > 0).then_some(result);
        a.flag("hasAggs", &mut q.has_aggs)?;
        a.flag("hasWindowFuncs", &mut q.has_window_funcs)?;
        a.flag("hasTargetSRFs", &mut q.has_target_srfs)?;
        a.flag("hasSubLinks", &mut q.has_sub_links)?;
        a.flag("hasDistinctOn", &mut q.has_distinct_on)?;
        a.flag("hasRecursive", &mut q.has_recursive)?;
        a.flag("hasModifyingCTE", &mut q.has_modifying_cte)?;
        a.flag("hasForUpdate", &mut q.has_for_update)?;
        a.flag("hasRowSecurity", &mut q.has_row_security)?;
        a.flag("hasGroupRTE", &mut q.has_group_rte)?;
        a.flag("isReturn", &mut q.is_return)?;
        a.list("cteList", &mut q.cte_list, cte)?;
        a.list("rtable", &mut q.rtable, rte)?;
        a.list("rteperminfos", &mut q.rteperminfos, perminfo)?;
        a.name("jointree")?;
        from(a, &mut q.jointree)?;
        a.list("mergeActionList", &mut q.merge_actions, merge_action)?;
        a.num("mergeTargetRelation", &mut q.merge_target_relation)?;
        opt(a, "mergeJoinCondition", &mut q.merge_join_condition)?;
        a.list("targetList", &mut q.target_list, target)?;
        a.code("override", &mut q.override_, &OVERRIDES)?;
        a.optional("onConflict", &mut q.on_conflict, |a, c| on_conflict(a, c))?;
        a.string("returningOldAlias", &mut q.returning_old_alias)?;
        a.string("returningNewAlias", &mut q.returning_new_alias)?;
        a.list("returningList", &mut q.returning_list, target)?;
        a.list("groupClause", &mut q.group_clause, sort_group)?;
        a.flag("groupDistinct", &mut q.group_distinct)?;
        a.list("groupingSets", &mut q.grouping_sets, grouping_set)?;
        opt(a, "havingQual", &mut q.having_qual)?;
        a.list("windowClause", &mut q.window_clause, window)?;
        a.list("distinctClause", &mut q.distinct_clause, sort_group)?;
        a.list("sortClause", &mut q.sort_clause, sort_group)?;
        opt(a, "limitOffset", &mut q.limit_offset)?;
        opt(a, "limitCount", &mut q.limit_count)?;
        a.code("limitOption", &mut q.limit_with_ties, &[(false, 0), (true, 1)])?;
        a.list("rowMarks", &mut q.row_marks, row_mark)?;
        a.optional("setOperations", &mut q.set_operations, |a, s| set_op(a, s))?;
        a.oids("constraintDeps", &mut q.constraint_deps)?;
        a.fixed("withCheckOptions", "<>")?;
        a.loc("stmt_location", &mut q.stmt_location)?;
        a.fixed("stmt_len", "-1")
    })
}

fn alias(a: &mut A<'_>, v: &mut Alias) -> Result<()> {
    a.node("ALIAS", |a| {
        a.text("aliasname", &mut v.aliasname)?;
        a.strings("colnames", &mut v.colnames)
    })
}

/// The three parallel lists of column types.
fn types(a: &mut A<'_>, names: [&str; 3], v: &mut Vec<TypeMod>) -> Result<()> {
    let mut oids: Vec<Oid> = v.iter().map(|t| t.oid).collect();
    let mut mods: Vec<i32> = v.iter().map(|t| t.typmod).collect();
    let mut colls: Vec<Oid> = v.iter().map(|t| t.collation).collect();
    a.oids(names[0], &mut oids)?;
    a.numbers(names[1], "i", &mut mods)?;
    a.oids(names[2], &mut colls)?;
    if a.reading() {
        if oids.len() != mods.len() || oids.len() != colls.len() {
            return Err(bad("column lists of different lengths"));
        }
        let all = oids.into_iter().zip(mods).zip(colls);
        *v = all.map(|((oid, typmod), collation)| TypeMod { oid, typmod, collation }).collect();
    }
    Ok(())
}

const COLTYPES: [&str; 3] = ["coltypes", "coltypmods", "colcollations"];

fn rte(a: &mut A<'_>, r: &mut RangeTblEntry) -> Result<()> {
    a.node("RANGETBLENTRY", |a| {
        a.optional("alias", &mut r.alias, alias)?;
        a.name("eref")?;
        alias(a, &mut r.eref)?;
        let mut kind = match &r.kind {
            RteKind::Relation { .. } => 0,
            RteKind::Subquery { .. } => 1,
            RteKind::Join(_) => 2,
            RteKind::Function { .. } => 3,
            RteKind::TableFunc(_) => 4,
            RteKind::Values { .. } => 5,
            RteKind::Cte { .. } => 6,
            RteKind::NamedTuplestore { .. } => 7,
            RteKind::Result => 8,
            RteKind::Group { .. } => 9,
        };
        a.num("rtekind", &mut kind)?;
        if a.reading() {
            r.kind = match kind {
                0 => RteKind::Relation {
                    relid: Oid::INVALID,
                    relkind: 0,
                    lock_mode: 0,
                    inh: false,
                    perminfoindex: 0,
                    table_sample: None,
                },
                1 => RteKind::Subquery { subquery: Box::default(), security_barrier: false, view: None },
                2 => RteKind::Join(JoinRte::default()),
                3 => RteKind::Function { functions: Vec::new(), ordinality: false },
                5 => RteKind::Values { lists: Vec::new(), types: Vec::new() },
                6 => RteKind::Cte { name: String::new(), levels_up: 0, self_reference: false, types: Vec::new() },
                8 => RteKind::Result,
                9 => RteKind::Group { exprs: Vec::new() },
                n => return Err(PgError::unsupported(format_args!("a stored range-table entry of kind {n}"))),
            };
        }
        match &mut r.kind {
            RteKind::Relation { relid, relkind, lock_mode, inh, perminfoindex, table_sample } => {
                a.oid("relid", relid)?;
                a.flag("inh", inh)?;
                a.char("relkind", relkind)?;
                a.num("rellockmode", lock_mode)?;
                a.num("perminfoindex", perminfoindex)?;
                a.optional("tablesample", table_sample, |a, s| {
                    a.node("TABLESAMPLECLAUSE", |a| {
                        a.oid("tsmhandler", &mut s.tsmhandler)?;
                        many(a, "args", &mut s.args)?;
                        opt(a, "repeatable", &mut s.repeatable)
                    })
                })?;
            }
            RteKind::Subquery { subquery, security_barrier, view } => {
                a.name("subquery")?;
                query(a, subquery)?;
                a.flag("security_barrier", security_barrier)?;
                let mut v = view.clone().unwrap_or_default();
                let mut kind = if view.is_some() { b'v' } else { 0 };
                a.oid("relid", &mut v.relid)?;
                a.fixed("inh", "false")?;
                a.char("relkind", &mut kind)?;
                a.num("rellockmode", &mut v.lock_mode)?;
                a.num("perminfoindex", &mut v.perminfoindex)?;
                if a.reading() {
                    *view = v.relid.is_valid().then_some(v);
                }
            }
            RteKind::Join(j) => {
                a.code("jointype", &mut j.jointype, &JOINS)?;
                a.num("joinmergedcols", &mut j.join_merged_cols)?;
                many(a, "joinaliasvars", &mut j.join_alias_vars)?;
                a.numbers("joinleftcols", "i", &mut j.join_left_cols)?;
                a.numbers("joinrightcols", "i", &mut j.join_right_cols)?;
                a.optional("join_using_alias", &mut j.join_using_alias, alias)?;
            }
            RteKind::Function { functions, ordinality } => {
                a.list("functions", functions, function)?;
                a.flag("funcordinality", ordinality)?;
            }
            RteKind::Values { lists, types: t } => {
                a.list("values_lists", lists, |a, l| a.plain_list(l, expr))?;
                types(a, COLTYPES, t)?;
            }
            RteKind::Cte { name, levels_up, self_reference, types: t } => {
                a.text("ctename", name)?;
                a.num("ctelevelsup", levels_up)?;
                a.flag("self_reference", self_reference)?;
                types(a, COLTYPES, t)?;
            }
            RteKind::NamedTuplestore { .. } => {
                return Err(PgError::internal("a transition table cannot be stored"));
            }
            RteKind::Result => {}
            RteKind::Group { exprs } => many(a, "groupexprs", exprs)?,
            RteKind::TableFunc(_) => return Err(PgError::unsupported("storing XMLTABLE and JSON_TABLE")),
        }
        a.flag("lateral", &mut r.lateral)?;
        a.flag("inFromCl", &mut r.in_from_cl)?;
        many(a, "securityQuals", &mut r.security_quals)
    })
}

fn function(a: &mut A<'_>, f: &mut RangeTblFunction) -> Result<()> {
    a.node("RANGETBLFUNCTION", |a| {
        one(a, "funcexpr", &mut f.funcexpr)?;
        a.num("funccolcount", &mut f.colcount)?;
        let (mut names, mut cols) = (Vec::new(), Vec::new());
        if f.has_coldeflist {
            for c in &f.desc.attrs {
                names.push(c.name.to_string());
                cols.push(crate::relation::attr_type(c));
            }
        }
        a.strings("funccolnames", &mut names)?;
        types(a, ["funccoltypes", "funccoltypmods", "funccolcollations"], &mut cols)?;
        a.fixed("funcparams", "(b)")?;
        if a.reading() {
            let rows = Rows(a.catalog);
            f.has_coldeflist = !names.is_empty();
            f.desc = if f.has_coldeflist {
                let mut attrs = Vec::new();
                for (n, t) in names.iter().zip(cols) {
                    attrs.push(rows.attribute_of(n, t)?);
                }
                Arc::new(TupleDesc::new(attrs))
            } else {
                match rows.func_class(&f.funcexpr)? {
                    FuncClass::Composite(d) => d,
                    _ => {
                        let t = f.funcexpr.type_mod();
                        Arc::new(TupleDesc::new(vec![rows.attribute_of("", t)?]))
                    }
                }
            };
        }
        Ok(())
    })
}

fn perminfo(a: &mut A<'_>, p: &mut RtePermissionInfo) -> Result<()> {
    // Sets of columns are stored shifted by seven, so that system columns fit. (FirstLowInvalidHeapAttributeNumber)
    fn columns(a: &mut A<'_>, name: &str, v: &mut Vec<AttrNumber>) -> Result<()> {
        let mut n: Vec<i32> = v.iter().map(|c| i32::from(*c) + 7).collect();
        a.numbers(name, "b", &mut n)?;
        if a.reading() {
            *v = n.into_iter().map(|c| (c - 7) as AttrNumber).collect();
        }
        Ok(())
    }
    a.node("RTEPERMISSIONINFO", |a| {
        a.oid("relid", &mut p.relid)?;
        a.flag("inh", &mut p.inh)?;
        a.num("requiredPerms", &mut p.required_perms)?;
        a.oid("checkAsUser", &mut p.check_as_user)?;
        columns(a, "selectedCols", &mut p.selected_cols)?;
        columns(a, "insertedCols", &mut p.inserted_cols)?;
        columns(a, "updatedCols", &mut p.updated_cols)
    })
}

fn from(a: &mut A<'_>, f: &mut FromExpr) -> Result<()> {
    a.node("FROMEXPR", |a| {
        a.list("fromlist", &mut f.fromlist, join_node)?;
        opt(a, "quals", &mut f.quals)
    })
}

fn rt_ref(a: &mut A<'_>, i: &mut RtIndex) -> Result<()> {
    a.node("RANGETBLREF", |a| a.num("rtindex", i))
}

fn join_node(a: &mut A<'_>, n: &mut JoinTreeNode) -> Result<()> {
    check_depth()?;
    if a.reading() {
        *n = match a.label()? {
            "RANGETBLREF" => JoinTreeNode::RangeTblRef(0),
            "JOINEXPR" => JoinTreeNode::JoinExpr(Box::default()),
            "FROMEXPR" => JoinTreeNode::FromExpr(Box::default()),
            l => return Err(bad(format_args!("{l} in a join tree"))),
        };
    }
    match n {
        JoinTreeNode::RangeTblRef(i) => rt_ref(a, i),
        JoinTreeNode::FromExpr(f) => from(a, f),
        JoinTreeNode::JoinExpr(j) => a.node("JOINEXPR", |a| {
            a.code("jointype", &mut j.jointype, &JOINS)?;
            a.flag("isNatural", &mut j.is_natural)?;
            a.name("larg")?;
            join_node(a, &mut j.larg)?;
            a.name("rarg")?;
            join_node(a, &mut j.rarg)?;
            a.strings("usingClause", &mut j.using_clause)?;
            a.optional("join_using_alias", &mut j.join_using_alias, alias)?;
            opt(a, "quals", &mut j.quals)?;
            a.optional("alias", &mut j.alias, alias)?;
            a.num("rtindex", &mut j.rtindex)
        }),
    }
}

fn cte(a: &mut A<'_>, c: &mut CommonTableExpr) -> Result<()> {
    use CteMaterialize::*;
    a.node("COMMONTABLEEXPR", |a| {
        a.text("ctename", &mut c.ctename)?;
        a.strings("aliascolnames", &mut c.aliascolnames)?;
        a.code("ctematerialized", &mut c.ctematerialized, &[(Default, 0), (Always, 1), (Never, 2)])?;
        a.name("ctequery")?;
        query(a, &mut c.ctequery)?;
        a.optional("search_clause", &mut c.search_clause, |a, s| {
            a.node("CTESEARCHCLAUSE", |a| {
                a.strings("search_col_list", &mut s.col_list)?;
                a.flag("search_breadth_first", &mut s.breadth_first)?;
                a.text("search_seq_column", &mut s.seq_column)?;
                a.loc("location", &mut s.location)
            })
        })?;
        a.optional("cycle_clause", &mut c.cycle_clause, |a, y| {
            a.node("CTECYCLECLAUSE", |a| {
                a.strings("cycle_col_list", &mut y.col_list)?;
                a.text("cycle_mark_column", &mut y.mark_column)?;
                one(a, "cycle_mark_value", &mut y.mark_value)?;
                one(a, "cycle_mark_default", &mut y.mark_default)?;
                a.text("cycle_path_column", &mut y.path_column)?;
                a.loc("location", &mut y.location)?;
                a.oid("cycle_mark_type", &mut y.mark_type.oid)?;
                a.num("cycle_mark_typmod", &mut y.mark_type.typmod)?;
                a.oid("cycle_mark_collation", &mut y.mark_type.collation)?;
                a.oid("cycle_mark_neop", &mut y.mark_neop)
            })
        })?;
        a.loc("location", &mut c.location)?;
        a.flag("cterecursive", &mut c.cterecursive)?;
        a.num("cterefcount", &mut c.cterefcount)?;
        a.strings("ctecolnames", &mut c.ctecolnames)?;
        types(a, ["ctecoltypes", "ctecoltypmods", "ctecolcollations"], &mut c.ctecoltypes)
    })
}

fn merge_action(a: &mut A<'_>, m: &mut MergeAction) -> Result<()> {
    use MergeMatchKind::*;
    let kinds = [(Matched, 0), (NotMatchedBySource, 1), (NotMatchedByTarget, 2)];
    // DO NOTHING has a number of its own.
    let commands = [(CmdType::Update, 2), (CmdType::Insert, 3), (CmdType::Delete, 4), (CmdType::Utility, 7)];
    a.node("MERGEACTION", |a| {
        a.code("matchKind", &mut m.match_kind, &kinds)?;
        a.code("commandType", &mut m.command_type, &commands)?;
        a.code("override", &mut m.override_, &OVERRIDES)?;
        opt(a, "qual", &mut m.qual)?;
        a.list("targetList", &mut m.target_list, target)?;
        a.numbers("updateColnos", "i", &mut m.update_colnos)
    })
}

fn on_conflict(a: &mut A<'_>, c: &mut OnConflictExpr) -> Result<()> {
    a.node("ONCONFLICTEXPR", |a| {
        a.code("action", &mut c.update, &[(false, 1), (true, 2)])?;
        a.list("arbiterElems", &mut c.arbiter_elems, inference)?;
        opt(a, "arbiterWhere", &mut c.arbiter_where)?;
        a.oid("constraint", &mut c.constraint)?;
        a.list("onConflictSet", &mut c.on_conflict_set, target)?;
        opt(a, "onConflictWhere", &mut c.on_conflict_where)?;
        a.num("exclRelIndex", &mut c.excl_rel_index)?;
        a.list("exclRelTlist", &mut c.excl_rel_tlist, target)
    })
}

fn grouping_set(a: &mut A<'_>, g: &mut GroupingSet) -> Result<()> {
    a.node("GROUPINGSET", |a| {
        let mut kind = match g {
            GroupingSet::Empty => 0,
            GroupingSet::Simple(_) => 1,
            GroupingSet::Rollup(_) => 2,
            GroupingSet::Cube(_) => 3,
            GroupingSet::Sets(_) => 4,
        };
        a.num("kind", &mut kind)?;
        if a.reading() {
            *g = match kind {
                0 => GroupingSet::Empty,
                1 => GroupingSet::Simple(Vec::new()),
                2 => GroupingSet::Rollup(Vec::new()),
                3 => GroupingSet::Cube(Vec::new()),
                _ => GroupingSet::Sets(Vec::new()),
            };
        }
        match g {
            GroupingSet::Empty => a.fixed("content", "<>")?,
            GroupingSet::Simple(v) => a.numbers("content", "i", v)?,
            GroupingSet::Rollup(v) | GroupingSet::Cube(v) | GroupingSet::Sets(v) => {
                a.list("content", v, grouping_set)?;
            }
        }
        a.fixed("location", "-1")
    })
}

fn window(a: &mut A<'_>, w: &mut WindowClause) -> Result<()> {
    a.node("WINDOWCLAUSE", |a| {
        a.string("name", &mut w.name)?;
        a.string("refname", &mut w.refname)?;
        a.list("partitionClause", &mut w.partition_clause, sort_group)?;
        a.list("orderClause", &mut w.order_clause, sort_group)?;
        a.num("frameOptions", &mut w.frame_options)?;
        opt(a, "startOffset", &mut w.start_offset)?;
        opt(a, "endOffset", &mut w.end_offset)?;
        a.oid("startInRangeFunc", &mut w.start_in_range_func)?;
        a.oid("endInRangeFunc", &mut w.end_in_range_func)?;
        a.oid("inRangeColl", &mut w.in_range_coll)?;
        a.flag("inRangeAsc", &mut w.in_range_asc)?;
        a.flag("inRangeNullsFirst", &mut w.in_range_nulls_first)?;
        a.num("winref", &mut w.winref)?;
        a.flag("copiedOrder", &mut w.copied_order)
    })
}

fn row_mark(a: &mut A<'_>, m: &mut RowMarkClause) -> Result<()> {
    use LockClauseStrength::*;
    use LockWaitPolicy::*;
    a.node("ROWMARKCLAUSE", |a| {
        a.num("rti", &mut m.rti)?;
        let all = [(None, 0), (ForKeyShare, 1), (ForShare, 2), (ForNoKeyUpdate, 3), (ForUpdate, 4)];
        a.code("strength", &mut m.strength, &all)?;
        a.code("waitPolicy", &mut m.wait_policy, &[(Block, 0), (Skip, 1), (Error, 2)])?;
        a.flag("pushedDown", &mut m.pushed_down)
    })
}

fn set_op(a: &mut A<'_>, s: &mut SetOpNode) -> Result<()> {
    check_depth()?;
    if a.reading() && a.label()? == "SETOPERATIONSTMT" {
        *s = SetOpNode::Op {
            op: SetOperation::Union,
            all: false,
            larg: Box::default(),
            rarg: Box::default(),
            col_types: Vec::new(),
            group_clauses: Vec::new(),
        };
    }
    match s {
        SetOpNode::Leaf(i) => rt_ref(a, i),
        SetOpNode::Op { op, all, larg, rarg, col_types, group_clauses } => a.node("SETOPERATIONSTMT", |a| {
            let ops = [(SetOperation::Union, 1), (SetOperation::Intersect, 2), (SetOperation::Except, 3)];
            a.code("op", op, &ops)?;
            a.flag("all", all)?;
            a.name("larg")?;
            set_op(a, larg)?;
            a.name("rarg")?;
            set_op(a, rarg)?;
            types(a, ["colTypes", "colTypmods", "colCollations"], col_types)?;
            a.list("groupClauses", group_clauses, sort_group)
        }),
    }
}
