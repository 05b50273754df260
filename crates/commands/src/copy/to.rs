//! COPY TO: rows of a table or query as text, CSV or binary.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::relkind;
use executor::{Destination, ExecContext, Execution, StartOptions};
use parser::ast::*;
use types::{Batch, Builtin, Datum, DatumRef, FnCall, FnCx, FnState, Runtime, TupleDesc};

use super::{Format, Header, Options, text};
use crate::{CommandContext, Session};

/// The signature at the start of the binary format.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Where rows go.
enum Sink<'a> {
    Client(&'a mut dyn Session),
    File(BufWriter<File>),
}

impl Sink<'_> {
    fn write(&mut self, row: &[u8]) -> Result<()> {
        match self {
            Sink::Client(session) => session.copy_out_write(row),
            Sink::File(f) => {
                f.write_all(row).map_err(|e| PgError::new(IO_ERROR, format!("could not write to COPY file: {e}")))
            }
        }
    }
}

/// One column's way to bytes.
struct Writer {
    function: Oid,
    builtin: Option<Builtin>,
    call: FnCall,
    state: FnState,
    force_quote: bool,
}

struct Rows<'a> {
    sink: Sink<'a>,
    options: &'a Options,
    writers: Vec<Writer>,
    line: Vec<u8>,
    value: Vec<u8>,
    count: u64,
}

pub(super) fn execute(cmd: &mut CommandContext<'_>, stmt: &CopyStmt, options: &Options) -> Result<u64> {
    let query = match (&stmt.relation, &stmt.query) {
        (Some(var), _) => table_query(cmd, var, &stmt.attlist)?,
        (None, Some(query)) => query.clone(),
        _ => return Err(PgError::internal("COPY without table and query")),
    };
    let planned = Arc::new(crate::query::plan(cmd, &query)?);
    if planned.command_type != analyze::query::CmdType::Select && !planned.has_returning {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "COPY query must have a RETURNING clause"));
    }
    let desc = Arc::clone(&planned.result_desc);
    let writers = writers(cmd.cx, &desc, options)?;
    let binary = options.format == Format::Binary;
    let sink = match &stmt.filename {
        Some(path) => {
            if !std::path::Path::new(path).is_absolute() {
                return Err(PgError::new(INVALID_NAME, "relative path not allowed for COPY to file"));
            }
            let file = File::create(path).map_err(|e| {
                PgError::new(IO_ERROR, format!("could not open file \"{path}\" for writing: {}", crate::os_error(&e)))
            })?;
            Sink::File(BufWriter::new(file))
        }
        None => {
            cmd.session.copy_out_begin(binary, desc.len())?;
            Sink::Client(&mut *cmd.session)
        }
    };
    let mut rows = Rows { sink, options, writers, line: Vec::new(), value: Vec::new(), count: 0 };
    rows.begin(&desc)?;
    let start = StartOptions { snapshot: cmd.cx.snapshot.clone(), ..StartOptions::default() };
    let mut execution = Execution::start(planned, cmd.cx, start)?;
    execution.run(cmd.cx, 0, &mut rows)?;
    execution.finish(cmd.cx)?;
    rows.end()?;
    Ok(rows.count)
}

/// A table is copied as the query that reads it.
fn table_query(cmd: &CommandContext<'_>, var: &RangeVar, columns: &[String]) -> Result<Statement> {
    let rel = crate::name::relation(cmd.cx, var, txn::LockMode::AccessShare)?;
    match rel.kind() {
        relkind::TABLE => {}
        relkind::VIEW => {
            let text = format!("cannot copy from view \"{}\"", rel.name());
            return Err(PgError::new(WRONG_OBJECT_TYPE, text).hint("Try the COPY (SELECT ...) TO variant."));
        }
        relkind::SEQUENCE => {
            return Err(PgError::new(WRONG_OBJECT_TYPE, format!("cannot copy from sequence \"{}\"", rel.name())));
        }
        relkind::MATERIALIZED_VIEW => {}
        _ => return Err(PgError::unsupported("COPY TO of this kind of relation")),
    }
    let unknown = base::error::Location::UNKNOWN;
    let target = |n: &i16| {
        let name = rel.attributes[*n as usize - 1].attname.clone();
        let column = ColumnRef { fields: vec![Field::Name(name)], location: unknown };
        ResTarget { name: None, indirection: Vec::new(), val: Some(Expr::ColumnRef(column)), location: unknown }
    };
    let target_list = super::columns(&rel, columns)?.iter().map(target).collect();
    let mut from = var.clone();
    from.schemaname = cmd.cx.catalog.namespace_name(rel.namespace())?;
    // COPY reads the table itself, not its children.
    from.inh = false;
    let from_clause = vec![FromItem::RangeVar(Box::new(from))];
    Ok(Statement::Select(Box::new(SelectStmt { target_list, from_clause, ..SelectStmt::default() })))
}

fn writers(cx: &mut ExecContext, desc: &TupleDesc, o: &Options) -> Result<Vec<Writer>> {
    let mut writers = Vec::new();
    for a in &desc.attrs {
        let info = cx.type_info(a.type_oid)?;
        let function = if o.format == Format::Binary { info.send } else { info.output };
        if !function.is_valid() {
            let text = format!("no binary output function available for type {}", info.name);
            return Err(PgError::new(UNDEFINED_FUNCTION, text));
        }
        let proc = cx.catalog.function_row(function)?;
        let builtin = cx.registry.function(&proc.prosrc).copied();
        let call = FnCall { function, arg_types: vec![a.type_oid], ..FnCall::default() };
        let force_quote = o.force_quote_all || o.force_quote.iter().any(|n| **n == *a.name);
        writers.push(Writer { function, builtin, call, state: None, force_quote });
    }
    Ok(writers)
}

impl Rows<'_> {
    fn begin(&mut self, desc: &TupleDesc) -> Result<()> {
        match (self.options.format, self.options.header) {
            (Format::Binary, _) => {
                let mut head = SIGNATURE.to_vec();
                head.extend_from_slice(&[0; 8]);
                self.sink.write(&head)
            }
            (_, Header::No) => Ok(()),
            (format, _) => {
                let mut line = Vec::new();
                for (i, a) in desc.attrs.iter().enumerate() {
                    if i > 0 {
                        line.push(self.options.delimiter);
                    }
                    match format {
                        Format::Csv => {
                            text::write_csv(a.name.as_bytes(), self.options, false, desc.len() == 1, &mut line)
                        }
                        _ => text::write_text(a.name.as_bytes(), self.options, &mut line),
                    }
                }
                line.push(b'\n');
                self.sink.write(&line)
            }
        }
    }
    fn end(&mut self) -> Result<()> {
        if self.options.format == Format::Binary {
            self.sink.write(&(-1i16).to_be_bytes())?;
        }
        match &mut self.sink {
            Sink::Client(session) => session.copy_out_end(),
            Sink::File(f) => {
                f.flush().map_err(|e| PgError::new(IO_ERROR, format!("could not write to COPY file: {e}")))
            }
        }
    }

    /// The value's text or binary form into `self.value`.
    fn convert(&mut self, cx: &mut ExecContext, column: usize, value: DatumRef<'_>) -> Result<()> {
        let plain;
        let value = match value {
            DatumRef::Toasted(t) => {
                plain = Datum::bytes(cx.detoast(t)?);
                plain.as_ref()
            }
            v => v,
        };
        self.value.clear();
        let w = &mut self.writers[column];
        if let Some(write) = w.builtin.and_then(|b| b.write) {
            return write(&mut FnCx { rt: cx, call: &w.call, state: &mut w.state }, value, &mut self.value);
        }
        let text = cx.call(w.function, Oid::INVALID, &[value])?;
        self.value.extend_from_slice(text.as_ref().as_bytes());
        Ok(())
    }

    fn row(&mut self, cx: &mut ExecContext, batch: &Batch, row: usize) -> Result<()> {
        let columns = self.writers.len();
        self.line.clear();
        if self.options.format == Format::Binary {
            self.line.extend_from_slice(&(columns as i16).to_be_bytes());
        }
        for i in 0..columns {
            let value = batch.columns[i].get(row);
            let is_null = value.is_null();
            if !is_null {
                self.convert(cx, i, value)?;
            }
            match self.options.format {
                Format::Binary if is_null => self.line.extend_from_slice(&(-1i32).to_be_bytes()),
                Format::Binary => {
                    self.line.extend_from_slice(&(self.value.len() as i32).to_be_bytes());
                    self.line.extend_from_slice(&self.value);
                }
                format => {
                    if i > 0 {
                        self.line.push(self.options.delimiter);
                    }
                    match format {
                        _ if is_null => self.line.extend_from_slice(self.options.null.as_bytes()),
                        Format::Csv => {
                            let force = self.writers[i].force_quote;
                            text::write_csv(&self.value, self.options, force, columns == 1, &mut self.line);
                        }
                        _ => text::write_text(&self.value, self.options, &mut self.line),
                    }
                }
            }
        }
        if self.options.format != Format::Binary {
            self.line.push(b'\n');
        }
        self.count += 1;
        self.sink.write(&self.line)
    }
}

impl Destination for Rows<'_> {
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool> {
        for row in batch.selected().iter() {
            self.row(cx, batch, row)?;
        }
        Ok(true)
    }
}
