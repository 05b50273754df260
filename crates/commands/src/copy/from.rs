//! COPY FROM: lines to columns of a thousand rows, these to pages many at a time, then their index entries.
//!
//! A value goes from the line into its column without a detour; only tables with defaults to be computed, generated columns or
//! CHECK constraints get their rows together first.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use access::heap::{BulkInsert, HeapRelation, InsertOptions};
use access::index::{IndexInsert, IndexQueue, IndexRelation, QueuedDuplicate, UniqueCheck, queue_limit};
use access::tuple::ColumnsRow;
use analyze::query::Expr;
use base::sqlstate::*;
use base::{Oid, PgError, Result, TupleId};
use catalog::{AclKind, Relation, relkind};
use executor::ExecContext;
use executor::partitioned_insert::RoutedRows;
use executor::row_expr::{RowChecks, RowExprs};
use executor::trigger::{CommandTriggers, TriggerEvent, command};
use parser::ast::CopyStmt;
use txn::{LockMode, Transaction};
use types::oid::*;
use types::registry::{Body, RowFn};
use types::{Column, Datum, DatumRef, FnCall, FnCx, FnState, Runtime};

use super::text::{Fields, Lines};
use super::{Format, Header, Options};
use crate::{CommandContext, Session};

/// Rows gathered before they go to the table together. (PostgreSQL: `MAX_BUFFERED_TUPLES`)
const BATCH: usize = 1000;
/// And their size in bytes. (PostgreSQL: `MAX_BUFFERED_BYTES`)
const BATCH_BYTES: usize = 65_535;

/// Where bytes come from.
enum Source<'a> {
    Client(&'a mut dyn Session),
    File(File),
}

impl Source<'_> {
    /// Appends some bytes; `false` at the end.
    fn read(&mut self, into: &mut Vec<u8>) -> Result<bool> {
        match self {
            Source::Client(session) => session.copy_in_read(into),
            Source::File(f) => {
                let start = into.len();
                into.resize(start + 65_536, 0);
                let read = f.read(&mut into[start..]);
                let n = read.map_err(|e| PgError::new(IO_ERROR, format!("could not read from COPY file: {e}")))?;
                into.truncate(start + n);
                Ok(n > 0)
            }
        }
    }
}

/// How a column's text or bytes become a value.
struct Input {
    attnum: i16,
    name: Box<str>,
    type_oid: Oid,
    typmod: i32,
    function: Oid,
    /// The built-in, where it is one.
    body: Option<RowFn>,
    call: FnCall,
    ioparam: Oid,
    force_not_null: bool,
    force_null: bool,
}

struct Index {
    oid: Oid,
    relation: Arc<IndexRelation>,
    columns: Vec<i16>,
}

/// The table with all that an insertion touches.
struct Target {
    rel: Arc<Relation>,
    heap: Arc<HeapRelation>,
    indexes: Vec<Index>,
    options: InsertOptions,
    /// Of columns that the input leaves out: number from 0, and the default.
    defaults: Vec<(usize, Expr)>,
}

pub(super) fn execute(cmd: &mut CommandContext<'_>, stmt: &CopyStmt, options: &Options) -> Result<u64> {
    let var = stmt.relation.as_ref().ok_or_else(|| PgError::internal("COPY FROM without a table"))?;
    let rel = crate::name::relation(cmd.cx, var, LockMode::RowExclusive)?;
    check(cmd, &rel)?;
    if stmt.where_clause.is_some() {
        return Err(PgError::unsupported("COPY FROM ... WHERE"));
    }
    let columns = super::columns(&rel, &stmt.attlist)?;
    let inputs = inputs(cmd.cx, &rel, &columns, options)?;
    let target = target(cmd, rel, &columns, options)?;
    let routed = match target.rel.kind() {
        relkind::PARTITIONED_TABLE => Some(RoutedRows::new(cmd.cx, target.rel.oid)?),
        _ => None,
    };
    let mut computed = Computed::new(cmd.cx, &target)?;
    if let Some(t) = &mut computed.triggers {
        t.begin(cmd.cx, &mut computed.st)?;
    }
    let txn = Arc::clone(cmd.cx.txn()?);
    let mut source = match &stmt.filename {
        Some(path) => Source::File(File::open(path).map_err(|e| {
            PgError::new(UNDEFINED_FILE, format!("could not open file \"{path}\" for reading: {}", crate::os_error(&e)))
        })?),
        None => {
            cmd.session.copy_in_begin(options.format == Format::Binary, columns.len())?;
            Source::Client(&mut *cmd.session)
        }
    };
    let mut load = Load {
        cx: cmd.cx,
        txn: &txn,
        target: &target,
        inputs: &inputs,
        states: inputs.iter().map(|_| None).collect(),
        columns: target.rel.desc.attrs.iter().map(|a| Column::new(a.physical())).collect(),
        unread: (0..target.rel.desc.len() as i16).filter(|i| !columns.contains(&(i + 1))).map(|i| i as usize).collect(),
        rows: 0,
        tids: Vec::new(),
        queues: target.indexes.iter().map(|i| i.relation.am.queue(&i.relation, i.relation.unique)).collect(),
        queued: Vec::new(),
        number: 0,
        numbers: Vec::new(),
        bytes: 0,
        count: 0,
        bulk: BulkInsert::new(),
        one_by_one: routed.is_none() && computed.triggers.as_ref().is_some_and(CommandTriggers::are_before_rows),
        computed,
        routed,
    };
    match options.format {
        Format::Binary => load.binary(&mut source)?,
        _ => load.lines(&mut source, options)?,
    }
    load.flush()?;
    load.flush_indexes()?;
    let count = load.count;
    if let Some(routed) = load.routed.take() {
        routed.finish(load.cx)?;
    } else {
        load.bulk.finish(&target.heap, &txn)?;
    }
    if let Some(t) = &mut load.computed.triggers {
        t.end(load.cx, &mut load.computed.st)?;
        command::fire(load.cx, &mut load.computed.st)?;
    }
    Ok(count)
}

fn check(cmd: &CommandContext<'_>, rel: &Relation) -> Result<()> {
    match rel.kind() {
        relkind::TABLE | relkind::PARTITIONED_TABLE => {}
        relkind::VIEW => {
            let text = format!("cannot copy to view \"{}\"", rel.name());
            let hint = "To enable copying to a view, provide an INSTEAD OF INSERT trigger.";
            return Err(PgError::new(WRONG_OBJECT_TYPE, text).hint(hint));
        }
        relkind::SEQUENCE => {
            return Err(PgError::new(WRONG_OBJECT_TYPE, format!("cannot copy to sequence \"{}\"", rel.name())));
        }
        relkind::MATERIALIZED_VIEW => {
            let text = format!("cannot copy to materialized view \"{}\"", rel.name());
            return Err(PgError::new(WRONG_OBJECT_TYPE, text));
        }
        _ => return Err(PgError::unsupported("COPY FROM into this kind of relation")),
    }
    if cmd.cx.txn()?.is_read_only() {
        return Err(PgError::new(READ_ONLY_SQL_TRANSACTION, "cannot execute COPY FROM in a read-only transaction"));
    }
    let (role, acl) = (cmd.cx.settings.current_user, rel.class.relacl.as_deref());
    if !cmd.cx.catalog.has_privilege(role, AclKind::Table, rel.owner(), acl, catalog::acl::ACL_INSERT)? {
        return Err(catalog::lookup::permission_denied("table", rel.name()));
    }
    Ok(())
}

fn inputs(cx: &mut ExecContext, rel: &Relation, columns: &[i16], o: &Options) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for &attnum in columns {
        let a = &rel.desc.attrs[attnum as usize - 1];
        let info = cx.type_info(a.type_oid)?;
        let function = if o.format == Format::Binary { info.receive } else { info.input };
        if !function.is_valid() {
            let text = format!("no binary input function available for type {}", info.name);
            return Err(PgError::new(UNDEFINED_FUNCTION, text));
        }
        let proc = cx.catalog.function_row(function)?;
        let body = match cx.registry.function(&proc.prosrc).map(|b| b.body) {
            Some(Body::Row(f)) => Some(f),
            _ => None,
        };
        inputs.push(Input {
            attnum,
            name: a.name.clone(),
            type_oid: a.type_oid,
            typmod: a.typmod,
            function,
            body,
            call: FnCall {
                function,
                arg_types: proc.proargtypes.to_vec(),
                result_type: proc.prorettype,
                ..FnCall::default()
            },
            ioparam: info.ioparam,
            force_not_null: o.force_not_null.iter().any(|n| **n == *a.name),
            force_null: o.force_null.iter().any(|n| **n == *a.name),
        });
    }
    Ok(inputs)
}

fn target(cmd: &CommandContext<'_>, rel: Arc<Relation>, columns: &[i16], o: &Options) -> Result<Target> {
    let catalog = &cmd.cx.catalog;
    let heap = catalog.heap_of(&rel)?;
    let mut indexes = Vec::new();
    let is_partitioned = rel.kind() == relkind::PARTITIONED_TABLE;
    for oid in rel.indexes.iter().filter(|_| !is_partitioned) {
        let entry = catalog.relation_entry(*oid)?;
        let Some(info) = &entry.index else { continue };
        indexes.push(Index { oid: *oid, relation: catalog.index(*oid)?, columns: info.columns.clone() });
    }
    // Rows may be frozen at once only if nobody else can have seen the table's file.
    if o.freeze && is_partitioned {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "cannot perform COPY FREEZE on a partitioned table"));
    }
    let fresh = !is_partitioned && cmd.cx.txn()?.created_storage(rel.locator);
    if o.freeze && !fresh {
        let text =
            "cannot perform COPY FREEZE because the table was not created or truncated in the current subtransaction";
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
    }
    let options = InsertOptions { skip_fsm: fresh, frozen: o.freeze, ..InsertOptions::default() };
    let defaults = defaults(catalog, &rel, columns)?;
    Ok(Target { rel, heap, indexes, options, defaults })
}

struct Load<'a> {
    cx: &'a mut ExecContext,
    txn: &'a Transaction,
    target: &'a Target,
    inputs: &'a [Input],
    /// What the input functions keep between calls.
    states: Vec<FnState>,
    /// The rows gathered: all the table's columns.
    columns: Vec<Column>,
    /// Columns that the input does not have.
    unread: Vec<usize>,
    rows: usize,
    tids: Vec<TupleId>,
    /// Index entries that wait, at the places of the target's indexes, and their rows' lines.
    queues: Vec<Option<Box<dyn IndexQueue>>>,
    queued: Vec<u64>,
    /// The line that is being read, and those of `rows`: a row can fail after others were read.
    number: u64,
    numbers: Vec<u64>,
    bytes: usize,
    count: u64,
    bulk: BulkInsert,
    computed: Computed,
    /// Rows of a partitioned table go to its leaves.
    routed: Option<RoutedRows>,
    /// Triggers look at each row before the next is read.
    one_by_one: bool,
}

/// The expressions that rows need: defaults, generated columns and checks, indexes' keys and predicates.
struct Computed {
    defaults: Option<RowExprs>,
    checks: Option<RowChecks>,
    /// At the places of the target's indexes; `None` where columns suffice.
    indexes: Vec<Option<RowExprs>>,
    triggers: Option<CommandTriggers>,
    /// Where triggers' events gather.
    st: executor::Estate,
}

impl Computed {
    fn new(cx: &mut ExecContext, t: &Target) -> Result<Computed> {
        let table = t.rel.oid;
        let exprs: Vec<Expr> = t.defaults.iter().map(|d| d.1.clone()).collect();
        let defaults = match exprs.is_empty() {
            true => None,
            false => Some(RowExprs::new(cx, table, &exprs, &[])?),
        };
        // A partition checks its own rows.
        let is_checked = t.rel.kind() != relkind::PARTITIONED_TABLE
            && (t.rel.checks.iter().any(|c| c.contype == b'c' && c.conenforced)
                || t.rel.class.relispartition
                || t.rel.attributes.iter().any(|a| a.attgenerated == b's' && !a.attisdropped));
        let checks = if is_checked { Some(RowChecks::new(cx, table)?) } else { None };
        let mut indexes = Vec::new();
        let opened = cx.open_table(table)?;
        for index in &t.indexes {
            let open = opened.indexes.iter().find(|i| i.entry.oid == index.oid);
            indexes.push(match open {
                Some(i) if !i.expressions.is_empty() || !i.predicate.is_empty() => {
                    Some(RowExprs::new(cx, table, &i.expressions, &i.predicate)?)
                }
                _ => None,
            });
        }
        let triggers = CommandTriggers::of(cx, &t.rel, TriggerEvent::Insert)?;
        Ok(Computed { defaults, checks, indexes, triggers, st: command::command_state(cx) })
    }
}

/// Defaults of the columns that the input leaves out.
fn defaults(catalog: &catalog::Catalog, rel: &Relation, columns: &[i16]) -> Result<Vec<(usize, Expr)>> {
    let mut out = Vec::new();
    for a in rel.attributes.iter().filter(|a| !a.attisdropped && a.attgenerated == 0 && !columns.contains(&a.attnum)) {
        let i = a.attnum as usize - 1;
        if let Some(text) = rel.default_of(a.attnum) {
            out.push((i, analyze::nodes::read_expr(text, catalog)?));
        } else if a.attidentity != 0 {
            let seqid = analyze::ddl::identity_sequence(catalog, rel.oid, a.attnum)?;
            out.push((i, Expr::NextValueExpr { seqid, type_oid: a.atttypid }));
        }
    }
    Ok(out)
}

impl Load<'_> {
    fn lines(&mut self, source: &mut Source<'_>, o: &Options) -> Result<()> {
        let (mut lines, mut fields) = (Lines::default(), Fields::default());
        let mut header = o.header != Header::No;
        let mut more = true;
        loop {
            while let Some((line, number)) = lines.next(o, !more)? {
                if let Err(e) = std::str::from_utf8(line) {
                    let text = format!("invalid byte sequence for encoding \"UTF8\": 0x{:02x}", line[e.valid_up_to()]);
                    return Err(self.located(PgError::new(CHARACTER_NOT_IN_REPERTOIRE, text), number, None));
                }
                fields.split(line, o)?;
                if std::mem::take(&mut header) {
                    if o.header == Header::Match {
                        self.check_header(line, &fields)?;
                    }
                    continue;
                }
                self.number = number;
                if let Err((e, column)) = self.line(line, &fields, o) {
                    let shown = String::from_utf8_lossy(line).into_owned();
                    return Err(self.located(e, number, Some((column, shown))));
                }
                self.flush_if_full()?;
            }
            if lines.ended || !more {
                break;
            }
            more = source.read(lines.buffer())?;
        }
        // What follows the end marker is read and dropped.
        while more {
            lines.buffer().clear();
            more = source.read(lines.buffer())?;
        }
        Ok(())
    }

    /// Adds PostgreSQL's context line.
    fn located(&self, e: PgError, number: u64, more: Option<(Option<String>, String)>) -> PgError {
        let mut line = format!("COPY {}, line {number}", self.target.rel.name());
        match more {
            Some((Some(column), _)) => line.push_str(&format!(", {column}")),
            Some((None, text)) => {
                let cut: String = text.chars().take(100).collect();
                let dots = if cut.len() < text.len() { "..." } else { "" };
                line.push_str(&format!(": \"{cut}{dots}\""));
            }
            None => {}
        }
        e.context(line)
    }

    fn check_header(&self, line: &[u8], fields: &Fields) -> Result<()> {
        if fields.len() != self.inputs.len() {
            let text =
                format!("wrong number of fields in header line: got {}, expected {}", fields.len(), self.inputs.len());
            return Err(PgError::new(BAD_COPY_FILE_FORMAT, text));
        }
        for (i, input) in self.inputs.iter().enumerate() {
            let got = fields.get(line, i).map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
            if got != *input.name {
                let text = format!(
                    "column name mismatch in header line field {}: got \"{got}\", expected \"{}\"",
                    i + 1,
                    input.name
                );
                return Err(PgError::new(BAD_COPY_FILE_FORMAT, text));
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], fields: &Fields, o: &Options) -> Result<(), (PgError, Option<String>)> {
        let plain = |e: PgError| (e, None);
        if fields.len() > self.inputs.len() && !(self.inputs.is_empty() && fields.len() == 1) {
            return Err(plain(PgError::new(BAD_COPY_FILE_FORMAT, "extra data after last expected column")));
        }
        for (i, input) in self.inputs.iter().enumerate() {
            if i >= fields.len() {
                let text = format!("missing data for column \"{}\"", input.name);
                return Err(plain(PgError::new(BAD_COPY_FILE_FORMAT, text)));
            }
            let mut field = fields.get(line, i);
            if field.is_none() && input.force_not_null {
                field = Some(o.null.as_bytes());
            } else if input.force_null && fields.is_quoted(i) && field == Some(o.null.as_bytes()) {
                field = None;
            }
            let Some(bytes) = field else {
                self.columns[input.attnum as usize - 1].push(DatumRef::Null);
                continue;
            };
            self.input(i, bytes).map_err(|e| {
                let shown: String = String::from_utf8_lossy(bytes).chars().take(100).collect();
                (e, Some(format!("column {}: \"{shown}\"", input.name)))
            })?;
        }
        self.add().map_err(plain)
    }

    /// Reads a value into its column.
    fn input(&mut self, i: usize, bytes: &[u8]) -> Result<()> {
        let input = &self.inputs[i];
        let column = &mut self.columns[input.attnum as usize - 1];
        let digits = |max: usize| !bytes.is_empty() && bytes.len() < max && bytes.iter().all(u8::is_ascii_digit);
        match input.type_oid {
            // The frequent cases without a call.
            INT4OID if digits(10) => {
                let v = bytes.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0'));
                column.push(DatumRef::Word(v as u64));
            }
            INT8OID if digits(19) => {
                let v = bytes.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
                column.push(DatumRef::Word(v as u64));
            }
            TEXTOID => column.push(DatumRef::Bytes(bytes)),
            _ => {
                let value = self.call(i, bytes)?;
                self.columns[self.inputs[i].attnum as usize - 1].push(value.as_ref());
                return Ok(());
            }
        }
        self.bytes += bytes.len() + 8;
        Ok(())
    }

    /// Calls a column's input or receive function.
    fn call(&mut self, i: usize, bytes: &[u8]) -> Result<Datum> {
        let input = &self.inputs[i];
        self.bytes += bytes.len() + 8;
        let (param, typmod) = (input.ioparam.0 as i32 as u64, input.typmod as u64);
        let args = [DatumRef::Bytes(bytes), DatumRef::Word(param), DatumRef::Word(typmod)];
        match input.body {
            Some(f) => f(&mut FnCx { rt: self.cx, call: &input.call, state: &mut self.states[i] }, &args),
            None => self.cx.call(input.function, Oid::INVALID, &args),
        }
    }

    fn binary(&mut self, source: &mut Source<'_>) -> Result<()> {
        let bad = |text: &str| PgError::new(BAD_COPY_FILE_FORMAT, text);
        let mut r = BinaryReader { source, buffer: Vec::new(), at: 0 };
        if r.take(11)? != b"PGCOPY\n\xff\r\n\0" {
            return Err(bad("COPY file signature not recognized"));
        }
        if r.i32()? & (1 << 16) != 0 {
            return Err(bad("invalid COPY file header (WITH OIDS)"));
        }
        let extension = r.i32()?;
        let extension = usize::try_from(extension).map_err(|_| bad("invalid COPY file header (missing length)"))?;
        r.take(extension)?;
        let mut number = 0;
        loop {
            number += 1;
            let count = i16::from_be_bytes([r.take(1)?[0], r.take(1)?[0]]);
            if count == -1 {
                r.drain()?;
                return Ok(());
            }
            if usize::try_from(count) != Ok(self.inputs.len()) {
                let text = format!("row field count is {count}, expected {}", self.inputs.len());
                return Err(self.located(bad(&text), number, None));
            }
            for (i, input) in self.inputs.iter().enumerate() {
                let len = r.i32()?;
                let value = match len {
                    -1 => Datum::Null,
                    _ => {
                        let len = usize::try_from(len).map_err(|_| bad("invalid field size"))?;
                        self.call(i, r.take(len)?)?
                    }
                };
                self.columns[input.attnum as usize - 1].push(value.as_ref());
            }
            self.number += 1;
            self.add()?;
            self.flush_if_full()?;
        }
    }

    /// The columns that were read have one more row: completes and checks it.
    fn add(&mut self) -> Result<()> {
        let at = self.rows;
        for &i in &self.unread {
            self.columns[i].push(DatumRef::Null);
        }
        if (self.computed.defaults.is_some() || self.computed.checks.is_some() || self.one_by_one)
            && !self.compute(at)?
        {
            // A trigger wants nothing done, or has done it.
            self.columns.iter_mut().for_each(Column::clear);
            return Ok(());
        }
        let checked = if self.routed.is_some() { &[][..] } else { &self.target.rel.attributes[..] };
        for (column, a) in self.columns.iter().zip(checked) {
            if a.attnotnull && column.is_null(at) && !a.attisdropped {
                let row = self.row(at);
                return Err(self.null_violation(&a.attname, &row));
            }
        }
        self.rows += 1;
        self.numbers.push(self.number);
        Ok(())
    }
    fn row(&self, at: usize) -> Vec<Datum> {
        self.columns.iter().map(|c| c.get(at).to_owned()).collect()
    }
    /// Defaults, BEFORE triggers, generated columns, CHECK constraints. `false`: the row is not to be inserted.
    fn compute(&mut self, at: usize) -> Result<bool> {
        let mut row = self.row(at);
        if let Some(defaults) = &mut self.computed.defaults {
            let values = defaults.values(self.cx, &row)?;
            for ((i, _), value) in self.target.defaults.iter().zip(values) {
                row[*i] = value;
            }
        }
        if let Some(t) = self.computed.triggers.as_mut().filter(|_| self.one_by_one) {
            let instead = t.are_instead();
            match t.before_insert(self.cx, &mut self.computed.st, row)? {
                Some(given) => row = given,
                None => return Ok(false),
            }
            if instead {
                self.count += 1;
                return Ok(false);
            }
        }
        if let Some(checks) = &mut self.computed.checks {
            checks.apply(self.cx, &mut row)?;
        }
        for (column, value) in self.columns.iter_mut().zip(&row) {
            if column.get(at) != value.as_ref() {
                self.bytes += value.as_ref().as_bytes().len();
                column.set(at, value.as_ref());
            }
        }
        Ok(true)
    }

    #[cold]
    fn null_violation(&mut self, column: &str, row: &[Datum]) -> PgError {
        let rel = &self.target.rel;
        let text =
            format!("null value in column \"{column}\" of relation \"{}\" violates not-null constraint", rel.name());
        let mut shown = Vec::new();
        for (value, a) in row.iter().zip(&rel.desc.attrs) {
            let value = match value {
                Datum::Null => "null".into(),
                v => self.cx.output(a.type_oid, v.as_ref()).unwrap_or_default(),
            };
            shown.push(value);
        }
        let detail = format!("Failing row contains ({}).", shown.join(", "));
        let schema = self.cx.catalog.namespace_name(rel.namespace()).ok().flatten().unwrap_or_default();
        PgError::new(NOT_NULL_VIOLATION, text).detail(detail).table(schema, rel.name()).column(column)
    }

    fn flush_if_full(&mut self) -> Result<()> {
        if self.rows >= BATCH || self.bytes >= BATCH_BYTES || (self.one_by_one && self.rows > 0) {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.cx.interrupt.check()?;
        if self.rows == 0 {
            return Ok(());
        }
        let (t, n) = (self.target, std::mem::take(&mut self.rows));
        if let Some(routed) = &mut self.routed {
            let empty = self.target.rel.desc.attrs.iter().map(|a| Column::new(a.physical())).collect();
            let columns = std::mem::replace(&mut self.columns, empty).into_iter().map(Arc::new).collect();
            let batch = types::Batch { columns, rows: n, selection: None };
            let done = routed.insert(self.cx, &batch);
            let at = routed.at();
            let number = self.numbers.get(at).copied().unwrap_or(self.number);
            done.map_err(|e| self.located(e, number, None))?;
            self.numbers.clear();
            self.count += n as u64;
            self.bytes = 0;
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns);
        let mut tids = std::mem::take(&mut self.tids);
        let rows = (0..n).map(|row| ColumnsRow { columns: &columns[..], row });
        t.heap.multi_insert(self.txn, rows, t.options, Some(&mut self.bulk), &mut tids)?;
        let numbers = std::mem::take(&mut self.numbers);
        if !t.indexes.is_empty() || self.computed.triggers.is_some() {
            for (at, (tid, number)) in tids.iter().zip(&numbers).enumerate() {
                let row: Vec<Datum> = columns.iter().map(|c| c.get(at).to_owned()).collect();
                for (i, index) in t.indexes.iter().enumerate() {
                    self.index_entry(i, index, &row, *tid).map_err(|e| self.located(e, *number, None))?;
                }
                self.queued.push(*number);
                if let Some(t) = &mut self.computed.triggers {
                    t.inserted(self.cx, &mut self.computed.st, *tid, &row)?;
                }
            }
            let waiting: usize = self.queues.iter().flatten().map(|q| q.memory()).sum();
            if waiting > queue_limit(self.cx.settings.work_mem) {
                self.flush_indexes()?;
            }
        }
        (self.columns, self.tids, self.numbers) = (columns, tids, numbers);
        self.columns.iter_mut().for_each(Column::clear);
        self.tids.clear();
        self.numbers.clear();
        self.count += n as u64;
        self.bytes = 0;
        Ok(())
    }

    fn index_entry(&mut self, place: usize, index: &Index, row: &[Datum], tid: TupleId) -> Result<()> {
        let mut computed = Vec::new();
        if let Some(exprs) = &mut self.computed.indexes[place] {
            if !exprs.test(self.cx, row)? {
                return Ok(());
            }
            computed = exprs.values(self.cx, row)?;
        }
        let mut next = computed.into_iter();
        let value = |n: &i16| match *n {
            0 => next.next().unwrap_or_default(),
            n => row[n as usize - 1].clone(),
        };
        let values: Vec<Datum> = index.columns.iter().map(value).collect();
        if let Some(queue) = &mut self.queues[place] {
            let values: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
            return queue.push(self.txn, &values, tid, self.queued.len() as u32);
        }
        let relation = &index.relation;
        let check = if relation.unique { UniqueCheck::Yes } else { UniqueCheck::No };
        match relation.am.insert(self.txn, relation, &self.target.heap, &values, tid, check, false)? {
            IndexInsert::Inserted | IndexInsert::MaybeDuplicate => Ok(()),
            IndexInsert::Duplicate(_) => Err(self.duplicate(index, &values)),
        }
    }

    /// Inserts the index entries that wait.
    fn flush_indexes(&mut self) -> Result<()> {
        let mut first: Option<(QueuedDuplicate, usize)> = None;
        for (i, queue) in self.queues.iter_mut().enumerate() {
            let Some(queue) = queue else { continue };
            if let Some(found) = queue.flush(self.txn, &self.target.heap)?
                && first.as_ref().is_none_or(|(f, _)| found.row < f.row)
            {
                first = Some((found, i));
            }
        }
        let queued = std::mem::take(&mut self.queued);
        match first {
            None => Ok(()),
            Some((found, i)) => {
                let e = self.duplicate(&self.target.indexes[i], &found.key);
                Err(self.located(e, queued[found.row as usize], None))
            }
        }
    }

    #[cold]
    fn duplicate(&mut self, index: &Index, values: &[Datum]) -> PgError {
        let rel = &self.target.rel;
        let keys = index.relation.keys.len();
        let (mut names, mut shown) = (Vec::new(), Vec::new());
        for (n, value) in index.columns.iter().zip(values).take(keys) {
            let a = &rel.desc.attrs[*n as usize - 1];
            names.push(a.name.to_string());
            shown.push(self.cx.output(a.type_oid, value.as_ref()).unwrap_or_default());
        }
        let text = format!("duplicate key value violates unique constraint \"{}\"", index.relation.name);
        let detail = format!("Key ({})=({}) already exists.", names.join(", "), shown.join(", "));
        let schema = self.cx.catalog.namespace_name(rel.namespace()).ok().flatten().unwrap_or_default();
        PgError::new(UNIQUE_VIOLATION, text).detail(detail).table(schema, rel.name()).constraint(&*index.relation.name)
    }
}

struct BinaryReader<'s, 'a> {
    source: &'s mut Source<'a>,
    buffer: Vec<u8>,
    at: usize,
}

impl BinaryReader<'_, '_> {
    fn take(&mut self, n: usize) -> Result<&[u8]> {
        while self.buffer.len() - self.at < n {
            self.buffer.drain(..self.at);
            self.at = 0;
            if !self.source.read(&mut self.buffer)? {
                return Err(PgError::new(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data"));
            }
        }
        self.at += n;
        Ok(&self.buffer[self.at - n..self.at])
    }
    fn i32(&mut self) -> Result<i32> {
        let b = self.take(4)?;
        Ok(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
    fn drain(&mut self) -> Result<()> {
        while self.source.read(&mut self.buffer)? {
            self.buffer.clear();
        }
        Ok(())
    }
}
