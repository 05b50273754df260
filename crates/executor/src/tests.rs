//! Plans put together by hand over VALUES, run without storage.

use std::sync::Arc;

use analyze::query::*;
use base::error::Location;
use base::{Oid, Result};
use catalog::Catalog;
use planner::*;
use types::Datum;
use types::oid::*;

use crate::{ExecContext, Execution, StartOptions};

const INT4: TypeMod = TypeMod { oid: INT4OID, typmod: -1, collation: Oid(0) };
const PLUS: (Oid, Oid) = (Oid(551), Oid(177));
const DIV: (Oid, Oid) = (Oid(528), Oid(154));
const EQ: (Oid, Oid) = (Oid(96), Oid(65));
const GT: (Oid, Oid) = (Oid(521), Oid(147));
const INT4_LT: Oid = Oid(97);

fn cx() -> ExecContext {
    let registry = functions::registry();
    ExecContext::new(Catalog::bootstrap(), Arc::new(registry))
}
fn int(v: Option<i32>) -> Expr {
    let value = v.map_or(Datum::Null, Datum::i32);
    Expr::Const(Const { ty: INT4, len: 4, byval: true, value, location: Location::UNKNOWN })
}
fn op((opno, opfuncid): (Oid, Oid), a: Expr, b: Expr) -> Expr {
    let result = if opno == PLUS.0 || opno == DIV.0 { INT4OID } else { BOOLOID };
    Expr::OpExpr(Box::new(OpExpr {
        opno,
        opfuncid,
        opresulttype: result,
        opretset: false,
        opcollid: Oid(0),
        inputcollid: Oid(0),
        args: vec![a, b],
        location: Location::UNKNOWN,
    }))
}
fn var(varno: RtIndex, n: i16) -> Expr {
    Expr::Var(Var {
        varno,
        varattno: n,
        vartype: INT4,
        varnullingrels: Vec::new(),
        varlevelsup: 0,
        varreturning: VarReturning::Default,
        varnosyn: varno,
        varattnosyn: n,
        location: Location::UNKNOWN,
    })
}
fn list(exprs: Vec<Expr>) -> Vec<TargetEntry> {
    let entry = |(i, expr): (usize, Expr)| TargetEntry {
        expr,
        resno: i as i16 + 1,
        resname: None,
        ressortgroupref: 0,
        resorigtbl: Oid(0),
        resorigcol: 0,
        resjunk: false,
    };
    exprs.into_iter().enumerate().map(entry).collect()
}
fn node(node: PlanNode, targets: Vec<Expr>) -> Plan {
    Plan { targetlist: list(targets), ..Plan::new(node) }
}
/// A VALUES scan of rows of two integers.
fn values(relid: RtIndex, rows: &[(i32, Option<i32>)]) -> Plan {
    let lists = rows.iter().map(|(a, b)| vec![int(Some(*a)), int(*b)]).collect();
    node(PlanNode::ValuesScan { scanrelid: relid, lists }, vec![var(relid, 1), var(relid, 2)])
}
fn statement(plan: Plan) -> PlannedStmt {
    PlannedStmt {
        command_type: CmdType::Select,
        can_set_tag: true,
        has_returning: false,
        has_modifying_cte: false,
        plan,
        rtable: Vec::new(),
        perminfos: Vec::new(),
        result_relations: Vec::new(),
        subplans: Vec::new(),
        row_marks: Vec::new(),
        exec_params: vec![INT4OID; 4],
        result_desc: Arc::default(),
        relation_oids: Vec::new(),
        depends_on: Vec::new(),
        depends_on_role: false,
        transient: false,
        stmt_location: Location::UNKNOWN,
        stmt_len: 0,
    }
}
fn run(plan: Plan) -> Result<Vec<Vec<Option<i64>>>> {
    let mut cx = cx();
    let planned = statement(plan);
    let mut e = Execution::start(Arc::new(planned), &mut cx, StartOptions::default())?;
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    e.run(&mut cx, 0, &mut rows)?;
    let number = |d: &Datum| if d.is_null() { None } else { Some(d.as_ref().word() as i64) };
    Ok(rows.iter().map(|r| r.iter().map(number).collect()).collect())
}
fn check(plan: Plan, expected: &[&[Option<i64>]]) {
    assert_eq!(run(plan).unwrap(), expected);
}

#[test]
fn one_plus_one() {
    let plan = node(PlanNode::Result { constant_qual: Vec::new() }, vec![op(PLUS, int(Some(1)), int(Some(1)))]);
    check(plan, &[&[Some(2)]]);
}

#[test]
fn an_execution_runs_again_with_other_parameters() {
    let param = |id| Expr::Param(Param { kind: ParamKind::Extern, id, ty: INT4, location: Location::UNKNOWN });
    let plan = node(PlanNode::Result { constant_qual: Vec::new() }, vec![op(PLUS, param(1), param(2))]);
    let mut cx = cx();
    let planned = Arc::new(PlannedStmt { exec_params: Vec::new(), ..statement(plan) });
    let params = |a, b| -> Arc<[Datum]> { Arc::from([Datum::i32(a), Datum::i32(b)]) };
    let options = StartOptions { params: params(1, 2), ..StartOptions::default() };
    let mut e = Execution::start(planned, &mut cx, options).unwrap();
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    for (a, b) in [(1, 2), (3, 4), (i32::MAX, 1)] {
        let result = e.run(&mut cx, 0, &mut rows);
        if a == i32::MAX {
            assert_eq!(result.unwrap_err().sqlstate(), base::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE);
            break;
        }
        assert_eq!(result.unwrap(), 1);
        e.finish(&mut cx).unwrap();
        assert!(e.rest().unwrap());
        let next = if b == 2 { params(3, 4) } else { params(i32::MAX, 1) };
        e.restart(&mut cx, next, None).unwrap();
    }
    assert_eq!(rows, [[Datum::i32(3)], [Datum::i32(7)]]);
    // Operators that do not say how to run again are built anew.
    let mut e =
        Execution::start(Arc::new(statement(values(1, &[(1, None)]))), &mut cx, StartOptions::default()).unwrap();
    e.run(&mut cx, 0, &mut ()).unwrap();
    assert!(!e.rest().unwrap());
}

#[test]
fn case_evaluates_only_what_it_must() {
    // CASE WHEN b = 0 THEN 0 ELSE a / b END over a whole batch, with a null.
    let case = Expr::CaseExpr(Box::new(CaseExpr {
        casetype: INT4OID,
        casecollid: Oid(0),
        arg: None,
        args: vec![CaseWhen {
            expr: op(EQ, var(1, 2), int(Some(0))),
            result: int(Some(0)),
            location: Location::UNKNOWN,
        }],
        defresult: op(DIV, var(1, 1), var(1, 2)),
        location: Location::UNKNOWN,
    }));
    let mut plan = values(1, &[(10, Some(0)), (10, Some(5)), (7, None)]);
    plan.targetlist = list(vec![case]);
    check(plan.clone(), &[&[Some(0)], &[Some(2)], &[None]]);
    plan.targetlist = list(vec![op(DIV, var(1, 1), var(1, 2))]);
    assert_eq!(run(plan).unwrap_err().sqlstate(), base::sqlstate::DIVISION_BY_ZERO);
}

#[test]
fn and_or_with_nulls() {
    let bool_expr = |boolop, args| Expr::BoolExpr(Box::new(BoolExpr { boolop, args, location: Location::UNKNOWN }));
    let (a, b) = (op(GT, var(1, 1), int(Some(1))), op(GT, var(1, 2), int(Some(1))));
    let mut plan = values(1, &[(2, Some(2)), (0, None), (2, None), (0, Some(0))]);
    plan.targetlist =
        list(vec![bool_expr(BoolExprType::And, vec![a.clone(), b.clone()]), bool_expr(BoolExprType::Or, vec![b, a])]);
    check(plan, &[&[Some(1), Some(1)], &[Some(0), None], &[None, Some(1)], &[Some(0), Some(0)]]);
}

fn hash_join(jointype: JoinType, targets: Vec<Expr>) -> Plan {
    let mut hash =
        node(PlanNode::Hash { hashkeys: vec![var(OUTER_VAR, 1)] }, vec![var(OUTER_VAR, 1), var(OUTER_VAR, 2)]);
    hash.outer = Some(Box::new(values(2, &[(1, Some(100)), (2, Some(200)), (2, Some(201)), (9, None)])));
    let mut join = node(
        PlanNode::HashJoin {
            jointype,
            joinqual: Vec::new(),
            inner_unique: false,
            hashclauses: vec![op(EQ, var(OUTER_VAR, 1), var(INNER_VAR, 1))],
            hashkeys: vec![var(OUTER_VAR, 1)],
            hashoperators: vec![EQ.0],
            hashcollations: vec![Oid(0)],
        },
        targets,
    );
    join.outer = Some(Box::new(values(1, &[(1, Some(10)), (2, Some(20)), (3, Some(30))])));
    join.inner = Some(Box::new(hash));
    join
}

#[test]
fn hash_joins() {
    let both = || vec![var(OUTER_VAR, 2), var(INNER_VAR, 2)];
    let pairs: [&[Option<i64>]; 3] = [&[Some(10), Some(100)], &[Some(20), Some(200)], &[Some(20), Some(201)]];
    check(hash_join(JoinType::Inner, both()), &pairs);
    check(hash_join(JoinType::Left, both()), &[pairs[0], pairs[1], pairs[2], &[Some(30), None]]);
    check(hash_join(JoinType::Full, both()), &[pairs[0], pairs[1], pairs[2], &[Some(30), None], &[None, None]]);
    check(hash_join(JoinType::Semi, vec![var(OUTER_VAR, 2)]), &[&[Some(10)], &[Some(20)]]);
    check(hash_join(JoinType::Anti, vec![var(OUTER_VAR, 2)]), &[&[Some(30)]]);
    check(hash_join(JoinType::RightAnti, vec![var(INNER_VAR, 1)]), &[&[Some(9)]]);
}

#[test]
fn nested_loop_passes_parameters() {
    let param = Expr::Param(Param { kind: ParamKind::Exec, id: 0, ty: INT4, location: Location::UNKNOWN });
    let mut inner = values(2, &[(1, Some(100)), (2, Some(200))]);
    inner.qual = vec![op(EQ, var(2, 1), param)];
    inner.params = vec![0];
    let mut join = node(
        PlanNode::NestLoop {
            jointype: JoinType::Left,
            joinqual: Vec::new(),
            inner_unique: false,
            params: vec![NestLoopParam { param: 0, value: var(OUTER_VAR, 1) }],
        },
        vec![var(OUTER_VAR, 1), var(INNER_VAR, 2)],
    );
    join.outer = Some(Box::new(values(1, &[(2, None), (5, None), (1, None)])));
    join.inner = Some(Box::new(inner));
    check(join, &[&[Some(2), Some(200)], &[Some(5), None], &[Some(1), Some(100)]]);
}

#[test]
fn sort_and_limit() {
    let keys = vec![SortCol { column: 2, sortop: INT4_LT, collation: Oid(0), nulls_first: false }];
    let mut sort = node(PlanNode::Sort { keys }, vec![var(OUTER_VAR, 1), var(OUTER_VAR, 2)]);
    sort.outer = Some(Box::new(values(1, &[(1, Some(9)), (2, None), (3, Some(4)), (4, Some(7))])));
    let mut limit = node(
        PlanNode::Limit {
            offset: Some(Expr::Const(Const {
                ty: TypeMod { oid: INT8OID, typmod: -1, collation: Oid(0) },
                len: 8,
                byval: true,
                value: Datum::i64(1),
                location: Location::UNKNOWN,
            })),
            count: None,
            with_ties: false,
            ties_columns: Vec::new(),
        },
        vec![var(OUTER_VAR, 1), var(OUTER_VAR, 2)],
    );
    limit.outer = Some(Box::new(sort));
    check(limit, &[&[Some(4), Some(7)], &[Some(1), Some(9)], &[Some(2), None]]);
}

#[test]
fn grouping_counts() {
    let count = Expr::Aggref(Box::new(Aggref {
        aggfnoid: Oid(2803),
        aggtype: INT8OID,
        aggcollid: Oid(0),
        inputcollid: Oid(0),
        aggtranstype: INT8OID,
        aggargtypes: Vec::new(),
        aggdirectargs: Vec::new(),
        args: Vec::new(),
        aggorder: Vec::new(),
        aggdistinct: Vec::new(),
        aggfilter: None,
        aggstar: true,
        aggvariadic: false,
        aggkind: b'n',
        agglevelsup: 0,
        location: Location::UNKNOWN,
    }));
    for (strategy, grouped) in [(AggStrategy::Hashed, true), (AggStrategy::Sorted, true), (AggStrategy::Plain, false)] {
        let columns = if grouped { vec![GroupCol { column: 2, eqop: EQ.0, collation: Oid(0) }] } else { Vec::new() };
        let targets = if grouped { vec![var(OUTER_VAR, 2), count.clone()] } else { vec![count.clone()] };
        let mut agg = node(PlanNode::Agg { strategy, columns, num_groups: 2.0, phases: Vec::new() }, targets);
        agg.outer = Some(Box::new(values(1, &[(1, Some(5)), (2, Some(5)), (3, None), (4, None), (5, None)])));
        match grouped {
            true => check(agg, &[&[Some(5), Some(2)], &[None, Some(3)]]),
            false => check(agg, &[&[Some(5)]]),
        }
    }
}

#[test]
fn explain_shows_the_tree() {
    let rte = |name: &str| RangeTblEntry {
        alias: None,
        eref: Alias { aliasname: name.into(), colnames: vec!["a".into(), "b".into()] },
        kind: RteKind::Values { lists: Vec::new(), types: vec![INT4; 2] },
        lateral: false,
        in_from_cl: true,
        security_quals: Vec::new(),
    };
    let mut plan = hash_join(JoinType::Left, vec![var(OUTER_VAR, 1)]);
    plan.qual = vec![op(GT, var(INNER_VAR, 2), int(Some(-5)))];
    let planned = PlannedStmt { rtable: vec![rte("x"), rte("x")], ..statement(plan) };
    let options = crate::explain::ExplainOptions { costs: false, ..Default::default() };
    let mut cx = cx();
    let lines = crate::explain::explain(&mut cx, &planned, None, &options, (0.0, Default::default()), None, None).unwrap();
    let expected = [
        "Hash Left Join",
        "  Hash Cond: (x.a = x_1.a)",
        "  Filter: (x_1.b > '-5'::integer)",
        "  ->  Values Scan on x",
        "  ->  Hash",
        "        ->  Values Scan on x x_1",
    ];
    let expected: Vec<String> = expected.iter().map(|s| s.replace(" on x x_1", " on x_1")).collect();
    assert_eq!(lines, expected);
}

/// Parses, analyzes, plans and runs a query.
fn sql(text: &str) -> Result<Vec<Vec<Option<i64>>>> {
    let mut cx = cx();
    let mut result = Vec::new();
    for stmt in parser::parse(text)? {
        let mut acx = analyze::AnalyzeContext::new(cx.catalog.clone(), &mut cx);
        let query = analyze::analyze(&mut acx, &stmt, text, &mut analyze::ParamTypes::None)?;
        for q in analyze::rewrite(&mut acx, query)? {
            let planned = crate::support::plan_query(&mut cx, q, &PlanOptions::default())?;
            let mut e = Execution::start(Arc::new(planned), &mut cx, StartOptions::default())?;
            let mut rows: Vec<Vec<Datum>> = Vec::new();
            e.run(&mut cx, 0, &mut rows)?;
            let number = |d: &Datum| if d.is_null() { None } else { Some(d.as_ref().word() as i64) };
            result = rows.iter().map(|r| r.iter().map(number).collect()).collect();
        }
    }
    Ok(result)
}

#[test]
fn queries() {
    let t = "(VALUES (1, 10), (2, 20), (2, 21), (3, NULL)) AS t(a, b)";
    let u = "(VALUES (1, 100), (2, 200), (9, 900)) AS u(a, c)";
    let check = |text: String, expected: &str| {
        let rows = match sql(&text) {
            Ok(rows) => rows,
            Err(e) => panic!("{text}: {e:?}"),
        };
        let show = |v: &Option<i64>| v.map_or("-".to_owned(), |n| n.to_string());
        let rows: Vec<String> = rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join(",")).collect();
        assert_eq!(rows.join(" "), expected, "{text}");
    };
    check("SELECT 1+1".into(), "2");
    check(format!("SELECT a, b FROM {t} WHERE a > 1 ORDER BY b DESC"), "3,- 2,21 2,20");
    check(format!("SELECT t.a, c FROM {t} JOIN {u} ON t.a = u.a ORDER BY b"), "1,100 2,200 2,200");
    check(format!("SELECT t.a, c FROM {t} LEFT JOIN {u} ON t.a = u.a ORDER BY b"), "1,100 2,200 2,200 3,-");
    check(format!("SELECT t.b, u.c FROM {t} FULL JOIN {u} USING (a) ORDER BY a, b"), "10,100 20,200 21,200 -,- -,900");
    check(format!("SELECT a, count(*) FROM {t} GROUP BY a HAVING count(*) > 0 ORDER BY a"), "1,1 2,2 3,1");
    check(format!("SELECT DISTINCT a FROM {t} ORDER BY a DESC LIMIT 2"), "3 2");
    check(format!("SELECT a FROM {t} WHERE a IN (SELECT a FROM {u}) ORDER BY b"), "1 2 2");
    check(format!("SELECT a FROM {t} WHERE NOT EXISTS (SELECT 1 FROM {u} WHERE u.a = t.a)"), "3");
    check(format!("SELECT a, (SELECT c FROM {u} WHERE u.a = t.a) FROM {t} ORDER BY b"), "1,100 2,200 2,200 3,-");
    check(format!("SELECT a FROM {t} UNION SELECT a FROM {u} ORDER BY a"), "1 2 3 9");
    check(format!("SELECT a FROM {t} INTERSECT ALL SELECT a FROM {u} ORDER BY 1"), "1 2");
    check(format!("WITH x AS (SELECT a FROM {t}) SELECT x.a FROM x, x y WHERE x.a = y.a AND x.a > 2"), "3");
    check(
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE 5 > n) SELECT n FROM r".into(),
        "1 2 3 4 5",
    );
    check(
        format!("SELECT a, b, row_number() OVER (PARTITION BY a ORDER BY b) FROM {t} ORDER BY b"),
        "1,10,1 2,20,1 2,21,2 3,-,1",
    );
    check(
        format!("SELECT t.a, x.c FROM {t}, LATERAL (SELECT c FROM {u} WHERE u.a = t.a) x WHERE t.a > 1 ORDER BY b"),
        "2,200 2,200",
    );
    check(format!("SELECT CASE a WHEN 1 THEN 100 ELSE b + 1 END FROM {t} ORDER BY b"), "100 21 22 -");
}
