//! What the analyzer is given: the catalogs, the session's hook, and what is known of parameters.

use std::sync::Arc;

use base::Oid;
use base::Result;
use base::error::Location;
use catalog::Catalog;
use parser::ast;
use types::{Runtime, Settings, TupleDesc};

use crate::query::Expr;

/// What the analyzer works with. The catalog handle knows the search path; settings, notices and the type input functions
/// (for literals) come from the session's [`Runtime`].
pub struct AnalyzeContext<'a> {
    pub catalog: Catalog,
    pub rt: &'a mut dyn Runtime,
    /// Names that are not columns: PL/pgSQL's variables, SQL functions' parameters.
    pub hooks: Option<&'a mut dyn ColumnHooks>,
    /// Takes the lock a relation needs as soon as its name is resolved: (relation, mode from 1 to 8).
    pub lock: Option<&'a mut dyn FnMut(Oid, u8) -> Result<()>>,
    /// Relations that no catalog knows: a trigger's transition tables. They come before catalogued ones of the same name.
    pub named: Vec<NamedRelation>,
}

/// A relation that lives only while the trigger runs that named it. (PostgreSQL: `EphemeralNamedRelationMetadataData`)
#[derive(Clone, Debug)]
pub struct NamedRelation {
    pub name: String,
    /// The table whose columns it has.
    pub relid: Oid,
    pub desc: Arc<TupleDesc>,
}

impl<'a> AnalyzeContext<'a> {
    pub fn new(catalog: Catalog, rt: &'a mut dyn Runtime) -> AnalyzeContext<'a> {
        AnalyzeContext { catalog, rt, hooks: None, lock: None, named: Vec::new() }
    }
    pub fn settings(&self) -> &Settings {
        self.rt.settings()
    }
}

/// How names and `$n` are resolved that a query's own FROM does not. (PostgreSQL: `ParserSetupHook` and its callbacks)
pub trait ColumnHooks {
    /// Asked before the columns are. (PostgreSQL: `p_pre_columnref_hook`)
    fn before_column(&mut self, _name: &ast::ColumnRef) -> Result<Option<Expr>> {
        Ok(None)
    }
    /// Asked after; `found` is the column, if any: giving both is for the hook to refuse (42702).
    /// (PostgreSQL: `p_post_columnref_hook`)
    fn after_column(&mut self, _name: &ast::ColumnRef, _found: Option<&Expr>) -> Result<Option<Expr>> {
        Ok(None)
    }
    /// `$n`. (PostgreSQL: `p_paramref_hook`)
    fn param(&mut self, _number: i32, _location: Location) -> Result<Option<Expr>> {
        Ok(None)
    }
}

/// What `$n` may be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ParamTypes {
    /// No parameters.
    #[default]
    None,
    /// The types are given. (PostgreSQL: `setup_parse_fixed_parameters`)
    Fixed(Vec<Oid>),
    /// Unknown ones (invalid or `unknown`) are inferred and left here after the analysis.
    /// (PostgreSQL: `setup_parse_variable_parameters`)
    Variable(Vec<Oid>),
}
