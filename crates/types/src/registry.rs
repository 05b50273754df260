//! The registry of built-ins: what a `pg_proc.prosrc` of language `internal` runs. Bodies live in `functions` and, where
//! they need an upper floor (catalogs, sequences, sessions), in that floor's crate; the binary puts all lists together.

use std::any::{Any, TypeId};
use std::cmp::Ordering;
use std::sync::Arc;

use base::{Interrupt, Oid, PgError, Result};
use hashbrown::HashMap;

use crate::column::{Batch, Column, Rows};
use crate::datum::{Datum, DatumRef};
use crate::settings::Settings;
use crate::tupledesc::{Align, TupleDesc};

/// What a call site knows of the call before any row: made once per plan. (PostgreSQL: `FmgrInfo`, `fn_expr`)
#[derive(Clone, Debug, Default)]
pub struct FnCall {
    pub function: Oid,
    /// Actual argument types, polymorphic ones resolved.
    pub arg_types: Vec<Oid>,
    pub result_type: Oid,
    /// The collation the function is to use; invalid if none.
    pub collation: Oid,
    /// The last argument is an array of the variadic ones.
    pub variadic: bool,
    /// Row type of the result, for functions that return `record` with a column definition list or OUT arguments.
    pub result_desc: Option<Arc<TupleDesc>>,
}

/// What a function keeps between calls from one call site. (PostgreSQL: `fn_extra`)
pub type FnState = Option<Box<dyn Any + Send>>;

/// What a function is given besides its arguments.
pub struct FnCx<'a> {
    pub rt: &'a mut dyn Runtime,
    pub call: &'a FnCall,
    pub state: &'a mut FnState,
}

impl FnCx<'_> {
    pub fn settings(&self) -> &Settings {
        self.rt.settings()
    }
    /// The upper floor's value of type `T`, e.g. the catalog handle.
    pub fn extension<T: Any>(&mut self) -> Result<&mut T> {
        extension(self.rt)
    }
    /// The call site's state, made by `init` at the first call or when it holds something else.
    pub fn state_or<T: Any + Send>(&mut self, init: impl FnOnce(&mut dyn Runtime) -> Result<T>) -> Result<&mut T> {
        if !self.state.as_ref().is_some_and(|s| s.is::<T>()) {
            *self.state = Some(Box::new(init(self.rt)?));
        }
        self.state.as_mut().and_then(|s| s.downcast_mut()).ok_or_else(|| PgError::internal("lost function state"))
    }
}

/// What the upper floors offer to functions: the session behind a hook.
pub trait Runtime {
    fn settings(&self) -> &Settings;
    fn interrupt(&self) -> &Interrupt;
    /// The plain payload of a compressed or external varlena.
    fn detoast(&mut self, varlena: &[u8]) -> Result<Vec<u8>>;
    /// (PostgreSQL: the type cache)
    fn type_info(&mut self, oid: Oid) -> Result<Arc<TypeInfo>>;
    /// The row type of a composite type, or of a registered anonymous record type by its typmod.
    fn row_type(&mut self, oid: Oid, typmod: i32) -> Result<Arc<TupleDesc>>;
    /// Registers an anonymous record type; the result carries a typmod by which `row_type` finds it again.
    fn bless(&mut self, desc: TupleDesc) -> Arc<TupleDesc>;
    /// Calls any SQL-callable function by OID (not set-returning). Strictness is obeyed.
    fn call(&mut self, function: Oid, collation: Oid, args: &[DatumRef<'_>]) -> Result<Datum>;
    /// Tests a value of a domain's base type against the domain's constraints. (PostgreSQL: `domain_check`)
    fn check_domain(&mut self, domain: Oid, _value: DatumRef<'_>) -> Result<()> {
        Err(PgError::unsupported(format!("checking values of domain {domain} here")))
    }
    /// A text search configuration; the current default if the id is invalid.
    fn search_configuration(&mut self, _oid: Oid) -> Result<Arc<crate::search::ConfigurationInfo>> {
        Err(PgError::unsupported("text search here"))
    }
    fn search_dictionary(&mut self, _oid: Oid) -> Result<Arc<crate::search::DictionaryInfo>> {
        Err(PgError::unsupported("text search here"))
    }
    /// A dictionary by its name, perhaps with a schema.
    fn search_dictionary_named(&mut self, _name: &str) -> Result<Arc<crate::search::DictionaryInfo>> {
        Err(PgError::unsupported("text search here"))
    }
    /// Sends a NOTICE, WARNING, ... to the client.
    fn notice(&mut self, notice: PgError);
    fn registry(&self) -> &Arc<Registry>;
    /// Lends a value of an upper floor (such as its catalog handle) by type, `None` where this session has none.
    fn extension(&mut self, id: TypeId) -> Option<&mut (dyn Any + 'static)>;
}

/// The upper floor's value of type `T` that a context offers.
pub fn extension<'a, T: Any>(rt: &'a mut (dyn Runtime + '_)) -> Result<&'a mut T> {
    let missing = || PgError::internal(format!("no {} in this context", std::any::type_name::<T>()));
    rt.extension(TypeId::of::<T>()).and_then(|v| v.downcast_mut()).ok_or_else(missing)
}

/// What generic code needs to know of a type. (PostgreSQL: `TypeCacheEntry`, `get_type_io_data`)
#[derive(Clone, Debug)]
pub struct TypeInfo {
    pub oid: Oid,
    pub name: Box<str>,
    pub namespace: Oid,
    pub len: i16,
    pub byval: bool,
    pub align: Align,
    pub storage: u8,
    /// (PostgreSQL: `typtype`) b, c, d, e, p, r or m.
    pub typtype: u8,
    pub category: u8,
    pub delim: u8,
    /// The composite type's relation.
    pub relid: Oid,
    /// Element type of a true array type (or `oidvector` and such).
    pub elem: Oid,
    /// The array type over this one.
    pub array: Oid,
    /// The domain's base type and its typmod.
    pub base_type: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub input: Oid,
    pub output: Oid,
    pub receive: Oid,
    pub send: Oid,
    /// What the input functions take as their second argument. (PostgreSQL: `typioparam`)
    pub ioparam: Oid,
    /// Default btree comparison and operators, default hash; invalid where the type has none.
    pub cmp_proc: Oid,
    pub eq_opr: Oid,
    pub lt_opr: Oid,
    pub gt_opr: Oid,
    pub hash_proc: Oid,
    pub hash_extended_proc: Oid,
    /// Subtype of a range, range of a multirange.
    pub range_subtype: Oid,
}

/// An argument of a batch kernel.
#[derive(Clone, Copy)]
pub enum Arg<'a> {
    Column(&'a Column),
    Const(DatumRef<'a>),
}

impl<'a> Arg<'a> {
    #[inline]
    pub fn get(&self, row: usize) -> DatumRef<'a> {
        match *self {
            Arg::Column(c) => c.get(row),
            Arg::Const(d) => d,
        }
    }
}

pub type RowFn = fn(&mut FnCx<'_>, &[DatumRef<'_>]) -> Result<Datum>;
/// Computes the wanted rows; `out` has been resized to the batch's length, other rows may hold anything.
pub type BatchFn = fn(&mut FnCx<'_>, &[Arg<'_>], Rows<'_>, &mut Column) -> Result<()>;
/// Appends a value's text to a buffer: an output function without the detour by a datum.
pub type WriteFn = fn(&mut FnCx<'_>, DatumRef<'_>, &mut Vec<u8>) -> Result<()>;
pub type SetFn = fn(&mut FnCx<'_>, &[DatumRef<'_>]) -> Result<Box<dyn RowSource>>;

/// Runs `f` with toasted arguments opened.
#[inline]
pub fn with_plain<R>(
    cx: &mut FnCx<'_>,
    args: &[DatumRef<'_>],
    f: impl FnOnce(&mut FnCx<'_>, &[DatumRef<'_>]) -> Result<R>,
) -> Result<R> {
    if !args.iter().any(|a| matches!(a, DatumRef::Toasted(_))) {
        return f(cx, args);
    }
    let opened = open_toasted(cx, args)?;
    let plain: Vec<DatumRef<'_>> =
        args.iter().zip(&opened).map(|(a, o)| o.as_deref().map_or(*a, DatumRef::Bytes)).collect();
    f(cx, &plain)
}

#[cold]
fn open_toasted(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<Vec<Option<Vec<u8>>>> {
    let open = |a: &DatumRef<'_>| match a {
        DatumRef::Toasted(t) => cx.rt.detoast(t).map(Some),
        _ => Ok(None),
    };
    args.iter().map(open).collect()
}

/// The rows of a set-returning function.
pub trait RowSource: Send {
    /// The next row; its length is 1 for a scalar result, else the columns. `None` at the end.
    fn next(&mut self, cx: &mut FnCx<'_>) -> Result<Option<Vec<Datum>>>;
    /// Up to `limit` rows appended to a batch's columns; false at the end. Override where a loop is faster.
    fn fill(&mut self, cx: &mut FnCx<'_>, limit: usize, out: &mut Batch) -> Result<bool> {
        for _ in 0..limit {
            let Some(row) = self.next(cx)? else { return Ok(false) };
            for (i, value) in row.iter().enumerate() {
                out.column_mut(i).push(value.as_ref());
            }
            out.rows += 1;
        }
        Ok(true)
    }
}

/// A list of rows made at once is a row source too.
pub struct RowList(pub std::vec::IntoIter<Vec<Datum>>);

impl RowSource for RowList {
    fn next(&mut self, _: &mut FnCx<'_>) -> Result<Option<Vec<Datum>>> {
        Ok(self.0.next())
    }
}

/// One built-in: made by `#[builtin]`.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// The values of `pg_proc.prosrc` it serves.
    pub names: &'static [&'static str],
    pub body: Body,
    pub batch: Option<BatchFn>,
    pub write: Option<WriteFn>,
}

#[derive(Clone, Copy)]
pub enum Body {
    Row(RowFn),
    Set(SetFn),
}

/// An aggregate, keyed by the `prosrc` of its transition and final functions (`""` for none), e.g.
/// `("int8_avg_accum", "numeric_poly_sum")`. Aggregates without an entry run their functions row by row.
#[derive(Clone, Copy)]
pub struct BuiltinAggregate {
    pub transition: &'static str,
    pub final_fn: &'static str,
    pub new: fn(&FnCall) -> Box<dyn AggStates>,
}

/// The states of one aggregate for many groups, laid out as suits it.
pub trait AggStates: Send {
    /// Makes room for this many groups; new ones hold the initial state.
    fn resize(&mut self, groups: usize);
    /// Takes in the rows: row `r` belongs to group `groups[r]`, all to group 0 if `groups` is empty. Strictness, DISTINCT,
    /// ORDER BY and FILTER are the caller's: rows with a null argument of a strict aggregate are not among `rows`.
    fn update(&mut self, cx: &mut FnCx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()>;
    /// The result for a group; may be asked again, and after further updates (window frames).
    fn finish(&mut self, cx: &mut FnCx<'_>, group: usize) -> Result<Datum>;
    /// Adds the state of `from`'s group to a group of ours; `from` is of the same kind. (Parallel and spilled aggregation.)
    fn merge(&mut self, cx: &mut FnCx<'_>, group: usize, from: &mut dyn AggStates, from_group: usize) -> Result<()>;
    fn as_any(&mut self) -> &mut (dyn Any + 'static);
    /// Bytes of memory held.
    fn memory(&self) -> usize;
}

/// An order of by-reference values that needs no context, keyed by `prosrc` of the btree support function.
#[derive(Clone, Copy)]
pub struct BuiltinOrder {
    pub names: &'static [&'static str],
    pub cmp: fn(&[u8], &[u8]) -> Ordering,
    /// Eight bytes that order as the values do; equal ones may stand for different values.
    pub abbreviate: Option<fn(&[u8]) -> u64>,
}

/// All built-ins of a server.
#[derive(Default)]
pub struct Registry {
    functions: HashMap<&'static str, Builtin>,
    /// By transition function; those that share one differ in the final function.
    aggregates: HashMap<&'static str, Vec<BuiltinAggregate>>,
    orders: HashMap<&'static str, BuiltinOrder>,
    json: Option<crate::json::JsonFns>,
    search: Option<crate::search::SearchFns>,
}

impl Registry {
    pub fn new() -> Registry {
        Registry::default()
    }
    #[must_use]
    pub fn with_functions(mut self, list: &[Builtin]) -> Registry {
        for b in list {
            for name in b.names {
                let twice = self.functions.insert(name, *b);
                debug_assert!(twice.is_none(), "two built-ins named {name}");
            }
        }
        self
    }
    #[must_use]
    pub fn with_aggregates(mut self, list: &[BuiltinAggregate]) -> Registry {
        for a in list {
            self.aggregates.entry(a.transition).or_default().push(*a);
        }
        self
    }
    #[must_use]
    pub fn with_orders(mut self, list: &[BuiltinOrder]) -> Registry {
        self.orders.extend(list.iter().flat_map(|o| o.names.iter().map(|n| (*n, *o))));
        self
    }
    #[must_use]
    pub fn with_json(mut self, json: crate::json::JsonFns) -> Registry {
        self.json = Some(json);
        self
    }
    #[must_use]
    pub fn with_search(mut self, search: crate::search::SearchFns) -> Registry {
        self.search = Some(search);
        self
    }
    /// Text search's dictionaries.
    pub fn search(&self) -> Result<crate::search::SearchFns> {
        self.search.ok_or_else(|| PgError::unsupported("text search without its functions"))
    }
    /// The functions behind SQL/JSON's syntax.
    pub fn json(&self) -> Result<crate::json::JsonFns> {
        self.json.ok_or_else(|| PgError::unsupported("SQL/JSON without JSON functions"))
    }
    pub fn function(&self, prosrc: &str) -> Option<&Builtin> {
        self.functions.get(prosrc)
    }
    pub fn aggregate(&self, transition: &str, final_fn: &str) -> Option<&BuiltinAggregate> {
        self.aggregates.get(transition)?.iter().find(|a| a.final_fn == final_fn)
    }
    pub fn order(&self, prosrc: &str) -> Option<&BuiltinOrder> {
        self.orders.get(prosrc)
    }
    pub fn function_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.functions.keys().copied()
    }
}
