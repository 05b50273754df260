//! Range-table entries: made from tables, subqueries, functions, VALUES, CTEs and joins, and expanded into columns.
//!
//! PostgreSQL: `parser/parse_relation.c` (`addRangeTableEntry*`, `expandRTE`).

use std::rc::Rc;
use std::sync::Arc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::Relation;
use catalog::acl::ACL_SELECT;
use parser::ast;
use types::oid::*;
use types::{Attribute, TupleDesc};

use crate::coerce::plain;
use crate::lookup::{Lookup, format_type, relkind};
use crate::query::*;
use crate::state::*;

/// A lock's number. (PostgreSQL: `LOCKMODE`)
pub(crate) mod lock {
    pub const ACCESS_SHARE: u8 = 1;
    pub const ROW_SHARE: u8 = 2;
    pub const ROW_EXCLUSIVE: u8 = 3;
}

/// What a call in FROM returns. (PostgreSQL: `TypeFuncClass`)
pub(crate) enum FuncClass {
    Scalar,
    Composite(Arc<TupleDesc>),
    Record,
    Other,
}

pub(crate) fn ast_alias(a: &ast::Alias) -> Alias {
    Alias { aliasname: a.aliasname.clone(), colnames: a.colnames.clone() }
}

/// A column as `*` shows it.
pub(crate) struct RteColumn {
    pub name: String,
    /// `None` for a dropped one.
    pub ty: Option<TypeMod>,
}

impl Analyzer<'_, '_> {
    /// The table of that name, locked. (PostgreSQL: `parserOpenTable`)
    pub(crate) fn open_table(&mut self, rv: &ast::RangeVar, mode: u8) -> Result<Arc<Relation>> {
        self.try_open_table(rv, mode).map_err(|e| e.at(rv.location))
    }

    fn try_open_table(&mut self, rv: &ast::RangeVar, mode: u8) -> Result<Arc<Relation>> {
        if let Some(db) = &rv.catalogname
            && **db != *self.cx.settings().database_name
        {
            let m = format!(
                "cross-database references are not implemented: \"{db}.{}.{}\"",
                rv.schemaname.as_deref().unwrap_or(""),
                rv.relname
            );
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m));
        }
        let Some(oid) = self.cat().find_relation(rv.schemaname.as_deref(), &rv.relname, true)? else {
            if let Some(s) = &rv.schemaname {
                return Err(PgError::new(UNDEFINED_TABLE, format!("relation \"{s}.{}\" does not exist", rv.relname)));
            }
            let e = PgError::new(UNDEFINED_TABLE, format!("relation \"{}\" does not exist", rv.relname));
            if self.levels.iter().any(|l| l.future_ctes.contains(&rv.relname)) {
                let d = format!(
                    "There is a WITH item named \"{}\", but it cannot be referenced from this part of the query.",
                    rv.relname
                );
                let h = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.";
                return Err(e.detail(d).hint(h));
            }
            return Err(e);
        };
        if let Some(lock) = &mut self.cx.lock {
            lock(oid, mode)?;
        }
        let rel = self.cat().relation_entry(oid)?;
        let bad = match rel.kind() {
            relkind::INDEX => "indexes",
            relkind::PARTITIONED_INDEX => "partitioned indexes",
            relkind::COMPOSITE_TYPE => "composite types",
            _ => return Ok(rel),
        };
        Err(PgError::new(WRONG_OBJECT_TYPE, format!("cannot open relation \"{}\"", rel.name()))
            .detail(format!("This operation is not supported for {bad}.")))
    }

    /// A table in FROM. (PostgreSQL: `addRangeTableEntry`)
    pub(crate) fn add_table(&mut self, rv: &ast::RangeVar, alias: Option<&Alias>, inh: bool) -> Result<NsItem> {
        let name = alias.map_or(&rv.relname, |a| &a.aliasname);
        let mode = if self.is_locked_refname(name) { lock::ROW_SHARE } else { lock::ACCESS_SHARE };
        let rel = self.open_table(rv, mode)?;
        self.add_relation(&rel, mode, alias.cloned(), inh, true, ACL_SELECT)
    }

    fn is_locked_refname(&self, name: &str) -> bool {
        let lv = self.level();
        lv.locked_from_parent
            || lv.locking.iter().any(|l| l.locked_rels.is_empty() || l.locked_rels.iter().any(|r| r.relname == *name))
    }

    /// (PostgreSQL: `addRangeTableEntryForRelation`)
    pub(crate) fn add_relation(
        &mut self,
        rel: &Relation,
        lock_mode: u8,
        alias: Option<Alias>,
        inh: bool,
        in_from_cl: bool,
        perms: u64,
    ) -> Result<NsItem> {
        let aliasname = alias.as_ref().map_or(rel.name(), |a| &a.aliasname).to_owned();
        let eref = relation_aliases(&rel.desc, alias.as_ref(), aliasname)?;
        self.lv().perminfos.push(RtePermissionInfo {
            relid: rel.oid,
            inh,
            required_perms: perms,
            ..RtePermissionInfo::default()
        });
        let perminfoindex = self.level().perminfos.len() as u32;
        let kind = RteKind::Relation {
            relid: rel.oid,
            relkind: rel.kind(),
            lock_mode,
            inh,
            perminfoindex,
            table_sample: None,
        };
        let types: Vec<_> = rel.desc.attrs.iter().map(|a| (!a.dropped).then(|| attr_type(a))).collect();
        let mut item = self.push_rte(alias, eref, kind, false, in_from_cl, &types);
        item.perminfo = perminfoindex;
        Ok(item)
    }

    /// Appends a range-table entry and gives the item that names it.
    pub(crate) fn push_rte(
        &mut self,
        alias: Option<Alias>,
        eref: Alias,
        kind: RteKind,
        lateral: bool,
        in_from_cl: bool,
        types: &[Option<TypeMod>],
    ) -> NsItem {
        let lv = self.lv();
        let names = Rc::new(eref.clone());
        lv.rtable.push(RangeTblEntry { alias, eref, kind, lateral, in_from_cl, security_quals: Vec::new() });
        lv.nullingrels.push(Vec::new());
        let rtindex = lv.rtable.len() as RtIndex;
        let columns = types
            .iter()
            .enumerate()
            .map(|(i, t)| match t {
                None => NsColumn::dropped(),
                Some(t) => NsColumn {
                    varno: rtindex,
                    varattno: i as AttrNumber + 1,
                    vartype: *t,
                    varreturning: VarReturning::Default,
                    varnosyn: rtindex,
                    varattnosyn: i as AttrNumber + 1,
                    dontexpand: false,
                },
            })
            .collect();
        NsItem {
            names,
            rtindex,
            perminfo: 0,
            columns,
            rel_visible: true,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
            returning: VarReturning::Default,
        }
    }

    /// (PostgreSQL: `addRangeTableEntryForSubquery`)
    pub(crate) fn add_subquery(
        &mut self,
        q: Query,
        alias: Option<Alias>,
        lateral: bool,
        in_from_cl: bool,
    ) -> Result<NsItem> {
        let mut eref =
            alias.clone().unwrap_or_else(|| Alias { aliasname: "unnamed_subquery".to_owned(), colnames: Vec::new() });
        let given = eref.colnames.len();
        let mut types = Vec::new();
        for t in q.target_list.iter().filter(|t| !t.resjunk) {
            types.push(Some(t.expr.type_mod()));
            if types.len() > given {
                eref.colnames.push(t.resname.clone().unwrap_or_default());
            }
        }
        if types.len() < given {
            let m = format!(
                "table \"{}\" has {} columns available but {given} columns specified",
                eref.aliasname,
                types.len()
            );
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, m));
        }
        let kind = RteKind::Subquery { subquery: Box::new(q), security_barrier: false, view: None };
        let anonymous = alias.is_none();
        let mut item = self.push_rte(alias, eref, kind, lateral, in_from_cl, &types);
        // An unnamed subquery's columns can be named, but not the subquery.
        item.rel_visible = !anonymous;
        Ok(item)
    }

    /// (PostgreSQL: `addRangeTableEntryForValues`)
    pub(crate) fn add_values(&mut self, lists: Vec<Vec<Expr>>, types: Vec<TypeMod>, lateral: bool) -> NsItem {
        let colnames = (1..=types.len()).map(|i| format!("column{i}")).collect();
        let eref = Alias { aliasname: "*VALUES*".to_owned(), colnames };
        let all: Vec<_> = types.iter().map(|t| Some(*t)).collect();
        self.push_rte(None, eref, RteKind::Values { lists, types }, lateral, true, &all)
    }

    /// A reference to a CTE. (PostgreSQL: `addRangeTableEntryForCTE`)
    pub(crate) fn add_cte(&mut self, up: u32, index: usize, rv: &ast::RangeVar) -> Result<NsItem> {
        let alias = rv.alias.as_ref().map(ast_alias);
        let level = self.levels.len() - 1 - up as usize;
        let cte = &mut self.levels[level].ctes[index];
        let self_reference = cte.query.is_none();
        if !self_reference {
            cte.refcount += 1;
        }
        if let Some(q) = &cte.query
            && q.command_type != CmdType::Select
            && q.returning_list.is_empty()
        {
            let m = format!("WITH query \"{}\" does not have a RETURNING clause", cte.name);
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(rv.location));
        }
        let refname = alias.as_ref().map_or(&cte.name, |a| &a.aliasname).clone();
        let mut eref = Alias {
            aliasname: refname.clone(),
            colnames: alias.as_ref().map(|a| a.colnames.clone()).unwrap_or_default(),
        };
        let given = eref.colnames.len();
        if given > cte.colnames.len() {
            let m = format!(
                "table \"{refname}\" has {} columns available but {given} columns specified",
                cte.colnames.len()
            );
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, m));
        }
        eref.colnames.extend(cte.colnames[given..].iter().cloned());
        let mut types = cte.coltypes.clone();
        let mut hidden = 0;
        // SEARCH and CYCLE add columns, which the recursive reference cannot see in `*`.
        if let Some(s) = &cte.search_clause {
            eref.colnames.push(s.seq_column.clone());
            types.push(plain(if s.breadth_first { RECORDOID } else { RECORDARRAYOID }));
            hidden += 1;
        }
        if let Some(c) = &cte.cycle_clause {
            eref.colnames.push(c.mark_column.clone());
            types.push(c.mark_type);
            eref.colnames.push(c.path_column.clone());
            types.push(plain(RECORDARRAYOID));
            hidden += 2;
        }
        let kind = RteKind::Cte { name: cte.name.clone(), levels_up: up, self_reference, types: types.clone() };
        let all: Vec<_> = types.into_iter().map(Some).collect();
        let mut item = self.push_rte(alias, eref, kind, false, true, &all);
        if self_reference && hidden > 0 {
            let n = item.columns.len();
            let mut cols = item.columns.to_vec();
            for c in &mut cols[n - hidden..] {
                c.dontexpand = true;
            }
            item.columns = cols.into();
        }
        Ok(item)
    }

    /// The transition table of that name, if there is one. (PostgreSQL: `addRangeTableEntryForENR`)
    pub(crate) fn add_named(&mut self, rv: &ast::RangeVar) -> Result<Option<NsItem>> {
        if rv.schemaname.is_some() {
            return Ok(None);
        }
        let Some(found) = self.cx.named.iter().find(|n| n.name == rv.relname).cloned() else { return Ok(None) };
        let alias = rv.alias.as_ref().map(ast_alias);
        let aliasname = alias.as_ref().map_or(&found.name, |a| &a.aliasname).to_owned();
        let eref = relation_aliases(&found.desc, alias.as_ref(), aliasname)?;
        let types: Vec<_> = found.desc.attrs.iter().map(|a| (!a.dropped).then(|| attr_type(a))).collect();
        let all = types.iter().map(|t| t.unwrap_or_default()).collect();
        let kind = RteKind::NamedTuplestore { name: found.name, relid: found.relid, types: all };
        Ok(Some(self.push_rte(alias, eref, kind, false, true, &types)))
    }

    /// Functions in FROM. (PostgreSQL: `addRangeTableEntryForFunction`)
    pub(crate) fn add_functions(
        &mut self,
        names: &[String],
        exprs: Vec<Expr>,
        coldeflists: &[&[ast::ColumnDef]],
        rf: &ast::RangeFunction,
        lateral: bool,
    ) -> Result<NsItem> {
        let alias = rf.alias.as_ref().map(ast_alias);
        let first_name = names.first().cloned().unwrap_or_default();
        let aliasname = alias.as_ref().map_or(first_name, |a| a.aliasname.clone());
        let nfuncs = exprs.len();
        let mut functions = Vec::new();
        let mut attrs: Vec<Attribute> = Vec::new();
        for ((expr, name), coldefs) in exprs.into_iter().zip(names).zip(coldeflists) {
            let location = expr.location();
            let rettype = expr.type_oid();
            let syntax = |m: &str, l: Location| Err(PgError::new(SYNTAX_ERROR, m).at(l));
            let class = self.func_class(&expr)?;
            let is_record = matches!(class, FuncClass::Record);
            if let Some(first) = coldefs.first() {
                let at = first.location;
                if !is_record {
                    if let FuncClass::Composite(_) = class {
                        if rettype == RECORDOID {
                            return syntax(
                                "a column definition list is redundant for a function with OUT parameters",
                                at,
                            );
                        }
                        return syntax(
                            "a column definition list is redundant for a function returning a named composite type",
                            at,
                        );
                    }
                    return syntax("a column definition list is only allowed for functions returning \"record\"", at);
                }
            } else if is_record {
                return syntax("a column definition list is required for functions returning \"record\"", location);
            }
            let desc = match class {
                FuncClass::Composite(desc) => desc,
                FuncClass::Scalar => {
                    // The one column takes the alias's name, unless the function has an OUT parameter's.
                    let column = self.scalar_column_name(&expr, name, alias.as_ref(), nfuncs)?;
                    let ty = TypeMod { oid: rettype, typmod: expr.typmod(), collation: expr.collation() };
                    Arc::new(TupleDesc::new(vec![self.attribute_of(&column, ty)?]))
                }
                FuncClass::Record => {
                    let mut cols = Vec::new();
                    for c in *coldefs {
                        let tn = c.type_name.as_ref().ok_or_else(|| PgError::internal("a column without a type"))?;
                        if tn.setof {
                            let m = format!("column \"{}\" cannot be declared SETOF", c.colname);
                            return Err(PgError::new(INVALID_TABLE_DEFINITION, m).at(c.location));
                        }
                        let (oid, typmod) = self.type_and_typmod(tn)?;
                        let collation = self.column_collation(c, oid)?;
                        self.check_attribute(&c.colname, oid, &cols)?;
                        cols.push(self.attribute_of(&c.colname, TypeMod { oid, typmod, collation })?);
                    }
                    Arc::new(TupleDesc::new(cols))
                }
                FuncClass::Other => {
                    let t = format_type(self.cat(), rettype)?;
                    let m = format!("function \"{name}\" in FROM has unsupported return type {t}");
                    return Err(PgError::new(DATATYPE_MISMATCH, m).at(location));
                }
            };
            attrs.extend(desc.attrs.iter().cloned());
            functions.push(RangeTblFunction {
                funcexpr: expr,
                colcount: desc.attrs.len(),
                desc,
                has_coldeflist: !coldefs.is_empty(),
            });
        }
        if rf.ordinality {
            attrs.push(self.attribute_of("ordinality", plain(INT8OID))?);
        }
        if attrs.len() > 1664 {
            let m = "functions in FROM can return at most 1664 columns";
            return Err(PgError::new(TOO_MANY_COLUMNS, m).at(functions[0].funcexpr.location()));
        }
        let desc = TupleDesc::new(attrs);
        let eref = relation_aliases(&desc, alias.as_ref(), aliasname)?;
        let types: Vec<_> = desc.attrs.iter().map(|a| (!a.dropped).then(|| attr_type(a))).collect();
        let kind = RteKind::Function { functions, ordinality: rf.ordinality };
        Ok(self.push_rte(alias, eref, kind, lateral, true, &types))
    }

    fn check_attribute(&self, name: &str, oid: Oid, sofar: &[Attribute]) -> Result<()> {
        if sofar.iter().any(|a| &*a.name == name) {
            let m = format!("column name \"{name}\" specified more than once");
            return Err(PgError::new(DUPLICATE_COLUMN, m));
        }
        if self.cat().typtype_of(oid)? == b'p' && oid != RECORDOID && oid != RECORDARRAYOID {
            let m = format!("column \"{name}\" has pseudo-type {}", format_type(self.cat(), oid)?);
            return Err(PgError::new(INVALID_TABLE_DEFINITION, m));
        }
        Ok(())
    }

    /// (PostgreSQL: `chooseScalarFunctionAlias`)
    fn scalar_column_name(&self, e: &Expr, name: &str, alias: Option<&Alias>, nfuncs: usize) -> Result<String> {
        if let Expr::FuncExpr(f) = e
            && let Some(out) = self.single_out_name(f.funcid)?
        {
            return Ok(out);
        }
        Ok(match alias {
            Some(a) if nfuncs == 1 => a.aliasname.clone(),
            _ => name.to_owned(),
        })
    }

    /// The name of the only OUT parameter. (PostgreSQL: `get_func_result_name`)
    fn single_out_name(&self, funcid: Oid) -> Result<Option<String>> {
        let p = self.cat().function_row(funcid)?;
        let (Some(modes), Some(names)) = (&p.proargmodes, &p.proargnames) else { return Ok(None) };
        let mut outs = modes.iter().zip(names).filter(|(m, _)| matches!(**m, b'o' | b'b' | b't'));
        Ok(match (outs.next(), outs.next()) {
            (Some((_, n)), None) if !n.is_empty() => Some(n.clone()),
            _ => None,
        })
    }

    pub(crate) fn func_class(&self, e: &Expr) -> Result<FuncClass> {
        Rows(self.cat()).func_class(e)
    }
    pub(crate) fn attribute_of(&self, name: &str, ty: TypeMod) -> Result<Attribute> {
        Rows(self.cat()).attribute_of(name, ty)
    }
}

/// What rows calls give.
pub(crate) struct Rows<'a>(pub &'a catalog::Catalog);

impl Rows<'_> {
    fn cat(&self) -> &catalog::Catalog {
        self.0
    }

    /// What an expression used as a table returns. (PostgreSQL: `get_expr_result_type`)
    pub(crate) fn func_class(&self, e: &Expr) -> Result<FuncClass> {
        if let Expr::FuncExpr(f) = e
            && f.funcresulttype == RECORDOID
            && let Some(desc) = self.out_params_desc(f)?
        {
            return Ok(FuncClass::Composite(desc));
        }
        let t = e.type_oid();
        if t == RECORDOID {
            if let Some(desc) = self.row_desc(e)? {
                return Ok(FuncClass::Composite(desc));
            }
            return Ok(FuncClass::Record);
        }
        let base = self.cat().base_of(t)?;
        Ok(match self.cat().typtype_of(base)? {
            b'c' => FuncClass::Composite(self.cat().row_type(base)?),
            b'p' if base == VOIDOID || base == CSTRINGOID => FuncClass::Scalar,
            b'p' => FuncClass::Other,
            _ => FuncClass::Scalar,
        })
    }

    /// The row of a ROW constructor or a constant.
    fn row_desc(&self, e: &Expr) -> Result<Option<Arc<TupleDesc>>> {
        let Expr::RowExpr(r) = e else { return Ok(None) };
        let mut attrs = Vec::new();
        for (i, a) in r.args.iter().enumerate() {
            let name = r.colnames.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
            attrs.push(self.attribute_of(&name, a.type_mod())?);
        }
        Ok(Some(Arc::new(TupleDesc::new(attrs))))
    }

    /// The row of OUT parameters, polymorphic ones resolved. (PostgreSQL: `build_function_result_tupdesc_t`)
    pub(crate) fn out_params_desc(&self, f: &FuncExpr) -> Result<Option<Arc<TupleDesc>>> {
        let p = self.cat().function_row(f.funcid)?;
        let (Some(all), Some(modes)) = (&p.proallargtypes, &p.proargmodes) else { return Ok(None) };
        let mut attrs = Vec::new();
        let actual: Vec<Oid> = f.args.iter().map(Expr::type_oid).collect();
        let declared: Vec<Oid> = p.proargtypes.iter().take(actual.len()).copied().collect();
        for (i, (t, m)) in all.iter().zip(modes).enumerate() {
            if !matches!(m, b'o' | b'b' | b't') {
                continue;
            }
            let name = p.proargnames.as_ref().and_then(|n| n.get(i)).filter(|n| !n.is_empty());
            let name = name.cloned().unwrap_or_else(|| format!("column{}", attrs.len() + 1));
            let mut oid = *t;
            if crate::coerce::is_polymorphic(oid) {
                let mut declared = declared.clone();
                oid = crate::poly::enforce(self.cat(), &actual[..declared.len()], &mut declared, oid, false)?;
            }
            let mut collation = self.cat().type_collation(oid)?;
            if collation.is_valid() && f.inputcollid.is_valid() {
                collation = f.inputcollid;
            }
            attrs.push(self.attribute_of(&name, TypeMod { oid, typmod: -1, collation })?);
        }
        Ok((attrs.len() > 1).then(|| Arc::new(TupleDesc::new(attrs))))
    }

    pub(crate) fn attribute_of(&self, name: &str, ty: TypeMod) -> Result<Attribute> {
        let t = self.cat().type_row(ty.oid)?;
        let mut a = Attribute::new(name, ty.oid, t.typlen, t.typbyval, types::Align::from_char(t.typalign));
        (a.typmod, a.collation, a.storage) = (ty.typmod, ty.collation, t.typstorage);
        Ok(a)
    }
}

impl Analyzer<'_, '_> {
    /// The names and types of an entry's columns. (PostgreSQL: `expandRTE`)
    pub(crate) fn rte_columns(&self, rte: &RangeTblEntry) -> Result<Vec<RteColumn>> {
        rte_columns(self.cat(), rte)
    }

    /// The columns of an entry as variables; dropped ones are null constants. (PostgreSQL: `expandRTE` with `include_dropped`)
    pub(crate) fn expand_rte_vars(&mut self, rtindex: RtIndex, up: u32, location: Location) -> Result<Vec<Expr>> {
        let level = self.levels.len() - 1 - up as usize;
        let rte = self.levels[level].rte(rtindex).clone();
        let mut out = Vec::new();
        for (i, c) in self.rte_columns(&rte)?.into_iter().enumerate() {
            let Some(ty) = c.ty else { continue };
            let mut v = Var {
                varno: rtindex,
                varattno: i as AttrNumber + 1,
                vartype: ty,
                varnullingrels: Vec::new(),
                varlevelsup: up,
                varreturning: VarReturning::Default,
                varnosyn: rtindex,
                varattnosyn: i as AttrNumber + 1,
                location,
            };
            if let Some(rels) = self.levels[level].nullingrels.get(rtindex as usize - 1) {
                v.varnullingrels.clone_from(rels);
            }
            out.push(Expr::Var(v));
        }
        Ok(out)
    }

    /// What `*` means for a FROM item. (PostgreSQL: `expandNSItemVars`)
    pub(crate) fn expand_item_vars(
        &mut self,
        item: &NsItem,
        up: u32,
        location: Location,
        for_star: bool,
    ) -> Result<Vec<(Expr, String)>> {
        let level = self.levels.len() - 1 - up as usize;
        let mut out = Vec::new();
        for (c, name) in item.columns.iter().zip(&item.names.colnames) {
            if (for_star && c.dontexpand) || name.is_empty() && c.varno == 0 {
                continue;
            }
            if c.varno == 0 {
                continue;
            }
            let mut v = self.ns_var(c, up, location);
            v.varreturning = item.returning;
            if let Some(rels) = self.levels[level].nullingrels.get(v.varno as usize - 1) {
                v.varnullingrels.clone_from(rels);
            }
            out.push((Expr::Var(v), name.clone()));
        }
        Ok(out)
    }
}

pub(crate) fn attr_type(a: &Attribute) -> TypeMod {
    TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation }
}

/// The names and types of an entry's columns. (PostgreSQL: `expandRTE`)
pub(crate) fn rte_columns(c: &catalog::Catalog, rte: &RangeTblEntry) -> Result<Vec<RteColumn>> {
    let name = |i: usize| rte.eref.colnames.get(i).cloned().unwrap_or_default();
    let listed = |types: &[TypeMod]| {
        types.iter().enumerate().map(|(i, t)| RteColumn { name: name(i), ty: Some(*t) }).collect::<Vec<_>>()
    };
    Ok(match &rte.kind {
        RteKind::Relation { relid, .. } => {
            let rel = c.relation_entry(*relid)?;
            let one = |(i, a): (usize, &Attribute)| RteColumn { name: name(i), ty: (!a.dropped).then(|| attr_type(a)) };
            rel.desc.attrs.iter().enumerate().map(one).collect()
        }
        RteKind::Subquery { subquery, .. } => {
            let types: Vec<_> = subquery.target_list.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect();
            listed(&types)
        }
        RteKind::Join(j) => {
            let types: Vec<_> = j.join_alias_vars.iter().map(Expr::type_mod).collect();
            listed(&types)
        }
        RteKind::Function { functions, ordinality } => {
            let mut out = Vec::new();
            for f in functions {
                for a in f.desc.attrs.iter().take(f.colcount) {
                    out.push(RteColumn { name: name(out.len()), ty: (!a.dropped).then(|| attr_type(a)) });
                }
            }
            if *ordinality {
                out.push(RteColumn { name: name(out.len()), ty: Some(plain(INT8OID)) });
            }
            out
        }
        RteKind::TableFunc(t) => listed(&t.coltypes),
        RteKind::Values { types, .. } | RteKind::Cte { types, .. } => listed(types),
        RteKind::NamedTuplestore { types, .. } => types
            .iter()
            .enumerate()
            .map(|(i, t)| RteColumn { name: name(i), ty: t.oid.is_valid().then_some(*t) })
            .collect(),
        RteKind::Result => Vec::new(),
        RteKind::Group { exprs } => {
            let types: Vec<_> = exprs.iter().map(Expr::type_mod).collect();
            listed(&types)
        }
    })
}

/// The names in effect: the user's first, then the relation's. (PostgreSQL: `buildRelationAliases`)
fn relation_aliases(desc: &TupleDesc, alias: Option<&Alias>, aliasname: String) -> Result<Alias> {
    let mut given = alias.map(|a| &a.colnames[..]).unwrap_or_default().iter();
    let total = given.len();
    let mut colnames = Vec::with_capacity(desc.attrs.len());
    for a in &desc.attrs {
        colnames.push(match (a.dropped, given.as_slice().is_empty()) {
            (true, _) => String::new(),
            (false, false) => given.next().cloned().unwrap_or_default(),
            (false, true) => a.name.to_string(),
        });
    }
    if !given.as_slice().is_empty() {
        let live = desc.attrs.iter().filter(|a| !a.dropped).count();
        let m = format!("table \"{aliasname}\" has {live} columns available but {total} columns specified");
        return Err(PgError::new(INVALID_COLUMN_REFERENCE, m));
    }
    Ok(Alias { aliasname, colnames })
}
