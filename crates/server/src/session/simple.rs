//! The simple query protocol: a text of statements, run one after the other.

use std::sync::Arc;

use base::Result;
use parser::ast::{RawStmt, Statement};
use types::Datum;

use super::Session;
use super::constants::Split;
use super::statement::{Unit, plan_tag};
use super::transaction::Block;

impl Session {
    pub(super) fn simple_query(&mut self, text: &str) -> Result<()> {
        let source: Arc<str> = text.into();
        self.source = Some(Arc::clone(&source));
        self.begin_activity(&source);
        self.portals.remove("");
        self.prepared.remove("");
        if self.block != Block::Failed && (self.run_template(text)? || self.run_cached(text)?) {
            self.source = None;
            self.ready();
            return Ok(());
        }
        let options = self.parser_options();
        let lexed = parser::lexer::lex(text, &options);
        let split = if self.block == Block::Failed { None } else { Split::of(&lexed) };
        if let Some(split) = &split
            && self.run_shared(split)?
        {
            self.source = None;
            self.ready();
            return Ok(());
        }
        let parsed = parser::parse_lexed(&lexed, &options)?;
        parsed.notices.into_iter().for_each(|n| self.notice(n));
        let statements = parsed.stmts;
        if statements.is_empty() {
            self.conn.out.empty_query_response();
        }
        let several = statements.len() > 1;
        self.several = several;
        for (i, raw) in statements.iter().enumerate() {
            self.check_not_failed(&raw.stmt)?;
            if several && self.block == Block::None {
                self.block = Block::Implicit;
            }
            let split = split.as_ref().filter(|_| !several);
            self.simple_statement(raw, &source, !several, split)?;
            // The last statement's end is the end of the implicit transaction.
            if i + 1 == statements.len() && self.block == Block::Implicit {
                self.commit()?;
            }
        }
        self.several = false;
        self.source = None;
        self.ready();
        Ok(())
    }

    /// Runs a text whose plan is at hand.
    fn run_cached(&mut self, text: &str) -> Result<bool> {
        let Some(units) = self.cached_plan(text) else { return Ok(false) };
        let generation = self.cx.catalog.shared().generation();
        self.begin_plan()?;
        // Locks come before the plan is trusted: what changed while we waited for one invalidates it.
        executor::lock_plan_relations(&self.cx, units.iter().filter_map(plan_of))?;
        if self.cx.catalog.shared().generation() != generation && self.cached_plan(text).is_none() {
            return Ok(false);
        }
        self.run_units(&units, Arc::from([]), true)?;
        Ok(true)
    }

    fn parser_options(&self) -> parser::Options {
        let standard_conforming_strings = self.cx.settings.standard_conforming_strings;
        parser::Options { standard_conforming_strings, ..parser::Options::default() }
    }

    pub(super) fn parse(&mut self, text: &str) -> Result<Vec<RawStmt>> {
        let parsed = parser::parse_with(text, &self.parser_options())?;
        parsed.notices.into_iter().for_each(|n| self.notice(n));
        Ok(parsed.stmts)
    }

    fn simple_statement(
        &mut self,
        raw: &RawStmt,
        source: &Arc<str>,
        alone: bool,
        split: Option<&Split<'_>>,
    ) -> Result<()> {
        if let Statement::Transaction(t) = &raw.stmt {
            let tag = self.transaction_statement(t)?;
            self.send_notices();
            self.conn.out.command_complete(tag);
            return Ok(());
        }
        self.begin_statement(&raw.stmt)?;
        let (units, params) = match (alone, split) {
            (true, Some(split)) => self.plan_split(raw, source, split)?,
            (true, None) => (self.plan_text(raw, source)?, Arc::from([])),
            (false, _) => (self.plan_statement(raw, source, &mut analyze::ParamTypes::None)?, Arc::from([])),
        };
        self.run_units(&units, params, false)
    }

    /// Runs what a statement became and reports its completion.
    pub(super) fn run_units(&mut self, units: &[Unit], params: Arc<[Datum]>, again: bool) -> Result<()> {
        let mut tag = String::new();
        for (i, unit) in units.iter().enumerate() {
            if i > 0 {
                // Each sees what those before it did.
                self.command_counter_increment()?;
                self.cx.snapshot = Some(self.cx.txn()?.snapshot()?);
            }
            match unit {
                Unit::Nothing(what) => tag = (*what).to_owned(),
                Unit::Plan(planned) => {
                    let rows = self.run_plan(planned, Arc::clone(&params), again)?;
                    if planned.can_set_tag || units.len() == 1 {
                        tag = plan_tag(planned, rows);
                    }
                }
                Unit::Utility(stmt) => tag = self.run_utility(stmt)?,
            }
        }
        self.end_statement()?;
        self.send_notices();
        self.conn.out.command_complete(&tag);
        Ok(())
    }
}

pub(super) fn plan_of(unit: &Unit) -> Option<&planner::PlannedStmt> {
    match unit {
        Unit::Plan(p) => Some(p),
        Unit::Utility(_) | Unit::Nothing(_) => None,
    }
}
