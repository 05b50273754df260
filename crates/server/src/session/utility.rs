//! Utility statements: those that are the session's own business are here, the others go to `commands`.

use std::sync::Arc;

use analyze::ParamTypes;
use analyze::query::CmdType;
use base::guc::{self, Guc};
use base::sqlstate::*;
use base::{PgError, Result};
use commands::CommandContext;
use executor::{Execution, StartOptions};
use parser::ast::*;
use types::oid::*;
use types::{Align, Attribute, Batch, Column, Datum, Physical, TupleDesc};

use super::Session;
use super::rows::RowWriter;
use super::services::Services;
use super::statement::{Parsed, Prepared, Sender, Unit, plan_tag};
use super::transaction::Block;
use super::variables::Scope;
use crate::notify::Notifier;
use crate::protocol::Format;

/// An option's value as text: a word, a number, or `on` and `off`.
pub(super) fn option_text(option: &DefElem) -> String {
    match &option.arg {
        Some(DefArg::String(s)) | Some(DefArg::Float(s)) => s.clone(),
        Some(DefArg::Integer(i)) => i.to_string(),
        Some(DefArg::Boolean(b)) => if *b { "on" } else { "off" }.to_owned(),
        Some(DefArg::Names(names)) => names.join("."),
        _ => "on".to_owned(),
    }
}

fn text_desc(names: &[&str]) -> Arc<TupleDesc> {
    let column = |name: &&str| {
        let mut a = Attribute::new(name, TEXTOID, -1, false, Align::Int);
        a.collation = DEFAULT_COLLATION;
        a
    };
    Arc::new(TupleDesc::new(names.iter().map(column).collect()))
}

fn text_batch(rows: &[Vec<String>], columns: usize) -> Batch {
    let mut batch = Batch { rows: rows.len(), ..Batch::default() };
    for i in 0..columns {
        let mut column = Column::new(Physical::Bytes);
        rows.iter().for_each(|r| column.push(Datum::text(&r[i]).as_ref()));
        batch.columns.push(Arc::new(column));
    }
    batch
}

impl Session {
    /// Runs a utility statement of the simple protocol. Returns the command tag.
    pub(super) fn run_utility(&mut self, stmt: &Arc<Statement>) -> Result<String> {
        if let Some(desc) = self.utility_result_desc(stmt)? {
            super::rows::describe(&self.cx.catalog, &desc, std::iter::empty(), &[], &mut self.conn.out);
        }
        self.run_utility_formatted(stmt, &[])
    }

    /// The columns that a utility statement returns.
    pub(super) fn utility_result_desc(&mut self, stmt: &Statement) -> Result<Option<Arc<TupleDesc>>> {
        match stmt {
            Statement::VariableShow(show) => Ok(Some(match show.name.as_str() {
                "all" => text_desc(&["name", "setting", "description"]),
                name => text_desc(&[Guc::find(name).map_or(name.as_ref(), |g| g.name())]),
            })),
            Statement::Execute(e) => {
                let prepared = self.find_prepared(&e.name)?;
                let units = self.plan_prepared(&prepared)?;
                match &*units {
                    [Unit::Utility(inner)] => self.utility_result_desc(inner),
                    [unit] => Ok(unit.result_desc()),
                    _ => Ok(None),
                }
            }
            Statement::Fetch(f) if !f.ismove => Ok(super::cursors::desc(&mut self.cx, &f.portalname)),
            other => {
                let source = self.source.clone().unwrap_or_default();
                let (cx, mut services) = Services::split(self);
                commands::result_desc(&mut CommandContext { cx, session: &mut services, source: &source }, other)
            }
        }
    }

    pub(super) fn run_utility_formatted(&mut self, stmt: &Arc<Statement>, formats: &[Format]) -> Result<String> {
        match &**stmt {
            Statement::VariableSet(s) => self.variable_set(s),
            Statement::VariableShow(s) => self.variable_show(s, formats),
            Statement::Prepare(p) => self.prepare(p),
            Statement::Execute(e) => self.execute(e, formats),
            Statement::Deallocate(d) => match &d.name {
                Some(name) => {
                    self.find_prepared(name)?;
                    self.prepared.remove(name);
                    self.publish_objects();
                    Ok("DEALLOCATE".into())
                }
                None => {
                    self.prepared.clear();
                    self.publish_objects();
                    Ok("DEALLOCATE ALL".into())
                }
            },
            Statement::DeclareCursor(d) => self.declare_cursor(d),
            Statement::Fetch(f) => self.fetch(f, formats),
            Statement::ClosePortal(c) => {
                super::cursors::close(&mut self.cx, c.portalname.as_deref()).map(str::to_owned)
            }
            Statement::Discard(d) => self.discard(d),
            Statement::Transaction(t) => self.transaction_statement(t).map(str::to_owned),
            Statement::Listen(s) => {
                self.notifier()?.listen(&s.conditionname);
                Ok("LISTEN".into())
            }
            Statement::Unlisten(s) => {
                self.notifier()?.unlisten(s.conditionname.as_deref());
                Ok("UNLISTEN".into())
            }
            Statement::Notify(s) => {
                self.notifier()?.notify(&s.conditionname, s.payload.as_deref().unwrap_or_default())?;
                Ok("NOTIFY".into())
            }
            Statement::AlterSystem(_) => self.alter_system(stmt),
            Statement::ConstraintsSet(s) => self.set_constraints(s),
            Statement::ExplainStmt(e) if holds_execute(&e.query) => self.explain_execute(e, formats),
            Statement::CreateTableAs(c) => match &c.query {
                Statement::Execute(e) => self.create_table_as_execute(c, e),
                _ => self.run_command(stmt, formats),
            },
            other => self.run_command(other, formats),
        }
    }

    fn notifier(&self) -> Result<Notifier<'_>> {
        Ok(Notifier { cluster: &self.cluster, entry: &self.entry, txn: self.cx.txn()? })
    }

    fn set_constraints(&mut self, s: &ConstraintsSetStmt) -> Result<String> {
        if matches!(self.block, Block::None | Block::Implicit) {
            let text = "SET CONSTRAINTS can only be used in transaction blocks";
            self.notice(PgError::with_severity(base::Severity::Warning, NO_ACTIVE_SQL_TRANSACTION, text));
        }
        let source = self.source.clone().unwrap_or_default();
        let (cx, mut services) = Services::split(self);
        commands::foreign_key::set_constraints(&mut CommandContext { cx, session: &mut services, source: &source }, s)?;
        Ok("SET CONSTRAINTS".into())
    }

    /// A statement that `commands` runs.
    fn run_command(&mut self, stmt: &Statement, formats: &[Format]) -> Result<String> {
        let source = self.source.clone().unwrap_or_default();
        let outcome = {
            let (cx, mut services) = Services::split(self);
            commands::execute(&mut CommandContext { cx, session: &mut services, source: &source }, stmt)?
        };
        if let Some((desc, batches)) = outcome.result {
            self.send_batches(&desc, &batches, formats)?;
        }
        Ok(outcome.tag)
    }

    pub(super) fn send_batches(&mut self, desc: &TupleDesc, batches: &[Batch], formats: &[Format]) -> Result<usize> {
        let mut writer = RowWriter::new(&mut self.cx, desc, formats)?;
        let mut rows = 0;
        for batch in batches {
            rows += writer.write(&mut self.cx, batch, &mut self.conn.out)?;
            self.conn.flush_if_full(&self.entry.interrupt)?;
        }
        Ok(rows)
    }

    pub(super) fn set_variable(&mut self, name: &str, text: Option<&str>, scope: Scope) -> Result<()> {
        let (level, asker) = (self.nest_level(), self.asker());
        self.variables.lock().set(name, text, scope, level, asker)?;
        self.settings_changed();
        Ok(())
    }

    fn variable_set(&mut self, s: &VariableSetStmt) -> Result<String> {
        let scope = if s.is_local { Scope::Local } else { Scope::Session };
        let name = s.name.clone().unwrap_or_default();
        if s.is_local && matches!(self.block, Block::None | Block::Implicit) {
            let text = "SET LOCAL can only be used in transaction blocks";
            self.notice(PgError::with_severity(base::Severity::Warning, NO_ACTIVE_SQL_TRANSACTION, text));
        }
        match s.kind {
            VariableSetKind::Multi => {
                match name.as_str() {
                    "TRANSACTION" => {
                        if matches!(self.block, Block::None | Block::Implicit) {
                            let text = "SET TRANSACTION can only be used in transaction blocks";
                            self.notice(PgError::with_severity(
                                base::Severity::Warning,
                                NO_ACTIVE_SQL_TRANSACTION,
                                text,
                            ));
                        }
                        self.cx.snapshot = None;
                        self.set_transaction_options(&s.options)?;
                    }
                    "SESSION CHARACTERISTICS" => self.set_session_characteristics(&s.options)?,
                    _ => {
                        if matches!(self.block, Block::None | Block::Implicit) {
                            let text = "SET TRANSACTION can only be used in transaction blocks";
                            let warning = base::Severity::Warning;
                            self.notice(PgError::with_severity(warning, NO_ACTIVE_SQL_TRANSACTION, text));
                        }
                        self.cx.snapshot = None;
                        let name = set_value(&name, &s.args)?;
                        crate::snapshots::import(&self.cluster, self.cx.txn()?, &name)?;
                    }
                }
                return Ok("SET".into());
            }
            VariableSetKind::ResetAll => {
                let (level, asker) = (self.nest_level(), self.asker());
                self.variables.lock().reset_all(level, asker)?;
                self.settings_changed();
                return Ok("RESET".into());
            }
            VariableSetKind::Current => return Ok("SET".into()),
            _ => {}
        }
        let value = match s.kind {
            VariableSetKind::Value => Some(set_value(&name, &s.args)?),
            _ => None,
        };
        match name.as_str() {
            "role" => {
                self.remember_roles(s.is_local);
                self.set_role(value.as_deref().unwrap_or("none"))?;
            }
            "session_authorization" => {
                self.remember_roles(s.is_local);
                self.set_session_authorization(value.as_deref())?;
            }
            "transaction_isolation" | "transaction_read_only" | "transaction_deferrable" => {
                let arg = value.map(DefArg::String);
                let option = DefElem {
                    defnamespace: None,
                    defname: name,
                    arg,
                    defaction: DefElemAction::Unspec,
                    location: base::error::Location::UNKNOWN,
                };
                self.set_transaction_options(&[option])?;
            }
            _ => self.set_variable(&name, value.as_deref(), scope)?,
        }
        Ok(if s.kind == VariableSetKind::Reset { "RESET" } else { "SET" }.into())
    }

    /// SET ROLE.
    fn set_role(&mut self, name: &str) -> Result<()> {
        let session_user = self.cx.settings.session_user;
        let role = match name {
            "none" | "default" => session_user,
            name => {
                let role = self.cx.catalog.role_oid(name)?;
                let superuser = self.cx.catalog.is_superuser(session_user)?;
                if !superuser && !self.cx.catalog.member_can_set_role(session_user, role)? {
                    let text = format!("permission denied to set role \"{name}\"");
                    return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
                }
                role
            }
        };
        Arc::make_mut(&mut self.cx.settings).current_user = role;
        self.is_superuser = self.cx.catalog.is_superuser(role)?;
        self.role_changed();
        Ok(())
    }

    fn set_session_authorization(&mut self, name: Option<&str>) -> Result<()> {
        let own = self.cx.catalog.role_oid(&self.user_name)?;
        let role = match name {
            None | Some("default") => own,
            Some(name) => {
                let role = self.cx.catalog.role_oid(name)?;
                if role != own && !self.cx.catalog.is_superuser(own)? {
                    let text = "permission denied to set session authorization";
                    return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
                }
                role
            }
        };
        let settings = Arc::make_mut(&mut self.cx.settings);
        (settings.session_user, settings.current_user) = (role, role);
        self.is_superuser = self.cx.catalog.is_superuser(role)?;
        let name = self.cx.catalog.role_name(role)?;
        self.conn.out.parameter_status("session_authorization", &name);
        self.role_changed();
        Ok(())
    }

    pub(super) fn role_changed(&mut self) {
        let text = if self.is_superuser { "on" } else { "off" };
        self.conn.out.parameter_status("is_superuser", text);
        self.variables.lock().generation += 1;
        self.settings_changed();
    }

    fn variable_show(&mut self, s: &VariableShowStmt, formats: &[Format]) -> Result<String> {
        let rows = if s.name == "all" {
            let variables = self.variables.lock();
            let values = variables.values();
            let shown = guc::LIST.iter().enumerate().filter(|(_, d)| !d.flags.has(guc::Flags::NO_SHOW_ALL));
            shown
                .map(|(i, d)| vec![d.name.to_owned(), values.show(Guc(i as u16)), d.short_desc.to_owned()])
                .collect::<Vec<_>>()
        } else {
            vec![vec![self.show(&s.name)?]]
        };
        let columns = rows.first().map_or(1, Vec::len);
        let names: &[&str] = if columns == 3 { &["name", "setting", "description"] } else { &["setting"] };
        self.send_batches(&text_desc(names), &[text_batch(&rows, columns)], formats)?;
        Ok("SHOW".into())
    }

    fn show(&self, name: &str) -> Result<String> {
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "transaction_isolation" => self.cx.txn()?.isolation().as_str().to_owned(),
            "transaction_read_only" => if self.cx.txn()?.is_read_only() { "on" } else { "off" }.to_owned(),
            "transaction_deferrable" => if self.cx.txn()?.is_deferrable() { "on" } else { "off" }.to_owned(),
            "is_superuser" => if self.is_superuser { "on" } else { "off" }.to_owned(),
            "session_authorization" => self.cx.catalog.role_name(self.cx.settings.session_user)?,
            "role" => {
                let s = &self.cx.settings;
                if s.current_user == s.session_user {
                    "none".into()
                } else {
                    self.cx.catalog.role_name(s.current_user)?
                }
            }
            _ => self.variables.lock().show(name)?.ok_or_else(|| guc::unrecognized(name))?,
        })
    }

    /// ALTER SYSTEM: writes postgresql.auto.conf.
    fn alter_system(&mut self, stmt: &Statement) -> Result<String> {
        let Statement::AlterSystem(a) = stmt else { return Err(PgError::internal("not ALTER SYSTEM")) };
        if !self.is_superuser {
            let text = "permission denied to set parameter";
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
        }
        if !matches!(self.block, Block::None) {
            let text = "ALTER SYSTEM cannot run inside a transaction block";
            return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
        }
        let s = &a.setstmt;
        let name = s.name.clone();
        let value = match s.kind {
            VariableSetKind::Value => Some(set_value(name.as_deref().unwrap_or_default(), &s.args)?),
            _ => None,
        };
        crate::autoconf::alter(self.cluster.data_directory(), name.as_deref(), value.as_deref())?;
        Ok("ALTER SYSTEM".into())
    }

    fn discard(&mut self, d: &DiscardStmt) -> Result<String> {
        Ok(match d.target {
            DiscardMode::All => {
                if !matches!(self.block, Block::None) {
                    let text = "DISCARD ALL cannot run inside a transaction block";
                    return Err(PgError::new(ACTIVE_SQL_TRANSACTION, text));
                }
                self.portals.clear();
                super::cursors::close(&mut self.cx, None)?;
                self.prepared.clear();
                self.publish_objects();
                self.discard_sequences();
                self.notifier()?.unlisten(None);
                self.set_session_authorization(None)?;
                let asker = self.asker();
                self.variables.lock().reset_all(0, asker)?;
                self.settings_changed();
                commands::temp::discard(&mut self.cx)?;
                "DISCARD ALL"
            }
            DiscardMode::Plans => "DISCARD PLANS",
            DiscardMode::Sequences => {
                self.discard_sequences();
                "DISCARD SEQUENCES"
            }
            DiscardMode::Temp => {
                commands::temp::discard(&mut self.cx)?;
                "DISCARD TEMP"
            }
        }
        .into())
    }

    fn discard_sequences(&mut self) {
        self.cx.extension_or_default::<commands::Sequences>().discard();
    }

    // ---- PREPARE and EXECUTE ----

    fn prepare(&mut self, p: &PrepareStmt) -> Result<String> {
        if self.prepared.contains_key(&p.name) {
            let text = format!("prepared statement \"{}\" already exists", p.name);
            return Err(PgError::new(DUPLICATE_PSTATEMENT, text));
        }
        let source = self.source.clone().unwrap_or_default();
        let catalog = self.cx.catalog.clone();
        let mut types = Vec::new();
        {
            let mut cx = analyze::AnalyzeContext::new(catalog, &mut self.cx);
            for t in &p.argtypes {
                types.push(analyze::ddl::transform_type_name(&mut cx, t)?.0);
            }
        }
        let raw = RawStmt { stmt: p.query.clone(), location: base::error::Location(0), len: 0 };
        let mut params = ParamTypes::Variable(types);
        let queries = self.analyze_and_rewrite(&raw, &source, &mut params)?;
        let ParamTypes::Variable(types) = params else { return Err(PgError::internal("parameter types were lost")) };
        let statement = Arc::new(Parsed::new(source, Some(Arc::new(raw)), types, &queries));
        let prepared_at = self.cx.settings.statement_timestamp;
        let prepared = Prepared::new(&p.name, statement, true, prepared_at);
        self.prepared.insert(p.name.clone(), prepared);
        self.publish_objects();
        Ok("PREPARE".into())
    }

    /// The plan and the parameters of an EXECUTE.
    fn plan_execute(&mut self, e: &ExecuteStmt) -> Result<(Arc<[Unit]>, Arc<[Datum]>)> {
        let prepared = self.find_prepared(&e.name)?;
        if e.params.len() != prepared.param_types.len() {
            let text = format!("wrong number of parameters for prepared statement \"{}\"", e.name);
            let detail = format!("Expected {} parameters but got {}.", prepared.param_types.len(), e.params.len());
            return Err(PgError::new(SYNTAX_ERROR, text).detail(detail));
        }
        let params = self.evaluate_params(&prepared, &e.params)?;
        // Errors in it have nothing to do with the text of EXECUTE.
        let units = self.plan_execution(&e.name, &prepared, &params).map_err(PgError::without_position)?;
        Ok((units, params))
    }

    /// EXPLAIN EXECUTE.
    fn explain_execute(&mut self, s: &ExplainStmt, formats: &[Format]) -> Result<String> {
        let (start, before) = (std::time::Instant::now(), storage::BufferUsage::of_this_thread());
        let (execute, into) = match &s.query {
            Statement::Execute(e) => (e, None),
            Statement::CreateTableAs(c) => match &c.query {
                Statement::Execute(e) => (e, Some(&**c)),
                _ => return Err(PgError::internal("no EXECUTE in EXPLAIN")),
            },
            _ => return Err(PgError::internal("no EXECUTE in EXPLAIN")),
        };
        let is_there = match into {
            Some(c) => self.with_commands(|cmd| commands::create_table_as::exists(cmd, c))?,
            None => false,
        };
        let (units, params) = if is_there { Default::default() } else { self.plan_execute(execute)? };
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        let planning = (milliseconds, storage::BufferUsage::of_this_thread().since(before));
        let plan = |u: &Unit| if let Unit::Plan(p) = u { Some(Arc::clone(p)) } else { None };
        let plans: Vec<_> = units.iter().filter_map(plan).collect();
        let outcome = self.with_commands(|cmd| commands::explain::plans(cmd, s, &plans, into, params, planning))?;
        if let Some((desc, batches)) = outcome.result {
            self.send_batches(&desc, &batches, formats)?;
        }
        Ok(outcome.tag)
    }

    /// CREATE TABLE AS EXECUTE.
    fn create_table_as_execute(&mut self, s: &CreateTableAsStmt, e: &ExecuteStmt) -> Result<String> {
        if self.with_commands(|cmd| commands::create_table_as::exists(cmd, s))? {
            return Ok("CREATE TABLE AS".into());
        }
        let (units, params) = self.plan_execute(e)?;
        let [Unit::Plan(planned)] = &*units else {
            return Err(PgError::new(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT"));
        };
        if planned.command_type != CmdType::Select {
            return Err(PgError::new(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT"));
        }
        let planned = Arc::clone(planned);
        executor::lock_plan_relations(&self.cx, [&*planned].into_iter())?;
        self.with_commands(|cmd| commands::create_table_as::from_plan(cmd, s, planned, params)).map(|o| o.tag)
    }

    fn with_commands<T>(&mut self, f: impl FnOnce(&mut CommandContext<'_>) -> Result<T>) -> Result<T> {
        let source = self.source.clone().unwrap_or_default();
        let (cx, mut services) = Services::split(self);
        f(&mut CommandContext { cx, session: &mut services, source: &source })
    }

    fn execute(&mut self, e: &ExecuteStmt, formats: &[Format]) -> Result<String> {
        let (units, params) = self.plan_execute(e)?;
        let mut tag = String::new();
        for unit in units.iter() {
            match unit {
                Unit::Nothing(what) => tag = (*what).to_owned(),
                Unit::Plan(p) => {
                    executor::lock_plan_relations(&self.cx, [&**p].into_iter())?;
                    let mut running = self.start_plan(p, Arc::clone(&params), formats)?;
                    let mut sender = Sender::plain(&mut self.conn, formats, &mut running.writer);
                    let sent = running.execution.run(&mut self.cx, 0, &mut sender)?;
                    running.execution.finish(&mut self.cx)?;
                    let processed = running.execution.processed();
                    tag = plan_tag(p, if p.command_type == CmdType::Select { sent } else { processed });
                    self.rest_execution(running)?;
                }
                Unit::Utility(stmt) => tag = self.run_utility_formatted(stmt, formats)?,
            }
        }
        Ok(tag)
    }

    /// The values of EXECUTE's parameters: the one row of a SELECT of them, cast to the parameters' types.
    fn evaluate_params(&mut self, prepared: &Parsed, exprs: &[Expr]) -> Result<Arc<[Datum]>> {
        if exprs.is_empty() {
            return Ok(Arc::from([]));
        }
        let unknown = base::error::Location::UNKNOWN;
        let target = |(expr, ty): (&Expr, &base::Oid)| {
            let type_name = TypeName {
                names: Vec::new(),
                type_oid: *ty,
                setof: false,
                pct_type: false,
                typmods: Vec::new(),
                typemod: -1,
                array_bounds: Vec::new(),
                location: unknown,
            };
            let cast = TypeCast { arg: expr.clone(), type_name, location: unknown };
            ResTarget {
                name: None,
                indirection: Vec::new(),
                val: Some(Expr::TypeCast(Box::new(cast))),
                location: unknown,
            }
        };
        let target_list = exprs.iter().zip(&prepared.param_types).map(target).collect();
        let stmt = Statement::Select(Box::new(SelectStmt { target_list, ..SelectStmt::default() }));
        let raw = RawStmt { stmt, location: base::error::Location(0), len: 0 };
        let source = self.source.clone().unwrap_or_default();
        let units = self.plan_statement(&raw, &source, &mut ParamTypes::None)?;
        let Some(Unit::Plan(planned)) = units.first() else {
            return Err(PgError::internal("parameters were not planned"));
        };
        let options = StartOptions { snapshot: self.cx.snapshot.clone(), ..StartOptions::default() };
        let mut execution = Execution::start(Arc::clone(planned), &mut self.cx, options)?;
        let mut rows: Vec<Vec<Datum>> = Vec::new();
        execution.run(&mut self.cx, 1, &mut rows)?;
        execution.finish(&mut self.cx)?;
        Ok(rows.pop().unwrap_or_default().into())
    }

    // ---- cursors ----

    fn declare_cursor(&mut self, d: &DeclareCursorStmt) -> Result<String> {
        if matches!(self.block, Block::None) && d.options & cursor_opt::HOLD == 0 {
            let text = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(PgError::new(NO_ACTIVE_SQL_TRANSACTION, text));
        }
        let source = self.source.clone().unwrap_or_default();
        let level = self.nest_level();
        super::cursors::declare(&mut self.cx, d, &source, level)?;
        Ok("DECLARE CURSOR".into())
    }

    /// FETCH and MOVE. (PostgreSQL: `PerformPortalFetch`)
    fn fetch(&mut self, f: &FetchStmt, formats: &[Format]) -> Result<String> {
        use executor::cursor::Cursors;
        let binary = self.cx.extension_or_default::<Cursors>().get(&f.portalname).is_some_and(|c| c.binary);
        let (desc, rows) = super::cursors::fetch(&mut self.cx, f)?;
        let count = rows.len();
        if f.ismove {
            return Ok(format!("MOVE {count}"));
        }
        let formats = if binary { vec![Format::Binary] } else { formats.to_vec() };
        let batch = batch_of(&desc, &rows);
        self.send_batches(&desc, &[batch], &formats)?;
        Ok(format!("FETCH {count}"))
    }
}

fn batch_of(desc: &TupleDesc, rows: &[Vec<Datum>]) -> Batch {
    let mut columns = desc.columns();
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(c, d)| c.push(d.as_ref()));
    }
    Batch { columns: columns.into_iter().map(Arc::new).collect(), rows: rows.len(), selection: None }
}

/// Is it EXECUTE, or CREATE TABLE AS EXECUTE?
fn holds_execute(stmt: &Statement) -> bool {
    match stmt {
        Statement::Execute(_) => true,
        Statement::CreateTableAs(c) => matches!(c.query, Statement::Execute(_)),
        _ => false,
    }
}

pub(super) use commands::setting::set_value;
