//! SEARCH and CYCLE of recursive CTEs: the query gets further columns that carry the order, the mark and the path along.
//!
//! Both terms are wrapped: `SELECT columns, start values FROM (first term)` and `SELECT columns, next values FROM (second term)`,
//! where the second term also hands on those columns of its reference to the CTE.
//!
//! PostgreSQL: `rewriteSearchCycle.c`.

use analyze::query::*;
use base::error::Location;
use base::{Oid, PgError, Result};
use types::Datum;
use types::oid::*;

use crate::util::*;

const INT8INC: Oid = Oid(1219);
const ARRAY_CAT: Oid = Oid(383);
const RECORD_EQ: Oid = Oid(2988);

fn plain(oid: Oid) -> TypeMod {
    TypeMod { oid, typmod: -1, collation: Oid::INVALID }
}

fn call(funcid: Oid, result: Oid, args: Vec<Expr>) -> Expr {
    Expr::FuncExpr(Box::new(FuncExpr {
        funcid,
        funcresulttype: result,
        funcresulttypmod: -1,
        funcretset: false,
        funcvariadic: false,
        funcformat: CoercionForm::ExplicitCall,
        funccollid: Oid::INVALID,
        inputcollid: Oid::INVALID,
        args,
        location: Location::UNKNOWN,
    }))
}

fn row(args: Vec<Expr>, colnames: Vec<String>) -> Expr {
    Expr::RowExpr(Box::new(RowExpr {
        args,
        row_typeid: RECORDOID,
        row_format: CoercionForm::ImplicitCast,
        colnames,
        location: Location::UNKNOWN,
    }))
}

fn array_of(row: Expr) -> Expr {
    Expr::ArrayExpr(Box::new(ArrayExpr {
        array_typeid: RECORDARRAYOID,
        array_collid: Oid::INVALID,
        element_typeid: RECORDOID,
        elements: vec![row],
        multidims: false,
        location: Location::UNKNOWN,
    }))
}

/// The columns of a clause as a row.
fn row_of(cte: &CommonTableExpr, names: &[String], first: Option<Expr>) -> Expr {
    let (mut args, mut colnames) = (Vec::new(), Vec::new());
    if let Some(e) = first {
        args.push(e);
        colnames.push("*DEPTH*".to_owned());
    }
    for n in names {
        let Some(at) = cte.ctecolnames.iter().position(|c| c == n) else { continue };
        args.push(make_var(1, at as i16 + 1, cte.ctecoltypes[at]));
        colnames.push(n.clone());
    }
    row(args, colnames)
}

fn alias(name: &str, colnames: Vec<String>) -> Alias {
    Alias { aliasname: name.to_owned(), colnames }
}

/// `SELECT columns FROM (sub) name`
fn wrap(cte: &CommonTableExpr, sub: Query, name: &str, colnames: Vec<String>) -> Query {
    let mut q = Query::new(CmdType::Select);
    q.can_set_tag = true;
    q.rtable.push(RangeTblEntry {
        alias: Some(alias(name, Vec::new())),
        eref: alias(name, colnames),
        kind: RteKind::Subquery { subquery: Box::new(sub), security_barrier: false, view: None },
        lateral: false,
        in_from_cl: true,
        security_quals: Vec::new(),
    });
    q.jointree.fromlist = vec![JoinTreeNode::RangeTblRef(1)];
    for (i, (n, ty)) in cte.ctecolnames.iter().zip(&cte.ctecoltypes).enumerate() {
        q.target_list.push(tle(make_var(1, i as i16 + 1, *ty), i as i16 + 1, Some(n.clone()), false));
    }
    q
}

fn add(q: &mut Query, e: Expr, name: &str) {
    let n = q.target_list.len() as i16 + 1;
    q.target_list.push(tle(e, n, Some(name.to_owned()), false));
}

/// Rewrites a CTE that has one of the clauses. (PostgreSQL: `rewriteSearchAndCycle`)
pub(crate) fn rewrite(cat: &catalog::Catalog, cte: &mut CommonTableExpr) -> Result<()> {
    if !cte.cterecursive || (cte.search_clause.is_none() && cte.cycle_clause.is_none()) {
        return Ok(());
    }
    let mut q = (*cte.ctequery).clone();
    let odd = || PgError::internal("a recursive CTE that is not a union of two terms");
    let Some(tree) = q.set_operations.as_deref_mut() else { return Err(odd()) };
    let SetOpNode::Op { all, larg, rarg, col_types, group_clauses, .. } = tree else { return Err(odd()) };
    let (SetOpNode::Leaf(l), SetOpNode::Leaf(r)) = (&**larg, &**rarg) else { return Err(odd()) };
    let (l, r) = (*l as usize - 1, *r as usize - 1);
    let width = cte.ctecolnames.len() as i16;

    // The further columns: name, type.
    let mut more: Vec<(String, TypeMod)> = Vec::new();
    if let Some(s) = &cte.search_clause {
        more.push((s.seq_column.clone(), plain(if s.breadth_first { RECORDOID } else { RECORDARRAYOID })));
    }
    if let Some(c) = &cte.cycle_clause {
        more.push((c.mark_column.clone(), c.mark_type));
        more.push((c.path_column.clone(), plain(RECORDARRAYOID)));
    }
    let seq = width + 1;
    let mark = width + 1 + i16::from(cte.search_clause.is_some());
    let path = mark + 1;
    let int8 = |v: i64| {
        let (ty, value) = (plain(INT8OID), Datum::i64(v));
        Expr::Const(Const { ty, len: 8, byval: true, value, location: Location::UNKNOWN })
    };

    // First term.
    let RteKind::Subquery { subquery, .. } = &mut q.rtable[l].kind else { return Err(odd()) };
    // One level deeper now.
    let mut inner = std::mem::take(&mut **subquery);
    crate::levels::shift_query_levels(&mut inner, 1, 1)?;
    let mut first = wrap(cte, inner, "*TLOCRN*", cte.ctecolnames.clone());
    if let Some(s) = &cte.search_clause {
        let e = match s.breadth_first {
            true => row_of(cte, &s.col_list, Some(int8(0))),
            false => array_of(row_of(cte, &s.col_list, None)),
        };
        add(&mut first, e, &s.seq_column);
    }
    if let Some(c) = &cte.cycle_clause {
        add(&mut first, c.mark_default.clone(), &c.mark_column);
        add(&mut first, array_of(row_of(cte, &c.col_list, None)), &c.path_column);
    }
    **subquery = first;
    q.rtable[l].eref.colnames.extend(more.iter().map(|m| m.0.clone()));

    // Second term: the reference to the CTE hands the columns on.
    let RteKind::Subquery { subquery, .. } = &mut q.rtable[r].kind else { return Err(odd()) };
    let mut inner = std::mem::take(&mut **subquery);
    crate::levels::shift_query_levels(&mut inner, 1, 1)?;
    let own =
        |e: &RangeTblEntry| matches!(&e.kind, RteKind::Cte { name, self_reference: true, .. } if *name == cte.ctename);
    let at = inner.rtable.iter().position(own);
    let in_from = at.is_some_and(|i| crate::init::from_relids(&inner.jointree).contains(i as u32 + 1));
    let (Some(at), true) = (at, in_from && inner.set_operations.is_none()) else {
        let text = "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"%s\" must be at the top level of its right-hand SELECT";
        return Err(PgError::new(base::sqlstate::FEATURE_NOT_SUPPORTED, text.replace("%s", &cte.ctename)));
    };
    let mut inner_names: Vec<String> = cte.ctecolnames.clone();
    for (i, (name, ty)) in more.iter().enumerate() {
        add(&mut inner, make_var(at as u32 + 1, width + 1 + i as i16, *ty), name);
        inner_names.push(name.clone());
    }
    if let Some(c) = &cte.cycle_clause {
        let var = make_var(at as u32 + 1, mark, c.mark_type);
        let differs = make_op(cat, c.mark_neop, var, c.mark_value.clone(), c.mark_type.collation)?;
        let all = implicit_and(inner.jointree.quals.take()).into_iter().chain([differs]).collect();
        inner.jointree.quals = Expr::and_all(all);
    }
    let mut second = wrap(cte, inner, "*TROCRN*", inner_names);
    if let Some(s) = &cte.search_clause {
        let e = if s.breadth_first {
            let depth = Expr::FieldSelect(Box::new(FieldSelect {
                arg: make_var(1, seq, plain(RECORDOID)),
                fieldnum: 1,
                resulttype: plain(INT8OID),
            }));
            row_of(cte, &s.col_list, Some(call(INT8INC, INT8OID, vec![depth])))
        } else {
            let before = make_var(1, seq, plain(RECORDARRAYOID));
            call(ARRAY_CAT, RECORDARRAYOID, vec![before, array_of(row_of(cte, &s.col_list, None))])
        };
        add(&mut second, e, &s.seq_column);
    }
    if let Some(c) = &cte.cycle_clause {
        let seen = Expr::ScalarArrayOpExpr(Box::new(ScalarArrayOpExpr {
            opno: RECORD_EQ,
            opfuncid: Oid::INVALID,
            use_or: true,
            inputcollid: Oid::INVALID,
            args: vec![row_of(cte, &c.col_list, None), make_var(1, path, plain(RECORDARRAYOID))],
            location: Location::UNKNOWN,
        }));
        let mark_now = Expr::CaseExpr(Box::new(CaseExpr {
            casetype: c.mark_type.oid,
            casecollid: c.mark_type.collation,
            arg: None,
            args: vec![CaseWhen { expr: seen, result: c.mark_value.clone(), ..CaseWhen::default() }],
            defresult: c.mark_default.clone(),
            location: Location::UNKNOWN,
        }));
        add(&mut second, mark_now, &c.mark_column);
        let before = make_var(1, path, plain(RECORDARRAYOID));
        let longer = call(ARRAY_CAT, RECORDARRAYOID, vec![before, array_of(row_of(cte, &c.col_list, None))]);
        add(&mut second, longer, &c.path_column);
    }
    let RteKind::Subquery { subquery, .. } = &mut q.rtable[r].kind else { return Err(odd()) };
    **subquery = second;
    q.rtable[r].eref.colnames.extend(more.iter().map(|m| m.0.clone()));

    // The union and the CTE itself.
    for (name, ty) in &more {
        col_types.push(*ty);
        if !*all {
            let info = cat.type_info(ty.oid)?;
            group_clauses.push(SortGroupClause {
                tle_sort_group_ref: 0,
                eqop: info.eq_opr,
                sortop: info.lt_opr,
                reverse_sort: false,
                nulls_first: false,
                hashable: info.hash_proc.is_valid(),
            });
        }
        let n = q.target_list.len() as i16 + 1;
        q.target_list.push(tle(make_var(1, n, *ty), n, Some(name.clone()), false));
        cte.ctecolnames.push(name.clone());
        cte.ctecoltypes.push(*ty);
    }
    (cte.search_clause, cte.cycle_clause) = (None, None);
    *cte.ctequery = q;
    Ok(())
}
