//! [`ExecContext`]: what the session lends to every statement. It is also the [`Runtime`] that built-in functions see.
//!
//! A session owns one for its whole life and renews `settings`, `txn` and so on as they change. Execution state that outlives a
//! message (a suspended portal) lives in [`crate::Execution`] and is lent the context anew with each call.

use std::any::{Any, TypeId};
use std::sync::Arc;

use access::tuple::TupleLayout;
use analyze::query::{Expr, TypeMod};
use base::sqlstate::{INSUFFICIENT_PRIVILEGE, UNDEFINED_FUNCTION};
use base::{Interrupt, Oid, PgError, Result};
use catalog::{Catalog, PgProc};
use hashbrown::HashMap;
use txn::{Snapshot, Transaction};
use types::oid::*;
use types::{
    Attribute, Body, Comparator, Datum, DatumRef, FnCall, FnCx, Registry, Runtime, Settings, SortKey, TupleDesc,
    TypeInfo,
};

use crate::expr::function::call_row;
use crate::expr::{Compiler, Scope};
use crate::state::{Estate, Run};

/// Where notices go: the server's connection, or a list in tests.
pub trait NoticeSink: Send {
    fn notice(&mut self, notice: PgError);
}

impl NoticeSink for Vec<PgError> {
    fn notice(&mut self, notice: PgError) {
        self.push(notice);
    }
}

/// What upper floors do for expressions: sequences, out-of-line values, permission to execute.
pub trait SessionHooks: Send {
    /// (PostgreSQL: `nextval_internal`)
    fn next_value(&mut self, cx: &mut ExecContext, sequence: Oid) -> Result<i64> {
        let _ = (cx, sequence);
        Err(PgError::unsupported("sequences"))
    }
}

/// What procedural languages ask of the session that runs them. Unlike [`SessionHooks`] it is there while it is at work: one
/// function's statement may call another function. (PostgreSQL: SPI)
pub trait FunctionHost: Send + Sync {
    /// An internal subtransaction begins. (PostgreSQL: `BeginInternalSubTransaction`)
    fn begin_sub(&self, cx: &mut ExecContext) -> Result<()>;
    /// It becomes part of its parent.
    fn release_sub(&self, cx: &mut ExecContext) -> Result<()>;
    /// It is undone.
    fn rollback_sub(&self, cx: &mut ExecContext) -> Result<()>;
    /// The transaction commits and another begins; with the same characteristics if `chain`. (PostgreSQL: `SPI_commit`)
    fn commit(&self, cx: &mut ExecContext, chain: bool) -> Result<()>;
    /// The transaction is undone and another begins.
    fn rollback(&self, cx: &mut ExecContext, chain: bool) -> Result<()>;
    /// Runs a utility statement. `atomic`: it may not end the transaction.
    fn utility(
        &self,
        cx: &mut ExecContext,
        stmt: &Arc<parser::ast::Statement>,
        source: &Arc<str>,
        atomic: bool,
    ) -> Result<UtilityOutcome>;
    /// A setting's value as text; `None` if there is no such setting.
    fn setting(&self, name: &str) -> Option<String>;
    /// Settings that hold while a function runs, as `pg_proc.proconfig` has them; gives what [`FunctionHost::leave`] needs.
    fn enter(&self, cx: &mut ExecContext, config: &[String]) -> Result<usize>;
    /// The function is done (or has failed): the settings are what they were.
    fn leave(&self, cx: &mut ExecContext, level: usize, failed: bool);
}

/// What a utility statement gave.
#[derive(Default)]
pub struct UtilityOutcome {
    pub tag: String,
    pub result: Option<(Arc<TupleDesc>, Vec<Vec<Datum>>)>,
}

/// No upper floor: for tests and bootstrap.
pub struct NoHooks;
impl SessionHooks for NoHooks {}

/// See the module's head.
pub struct ExecContext {
    pub catalog: Catalog,
    pub registry: Arc<Registry>,
    pub settings: Arc<Settings>,
    pub interrupt: Interrupt,
    pub notices: Box<dyn NoticeSink>,
    pub hooks: Box<dyn SessionHooks>,
    /// The session, for what functions of procedural languages do to it.
    pub host: Option<Arc<dyn FunctionHost>>,
    /// Procedural languages.
    pub languages: Arc<crate::language::Languages>,
    /// The transaction in progress; `None` only where no storage is touched.
    pub txn: Option<Arc<Transaction>>,
    /// The snapshot for SQL run inside functions of the current statement.
    pub snapshot: Option<Snapshot>,
    /// (PostgreSQL: `planner` GUCs)
    pub cost: planner::CostSettings,
    /// Opened tables, kept while their catalog entries stay the same.
    pub(crate) tables: HashMap<Oid, Arc<crate::heap::OpenTable>>,
    /// The data-modifying statements that run: triggers of theirs may run others.
    pub(crate) changing: Vec<Arc<planner::PlannedStmt>>,
    /// Functions in functions.
    pub(crate) depth: usize,
    /// Temporary files made so far: their names' numbers.
    pub(crate) temporary_files: u64,
    /// Anonymous record types by typmod. (PostgreSQL: `RecordCacheArray`)
    records: Vec<Arc<TupleDesc>>,
    /// What functions of upper floors ask for by type: see [`Runtime::extension`].
    /// A handful, in no order.
    extensions: Vec<(TypeId, Box<dyn Any + Send>)>,
    /// Call sites of `Runtime::call`, kept for the next call.
    calls: HashMap<(Oid, Oid), crate::expr::FuncNode>,
}

impl ExecContext {
    pub fn new(catalog: Catalog, registry: Arc<Registry>) -> ExecContext {
        ExecContext {
            catalog,
            registry,
            settings: Arc::default(),
            interrupt: Interrupt::new(),
            notices: Box::new(Vec::new()),
            hooks: Box::new(NoHooks),
            host: None,
            languages: Arc::default(),
            txn: None,
            snapshot: None,
            cost: planner::CostSettings::default(),
            tables: HashMap::new(),
            changing: Vec::new(),
            depth: 0,
            temporary_files: 0,
            records: Vec::new(),
            extensions: Vec::new(),
            calls: HashMap::new(),
        }
    }
    /// Lends a value of an upper floor to functions.
    pub fn set_extension<T: Any + Send>(&mut self, value: T) {
        self.extensions.retain(|(id, _)| *id != TypeId::of::<T>());
        self.extensions.push((TypeId::of::<T>(), Box::new(value)));
    }
    /// What `set_extension` set, or else a new one that stays.
    pub fn extension_or_default<T: Any + Send + Default>(&mut self) -> &mut T {
        let at = self.extensions.iter().position(|(id, _)| *id == TypeId::of::<T>()).unwrap_or_else(|| {
            self.extensions.push((TypeId::of::<T>(), Box::new(T::default())));
            self.extensions.len() - 1
        });
        self.extensions[at].1.downcast_mut().expect("extensions are kept by their type")
    }
    /// What `set_extension` or `extension_or_default` left.
    pub fn extension<T: Any + Send>(&mut self) -> Option<&mut T> {
        self.extensions.iter_mut().find(|(id, _)| *id == TypeId::of::<T>())?.1.downcast_mut()
    }
    /// The session that runs functions of procedural languages.
    pub fn host(&self) -> Result<Arc<dyn FunctionHost>> {
        self.host.clone().ok_or_else(|| PgError::internal("no session in this context"))
    }
    /// No statement runs any more, however the last one ended: also by a panic, which passes by those who would tidy up.
    pub fn nothing_runs(&mut self) {
        self.changing.clear();
    }
    /// Whether a statement that runs changes the table, so that it cannot be altered. (PostgreSQL: `CheckTableNotInUse`)
    pub fn is_in_use(&self, table: Oid) -> bool {
        use analyze::query::RteKind;
        let is =
            |r: &analyze::query::RangeTblEntry| matches!(r.kind, RteKind::Relation { relid, .. } if relid == table);
        self.changing.iter().any(|p| p.rtable.iter().any(is))
    }
    pub fn txn(&self) -> Result<&Arc<Transaction>> {
        self.txn.as_ref().ok_or_else(|| PgError::internal("no transaction in this context"))
    }
    pub(crate) fn next_value(&mut self, sequence: Oid) -> Result<i64> {
        let mut hooks = std::mem::replace(&mut self.hooks, Box::new(NoHooks));
        let value = hooks.next_value(self, sequence);
        self.hooks = hooks;
        value
    }

    /// The function that implements an operator.
    pub fn operator_function(&self, opno: Oid) -> Result<Oid> {
        let op = self.catalog.operator(opno)?;
        let code = op.as_ref().and_then(|o| o.oprcode.valid());
        code.ok_or_else(|| PgError::new(UNDEFINED_FUNCTION, format!("operator is only a shell: {opno}")))
    }
    /// (PostgreSQL: `object_aclcheck` for `ACL_EXECUTE`)
    pub(crate) fn check_execute(&self, proc: &PgProc) -> Result<()> {
        let Some(acl) = &proc.proacl else { return Ok(()) };
        let (role, kind) = (self.settings.current_user, catalog::AclKind::Function);
        if self.catalog.has_privilege(role, kind, proc.proowner, Some(acl), catalog::acl::ACL_EXECUTE)? {
            return Ok(());
        }
        let noun = if proc.prokind == b'p' { "procedure" } else { "function" };
        Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied for {noun} {}", proc.proname)))
    }
    /// The row a function returns, where its type alone does not tell: OUT arguments or a composite type.
    pub(crate) fn result_desc(
        &mut self,
        function: Oid,
        result_type: Oid,
        arg_types: &[Oid],
    ) -> Result<Option<Arc<TupleDesc>>> {
        if result_type != RECORDOID {
            return match self.catalog.type_by_oid(result_type)? {
                Some(t) if t.typtype == b'c' => self.row_type(result_type, -1).map(Some),
                Some(t) if t.typtype == b'd' => {
                    let (base, _) = self.catalog.base_type(result_type, -1)?;
                    match self.catalog.type_row(base)?.typtype {
                        b'c' => self.row_type(base, -1).map(Some),
                        _ => Ok(None),
                    }
                }
                _ => Ok(None),
            };
        }
        let proc = self.catalog.function_row(function)?;
        let Some(columns) = analyze::plpgsql::output_columns(&self.catalog, &proc, arg_types)? else {
            return Ok(None);
        };
        let mut attrs = Vec::new();
        for (name, oid) in columns {
            if !oid.is_valid() {
                return Ok(None);
            }
            let collation = self.catalog.type_by_oid(oid)?.map_or(Oid::INVALID, |t| t.typcollation);
            attrs.push(self.attribute(&name, TypeMod { oid, typmod: -1, collation })?);
        }
        Ok(Some(self.bless(TupleDesc::new(attrs))))
    }
    pub(crate) fn attribute(&mut self, name: &str, ty: TypeMod) -> Result<Attribute> {
        let t = self.type_info(ty.oid)?;
        Ok(crate::expr::compile::attribute_of(&t, name, ty))
    }
    /// Whether equal strings under the collation are equal bytes. (PostgreSQL: `get_collation_isdeterministic`)
    pub(crate) fn is_deterministic(&self, collation: Oid) -> Result<bool> {
        Ok(match collation.valid() {
            None => true,
            Some(c) => self.catalog.collation(c)?.is_none_or(|c| c.collisdeterministic),
        })
    }
    /// Whether strings under the collation compare as their bytes.
    pub fn is_bytewise(&self, collation: Oid) -> Result<bool> {
        Ok(match collation {
            Oid::INVALID | C_COLLATION | POSIX_COLLATION => true,
            DEFAULT_COLLATION => self.settings.database_collation_is_c,
            c => match self.catalog.collation(c)? {
                Some(c) => match c.collprovider {
                    b'b' => true,
                    b'c' => matches!(c.collcollate.as_deref(), Some("C" | "POSIX")),
                    _ => false,
                },
                None => true,
            },
        })
    }

    /// The order of a btree family for two types. (PostgreSQL: support function 1, `PrepareSortSupportFromOrderingOp`)
    pub fn comparator(&mut self, family: Oid, left: Oid, right: Oid, collation: Oid) -> Result<Comparator> {
        let proc = self.catalog.opfamily_proc(family, left, right, 1)?;
        let proc = proc.ok_or_else(|| {
            PgError::internal(format!("missing support function 1({left},{right}) in opfamily {family}"))
        })?;
        self.comparator_of(proc, left, right, collation)
    }
    /// The order that a btree comparison function defines.
    pub fn comparator_of(&mut self, function: Oid, left: Oid, right: Oid, collation: Oid) -> Result<Comparator> {
        let proc = self.catalog.function_row(function)?;
        let bytewise = self.is_bytewise(collation)?;
        if matches!(proc.prolang, Oid(12) | Oid(13))
            && let Some(c) = Comparator::builtin(&proc.prosrc, bytewise, &self.registry)
        {
            return Ok(c);
        }
        if left == right
            && let Some(order) = self.catalog.structural_order(function, left, collation)?
        {
            return Ok(order);
        }
        // A function that needs a context: it gets one of its own, without a transaction.
        let mut own = ExecContext::new(self.catalog.clone(), self.registry.clone());
        own.settings = self.settings.clone();
        own.records = self.records.clone();
        let node = Compiler::new(self, Scope::empty()).bare_function(function, &[left, right], INT4OID, collation)?;
        let shared = parking_lot::Mutex::new((own, node));
        Ok(Comparator::Function(Arc::new(move |a, b| {
            let (cx, node) = &mut *shared.lock();
            let mut st = Estate::detached();
            let v = node.call(&mut Run { cx, st: &mut st }, &[a, b])?;
            Ok((v.as_ref().word() as i32).cmp(&0))
        })))
    }
    /// The sort key of an ordering operator. (PostgreSQL: `get_ordering_op_properties`)
    pub fn sort_key(&mut self, sortop: Oid, collation: Oid, nulls_first: bool) -> Result<SortKey> {
        for m in self.catalog.operator_memberships(sortop)?.iter() {
            if m.amopmethod == Oid(403) && matches!(m.amopstrategy, 1 | 5) {
                let comparator = self.comparator(m.amopfamily, m.amoplefttype, m.amoprighttype, collation)?;
                return Ok(SortKey { comparator, descending: m.amopstrategy == 5, nulls_first });
            }
        }
        Err(PgError::internal(format!("operator {sortop} is not a valid ordering operator")))
    }
    /// The default ascending order of a type.
    pub fn sort_key_for_type(&mut self, type_oid: Oid, collation: Oid) -> Result<SortKey> {
        let t = self.type_info(type_oid)?;
        if !t.cmp_proc.is_valid() {
            let name = self.catalog.format_type(type_oid, None)?;
            let text = format!("could not identify a comparison function for type {name}");
            return Err(PgError::new(UNDEFINED_FUNCTION, text));
        }
        Ok(SortKey::ascending(self.comparator_of(t.cmp_proc, type_oid, type_oid, collation)?))
    }
    /// What a domain demands of its values, its base domains' constraints first.
    pub(crate) fn domain_constraints(&mut self, domain: Oid) -> Result<DomainConstraints> {
        let mut out =
            DomainConstraints { not_null: false, checks: Vec::new(), type_name: String::new(), schema: String::new() };
        let mut chain = Vec::new();
        let mut oid = domain;
        loop {
            let t = self.catalog.type_row(oid)?;
            if t.typtype != b'd' {
                break;
            }
            chain.push(oid);
            out.not_null |= t.typnotnull;
            oid = t.typbasetype;
        }
        out.type_name = self.catalog.format_type(domain, None)?;
        out.schema = match self.catalog.type_by_oid(domain)? {
            Some(t) => self.catalog.namespace_name(t.typnamespace)?.unwrap_or_default(),
            None => String::new(),
        };
        for oid in chain.into_iter().rev() {
            for c in self.catalog.constraints_of_domain(oid)? {
                if c.contype == b'c'
                    && let Some(text) = &c.conbin
                {
                    out.checks.push(NamedExpr {
                        name: c.conname.clone(),
                        expr: crate::nodes::read_expr(text, &self.catalog)?,
                    });
                }
            }
        }
        Ok(out)
    }
}

/// An expression under a constraint's name.
pub struct NamedExpr {
    pub name: String,
    pub expr: Expr,
}

pub(crate) struct DomainConstraints {
    pub not_null: bool,
    pub checks: Vec<NamedExpr>,
    pub type_name: String,
    pub schema: String,
}

impl Runtime for ExecContext {
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
    fn detoast(&mut self, varlena: &[u8]) -> Result<Vec<u8>> {
        crate::heap::detoast(self, varlena)
    }
    fn type_info(&mut self, oid: Oid) -> Result<Arc<TypeInfo>> {
        self.catalog.type_info(oid)
    }
    fn search_configuration(&mut self, oid: Oid) -> Result<Arc<types::search::ConfigurationInfo>> {
        let oid = match oid.valid() {
            Some(oid) => oid,
            None => self.catalog.search_configuration_by_text(&self.settings.text_search_config)?,
        };
        self.catalog.search_configuration(oid).map(Arc::new)
    }
    fn search_dictionary(&mut self, oid: Oid) -> Result<Arc<types::search::DictionaryInfo>> {
        self.catalog.search_dictionary(oid).map(Arc::new)
    }
    fn search_dictionary_named(&mut self, name: &str) -> Result<Arc<types::search::DictionaryInfo>> {
        let oid = self.catalog.search_dictionary_by_text(name)?;
        self.catalog.search_dictionary(oid).map(Arc::new)
    }
    fn row_type(&mut self, oid: Oid, typmod: i32) -> Result<Arc<TupleDesc>> {
        if oid != RECORDOID {
            let (base, _) = self.catalog.base_type(oid, -1)?;
            return self.catalog.row_type(base);
        }
        let found = usize::try_from(typmod).ok().and_then(|i| self.records.get(i));
        found
            .cloned()
            .ok_or_else(|| PgError::new(base::sqlstate::WRONG_OBJECT_TYPE, "record type has not been registered"))
    }
    fn bless(&mut self, mut desc: TupleDesc) -> Arc<TupleDesc> {
        desc.type_oid = RECORDOID;
        let same = |d: &Arc<TupleDesc>| {
            d.attrs.len() == desc.attrs.len()
                && d.attrs.iter().zip(&desc.attrs).all(|(a, b)| {
                    (&a.name, a.type_oid, a.typmod, a.collation) == (&b.name, b.type_oid, b.typmod, b.collation)
                })
        };
        if let Some(known) = self.records.iter().find(|d| same(d)) {
            return known.clone();
        }
        desc.typmod = self.records.len() as i32;
        let desc = Arc::new(desc);
        self.records.push(desc.clone());
        desc
    }
    fn call(&mut self, function: Oid, collation: Oid, args: &[DatumRef<'_>]) -> Result<Datum> {
        let mut node = match self.calls.remove(&(function, collation)) {
            Some(node) => node,
            None => {
                let proc = self.catalog.function_row(function)?;
                let (types, result) = (proc.proargtypes.clone(), proc.prorettype);
                Compiler::new(self, Scope::empty()).bare_function(function, &types, result, collation)?
            }
        };
        let mut st = Estate::detached();
        let mut run = Run { cx: self, st: &mut st };
        let value = call_row(&mut node.body, node.strict, &node.call, &mut node.state, &mut run, args);
        self.calls.insert((function, collation), node);
        value
    }
    fn check_domain(&mut self, domain: Oid, value: DatumRef<'_>) -> Result<()> {
        let constraints = self.domain_constraints(domain)?;
        if !constraints.not_null && constraints.checks.is_empty() {
            return Ok(());
        }
        let (base, typmod) = self.catalog.base_type(domain, -1)?;
        let plain = |oid, typmod| TypeMod { oid, typmod, collation: Oid::INVALID };
        let arg = Expr::Const(analyze::query::Const {
            ty: plain(base, typmod),
            value: value.to_owned(),
            ..Default::default()
        });
        let coerced = analyze::query::CoerceToDomain {
            arg,
            resulttype: plain(domain, -1),
            coercionformat: analyze::query::CoercionForm::ImplicitCast,
            location: base::error::Location::UNKNOWN,
        };
        let mut node = Compiler::new(self, Scope::empty()).expr(&Expr::CoerceToDomain(Box::new(coerced)))?;
        let mut st = Estate::detached();
        let one = types::Batch { columns: Vec::new(), rows: 1, selection: None };
        node.eval(&mut Run { cx: self, st: &mut st }, &one, types::Rows::All(1))
    }
    fn notice(&mut self, notice: PgError) {
        self.notices.notice(notice);
    }
    fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
    fn extension(&mut self, id: TypeId) -> Option<&mut (dyn Any + 'static)> {
        if id == TypeId::of::<Catalog>() {
            return Some(&mut self.catalog);
        }
        if id == TypeId::of::<ExecContext>() {
            return Some(self);
        }
        if id == TypeId::of::<Arc<Transaction>>() {
            return self.txn.as_mut().map(|t| t as &mut (dyn Any + 'static));
        }
        self.extensions.iter_mut().find(|(t, _)| *t == id).map(|(_, v)| &mut **v as &mut (dyn Any + 'static))
    }
}

impl ExecContext {
    /// A value's text, by its type's output function.
    pub fn output(&mut self, type_oid: Oid, value: DatumRef<'_>) -> Result<String> {
        let output = self.type_info(type_oid)?.output;
        let v = match value {
            DatumRef::Toasted(b) => Datum::bytes(self.detoast(b)?),
            v => v.to_owned(),
        };
        let text = self.call(output, Oid::INVALID, &[v.as_ref()])?;
        Ok(String::from_utf8_lossy(text.as_ref().as_bytes()).into_owned())
    }
    /// A value from its text, by its type's input function.
    pub fn input(&mut self, type_oid: Oid, typmod: i32, text: Option<&str>) -> Result<Datum> {
        let t = self.type_info(type_oid)?;
        let text = text.map_or(Datum::Null, Datum::text);
        let (param, typmod) = (Datum::oid(t.ioparam), Datum::i32(typmod));
        self.call(t.input, Oid::INVALID, &[text.as_ref(), param.as_ref(), typmod.as_ref()])
    }
    /// Appends a value's text straight to a buffer where the output function can.
    pub fn write(&mut self, output: Oid, value: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
        let proc = self.catalog.function_row(output)?;
        if let Some(write) = self.registry.function(&proc.prosrc).and_then(|b| b.write) {
            let call = FnCall { function: output, ..FnCall::default() };
            return write(&mut FnCx { rt: self, call: &call, state: &mut None }, value, out);
        }
        let text = self.call(output, Oid::INVALID, &[value])?;
        out.extend_from_slice(text.as_ref().as_bytes());
        Ok(())
    }
    /// Runs a set-returning built-in.
    pub(crate) fn set_function(&self, prosrc: &str) -> Option<types::registry::SetFn> {
        match self.registry.function(prosrc)?.body {
            Body::Set(f) => Some(f),
            Body::Row(_) => None,
        }
    }
    pub fn layout(desc: &Arc<TupleDesc>) -> TupleLayout {
        TupleLayout::new(desc)
    }
}
