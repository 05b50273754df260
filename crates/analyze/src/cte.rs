//! WITH: its queries in an order in which each finds those it needs, and the rules of recursion.
//!
//! PostgreSQL: `parser/parse_cte.c`.

use std::rc::Rc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use parser::ast;
use types::oid::*;

use crate::coerce::plain;
use crate::query::*;
use crate::state::*;

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `transformWithClause`)
    pub(crate) fn ctes(&mut self, w: &ast::WithClause) -> Result<()> {
        for (i, c) in w.ctes.iter().enumerate() {
            if let Some(twin) = w.ctes[i + 1..].iter().find(|d| d.ctename == c.ctename) {
                let m = format!("WITH query name \"{}\" specified more than once", c.ctename);
                return Err(PgError::new(DUPLICATE_ALIAS, m).at(twin.location));
            }
            let modifying = !matches!(c.ctequery, ast::Statement::Select(_));
            if modifying {
                if self.levels.len() > 1 {
                    let m = "WITH clause containing a data-modifying statement must be at the top level";
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(c.location));
                }
                self.lv().has_modifying_cte = true;
            }
        }
        let entry = |c: &ast::CommonTableExpr, recursive| CteEntry {
            name: c.ctename.clone(),
            location: c.location,
            recursive,
            refcount: 0,
            colnames: Vec::new(),
            coltypes: Vec::new(),
            query: None,
            raw: Rc::new(c.clone()),
            search_clause: None,
            cycle_clause: None,
        };
        if !w.recursive {
            self.lv().future_ctes = w.ctes.iter().map(|c| c.ctename.clone()).collect();
            for c in &w.ctes {
                // Not yet in sight of itself.
                let query = self.cte_query(c, None)?;
                let lv = self.lv();
                lv.ctes.push(entry(c, false));
                let i = lv.ctes.len() - 1;
                self.finish_cte(i, query)?;
                self.lv().future_ctes.retain(|n| *n != c.ctename);
            }
            return Ok(());
        }
        // Each before those that refer to it; itself makes it recursive.
        let names: Vec<&str> = w.ctes.iter().map(|c| c.ctename.as_str()).collect();
        let uses: Vec<Vec<usize>> = w
            .ctes
            .iter()
            .map(|c| {
                let mut r = crate::recursion::References::new(&names);
                r.statement(&c.ctequery);
                r.found
            })
            .collect();
        let n = w.ctes.len();
        let mut done: Vec<usize> = Vec::new();
        while done.len() < n {
            let next = (0..n).find(|i| !done.contains(i) && uses[*i].iter().all(|u| u == i || done.contains(u)));
            let Some(i) = next else {
                let i = (0..n).find(|i| !done.contains(i)).unwrap_or(0);
                let m = "mutual recursion between WITH items is not implemented";
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(w.ctes[i].location));
            };
            done.push(i);
        }
        for i in &done {
            let c = &w.ctes[*i];
            if uses[*i].contains(i) {
                crate::recursion::check(c)?;
            }
        }
        // All are in sight of each other; recursive ones even before they are done.
        for i in &done {
            let recursive = uses[*i].contains(i);
            self.lv().ctes.push(entry(&w.ctes[*i], recursive));
        }
        for (k, i) in done.iter().enumerate() {
            let query = self.cte_query(&w.ctes[*i], Some(k))?;
            self.finish_cte(k, query)?;
        }
        Ok(())
    }

    fn cte_query(&mut self, c: &ast::CommonTableExpr, index: Option<usize>) -> Result<Query> {
        if let Some(k) = index {
            self.search_and_cycle_early(c, k)?;
        } else if c.search_clause.is_some() || c.cycle_clause.is_some() {
            return Err(PgError::new(SYNTAX_ERROR, "WITH query is not recursive").at(c.location));
        }
        self.sub_analyze(&c.ctequery, index, false, true)
    }

    /// SEARCH and CYCLE columns must be known when the query refers to itself.
    fn search_and_cycle_early(&mut self, c: &ast::CommonTableExpr, k: usize) -> Result<()> {
        if c.search_clause.is_none() && c.cycle_clause.is_none() {
            return Ok(());
        }
        if !self.level().ctes[k].recursive {
            return Err(PgError::new(SYNTAX_ERROR, "WITH query is not recursive").at(c.location));
        }
        let cycle = match &c.cycle_clause {
            None => None,
            Some(cy) => {
                let v = self.transform_expr(&cy.cycle_mark_value, ExprKind::CycleMark)?;
                let d = self.transform_expr(&cy.cycle_mark_default, ExprKind::CycleMark)?;
                let t = self.select_common_type(&[&v, &d], Some("CYCLE"))?.map_or(TEXTOID, |t| t.0);
                let v = self.coerce_to_common_type(v, t, "CYCLE/SET/TO")?;
                let d = self.coerce_to_common_type(d, t, "CYCLE/SET/DEFAULT")?;
                let typmod = if v.typmod() == d.typmod() { v.typmod() } else { -1 };
                let mut both = [v, d];
                let collation = self.common_collation(&mut both, true)?;
                let ops = crate::oper::sort_group_ops(self.cat(), t)?;
                if !ops.eq.is_valid() {
                    let m = format!("could not identify an equality operator for type {}", self.type_name(t)?);
                    return Err(PgError::new(UNDEFINED_FUNCTION, m));
                }
                let ne = self.cat().operator(ops.eq)?.map_or(Oid::INVALID, |o| o.oprnegate);
                if !ne.is_valid() {
                    let m = format!("could not identify an inequality operator for type {}", self.type_name(t)?);
                    return Err(PgError::new(UNDEFINED_FUNCTION, m));
                }
                let [mark_value, mark_default] = both;
                Some(Box::new(CteCycleClause {
                    col_list: cy.cycle_col_list.clone(),
                    mark_column: cy.cycle_mark_column.clone(),
                    mark_value,
                    mark_default,
                    path_column: cy.cycle_path_column.clone(),
                    location: cy.location,
                    mark_type: TypeMod { oid: t, typmod, collation },
                    mark_neop: ne,
                }))
            }
        };
        let search = c.search_clause.as_ref().map(|s| CteSearchClause {
            col_list: s.search_col_list.clone(),
            breadth_first: s.search_breadth_first,
            seq_column: s.search_seq_column.clone(),
            location: s.location,
        });
        let e = &mut self.lv().ctes[k];
        (e.search_clause, e.cycle_clause) = (search, cycle);
        Ok(())
    }

    fn finish_cte(&mut self, i: usize, mut query: Query) -> Result<()> {
        query.can_set_tag = false;
        let c = self.level().ctes[i].clone();
        let list = match query.command_type {
            CmdType::Select => &query.target_list,
            _ => &query.returning_list,
        };
        let names: Vec<String> =
            list.iter().filter(|t| !t.resjunk).map(|t| t.resname.clone().unwrap_or_default()).collect();
        let types: Vec<TypeMod> = list.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_mod()).collect();
        if !c.recursive {
            let up = self.levels.len() - 1;
            self.set_cte_columns(up, i, names, types)?;
        } else {
            // The whole must be of the types its first term promised.
            for (k, (want, have)) in c.coltypes.iter().zip(&types).enumerate() {
                let at = list.iter().filter(|t| !t.resjunk).nth(k).map(|t| t.expr.location()).unwrap_or_default();
                if want.oid != have.oid || want.typmod != have.typmod {
                    let (a, b) = (
                        self.cat().format_type(want.oid, Some(want.typmod))?,
                        self.cat().format_type(have.oid, Some(have.typmod))?,
                    );
                    let m = format!(
                        "recursive query \"{}\" column {} has type {a} in non-recursive term but type {b} overall",
                        c.name,
                        k + 1
                    );
                    return Err(PgError::new(DATATYPE_MISMATCH, m)
                        .hint("Cast the output of the non-recursive term to the correct type.")
                        .at(at));
                }
                if want.collation != have.collation {
                    let name = |o| -> Result<String> {
                        Ok(self.cat().collation(o)?.map_or_else(String::new, |c| c.collname.clone()))
                    };
                    let m = format!(
                        "recursive query \"{}\" column {} has collation \"{}\" in non-recursive term but collation \"{}\" overall",
                        c.name,
                        k + 1,
                        name(want.collation)?,
                        name(have.collation)?
                    );
                    return Err(PgError::new(COLLATION_MISMATCH, m)
                        .hint("Use the COLLATE clause to set the collation of the non-recursive term.")
                        .at(at));
                }
            }
        }
        self.check_search_cycle(i)?;
        self.lv().ctes[i].query = Some(Rc::new(query));
        Ok(())
    }

    fn check_search_cycle(&self, i: usize) -> Result<()> {
        let c = &self.level().ctes[i];
        let known = |n: &String| c.colnames.contains(n);
        let syntax = |m: String, l| Err(PgError::new(SYNTAX_ERROR, m).at(l));
        if let Some(s) = &c.search_clause {
            for (k, n) in s.col_list.iter().enumerate() {
                if !known(n) {
                    return syntax(format!("search column \"{n}\" not in WITH query column list"), s.location);
                }
                if s.col_list[..k].contains(n) {
                    let m = format!("search column \"{n}\" specified more than once");
                    return Err(PgError::new(DUPLICATE_COLUMN, m).at(s.location));
                }
            }
            if known(&s.seq_column) {
                let m =
                    format!("search sequence column name \"{}\" already used in WITH query column list", s.seq_column);
                return syntax(m, s.location);
            }
        }
        if let Some(y) = &c.cycle_clause {
            for (k, n) in y.col_list.iter().enumerate() {
                if !known(n) {
                    return syntax(format!("cycle column \"{n}\" not in WITH query column list"), y.location);
                }
                if y.col_list[..k].contains(n) {
                    let m = format!("cycle column \"{n}\" specified more than once");
                    return Err(PgError::new(DUPLICATE_COLUMN, m).at(y.location));
                }
            }
            for (what, n) in [("mark", &y.mark_column), ("path", &y.path_column)] {
                if known(n) {
                    let m = format!("cycle {what} column name \"{n}\" already used in WITH query column list");
                    return syntax(m, y.location);
                }
            }
            if y.mark_column == y.path_column {
                return syntax("cycle mark column name and cycle path column name are the same".to_owned(), y.location);
            }
            if let Some(s) = &c.search_clause {
                for (what, n) in [("mark", &y.mark_column), ("path", &y.path_column)] {
                    if *n == s.seq_column {
                        let m = format!("search sequence column name and cycle {what} column name are the same");
                        return syntax(m, s.location);
                    }
                }
            }
        }
        Ok(())
    }

    /// The columns a CTE shows. (PostgreSQL: `analyzeCTETargetList`)
    pub(crate) fn set_cte_columns(
        &mut self,
        level: usize,
        i: usize,
        names: Vec<String>,
        mut types: Vec<TypeMod>,
    ) -> Result<()> {
        let c = &mut self.levels[level].ctes[i];
        let given = &c.raw.aliascolnames;
        if given.len() > names.len() {
            let m = format!(
                "WITH query \"{}\" has {} columns available but {} columns specified",
                c.name,
                names.len(),
                given.len()
            );
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(c.location));
        }
        for t in &mut types {
            // An unknown literal of the first term is text in what follows.
            if c.recursive && t.oid == UNKNOWNOID {
                *t = TypeMod { collation: DEFAULT_COLLATION, ..plain(TEXTOID) };
            }
        }
        let mut all = given.clone();
        all.extend(names[given.len()..].iter().cloned());
        (c.colnames, c.coltypes) = (all, types);
        Ok(())
    }
}
