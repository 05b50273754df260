//! From names to variables: tables and columns of the FROM items in sight, and the errors with their hints.
//!
//! PostgreSQL: `parser/parse_relation.c` (`refnameNamespaceItem`, `colNameToVar`, `errorMissingColumn`, ...).

use std::rc::Rc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::acl::ACL_SELECT;
use parser::ast;
use types::oid::*;

use crate::coerce::plain;
use crate::lookup::{Lookup, relkind};
use crate::query::*;
use crate::state::*;

/// Names further away than this are no suggestion. (PostgreSQL: `MAX_FUZZY_DISTANCE`)
const MAX_FUZZY_DISTANCE: usize = 3;

/// The number and type of a system column.
pub fn system_column(name: &str) -> Option<(AttrNumber, Oid)> {
    Some(match name {
        "ctid" => (sysattr::CTID, TIDOID),
        "xmin" => (sysattr::XMIN, XIDOID),
        "cmin" => (sysattr::CMIN, CIDOID),
        "xmax" => (sysattr::XMAX, XIDOID),
        "cmax" => (sysattr::CMAX, CIDOID),
        "tableoid" => (sysattr::TABLEOID, OIDOID),
        _ => return None,
    })
}

/// The name and type of a system column.
pub fn system_column_by_number(n: AttrNumber) -> Option<(&'static str, Oid)> {
    ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"]
        .into_iter()
        .find_map(|name| system_column(name).filter(|c| c.0 == n).map(|c| (name, c.1)))
}

/// Near misses for a column's name. (PostgreSQL: `FuzzyAttrMatchState`)
#[derive(Default)]
struct Fuzzy {
    distance: usize,
    /// (level, range-table index, column) of the nearest.
    first: Option<(usize, usize, usize)>,
    second: Option<(usize, usize, usize)>,
    exact1: Option<(usize, usize)>,
    exact2: bool,
}

impl Fuzzy {
    fn consider(&mut self, penalty: usize, actual: &str, wanted: &str, place: (usize, usize, usize)) {
        if penalty > self.distance || actual.is_empty() {
            return;
        }
        let d = levenshtein(actual, wanted);
        if d > wanted.len() / 2 {
            return;
        }
        let d = d + penalty;
        if d < self.distance {
            (self.distance, self.first, self.second) = (d, Some(place), None);
        } else if d == self.distance {
            match (self.first, self.second) {
                (_, Some(_)) => (self.first, self.second) = (None, None),
                (Some(_), None) => self.second = Some(place),
                (None, None) => {}
            }
        }
    }
}

pub(crate) fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

impl Analyzer<'_, '_> {
    /// The FROM item that a table name means, and how many levels up it is. (PostgreSQL: `refnameNamespaceItem`)
    pub(crate) fn find_item(
        &mut self,
        schema: Option<&str>,
        name: &str,
        location: Location,
    ) -> Result<Option<(u32, NsItem)>> {
        let mut relid = Oid::INVALID;
        if let Some(schema) = schema {
            let Some(ns) = self.cat().explicit_namespace(schema, true)? else { return Ok(None) };
            match self.cat().relation_by_name(ns, name)? {
                Some(oid) => relid = oid,
                None => return Ok(None),
            }
        }
        for (up, i) in (0..self.levels.len()).rev().enumerate() {
            let level = &self.levels[i];
            let mut found: Option<&NsItem> = None;
            for item in &level.namespace {
                if !item.rel_visible || (item.lateral_only && !level.lateral_active) {
                    continue;
                }
                let matches = if relid.is_valid() {
                    // A schema-qualified name never means an alias.
                    let rte = level.rte(item.rtindex);
                    matches!(rte.kind, RteKind::Relation { relid: r, .. } if r == relid) && rte.alias.is_none()
                } else {
                    item.names.aliasname == name
                };
                if !matches {
                    continue;
                }
                if found.is_some() {
                    let m = match relid.is_valid() {
                        true => format!("table reference {relid} is ambiguous"),
                        false => format!("table reference \"{name}\" is ambiguous"),
                    };
                    return Err(PgError::new(AMBIGUOUS_ALIAS, m).at(location));
                }
                self.check_lateral_ok(level, item, location)?;
                found = Some(item);
            }
            if let Some(item) = found {
                return Ok(Some((up as u32, item.clone())));
            }
        }
        Ok(None)
    }

    fn check_lateral_ok(&self, level: &Level, item: &NsItem, location: Location) -> Result<()> {
        if item.lateral_only && !item.lateral_ok {
            let name = &item.names.aliasname;
            let m = format!("invalid reference to FROM-clause entry for table \"{name}\"");
            let e = PgError::new(INVALID_COLUMN_REFERENCE, m).at(location);
            let is_target = level.target.as_ref().is_some_and(|t| t.item.rtindex == item.rtindex);
            return Err(match is_target {
                true => e.hint(format!(
                    "There is an entry for table \"{name}\", but it cannot be referenced from this part of the query."
                )),
                false => e.detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference."),
            });
        }
        Ok(())
    }

    /// The column of that name in the FROM items in sight. (PostgreSQL: `colNameToVar`)
    pub(crate) fn column_to_var(&mut self, name: &str, local_only: bool, location: Location) -> Result<Option<Expr>> {
        let n = self.levels.len();
        for (up, i) in (0..n).rev().enumerate() {
            let mut found = None;
            for k in 0..self.levels[i].namespace.len() {
                let level = &self.levels[i];
                let item = &level.namespace[k];
                if !item.cols_visible || (item.lateral_only && !level.lateral_active) {
                    continue;
                }
                let item = item.clone();
                let Some(var) = self.scan_item(&item, i, up as u32, name, location)? else { continue };
                if found.is_some() {
                    let m = format!("column reference \"{name}\" is ambiguous");
                    return Err(PgError::new(AMBIGUOUS_COLUMN, m).at(location));
                }
                self.check_lateral_ok(&self.levels[i], &item, location)?;
                found = Some(var);
            }
            if found.is_some() || local_only {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// A column of one FROM item by its name. (PostgreSQL: `scanNSItemForColumn`)
    pub(crate) fn scan_item(
        &mut self,
        item: &NsItem,
        level: usize,
        up: u32,
        name: &str,
        location: Location,
    ) -> Result<Option<Expr>> {
        let mut attnum: AttrNumber = 0;
        for (i, c) in item.names.colnames.iter().enumerate() {
            if c == name {
                if attnum != 0 {
                    let m = format!("column reference \"{name}\" is ambiguous");
                    return Err(PgError::new(AMBIGUOUS_COLUMN, m).at(location));
                }
                attnum = i as AttrNumber + 1;
            }
        }
        if attnum > 0 {
            let col = &item.columns[attnum as usize - 1];
            if col.varno == 0 {
                let m = format!("column \"{name}\" of relation \"{}\" does not exist", item.names.aliasname);
                return Err(PgError::new(UNDEFINED_COLUMN, m));
            }
            let mut v = self.ns_var(col, up, location);
            v.varreturning = item.returning;
            self.finish_var(&mut v, level);
            return Ok(Some(Expr::Var(v)));
        }
        let Some((attnum, oid)) = system_column(name) else { return Ok(None) };
        let RteKind::Relation { relid, relkind: kind, .. } = self.levels[level].rte(item.rtindex).kind else {
            return Ok(None);
        };
        if kind == relkind::COMPOSITE_TYPE || self.cat().attribute(relid, attnum)?.is_none() {
            return Ok(None);
        }
        let refuse = |m: String| Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(location));
        match self.kind() {
            ExprKind::CheckConstraint if attnum != sysattr::TABLEOID => {
                return refuse(format!("system column \"{name}\" reference in check constraint is invalid"));
            }
            ExprKind::GeneratedColumn if attnum != sysattr::TABLEOID => {
                return refuse(format!("cannot use system column \"{name}\" in column generation expression"));
            }
            ExprKind::MergeWhen if attnum != sysattr::TABLEOID => {
                return refuse(format!("cannot use system column \"{name}\" in MERGE WHEN condition"));
            }
            _ => {}
        }
        let mut v = Var {
            varno: item.rtindex,
            varattno: attnum,
            vartype: plain(oid),
            varnullingrels: Vec::new(),
            varlevelsup: up,
            varreturning: item.returning,
            varnosyn: item.rtindex,
            varattnosyn: attnum,
            location,
        };
        self.finish_var(&mut v, level);
        Ok(Some(Expr::Var(v)))
    }

    pub(crate) fn ns_var(&self, col: &NsColumn, up: u32, location: Location) -> Var {
        Var {
            varno: col.varno,
            varattno: col.varattno,
            vartype: col.vartype,
            varnullingrels: Vec::new(),
            varlevelsup: up,
            varreturning: col.varreturning,
            varnosyn: col.varnosyn,
            varattnosyn: col.varattnosyn,
            location,
        }
    }

    /// Notes which outer joins may null the variable, and that its column is read.
    /// (PostgreSQL: `markNullableIfNeeded`, `markVarForSelectPriv`)
    pub(crate) fn finish_var(&mut self, v: &mut Var, level: usize) {
        if let Some(rels) = self.levels[level].nullingrels.get(v.varno as usize - 1) {
            v.varnullingrels.clone_from(rels);
        }
        self.mark_select(level, v.varno, v.varattno);
    }

    pub(crate) fn mark_select(&mut self, level: usize, rtindex: RtIndex, col: AttrNumber) {
        let lv = &mut self.levels[level];
        match &lv.rtable[rtindex as usize - 1].kind {
            RteKind::Relation { perminfoindex, .. } if *perminfoindex > 0 => {
                let p = &mut lv.perminfos[*perminfoindex as usize - 1];
                p.required_perms |= ACL_SELECT;
                add_col(&mut p.selected_cols, col);
            }
            RteKind::Join(_) if col == 0 => {
                if let Some((l, r)) = lv.join_sides.get(&rtindex).copied() {
                    self.mark_select(level, l, 0);
                    self.mark_select(level, r, 0);
                }
            }
            _ => {}
        }
    }

    /// The whole row of a FROM item. (PostgreSQL: `transformWholeRowRef`, `makeWholeRowVar`)
    pub(crate) fn whole_row(&mut self, item: &NsItem, up: u32, location: Location) -> Result<Expr> {
        let level = self.levels.len() - 1 - up as usize;
        let rte = self.levels[level].rte(item.rtindex);
        // A USING alias shows the merged columns only, as an anonymous row.
        if item.columns.len() != rte.eref.colnames.len() || !Rc::ptr_eq(&item.names, &item.names) {
            if let RteKind::Join(j) = &rte.kind
                && j.join_using_alias.as_ref().is_some_and(|a| a.aliasname == item.names.aliasname)
                && item.columns.len() < rte.eref.colnames.len()
            {
                let colnames = item.names.colnames.clone();
                let args = self.expand_item_vars(item, up, location, false)?.into_iter().map(|(e, _)| e).collect();
                return Ok(Expr::RowExpr(Box::new(RowExpr {
                    args,
                    row_typeid: RECORDOID,
                    row_format: CoercionForm::ImplicitCast,
                    colnames,
                    location,
                })));
            }
        }
        let (oid, attno) = self.whole_row_type(&self.levels[level], item.rtindex)?;
        let mut v = Var {
            varno: item.rtindex,
            varattno: attno,
            vartype: plain(oid),
            varnullingrels: Vec::new(),
            varlevelsup: up,
            varreturning: item.returning,
            varnosyn: item.rtindex,
            varattnosyn: attno,
            location,
        };
        if attno != 0 {
            v.vartype.collation = self.cat().type_collation(oid)?;
        }
        self.finish_var(&mut v, level);
        Ok(Expr::Var(v))
    }

    /// The row type of a FROM item, and 0; or for a function of a scalar type that type, and 1.
    fn whole_row_type(&self, level: &Level, rtindex: RtIndex) -> Result<(Oid, AttrNumber)> {
        let rte = level.rte(rtindex);
        Ok(match &rte.kind {
            RteKind::Relation { relid, .. } => {
                let class = self.cat().class_row(*relid)?;
                if !class.reltype.is_valid() {
                    let m = format!("relation \"{}\" does not have a composite type", class.relname);
                    return Err(PgError::new(WRONG_OBJECT_TYPE, m));
                }
                (class.reltype, 0)
            }
            RteKind::Function { functions, ordinality } => match &functions[..] {
                [f] if !*ordinality => {
                    let t = f.funcexpr.type_oid();
                    if self.cat().is_rowtype(t)? { (t, 0) } else { (t, 1) }
                }
                _ => (RECORDOID, 0),
            },
            _ => (RECORDOID, 0),
        })
    }

    /// No FROM item of that name: says why. (PostgreSQL: `errorMissingRTE`)
    pub(crate) fn missing_rte(&self, rv: &ast::RangeVar) -> Result<PgError> {
        let relid = match &rv.schemaname {
            s => self.cat().find_relation(s.as_deref(), &rv.relname, true)?.unwrap_or_default(),
        };
        let cte = rv.schemaname.is_none() && self.levels.iter().any(|l| l.ctes.iter().any(|c| c.name == rv.relname));
        let mut near: Option<(usize, RtIndex)> = None;
        'search: for i in (0..self.levels.len()).rev() {
            for (k, rte) in self.levels[i].rtable.iter().enumerate() {
                let hit = match &rte.kind {
                    RteKind::Relation { relid: r, .. } if !cte && relid.is_valid() && *r == relid => true,
                    RteKind::Cte { name, .. } if cte && *name == rv.relname => true,
                    _ => rte.eref.aliasname == rv.relname,
                };
                if hit {
                    near = Some((i, k as RtIndex + 1));
                    break 'search;
                }
            }
        }
        let name = &rv.relname;
        let Some((i, rti)) = near else {
            let m = format!("missing FROM-clause entry for table \"{name}\"");
            return Ok(PgError::new(UNDEFINED_TABLE, m).at(rv.location));
        };
        let m = format!("invalid reference to FROM-clause entry for table \"{name}\"");
        let e = PgError::new(UNDEFINED_TABLE, m).at(rv.location);
        let rte = self.levels[i].rte(rti);
        let bad_alias = rte.alias.as_ref().filter(|_| rte.eref.aliasname != *name);
        if let Some(alias) = bad_alias {
            if self.find_ns_item_for(i, rti).is_some_and(|n| n.rel_visible) {
                let hint = format!("Perhaps you meant to reference the table alias \"{}\".", alias.aliasname);
                return Ok(e.hint(hint));
            }
        }
        let e = e.detail(format!(
            "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.",
            rte.eref.aliasname
        ));
        Ok(if self.visible_if_lateral(i, rti) {
            e.hint("To reference that table, you must mark this subquery with LATERAL.")
        } else {
            e
        })
    }

    fn find_ns_item_for(&self, level: usize, rti: RtIndex) -> Option<&NsItem> {
        self.levels[level].namespace.iter().find(|n| n.rtindex == rti)
    }
    fn visible_if_lateral(&self, level: usize, rti: RtIndex) -> bool {
        if self.level().lateral_active {
            return false;
        }
        self.find_ns_item_for(level, rti).is_some_and(|n| n.lateral_only && n.lateral_ok)
    }
    fn visible_if_qualified(&self, level: usize, rti: RtIndex) -> bool {
        match self.find_ns_item_for(level, rti) {
            Some(n) => n.rel_visible && !n.cols_visible && !n.lateral_only,
            None => false,
        }
    }

    /// No such column: says so, with what was perhaps meant. (PostgreSQL: `errorMissingColumn`)
    pub(crate) fn missing_column(&self, rel: Option<&str>, col: &str, location: Location) -> Result<PgError> {
        let mut f = Fuzzy { distance: MAX_FUZZY_DISTANCE + 1, ..Fuzzy::default() };
        for i in (0..self.levels.len()).rev() {
            for (k, rte) in self.levels[i].rtable.iter().enumerate() {
                if matches!(rte.kind, RteKind::Join(_)) {
                    continue;
                }
                let penalty = rel.map_or(0, |r| levenshtein(r, &rte.eref.aliasname).min(MAX_FUZZY_DISTANCE + 2));
                let mut exact = false;
                for (a, c) in rte.eref.colnames.iter().enumerate() {
                    exact |= c == col;
                    f.consider(penalty, c, col, (i, k, a));
                }
                if !exact && let (RteKind::Relation { relid, .. }, Some((n, _))) = (&rte.kind, system_column(col)) {
                    exact = self.cat().attribute(*relid, n)?.is_some();
                }
                if exact && penalty == 0 {
                    match f.exact1 {
                        None => f.exact1 = Some((i, k)),
                        Some(_) => f.exact2 = true,
                    }
                }
            }
        }
        let m = match rel {
            Some(r) => format!("column {r}.{col} does not exist"),
            None => format!("column \"{col}\" does not exist"),
        };
        let e = PgError::new(UNDEFINED_COLUMN, m).at(location);
        let name = |(i, k, a): (usize, usize, usize)| {
            let rte = &self.levels[i].rtable[k];
            format!("\"{}.{}\"", rte.eref.aliasname, rte.eref.colnames[a])
        };
        if f.exact2 {
            let e = e.detail(format!(
                "There are columns named \"{col}\", but they are in tables that cannot be referenced from this part of the query."
            ));
            return Ok(if rel.is_none() { e.hint("Try using a table-qualified name.") } else { e });
        }
        if let Some((i, k)) = f.exact1 {
            let rte = &self.levels[i].rtable[k];
            let e = e.detail(format!(
                "There is a column named \"{col}\" in table \"{}\", but it cannot be referenced from this part of the query.",
                rte.eref.aliasname
            ));
            return Ok(if self.visible_if_lateral(i, k as RtIndex + 1) {
                e.hint("To reference that column, you must mark this subquery with LATERAL.")
            } else if rel.is_none() && self.visible_if_qualified(i, k as RtIndex + 1) {
                e.hint("To reference that column, you must use a table-qualified name.")
            } else {
                e
            });
        }
        Ok(match (f.first, f.second) {
            (Some(a), None) => e.hint(format!("Perhaps you meant to reference the column {}.", name(a))),
            (Some(a), Some(b)) => {
                e.hint(format!("Perhaps you meant to reference the column {} or the column {}.", name(a), name(b)))
            }
            _ => e,
        })
    }
}

/// Adds a column to a sorted set.
pub(crate) fn add_col(set: &mut Vec<AttrNumber>, col: AttrNumber) {
    if let Err(i) = set.binary_search(&col) {
        set.insert(i, col);
    }
}
