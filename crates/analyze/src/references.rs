//! What a stored query or expression refers to, for `pg_depend`: relations with the columns used, functions, operators, types,
//! collations. (PostgreSQL: `find_expr_references_walker`)

use base::{Oid, PgError, Result};
use catalog::{Catalog, ObjectAddress, oids};
use types::Datum;
use types::oid::*;

use crate::lookup::Lookup;
use crate::query::*;
use crate::walker::{Walker, walk_expr, walk_query, walk_rte};

/// What a query refers to, without repetition.
pub fn query_references(catalog: &Catalog, q: &Query) -> Result<Vec<ObjectAddress>> {
    let mut w = Collector { catalog, levels: Vec::new(), found: Vec::new() };
    w.query(q)?;
    Ok(w.found)
}

/// What an expression over these range-table entries refers to.
pub fn expr_references(catalog: &Catalog, e: &Expr, rtable: &[RangeTblEntry]) -> Result<Vec<ObjectAddress>> {
    let mut w = Collector { catalog, levels: vec![rtable.to_vec()], found: Vec::new() };
    w.expr(e)?;
    Ok(w.found)
}

struct Collector<'a> {
    catalog: &'a Catalog,
    /// The range tables of the queries around, innermost last.
    levels: Vec<Vec<RangeTblEntry>>,
    found: Vec<ObjectAddress>,
}

impl Collector<'_> {
    fn add(&mut self, o: ObjectAddress) {
        if o.object.is_valid() && !self.found.contains(&o) {
            self.found.push(o);
        }
    }
    fn of(&mut self, class: Oid, object: Oid) {
        self.add(ObjectAddress::new(class, object));
    }
    fn function(&mut self, f: Oid) {
        self.of(oids::PROCEDURE_RELATION, f);
    }
    fn operator(&mut self, o: Oid) {
        self.of(oids::OPERATOR_RELATION, o);
    }
    fn type_(&mut self, t: Oid) {
        self.of(oids::TYPE_RELATION, t);
    }
    fn typed(&mut self, t: TypeMod) {
        self.type_(t.oid);
        if t.collation != oids::DEFAULT_COLLATION_OID {
            self.of(oids::COLLATION_RELATION, t.collation);
        }
    }

    fn var(&mut self, v: &Var) -> Result<()> {
        let Some(i) = self.levels.len().checked_sub(1 + v.varlevelsup as usize) else { return Ok(()) };
        let Some(rte) = self.levels[i].get((v.varno as usize).wrapping_sub(1)) else { return Ok(()) };
        match &rte.kind {
            RteKind::Relation { relid, .. } if v.varattno != 0 => {
                let o = ObjectAddress::column(*relid, v.varattno);
                self.add(o);
            }
            // A join's columns are those of its sides, one level down in the same range table.
            RteKind::Join(j) if v.varattno > 0 => {
                if let Some(e) = j.join_alias_vars.get(v.varattno as usize - 1).cloned() {
                    let inner = self.levels.split_off(i + 1);
                    let done = self.expr(&e);
                    self.levels.extend(inner);
                    done?;
                }
            }
            // A column of a composite result.
            RteKind::Function { functions, .. } if v.varattno > 0 => {
                let mut before = 0;
                for f in functions {
                    let n = v.varattno as usize - before;
                    if n <= f.colcount {
                        let t = f.funcexpr.type_oid();
                        if !f.has_coldeflist && self.catalog.type_row(t)?.typrelid.is_valid() {
                            let rel = self.catalog.type_row(t)?.typrelid;
                            self.add(ObjectAddress::column(rel, n as i16));
                        }
                        break;
                    }
                    before += f.colcount;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Names of objects as values. (PostgreSQL: the `REG*OID` cases)
    fn constant(&mut self, c: &Const) {
        self.typed(c.ty);
        let Datum::Word(w) = c.value else { return };
        let class = match c.ty.oid {
            REGPROCOID | REGPROCEDUREOID => oids::PROCEDURE_RELATION,
            REGOPEROID | REGOPERATOROID => oids::OPERATOR_RELATION,
            REGCLASSOID => oids::RELATION_RELATION,
            REGTYPEOID => oids::TYPE_RELATION,
            REGCOLLATIONOID => oids::COLLATION_RELATION,
            REGCONFIGOID => oids::TS_CONFIG_RELATION,
            REGDICTIONARYOID => oids::TS_DICTIONARY_RELATION,
            REGNAMESPACEOID => oids::NAMESPACE_RELATION,
            _ => return,
        };
        let o = Oid(w as u32);
        // A number that is no object's depends on nothing.
        let exists = match class {
            oids::RELATION_RELATION => self.catalog.class(o).ok().flatten().is_some(),
            oids::TYPE_RELATION => self.catalog.type_by_oid(o).ok().flatten().is_some(),
            _ => true,
        };
        if exists {
            self.of(class, o);
        }
    }

    fn sort_groups(&mut self, list: &[SortGroupClause]) {
        for s in list {
            self.operator(s.eqop);
            self.operator(s.sortop);
        }
    }
}

impl Walker for Collector<'_> {
    type Break = PgError;

    fn join_aliases(&self) -> bool {
        false
    }

    fn expr(&mut self, e: &Expr) -> Result<()> {
        match e {
            Expr::Var(v) => return self.var(v),
            Expr::Const(c) => self.constant(c),
            Expr::Param(p) => self.typed(p.ty),
            Expr::FuncExpr(f) => self.function(f.funcid),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => self.operator(o.opno),
            Expr::ScalarArrayOpExpr(o) => self.operator(o.opno),
            Expr::Aggref(a) => {
                self.function(a.aggfnoid);
                self.sort_groups(&a.aggorder);
                self.sort_groups(&a.aggdistinct);
            }
            Expr::WindowFunc(w) => self.function(w.winfnoid),
            Expr::SubscriptingRef(s) => self.type_(s.refrestype),
            Expr::FieldSelect(f) => {
                let t = self.catalog.base_of(f.arg.type_oid())?;
                let rel = self.catalog.type_row(t)?.typrelid;
                match rel.is_valid() {
                    true => self.add(ObjectAddress::column(rel, f.fieldnum)),
                    false => self.type_(e.type_oid()),
                }
            }
            Expr::FieldStore(f) => self.type_(f.resulttype),
            Expr::RelabelType(r) => self.typed(r.resulttype),
            Expr::CoerceViaIO(c) => self.type_(c.resulttype),
            Expr::ArrayCoerceExpr(c) => self.typed(c.resulttype),
            Expr::ConvertRowtypeExpr(c) => self.type_(c.resulttype),
            Expr::CollateExpr(c) => self.of(oids::COLLATION_RELATION, c.coll_oid),
            Expr::RowExpr(r) => self.type_(r.row_typeid),
            Expr::RowCompareExpr(r) => r.opnos.iter().for_each(|o| self.operator(*o)),
            Expr::CoerceToDomain(d) => self.typed(d.resulttype),
            Expr::NextValueExpr { seqid, .. } => self.add(ObjectAddress::relation(*seqid)),
            _ => {}
        }
        walk_expr(self, e)
    }

    fn query(&mut self, q: &Query) -> Result<()> {
        for rte in &q.rtable {
            if let RteKind::Relation { relid, .. } = &rte.kind {
                self.add(ObjectAddress::relation(*relid));
            }
        }
        // The columns that a statement writes.
        if let Some(result) = q.result_relation
            && matches!(q.command_type, CmdType::Insert | CmdType::Update)
            && let RteKind::Relation { relid, .. } = q.rte(result).kind
        {
            for t in q.target_list.iter().filter(|t| !t.resjunk) {
                self.add(ObjectAddress::column(relid, t.resno));
            }
        }
        if let Some(c) = &q.on_conflict {
            self.of(oids::CONSTRAINT_RELATION, c.constraint);
        }
        q.constraint_deps.iter().for_each(|c| self.of(oids::CONSTRAINT_RELATION, *c));
        self.sort_groups(&q.group_clause);
        self.sort_groups(&q.distinct_clause);
        self.sort_groups(&q.sort_clause);
        for w in &q.window_clause {
            self.sort_groups(&w.partition_clause);
            self.sort_groups(&w.order_clause);
            self.function(w.start_in_range_func);
            self.function(w.end_in_range_func);
        }
        self.levels.push(q.rtable.clone());
        let done = walk_query(self, q);
        self.levels.pop();
        done
    }

    fn rte(&mut self, r: &RangeTblEntry) -> Result<()> {
        // The range table of this entry is the innermost one already.
        walk_rte(self, r)
    }
}
