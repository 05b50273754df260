//! The fields of expression nodes, in PostgreSQL's order.

use base::{Oid, PgError, Result};
use types::Datum;

use super::archive::{Archive, bad};
use crate::lookup::Lookup;
use crate::query::*;
use crate::walker::check_depth;

type A<'a> = Archive<'a>;

const FORMS: [(CoercionForm, i32); 4] = [
    (CoercionForm::ExplicitCall, 0),
    (CoercionForm::ExplicitCast, 1),
    (CoercionForm::ImplicitCast, 2),
    (CoercionForm::SqlSyntax, 3),
];

pub(super) fn opt(a: &mut A<'_>, name: &str, e: &mut Option<Expr>) -> Result<()> {
    a.optional(name, e, expr)
}
pub(super) fn one(a: &mut A<'_>, name: &str, e: &mut Expr) -> Result<()> {
    a.name(name)?;
    expr(a, e)
}
pub(super) fn many(a: &mut A<'_>, name: &str, e: &mut Vec<Expr>) -> Result<()> {
    a.list(name, e, expr)
}
/// Type, modifier and collation under three names.
fn ty(a: &mut A<'_>, oid: &str, typmod: &str, collation: &str, t: &mut TypeMod) -> Result<()> {
    a.oid(oid, &mut t.oid)?;
    a.num(typmod, &mut t.typmod)?;
    a.oid(collation, &mut t.collation)
}

pub(super) fn sort_group(a: &mut A<'_>, s: &mut SortGroupClause) -> Result<()> {
    a.node("SORTGROUPCLAUSE", |a| {
        a.num("tleSortGroupRef", &mut s.tle_sort_group_ref)?;
        a.oid("eqop", &mut s.eqop)?;
        a.oid("sortop", &mut s.sortop)?;
        a.flag("reverse_sort", &mut s.reverse_sort)?;
        a.flag("nulls_first", &mut s.nulls_first)?;
        a.flag("hashable", &mut s.hashable)
    })
}

pub(super) fn target(a: &mut A<'_>, t: &mut TargetEntry) -> Result<()> {
    a.node("TARGETENTRY", |a| {
        one(a, "expr", &mut t.expr)?;
        a.num("resno", &mut t.resno)?;
        a.string("resname", &mut t.resname)?;
        a.num("ressortgroupref", &mut t.ressortgroupref)?;
        a.oid("resorigtbl", &mut t.resorigtbl)?;
        a.num("resorigcol", &mut t.resorigcol)?;
        a.flag("resjunk", &mut t.resjunk)
    })
}

pub(super) fn inference(a: &mut A<'_>, i: &mut InferenceElem) -> Result<()> {
    a.node("INFERENCEELEM", |a| {
        one(a, "expr", &mut i.expr)?;
        a.oid("infercollid", &mut i.infercollid)?;
        a.oid("inferopclass", &mut i.inferopclass)
    })
}

/// The bytes of a value as they would lie in memory. (PostgreSQL: `outDatum`)
fn datum(a: &mut A<'_>, len: i16, byval: bool, v: &mut Datum) -> Result<()> {
    if a.reading() {
        let n: usize = a.take()?.parse().map_err(|_| bad("a value without a length"))?;
        a.expect("[")?;
        let mut bytes = Vec::with_capacity(n.max(8));
        while a.peek() != "]" {
            let b: i16 = a.take()?.parse().map_err(|_| bad("a byte that is none"))?;
            bytes.push(b as u8);
        }
        a.expect("]")?;
        *v = if byval {
            let mut w = [0u8; 8];
            let k = bytes.len().min(8);
            w[..k].copy_from_slice(&bytes[..k]);
            let w = u64::from_le_bytes(w);
            Datum::Word(match len {
                1 => w & 0xff,
                2 => w as i16 as u64,
                4 => w as i32 as u64,
                _ => w,
            })
        } else if len == -1 {
            match bytes.first() {
                Some(b) if b & 3 == 0 && bytes.len() >= 4 => Datum::bytes(&bytes[4..]),
                Some(b) if b & 1 == 1 && *b != 1 => Datum::bytes(&bytes[1..]),
                _ => Datum::Toasted(bytes.into()),
            }
        } else if len == -2 {
            Datum::bytes(bytes.strip_suffix(&[0]).unwrap_or(&bytes))
        } else if len == 64 {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            Datum::bytes(&bytes[..end])
        } else {
            Datum::bytes(&bytes[..])
        };
        return Ok(());
    }
    let (n, bytes) = match v {
        Datum::Word(w) => (len.max(0) as usize, w.to_le_bytes().to_vec()),
        Datum::Toasted(b) => (b.len(), b.to_vec()),
        Datum::Null => (0, Vec::new()),
        Datum::Bytes(b) => {
            let mut bytes = Vec::with_capacity(b.len() + 4);
            match len {
                -1 => {
                    bytes.extend_from_slice(&((b.len() as u32 + 4) << 2).to_le_bytes());
                    bytes.extend_from_slice(b);
                }
                -2 => {
                    bytes.extend_from_slice(b);
                    bytes.push(0);
                }
                n => {
                    bytes.extend_from_slice(b);
                    bytes.resize(n.max(0) as usize, 0);
                }
            }
            (bytes.len(), bytes)
        }
    };
    a.out.push_str(&format!("{n} [ "));
    for b in bytes {
        a.out.push_str(&format!("{} ", b as i8));
    }
    a.out.push(']');
    Ok(())
}

fn const_(a: &mut A<'_>, c: &mut Const) -> Result<()> {
    a.node("CONST", |a| {
        ty(a, "consttype", "consttypmod", "constcollid", &mut c.ty)?;
        a.num("constlen", &mut c.len)?;
        a.flag("constbyval", &mut c.byval)?;
        let mut null = c.value.is_null();
        a.flag("constisnull", &mut null)?;
        a.loc("location", &mut c.location)?;
        a.name("constvalue")?;
        if null {
            if a.reading() {
                c.value = Datum::Null;
                return a.expect("<>");
            }
            a.out.push_str("<>");
            return Ok(());
        }
        datum(a, c.len, c.byval, &mut c.value)
    })
}

fn op(a: &mut A<'_>, label: &str, o: &mut OpExpr) -> Result<()> {
    a.node(label, |a| {
        a.oid("opno", &mut o.opno)?;
        a.oid("opfuncid", &mut o.opfuncid)?;
        a.oid("opresulttype", &mut o.opresulttype)?;
        a.flag("opretset", &mut o.opretset)?;
        a.oid("opcollid", &mut o.opcollid)?;
        a.oid("inputcollid", &mut o.inputcollid)?;
        many(a, "args", &mut o.args)?;
        a.loc("location", &mut o.location)
    })
}

fn bool_(a: &mut A<'_>, b: &mut BoolExpr) -> Result<()> {
    a.node("BOOLEXPR", |a| {
        a.name("boolop")?;
        if a.reading() {
            b.boolop = match a.take()? {
                "and" => BoolExprType::And,
                "or" => BoolExprType::Or,
                "not" => BoolExprType::Not,
                t => return Err(bad(format_args!("boolop \"{t}\""))),
            };
        } else {
            a.out.push_str(match b.boolop {
                BoolExprType::And => "and",
                BoolExprType::Or => "or",
                BoolExprType::Not => "not",
            });
        }
        many(a, "args", &mut b.args)?;
        a.loc("location", &mut b.location)
    })
}

/// Any expression.
pub(super) fn expr(a: &mut A<'_>, e: &mut Expr) -> Result<()> {
    check_depth()?;
    if a.reading() {
        *e = blank(a)?;
    }
    match e {
        Expr::Const(c) => const_(a, c),
        Expr::BoolExpr(b) => bool_(a, b),
        Expr::OpExpr(o) => op(a, "OPEXPR", o),
        Expr::DistinctExpr(o) => op(a, "DISTINCTEXPR", o),
        Expr::NullIfExpr(o) => op(a, "NULLIFEXPR", o),
        Expr::InferenceElem(i) => inference(a, i),
        Expr::Var(v) => a.node("VAR", |a| {
            a.num("varno", &mut v.varno)?;
            a.num("varattno", &mut v.varattno)?;
            ty(a, "vartype", "vartypmod", "varcollid", &mut v.vartype)?;
            a.numbers("varnullingrels", "b", &mut v.varnullingrels)?;
            a.num("varlevelsup", &mut v.varlevelsup)?;
            let all = [(VarReturning::Default, 0), (VarReturning::Old, 1), (VarReturning::New, 2)];
            a.code("varreturningtype", &mut v.varreturning, &all)?;
            a.num("varnosyn", &mut v.varnosyn)?;
            a.num("varattnosyn", &mut v.varattnosyn)?;
            a.loc("location", &mut v.location)
        }),
        Expr::Param(p) => a.node("PARAM", |a| {
            use ParamKind::*;
            a.code("paramkind", &mut p.kind, &[(Extern, 0), (Exec, 1), (Sublink, 2), (Multiexpr, 3)])?;
            a.num("paramid", &mut p.id)?;
            ty(a, "paramtype", "paramtypmod", "paramcollid", &mut p.ty)?;
            a.loc("location", &mut p.location)
        }),
        Expr::Aggref(g) => a.node("AGGREF", |a| {
            a.oid("aggfnoid", &mut g.aggfnoid)?;
            a.oid("aggtype", &mut g.aggtype)?;
            a.oid("aggcollid", &mut g.aggcollid)?;
            a.oid("inputcollid", &mut g.inputcollid)?;
            a.oid("aggtranstype", &mut g.aggtranstype)?;
            a.oids("aggargtypes", &mut g.aggargtypes)?;
            many(a, "aggdirectargs", &mut g.aggdirectargs)?;
            a.list("args", &mut g.args, target)?;
            a.list("aggorder", &mut g.aggorder, sort_group)?;
            a.list("aggdistinct", &mut g.aggdistinct, sort_group)?;
            opt(a, "aggfilter", &mut g.aggfilter)?;
            a.flag("aggstar", &mut g.aggstar)?;
            a.flag("aggvariadic", &mut g.aggvariadic)?;
            a.char("aggkind", &mut g.aggkind)?;
            a.fixed("aggpresorted", "false")?;
            a.num("agglevelsup", &mut g.agglevelsup)?;
            a.fixed("aggsplit", "0")?;
            a.fixed("aggno", "-1")?;
            a.fixed("aggtransno", "-1")?;
            a.loc("location", &mut g.location)
        }),
        Expr::GroupingFunc(g) => a.node("GROUPINGFUNC", |a| {
            many(a, "args", &mut g.args)?;
            a.numbers("refs", "i", &mut g.refs)?;
            a.fixed("cols", "<>")?;
            a.num("agglevelsup", &mut g.agglevelsup)?;
            a.loc("location", &mut g.location)
        }),
        Expr::WindowFunc(w) => a.node("WINDOWFUNC", |a| {
            a.oid("winfnoid", &mut w.winfnoid)?;
            a.oid("wintype", &mut w.wintype)?;
            a.oid("wincollid", &mut w.wincollid)?;
            a.oid("inputcollid", &mut w.inputcollid)?;
            many(a, "args", &mut w.args)?;
            opt(a, "aggfilter", &mut w.aggfilter)?;
            a.fixed("runCondition", "<>")?;
            a.num("winref", &mut w.winref)?;
            a.flag("winstar", &mut w.winstar)?;
            a.flag("winagg", &mut w.winagg)?;
            a.loc("location", &mut w.location)
        }),
        Expr::SubscriptingRef(s) => a.node("SUBSCRIPTINGREF", |a| {
            a.oid("refcontainertype", &mut s.refcontainertype)?;
            a.oid("refelemtype", &mut s.refelemtype)?;
            a.oid("refrestype", &mut s.refrestype)?;
            a.num("reftypmod", &mut s.reftypmod)?;
            a.oid("refcollid", &mut s.refcollid)?;
            a.list("refupperindexpr", &mut s.refupperindexpr, maybe)?;
            a.list("reflowerindexpr", &mut s.reflowerindexpr, maybe)?;
            one(a, "refexpr", &mut s.refexpr)?;
            opt(a, "refassgnexpr", &mut s.refassgnexpr)
        }),
        Expr::FuncExpr(f) => a.node("FUNCEXPR", |a| {
            a.oid("funcid", &mut f.funcid)?;
            a.oid("funcresulttype", &mut f.funcresulttype)?;
            a.flag("funcretset", &mut f.funcretset)?;
            a.flag("funcvariadic", &mut f.funcvariadic)?;
            a.code("funcformat", &mut f.funcformat, &FORMS)?;
            a.oid("funccollid", &mut f.funccollid)?;
            a.oid("inputcollid", &mut f.inputcollid)?;
            many(a, "args", &mut f.args)?;
            a.loc("location", &mut f.location)?;
            f.funcresulttypmod = -1;
            Ok(())
        }),
        Expr::NamedArgExpr(n) => a.node("NAMEDARGEXPR", |a| {
            one(a, "arg", &mut n.arg)?;
            a.text("name", &mut n.name)?;
            a.num("argnumber", &mut n.argnumber)?;
            a.loc("location", &mut n.location)
        }),
        Expr::ScalarArrayOpExpr(o) => a.node("SCALARARRAYOPEXPR", |a| {
            a.oid("opno", &mut o.opno)?;
            a.oid("opfuncid", &mut o.opfuncid)?;
            a.fixed("hashfuncid", "0")?;
            a.fixed("negfuncid", "0")?;
            a.flag("useOr", &mut o.use_or)?;
            a.oid("inputcollid", &mut o.inputcollid)?;
            many(a, "args", &mut o.args)?;
            a.loc("location", &mut o.location)
        }),
        Expr::SubLink(s) => a.node("SUBLINK", |a| {
            use SubLinkType::*;
            let all = [Exists, All, Any, RowCompare, Expr, MultiExpr, Array, Cte];
            let all: Vec<_> = all.into_iter().zip(0..).collect();
            a.code("subLinkType", &mut s.sub_link_type, &all)?;
            a.num("subLinkId", &mut s.sub_link_id)?;
            opt(a, "testexpr", &mut s.testexpr)?;
            a.strings("operName", &mut s.oper_name)?;
            a.name("subselect")?;
            super::query::query(a, &mut s.subselect)?;
            a.loc("location", &mut s.location)?;
            if a.reading() && s.sub_link_type == Array {
                let t = s.first_column().map_or(Oid::INVALID, |e| e.type_oid());
                s.array_type = a.catalog.promoted_array(t)?;
            }
            Ok(())
        }),
        Expr::FieldSelect(f) => a.node("FIELDSELECT", |a| {
            one(a, "arg", &mut f.arg)?;
            a.num("fieldnum", &mut f.fieldnum)?;
            ty(a, "resulttype", "resulttypmod", "resultcollid", &mut f.resulttype)
        }),
        Expr::FieldStore(f) => a.node("FIELDSTORE", |a| {
            one(a, "arg", &mut f.arg)?;
            many(a, "newvals", &mut f.newvals)?;
            a.numbers("fieldnums", "i", &mut f.fieldnums)?;
            a.oid("resulttype", &mut f.resulttype)
        }),
        Expr::RelabelType(r) => a.node("RELABELTYPE", |a| {
            one(a, "arg", &mut r.arg)?;
            ty(a, "resulttype", "resulttypmod", "resultcollid", &mut r.resulttype)?;
            a.code("relabelformat", &mut r.relabelformat, &FORMS)?;
            a.loc("location", &mut r.location)
        }),
        Expr::CoerceViaIO(c) => a.node("COERCEVIAIO", |a| {
            one(a, "arg", &mut c.arg)?;
            a.oid("resulttype", &mut c.resulttype)?;
            a.oid("resultcollid", &mut c.resultcollid)?;
            a.code("coerceformat", &mut c.coerceformat, &FORMS)?;
            a.loc("location", &mut c.location)
        }),
        Expr::ArrayCoerceExpr(c) => a.node("ARRAYCOERCEEXPR", |a| {
            one(a, "arg", &mut c.arg)?;
            one(a, "elemexpr", &mut c.elemexpr)?;
            ty(a, "resulttype", "resulttypmod", "resultcollid", &mut c.resulttype)?;
            a.code("coerceformat", &mut c.coerceformat, &FORMS)?;
            a.loc("location", &mut c.location)
        }),
        Expr::ConvertRowtypeExpr(c) => a.node("CONVERTROWTYPEEXPR", |a| {
            one(a, "arg", &mut c.arg)?;
            a.oid("resulttype", &mut c.resulttype)?;
            a.code("convertformat", &mut c.convertformat, &FORMS)?;
            a.loc("location", &mut c.location)
        }),
        Expr::CollateExpr(c) => a.node("COLLATEEXPR", |a| {
            one(a, "arg", &mut c.arg)?;
            a.oid("collOid", &mut c.coll_oid)?;
            a.loc("location", &mut c.location)
        }),
        Expr::CaseExpr(c) => a.node("CASEEXPR", |a| {
            a.oid("casetype", &mut c.casetype)?;
            a.oid("casecollid", &mut c.casecollid)?;
            opt(a, "arg", &mut c.arg)?;
            a.list("args", &mut c.args, |a, w| {
                a.node("CASEWHEN", |a| {
                    one(a, "expr", &mut w.expr)?;
                    one(a, "result", &mut w.result)?;
                    a.loc("location", &mut w.location)
                })
            })?;
            one(a, "defresult", &mut c.defresult)?;
            a.loc("location", &mut c.location)
        }),
        Expr::CaseTestExpr(t) => a.node("CASETESTEXPR", |a| ty(a, "typeId", "typeMod", "collation", t)),
        Expr::ArrayExpr(x) => a.node("ARRAYEXPR", |a| {
            a.oid("array_typeid", &mut x.array_typeid)?;
            a.oid("array_collid", &mut x.array_collid)?;
            a.oid("element_typeid", &mut x.element_typeid)?;
            many(a, "elements", &mut x.elements)?;
            a.flag("multidims", &mut x.multidims)?;
            a.fixed("list_start", "-1")?;
            a.fixed("list_end", "-1")?;
            a.loc("location", &mut x.location)
        }),
        Expr::RowExpr(r) => a.node("ROWEXPR", |a| {
            many(a, "args", &mut r.args)?;
            a.oid("row_typeid", &mut r.row_typeid)?;
            a.code("row_format", &mut r.row_format, &FORMS)?;
            a.strings("colnames", &mut r.colnames)?;
            a.loc("location", &mut r.location)
        }),
        Expr::RowCompareExpr(r) => a.node("ROWCOMPAREEXPR", |a| {
            use RowCompareType::*;
            let all = [(Lt, 1), (Le, 2), (Eq, 3), (Ge, 4), (Gt, 5), (Ne, 6)];
            a.code("cmptype", &mut r.cmptype, &all)?;
            a.oids("opnos", &mut r.opnos)?;
            a.oids("opfamilies", &mut r.opfamilies)?;
            a.oids("inputcollids", &mut r.inputcollids)?;
            many(a, "largs", &mut r.largs)?;
            many(a, "rargs", &mut r.rargs)
        }),
        Expr::CoalesceExpr(c) => a.node("COALESCEEXPR", |a| {
            a.oid("coalescetype", &mut c.coalescetype)?;
            a.oid("coalescecollid", &mut c.coalescecollid)?;
            many(a, "args", &mut c.args)?;
            a.loc("location", &mut c.location)
        }),
        Expr::MinMaxExpr(m) => a.node("MINMAXEXPR", |a| {
            a.oid("minmaxtype", &mut m.minmaxtype)?;
            a.oid("minmaxcollid", &mut m.minmaxcollid)?;
            a.oid("inputcollid", &mut m.inputcollid)?;
            a.code("op", &mut m.greatest, &[(true, 0), (false, 1)])?;
            many(a, "args", &mut m.args)?;
            a.loc("location", &mut m.location)
        }),
        Expr::SQLValueFunction(s) => a.node("SQLVALUEFUNCTION", |a| {
            use SvfOp::*;
            let all = [
                CurrentDate,
                CurrentTime,
                CurrentTimeN,
                CurrentTimestamp,
                CurrentTimestampN,
                LocalTime,
                LocalTimeN,
                LocalTimestamp,
                LocalTimestampN,
                CurrentRole,
                CurrentUser,
                User,
                SessionUser,
                CurrentCatalog,
                CurrentSchema,
            ];
            let all: Vec<_> = all.into_iter().zip(0..).collect();
            a.code("op", &mut s.op, &all)?;
            a.oid("type", &mut s.type_oid)?;
            a.num("typmod", &mut s.typmod)?;
            a.loc("location", &mut s.location)
        }),
        Expr::NullTest(n) => a.node("NULLTEST", |a| {
            one(a, "arg", &mut n.arg)?;
            a.code("nulltesttype", &mut n.not, &[(false, 0), (true, 1)])?;
            a.flag("argisrow", &mut n.argisrow)?;
            a.loc("location", &mut n.location)
        }),
        Expr::BooleanTest(b) => a.node("BOOLEANTEST", |a| {
            use BoolTestType::*;
            let all = [IsTrue, IsNotTrue, IsFalse, IsNotFalse, IsUnknown, IsNotUnknown];
            let all: Vec<_> = all.into_iter().zip(0..).collect();
            one(a, "arg", &mut b.arg)?;
            a.code("booltesttype", &mut b.booltesttype, &all)?;
            a.loc("location", &mut b.location)
        }),
        Expr::MergeSupportFunc(t) => a.node("MERGESUPPORTFUNC", |a| {
            a.oid("msftype", &mut t.oid)?;
            a.oid("msfcollid", &mut t.collation)?;
            t.typmod = -1;
            a.fixed("location", "-1")
        }),
        Expr::CoerceToDomain(c) => a.node("COERCETODOMAIN", |a| {
            one(a, "arg", &mut c.arg)?;
            ty(a, "resulttype", "resulttypmod", "resultcollid", &mut c.resulttype)?;
            a.code("coercionformat", &mut c.coercionformat, &FORMS)?;
            a.loc("location", &mut c.location)
        }),
        Expr::CoerceToDomainValue(t) => a.node("COERCETODOMAINVALUE", |a| {
            ty(a, "typeId", "typeMod", "collation", t)?;
            a.fixed("location", "-1")
        }),
        Expr::SetToDefault(t, l) => a.node("SETTODEFAULT", |a| {
            ty(a, "typeId", "typeMod", "collation", t)?;
            a.loc("location", l)
        }),
        Expr::CurrentOfExpr(c) => a.node("CURRENTOFEXPR", |a| {
            a.num("cvarno", &mut c.cvarno)?;
            a.string("cursor_name", &mut c.cursor_name)?;
            a.num("cursor_param", &mut c.cursor_param)
        }),
        Expr::NextValueExpr { seqid, type_oid } => a.node("NEXTVALUEEXPR", |a| {
            a.oid("seqid", seqid)?;
            a.oid("typeId", type_oid)
        }),
        Expr::XmlExpr(_)
        | Expr::JsonValueExpr(_)
        | Expr::JsonConstructorExpr(_)
        | Expr::JsonIsPredicate(_)
        | Expr::JsonExpr(_) => Err(PgError::unsupported("storing SQL/JSON and SQL/XML expressions")),
        Expr::SubPlan(_) | Expr::PlaceHolderVar(_) => Err(PgError::internal("a planner's node in a stored tree")),
    }
}

fn maybe(a: &mut A<'_>, e: &mut Option<Expr>) -> Result<()> {
    if a.reading() {
        *e = None;
        if !a.absent()? {
            let mut x = Expr::default();
            expr(a, &mut x)?;
            *e = Some(x);
        }
        return Ok(());
    }
    match e {
        None => a.out.push_str("<>"),
        Some(x) => expr(a, x)?,
    }
    Ok(())
}

/// An empty node of the kind that comes next.
fn blank(a: &mut A<'_>) -> Result<Expr> {
    let label = a.label()?;
    Ok(match label {
        "VAR" => Expr::Var(Var::default()),
        "CONST" => Expr::Const(Const::default()),
        "PARAM" => Expr::Param(Param::default()),
        "AGGREF" => Expr::Aggref(Box::default()),
        "GROUPINGFUNC" => Expr::GroupingFunc(Box::default()),
        "WINDOWFUNC" => Expr::WindowFunc(Box::default()),
        "SUBSCRIPTINGREF" => Expr::SubscriptingRef(Box::default()),
        "FUNCEXPR" => Expr::FuncExpr(Box::default()),
        "NAMEDARGEXPR" => Expr::NamedArgExpr(Box::default()),
        "OPEXPR" => Expr::OpExpr(Box::default()),
        "DISTINCTEXPR" => Expr::DistinctExpr(Box::default()),
        "NULLIFEXPR" => Expr::NullIfExpr(Box::default()),
        "SCALARARRAYOPEXPR" => Expr::ScalarArrayOpExpr(Box::default()),
        "BOOLEXPR" => Expr::BoolExpr(Box::default()),
        "SUBLINK" => Expr::SubLink(Box::default()),
        "FIELDSELECT" => Expr::FieldSelect(Box::default()),
        "FIELDSTORE" => Expr::FieldStore(Box::default()),
        "RELABELTYPE" => Expr::RelabelType(Box::default()),
        "COERCEVIAIO" => Expr::CoerceViaIO(Box::default()),
        "ARRAYCOERCEEXPR" => Expr::ArrayCoerceExpr(Box::default()),
        "CONVERTROWTYPEEXPR" => Expr::ConvertRowtypeExpr(Box::default()),
        "COLLATEEXPR" => Expr::CollateExpr(Box::default()),
        "CASEEXPR" => Expr::CaseExpr(Box::default()),
        "CASETESTEXPR" => Expr::CaseTestExpr(TypeMod::default()),
        "ARRAYEXPR" => Expr::ArrayExpr(Box::default()),
        "ROWEXPR" => Expr::RowExpr(Box::default()),
        "ROWCOMPAREEXPR" => Expr::RowCompareExpr(Box::default()),
        "COALESCEEXPR" => Expr::CoalesceExpr(Box::default()),
        "MINMAXEXPR" => Expr::MinMaxExpr(Box::default()),
        "SQLVALUEFUNCTION" => Expr::SQLValueFunction(SQLValueFunction::default()),
        "NULLTEST" => Expr::NullTest(Box::default()),
        "BOOLEANTEST" => Expr::BooleanTest(Box::default()),
        "MERGESUPPORTFUNC" => Expr::MergeSupportFunc(TypeMod::default()),
        "COERCETODOMAIN" => Expr::CoerceToDomain(Box::default()),
        "COERCETODOMAINVALUE" => Expr::CoerceToDomainValue(TypeMod::default()),
        "SETTODEFAULT" => Expr::SetToDefault(TypeMod::default(), base::error::Location::UNKNOWN),
        "CURRENTOFEXPR" => Expr::CurrentOfExpr(CurrentOfExpr::default()),
        "NEXTVALUEEXPR" => Expr::NextValueExpr { seqid: Oid::INVALID, type_oid: Oid::INVALID },
        "INFERENCEELEM" => Expr::InferenceElem(Box::default()),
        other => return Err(PgError::unsupported(format_args!("a stored expression of kind {other}"))),
    })
}
