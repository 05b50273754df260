//! RAISE, ASSERT and GET DIAGNOSTICS.

use base::sqlstate::*;
use base::{PgError, Result, Severity};
use executor::ExecContext;
use types::Datum;
use types::oid::{INT8OID, OIDOID, TEXTOID};

use super::{Flow, Frame};
use crate::raise;
use crate::tree::*;
use crate::value::text_of;

impl<'f> Frame<'f> {
    #[inline(never)]
    pub(super) fn raise(&mut self, cx: &mut ExecContext, r: &'f Raise) -> Result<Flow<'f>> {
        // RAISE alone: the error that is being handled again.
        if r.condition.is_none() && r.message.is_none() && r.options.is_empty() {
            return match &self.error {
                Some(caught) => {
                    self.told = true;
                    Err(caught.error.clone())
                }
                None => {
                    let text = "RAISE without parameters cannot be used outside an exception handler";
                    Err(PgError::new(STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER, text))
                }
            };
        }
        let mut state = None;
        let mut condition = None;
        if let Some(name) = &r.condition {
            state = Some(raise::state_of(name)?);
            condition = Some(name.clone());
        }
        let mut message = None;
        if let Some(format) = &r.message {
            let mut values = Vec::new();
            for p in &r.params {
                let (v, ty, _) = self.eval(cx, p)?;
                values.push(if v.is_null() { "<NULL>".to_owned() } else { text_of(cx, &v, ty)? });
            }
            message = Some(raise::format(format, &values));
        }
        let mut given: Vec<(RaiseOption, String)> = Vec::new();
        for (option, e) in &r.options {
            let text = self.text(cx, e)?;
            let text =
                text.ok_or_else(|| PgError::new(NULL_VALUE_NOT_ALLOWED, "RAISE statement option cannot be null"))?;
            let twice = |name: &str| Err(PgError::new(SYNTAX_ERROR, format!("RAISE option already specified: {name}")));
            match option {
                RaiseOption::Errcode => {
                    if state.is_some() {
                        return twice("ERRCODE");
                    }
                    state = Some(raise::state_of(&text)?);
                    condition = Some(text);
                }
                RaiseOption::Message => {
                    if message.is_some() {
                        return twice("MESSAGE");
                    }
                    message = Some(text);
                }
                other => {
                    if given.iter().any(|g| g.0 == *other) {
                        return twice(option_name(*other));
                    }
                    given.push((*other, text));
                }
            }
        }
        let severity = match r.level {
            RaiseLevel::Debug => Severity::Debug,
            RaiseLevel::Log => Severity::Log,
            RaiseLevel::Info => Severity::Info,
            RaiseLevel::Notice => Severity::Notice,
            RaiseLevel::Warning => Severity::Warning,
            RaiseLevel::Exception => Severity::Error,
        };
        let state = state.unwrap_or(match r.level {
            RaiseLevel::Exception => RAISE_EXCEPTION,
            RaiseLevel::Warning => WARNING,
            _ => SUCCESSFUL_COMPLETION,
        });
        let message = message.or(condition).unwrap_or_else(|| state.as_str().to_owned());
        let mut e = PgError::with_severity(severity, state, message);
        let f = e.fields_mut();
        for (option, text) in given {
            let slot = match option {
                RaiseOption::Detail => &mut f.detail,
                RaiseOption::Hint => &mut f.hint,
                RaiseOption::Column => &mut f.column,
                RaiseOption::Constraint => &mut f.constraint,
                RaiseOption::Datatype => &mut f.datatype,
                RaiseOption::Table => &mut f.table,
                RaiseOption::Schema => &mut f.schema,
                RaiseOption::Errcode | RaiseOption::Message => continue,
            };
            *slot = Some(text);
        }
        if severity == Severity::Error {
            return Err(e);
        }
        let e = crate::context::with_stack(cx, e);
        cx.notices.notice(e);
        Ok(Flow::Next)
    }

    #[inline(never)]
    pub(super) fn assert(
        &mut self,
        cx: &mut ExecContext,
        condition: &'f SqlExpr,
        message: Option<&'f SqlExpr>,
    ) -> Result<Flow<'f>> {
        let setting = cx.host.as_ref().and_then(|h| h.setting("plpgsql.check_asserts"));
        if matches!(setting.as_deref(), Some("off" | "false" | "no" | "0")) || self.condition(cx, condition)? {
            return Ok(Flow::Next);
        }
        let text = match message {
            Some(e) => self.text(cx, e)?,
            None => None,
        };
        Err(PgError::new(ASSERT_FAILURE, text.unwrap_or_else(|| "assertion failed".to_owned())))
    }

    #[inline(never)]
    pub(super) fn diagnostics(
        &mut self,
        cx: &mut ExecContext,
        stacked: bool,
        items: &'f [(Diagnostic, Target)],
    ) -> Result<Flow<'f>> {
        let caught = match (stacked, &self.error) {
            (false, _) => None,
            (true, Some(c)) => Some(c.clone()),
            (true, None) => {
                let text = "GET STACKED DIAGNOSTICS cannot be used outside an exception handler";
                return Err(PgError::new(STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER, text));
            }
        };
        for (item, target) in items {
            let text = |t: Option<&String>| (Datum::text(t.map_or("", String::as_str)), TEXTOID);
            let fields = caught.as_ref().map(|c| c.error.fields());
            let (value, ty) = match (item, fields) {
                (Diagnostic::RowCount, _) => (Datum::i64(self.processed as i64), INT8OID),
                (Diagnostic::RoutineOid, _) => (Datum::oid(self.f.oid), OIDOID),
                (Diagnostic::Context, _) => (Datum::text(&crate::context::stack(cx)), TEXTOID),
                (Diagnostic::ExceptionContext, _) => text(caught.as_ref().map(|c| &c.context)),
                (Diagnostic::ReturnedSqlstate, Some(f)) => (Datum::text(f.sqlstate.as_str()), TEXTOID),
                (Diagnostic::MessageText, Some(f)) => (Datum::text(&f.message), TEXTOID),
                (Diagnostic::ExceptionDetail, Some(f)) => text(f.detail.as_ref()),
                (Diagnostic::ExceptionHint, Some(f)) => text(f.hint.as_ref()),
                (Diagnostic::ColumnName, Some(f)) => text(f.column.as_ref()),
                (Diagnostic::ConstraintName, Some(f)) => text(f.constraint.as_ref()),
                (Diagnostic::DatatypeName, Some(f)) => text(f.datatype.as_ref()),
                (Diagnostic::TableName, Some(f)) => text(f.table.as_ref()),
                (Diagnostic::SchemaName, Some(f)) => text(f.schema.as_ref()),
                (_, None) => (Datum::Null, TEXTOID),
            };
            self.assign(cx, target, value, ty, -1)?;
        }
        Ok(Flow::Next)
    }
}

fn option_name(o: RaiseOption) -> &'static str {
    match o {
        RaiseOption::Errcode => "ERRCODE",
        RaiseOption::Message => "MESSAGE",
        RaiseOption::Detail => "DETAIL",
        RaiseOption::Hint => "HINT",
        RaiseOption::Column => "COLUMN",
        RaiseOption::Constraint => "CONSTRAINT",
        RaiseOption::Datatype => "DATATYPE",
        RaiseOption::Table => "TABLE",
        RaiseOption::Schema => "SCHEMA",
    }
}
