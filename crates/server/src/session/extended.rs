//! The extended query protocol: Parse, Bind, Describe, Execute, Close, Sync. (PostgreSQL: manual, "Extended Query")

use std::sync::Arc;

use analyze::ParamTypes;
use analyze::query::CmdType;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use executor::{ExecContext, Execution, StartOptions};
use parser::ast::Statement;
use types::oid::*;
use types::{Datum, Runtime};

use super::Session;
use super::portal::{Portal, State};
use super::rows::describe;
use super::statement::{Parsed, Prepared, Sender, Unit, origins, plan_tag};
use super::transaction::{Block, failed_block};
use crate::protocol::{Bind, Format, Target};

impl Session {
    pub(super) fn parse_message(&mut self, name: &str, query: &str, types: Vec<Oid>) -> Result<()> {
        let source: Arc<str> = query.into();
        self.source = Some(Arc::clone(&source));
        if !name.is_empty() && self.prepared.contains_key(name) {
            let text = format!("prepared statement \"{name}\" already exists");
            return Err(PgError::new(DUPLICATE_PSTATEMENT, text));
        }
        if let Some(statement) = self.cached_statement(query, &types) {
            if let Some(raw) = &statement.raw {
                self.check_not_failed(&raw.stmt)?;
                self.implicit_block();
            }
            self.add_prepared(name, statement);
            return Ok(());
        }
        let generation = self.cx.catalog.shared().generation();
        let mut statements = self.parse(query)?;
        if statements.len() > 1 {
            let text = "cannot insert multiple commands into a prepared statement";
            return Err(PgError::new(SYNTAX_ERROR, text));
        }
        let raw = statements.pop().map(Arc::new);
        let mut param_types = types.clone();
        let (mut is_shared, mut queries) = (false, Vec::new());
        if let Some(raw) = &raw {
            self.check_not_failed(&raw.stmt)?;
            if !matches!(raw.stmt, Statement::Transaction(_)) {
                self.implicit_block();
                self.begin_statement(&raw.stmt)?;
                let mut params = ParamTypes::Variable(param_types.clone());
                queries = self.analyze_and_rewrite(raw, query, &mut params)?;
                is_shared = queries.iter().all(|q| q.command_type != CmdType::Utility);
                if let ParamTypes::Variable(found) = params {
                    param_types = found;
                }
                self.cx.snapshot = None;
            }
        }
        let statement = Arc::new(Parsed::new(source, raw, param_types, &queries));
        if is_shared {
            self.share_statement(query, &types, generation, &statement);
        }
        self.add_prepared(name, statement);
        Ok(())
    }

    fn add_prepared(&mut self, name: &str, statement: Arc<Parsed>) {
        let prepared_at = self.cx.settings.statement_timestamp;
        let prepared = Prepared::new(name, statement, false, prepared_at);
        self.prepared.insert(name.to_owned(), prepared);
        if !name.is_empty() {
            self.publish_objects();
        }
        self.conn.out.parse_complete();
        self.source = None;
    }

    /// Outside a block, messages up to Sync share a transaction.
    fn implicit_block(&mut self) {
        if self.block == Block::None {
            self.block = Block::Implicit;
        }
    }

    pub(super) fn find_prepared(&self, name: &str) -> Result<Arc<Parsed>> {
        self.prepared.get(name).map(|p| Arc::clone(&p.statement)).ok_or_else(|| {
            let text = match name {
                "" => "unnamed prepared statement does not exist".to_owned(),
                _ => format!("prepared statement \"{name}\" does not exist"),
            };
            PgError::new(UNDEFINED_PSTATEMENT, text)
        })
    }

    pub(super) fn bind_message(&mut self, bind: &Bind<'_>) -> Result<()> {
        let prepared = self.find_prepared(bind.statement)?;
        self.source = Some(Arc::clone(&prepared.source));
        let types = &prepared.param_types;
        if bind.values.len() != types.len() {
            let text = format!(
                "bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                bind.values.len(),
                bind.statement,
                types.len()
            );
            return Err(PgError::new(PROTOCOL_VIOLATION, text));
        }
        if let Some(raw) = &prepared.raw {
            self.check_not_failed(&raw.stmt)?;
        }
        if !bind.portal.is_empty() && self.portals.contains_key(bind.portal) {
            let text = format!("cursor \"{}\" already exists", bind.portal);
            return Err(PgError::new(DUPLICATE_CURSOR, text));
        }
        let is_transaction = matches!(prepared.raw.as_deref(), Some(r) if matches!(r.stmt, Statement::Transaction(_)));
        if let (Some(raw), false) = (&prepared.raw, is_transaction) {
            self.implicit_block();
            self.begin_statement(&raw.stmt)?;
        }
        let mut params = Vec::with_capacity(types.len());
        for (i, (value, &ty)) in bind.values.iter().zip(types).enumerate() {
            let format = Format::of(&bind.formats, i);
            let datum = parameter(&mut self.cx, ty, format, value);
            params.push(datum.map_err(|e| e.context(format!("unnamed portal parameter ${}", i + 1)))?);
        }
        let params: Arc<[Datum]> = params.into();
        let units: Arc<[Unit]> = match &prepared.raw {
            Some(raw) if is_transaction => Arc::from([Unit::Utility(Arc::new(raw.stmt.clone()))]),
            Some(_) => self.plan_execution(bind.statement, &prepared, &params)?,
            None => Arc::from([]),
        };
        let mut desc = match &*units {
            [unit] => unit.result_desc(),
            _ => None,
        };
        if let ([Unit::Utility(stmt)], false) = (&*units, is_transaction) {
            desc = self.utility_result_desc(stmt)?;
        }
        if bind.result_formats.len() > 1 && bind.result_formats.len() != desc.as_ref().map_or(0, |d| d.len()) {
            let text = format!(
                "bind message has {} result formats but query has {} columns",
                bind.result_formats.len(),
                desc.map_or(0, |d| d.len())
            );
            return Err(PgError::new(PROTOCOL_VIOLATION, text));
        }
        let portal = Portal {
            source: Arc::clone(&prepared.source),
            units,
            params,
            formats: bind.result_formats.clone(),
            desc,
            state: State::New,
            level: self.nest_level(),
        };
        let portal = self.portals.boxed(portal);
        self.portals.insert(bind.portal, portal);
        self.conn.out.bind_complete();
        self.source = None;
        Ok(())
    }

    pub(super) fn describe_message(&mut self, target: Target<'_>) -> Result<()> {
        match target {
            Target::Statement(name) => {
                let prepared = self.find_prepared(name)?;
                if self.block == Block::Failed {
                    return Err(failed_block());
                }
                let mut desc = None;
                let mut plan = None;
                if let Some(raw) = &prepared.raw
                    && !matches!(raw.stmt, Statement::Transaction(_))
                {
                    self.implicit_block();
                    self.begin_statement(&raw.stmt)?;
                    let units = self.plan_prepared(&prepared)?;
                    match &*units {
                        [Unit::Plan(p)] => (desc, plan) = (units[0].result_desc(), Some(Arc::clone(p))),
                        [Unit::Utility(stmt)] => desc = self.utility_result_desc(stmt)?,
                        _ => {}
                    }
                    self.cx.snapshot = None;
                }
                self.conn.out.parameter_description(&prepared.param_types);
                match desc {
                    Some(desc) => {
                        let from = plan.iter().flat_map(|p| origins(p));
                        describe(&self.cx.catalog, &desc, from, &[], &mut self.conn.out);
                    }
                    None => self.conn.out.no_data(),
                }
            }
            Target::Portal(name) => {
                let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
                let from = portal.plan().into_iter().flat_map(|p| origins(p));
                match &portal.desc {
                    Some(desc) => describe(&self.cx.catalog, desc, from, &portal.formats, &mut self.conn.out),
                    None => self.conn.out.no_data(),
                }
            }
        }
        Ok(())
    }

    pub(super) fn execute_message(&mut self, name: &str, limit: usize) -> Result<()> {
        // A negative limit means none.
        let limit = if limit > i32::MAX as usize { 0 } else { limit as u64 };
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        self.source = Some(Arc::clone(&portal.source));
        let source = Arc::clone(&portal.source);
        self.begin_activity(&source);
        if portal.units.is_empty() {
            self.conn.out.empty_query_response();
            self.portals.insert(name, portal);
            self.source = None;
            return Ok(());
        }
        if let [Unit::Utility(stmt)] = &*portal.units
            && let Statement::Transaction(t) = &**stmt
        {
            self.check_not_failed(stmt)?;
            let tag = self.transaction_statement(t)?;
            self.send_notices();
            self.conn.out.command_complete(tag);
            self.source = None;
            return Ok(());
        }
        if self.block == Block::Failed {
            return Err(failed_block());
        }
        self.implicit_block();
        self.start_transaction()?;
        if self.cx.snapshot.is_none() {
            match &*portal.units {
                [Unit::Utility(stmt)] => self.begin_statement(stmt)?,
                _ => self.begin_plan()?,
            }
        }
        if matches!(portal.state, State::Done) && portal.desc.is_none() {
            let text = format!("portal \"{name}\" cannot be run");
            return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
        }
        let completed = self.run_portal(&mut portal, limit)?;
        if self.statement_alarm.take().is_some() {
            self.cx.interrupt.clear();
        }
        self.send_notices();
        match completed {
            Some(tag) => self.conn.out.command_complete(&tag),
            None => self.conn.out.portal_suspended(),
        }
        // Statements that end the transaction themselves leave nothing of the portal.
        if self.cx.txn.is_some() {
            self.portals.insert(name, portal);
        }
        self.source = None;
        Ok(())
    }

    /// Runs a portal on; the tag when it has come to its end.
    fn run_portal(&mut self, portal: &mut Portal, limit: u64) -> Result<Option<String>> {
        if matches!(portal.state, State::Done) {
            return Ok(Some(portal.plan().map_or_else(String::new, |p| plan_tag(p, 0))));
        }
        let Some(planned) = portal.plan().cloned() else {
            let mut tag = String::new();
            for (i, unit) in portal.units.iter().enumerate() {
                if i > 0 {
                    self.command_counter_increment()?;
                    self.cx.snapshot = Some(self.cx.txn()?.snapshot()?);
                }
                match unit {
                    Unit::Nothing(what) => tag = (*what).to_owned(),
                    Unit::Plan(p) => {
                        let rows = self.run_plan_quietly(p, Arc::clone(&portal.params))?;
                        if p.can_set_tag {
                            tag = plan_tag(p, rows);
                        }
                    }
                    Unit::Utility(stmt) => tag = self.run_utility_formatted(stmt, &portal.formats)?,
                }
            }
            portal.state = State::Done;
            self.command_counter_increment()?;
            return Ok(Some(tag));
        };
        let mut running = match std::mem::replace(&mut portal.state, State::Done) {
            State::Running(running) => running,
            _ => {
                executor::lock_plan_relations(&self.cx, [&*planned].into_iter())?;
                self.start_plan(&planned, Arc::clone(&portal.params), &portal.formats)?
            }
        };
        let mut sender = Sender::plain(&mut self.conn, &portal.formats, &mut running.writer);
        let sent = running.execution.run(&mut self.cx, limit, &mut sender)?;
        if limit > 0 && sent == limit && !running.execution.is_done() {
            portal.state = State::Running(running);
            return Ok(None);
        }
        running.execution.finish(&mut self.cx)?;
        let rows = if planned.command_type == CmdType::Select { sent } else { running.execution.processed() };
        self.rest_execution(running)?;
        self.command_counter_increment()?;
        Ok(Some(plan_tag(&planned, rows)))
    }

    /// A plan among several of one statement (rules): its rows go nowhere.
    fn run_plan_quietly(&mut self, planned: &Arc<planner::PlannedStmt>, params: Arc<[Datum]>) -> Result<u64> {
        let options = StartOptions { params, snapshot: self.cx.snapshot.clone(), ..StartOptions::default() };
        let mut execution = Execution::start(Arc::clone(planned), &mut self.cx, options)?;
        execution.run(&mut self.cx, 0, &mut ())?;
        execution.finish(&mut self.cx)?;
        Ok(execution.processed())
    }

    pub(super) fn close_message(&mut self, target: Target<'_>) -> Result<()> {
        match target {
            Target::Statement(name) => {
                if self.prepared.remove(name).is_some() && !name.is_empty() {
                    self.publish_objects();
                }
            }
            Target::Portal(name) => drop(self.portals.remove(name)),
        }
        self.conn.out.close_complete();
        Ok(())
    }

    pub(super) fn sync_message(&mut self) -> Result<()> {
        self.skip_to_sync = false;
        self.cx.snapshot = None;
        if matches!(self.block, Block::Implicit | Block::None) && self.cx.txn.is_some() {
            self.commit()?;
        } else if self.block == Block::Implicit {
            self.block = Block::None;
        }
        self.source = None;
        self.ready();
        Ok(())
    }
}

fn no_portal(name: &str) -> PgError {
    PgError::new(UNDEFINED_CURSOR, format!("portal \"{name}\" does not exist"))
}

/// A parameter's value as it came over the wire.
pub(super) fn parameter(cx: &mut ExecContext, ty: Oid, format: Format, value: Option<&[u8]>) -> Result<Datum> {
    let text = |bytes: &[u8]| -> Result<String> {
        match std::str::from_utf8(bytes) {
            Ok(s) if !s.contains('\0') => Ok(s.to_owned()),
            Ok(_) => {
                Err(PgError::new(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00"))
            }
            Err(e) => Err(crate::protocol::invalid_utf8(bytes, e.valid_up_to())),
        }
    };
    match (format, ty, value) {
        (_, _, None) => {
            // A domain may refuse null: its input function decides.
            let domain = cx.type_info(ty)?.typtype == b'd';
            if domain && format == Format::Text { cx.input(ty, -1, None) } else { Ok(Datum::Null) }
        }
        (Format::Text, INT4OID, Some(b)) if b.len() < 10 && b.iter().all(u8::is_ascii_digit) && !b.is_empty() => {
            Ok(Datum::i32(b.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0'))))
        }
        (Format::Text, TEXTOID | VARCHAROID, Some(b)) => Ok(Datum::text(&text(b)?)),
        (Format::Text, _, Some(b)) => {
            let text = text(b)?;
            cx.input(ty, -1, Some(&text))
        }
        (Format::Binary, INT4OID, Some(&[a, b, c, d])) => Ok(Datum::i32(i32::from_be_bytes([a, b, c, d]))),
        (Format::Binary, INT8OID, Some(&[a, b, c, d, e, f, g, h])) => {
            Ok(Datum::i64(i64::from_be_bytes([a, b, c, d, e, f, g, h])))
        }
        (Format::Binary, _, Some(bytes)) => {
            let info = cx.type_info(ty)?;
            if !info.receive.is_valid() {
                let text = format!("no binary input function available for type {}", info.name);
                return Err(PgError::new(UNDEFINED_FUNCTION, text));
            }
            let (raw, param, typmod) = (Datum::bytes(bytes), Datum::oid(info.ioparam), Datum::i32(-1));
            cx.call(info.receive, Oid::INVALID, &[raw.as_ref(), param.as_ref(), typmod.as_ref()])
        }
    }
}
