//! What initdb needs of a server: runs the SQL that makes the system views and `information_schema`, in template1, without a
//! client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyze::query::CmdType;
use analyze::{AnalyzeContext, ParamTypes};
use base::guc::Values;
use base::{Interrupt, Oid, PgError, Result, SessionId};
use catalog::Catalog;
use catalog::initdb::SqlRunner;
use commands::CommandContext;
use executor::{ExecContext, Execution, StartOptions};
use parser::ast::{Expr, RawStmt, Statement, Value};
use planner::PlanOptions;
use txn::{Transaction, TransactionOptions};
use types::Registry;

use crate::cluster::{Cluster, Purpose};
use crate::config::{self, Sources};
use crate::session::Store;

/// template1 and its tablespace, `pg_default`.
const TEMPLATE1: Oid = Oid(1);
const PG_DEFAULT: Oid = Oid(1663);

/// Opens a cluster that nobody else uses, and runs SQL in template1.
pub struct Runner {
    data: PathBuf,
    registry: Arc<Registry>,
}

impl Runner {
    pub fn new(data: &Path, registry: Arc<Registry>) -> Runner {
        Runner { data: data.to_owned(), registry }
    }
}

impl SqlRunner for Runner {
    fn run(&mut self, files: &[(&str, &str)]) -> Result<()> {
        let sources = Sources { data_directory: self.data.clone(), command_line: settings() };
        let loaded = config::load(&sources)?;
        let cluster = Cluster::open(sources, loaded, Arc::clone(&self.registry), Purpose::Bootstrap)?;
        let proc = cluster.manager.register(SessionId(1), TEMPLATE1, Interrupt::new())?;
        let store = Store::open(&cluster, TEMPLATE1, PG_DEFAULT)?;
        let catalog = Catalog::new(Arc::clone(&cluster.catalog), TEMPLATE1, store.scan());
        let mut cx = ExecContext::new(catalog, Arc::clone(&cluster.registry));
        Arc::make_mut(&mut cx.settings).database = TEMPLATE1;
        Arc::make_mut(&mut cx.settings).database_name = "template1".into();
        let begin = |cx: &mut ExecContext| -> Result<()> {
            let txn = Transaction::begin(&cluster.manager, &proc, TransactionOptions::default())?;
            txn.set_database_tablespace(PG_DEFAULT);
            txn.add_callback(store.follower(cx));
            store.set_transaction(cx, Some(Arc::new(txn)));
            Ok(())
        };
        let take = |cx: &mut ExecContext| {
            cx.snapshot = None;
            let txn = store.set_transaction(cx, None).and_then(|t| Arc::try_unwrap(t).ok());
            txn.ok_or_else(|| PgError::internal("the transaction is in use"))
        };
        cx.catalog.set_search_path(&["pg_catalog"], cx.settings.current_user);
        let mut session = Alone { values: cluster.config().values.clone() };
        for (name, text) in files {
            for stmt in parser::parse(text).map_err(|e| located(e, name, text, None))? {
                // The files set nothing but the search path.
                if let Statement::VariableSet(set) = &stmt.stmt {
                    let path: Vec<&str> = set.args.iter().filter_map(word).collect();
                    cx.catalog.set_search_path(&path, cx.settings.current_user);
                    continue;
                }
                // Each statement by itself, so that what one replaces makes room for the next.
                begin(&mut cx)?;
                match run(&mut cx, &mut session, &stmt, text) {
                    Ok(()) => take(&mut cx)?.commit()?,
                    // What is not there yet leaves one view out, not all of them.
                    Err(e) => {
                        take(&mut cx)?.abort();
                        crate::log::message(&format!("skipped: {}", located(e, name, text, Some(&stmt)).message()));
                    }
                }
            }
        }
        cluster.manager.unregister(&proc);
        cluster.shut_down()
    }
}

/// A name among SET's arguments.
fn word(arg: &Expr) -> Option<&str> {
    match arg {
        Expr::AConst(c) => match &c.val {
            Value::String(s) => Some(s),
            _ => None,
        },
        _ => None,
    }
}

/// A small pool is enough, and nothing needs to be durable before initdb's own sync.
fn settings() -> Vec<(String, String)> {
    [("shared_buffers", "16MB"), ("fsync", "off")].map(|(n, v)| (n.to_owned(), v.to_owned())).into()
}

/// Says where in our own SQL something went wrong.
fn located(e: PgError, file: &str, text: &str, stmt: Option<&RawStmt>) -> PgError {
    let start = stmt.map_or(0, |s| usize::try_from(s.location.0).unwrap_or(0));
    let at = e.fields().position.unwrap_or(start);
    let line = 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
    let message = format!("{file}, line {line}: {}", e.message());
    let mut e = e;
    e.fields_mut().message = message;
    e
}

fn run(cx: &mut ExecContext, session: &mut Alone, stmt: &RawStmt, source: &str) -> Result<()> {
    cx.snapshot = Some(cx.txn()?.snapshot()?);
    let catalog = cx.catalog.clone();
    let queries = {
        let mut cx = AnalyzeContext::new(catalog, cx);
        let query = analyze::analyze(&mut cx, stmt, source, &mut ParamTypes::None)?;
        if query.command_type == CmdType::Utility { vec![query] } else { analyze::rewrite(&mut cx, query)? }
    };
    for query in queries {
        if let Some(stmt) = &query.utility {
            commands::execute(&mut CommandContext { cx, session, source }, stmt)?;
            continue;
        }
        let planned = Arc::new(executor::plan_query(cx, query, &PlanOptions::default())?);
        let options = StartOptions { snapshot: cx.snapshot.clone(), ..StartOptions::default() };
        let mut execution = Execution::start(planned, cx, options)?;
        execution.run(cx, 0, &mut ())?;
        execution.finish(cx)?;
    }
    Ok(())
}

/// A session without a client.
struct Alone {
    values: Values,
}

fn no_client<T>() -> Result<T> {
    Err(PgError::internal("there is no client"))
}

impl commands::Session for Alone {
    fn values(&self) -> &Values {
        &self.values
    }
    fn next_transaction(&mut self, _cx: &mut ExecContext) -> Result<()> {
        no_client()
    }
}
