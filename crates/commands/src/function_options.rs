//! The options that CREATE FUNCTION and ALTER FUNCTION share. (PostgreSQL: `compute_common_attribute`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::PgProc;
use parser::ast::{DefArg, DefElem, VariableSetStmt};

use crate::{CommandContext, options};

/// What was said; each at most once, but for SET.
#[derive(Default)]
pub struct Common<'a> {
    volatility: Option<&'a DefElem>,
    strict: Option<&'a DefElem>,
    security: Option<&'a DefElem>,
    leakproof: Option<&'a DefElem>,
    cost: Option<&'a DefElem>,
    rows: Option<&'a DefElem>,
    support: Option<&'a DefElem>,
    parallel: Option<&'a DefElem>,
    sets: Vec<&'a VariableSetStmt>,
}

pub fn conflicting(o: &DefElem) -> PgError {
    PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location)
}

impl<'a> Common<'a> {
    /// Takes an option; `false` if it is none of these.
    pub fn take(&mut self, o: &'a DefElem, is_procedure: bool) -> Result<bool> {
        let slot = match o.defname.as_str() {
            "volatility" => &mut self.volatility,
            "strict" => &mut self.strict,
            "security" => &mut self.security,
            "leakproof" => &mut self.leakproof,
            "cost" => &mut self.cost,
            "rows" => &mut self.rows,
            "support" => &mut self.support,
            "parallel" => &mut self.parallel,
            "set" => {
                if let Some(DefArg::VariableSet(s)) = &o.arg {
                    self.sets.push(s);
                }
                return Ok(true);
            }
            _ => return Ok(false),
        };
        if is_procedure && o.defname != "security" {
            let text = "invalid attribute in procedure definition";
            return Err(PgError::new(INVALID_FUNCTION_DEFINITION, text).at(o.location));
        }
        if slot.replace(o).is_some() {
            return Err(conflicting(o));
        }
        Ok(true)
    }

    pub fn said_cost(&self) -> bool {
        self.cost.is_some()
    }

    /// Changes a function's row as said.
    pub fn apply(&self, cmd: &mut CommandContext<'_>, row: &mut PgProc) -> Result<()> {
        let on = |o: &DefElem| matches!(o.arg, None | Some(DefArg::Boolean(true)));
        if let Some(o) = self.volatility {
            row.provolatile = match options::text(o).as_str() {
                "immutable" => b'i',
                "stable" => b's',
                _ => b'v',
            };
        }
        if let Some(o) = self.strict {
            row.proisstrict = on(o);
        }
        if let Some(o) = self.security {
            row.prosecdef = on(o);
        }
        if let Some(o) = self.leakproof {
            row.proleakproof = on(o);
            if row.proleakproof && !cmd.cx.catalog.is_superuser(cmd.cx.settings.current_user)? {
                let text = "only superuser can define a leakproof function";
                return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
            }
        }
        if let Some(o) = self.parallel {
            row.proparallel = match options::text(o).as_str() {
                "safe" => b's',
                "restricted" => b'r',
                "unsafe" => b'u',
                _ => {
                    let text = "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE";
                    return Err(PgError::new(SYNTAX_ERROR, text));
                }
            };
        }
        if let Some(o) = self.cost {
            row.procost = positive(o)?;
        }
        if let Some(o) = self.rows {
            row.prorows = positive(o)?;
            if !row.proretset {
                let text = "ROWS is not applicable when function does not return a set";
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
            }
        }
        // Support functions are the planner's matter; those we have are found by the function itself.
        if let Some(o) = self.support {
            let parts = options::text(o);
            let name = parts.rsplit('.').next().unwrap_or_default().to_owned();
            let found = cmd.cx.catalog.functions_by_name(&name)?;
            let internal = Oid(2281);
            let found = found.iter().find(|p| p.proargtypes == [internal]).map(|p| (p.oid, p.prorettype));
            let Some((oid, result)) = found else {
                let text = format!("function {parts}(internal) does not exist");
                return Err(PgError::new(UNDEFINED_FUNCTION, text));
            };
            if result != internal {
                let text = format!("support function {parts} must return type internal");
                return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
            }
            if !cmd.cx.catalog.is_superuser(cmd.cx.settings.current_user)? {
                let text = "must be superuser to specify a support function";
                return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
            }
            row.prosupport = oid;
        }
        for s in &self.sets {
            let values = cmd.session.values();
            let current = |name: &str| match base::guc::Guc::find(name) {
                Some(g) => Some(values.show(g)),
                None => values.custom(name).map(str::to_owned),
            };
            row.proconfig = crate::setting::changed(row.proconfig.take(), s, &current)?;
        }
        Ok(())
    }
}

fn positive(o: &DefElem) -> Result<f32> {
    let v: Option<f32> = options::text(o).parse().ok().filter(|v| *v > 0.0);
    let what = o.defname.to_uppercase();
    v.ok_or_else(|| PgError::new(INVALID_PARAMETER_VALUE, format!("{what} must be positive")))
}
