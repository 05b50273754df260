//! What the server says: messages appended to the send buffer.

use base::error::{Fields, Severity};
use base::{Oid, PgError};

use super::frontend::Format;

/// The send buffer.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
}

/// A column of a row description.
#[derive(Clone, Debug)]
pub struct FieldDescription<'a> {
    pub name: &'a str,
    pub table: Oid,
    pub column: i16,
    pub type_oid: Oid,
    pub typlen: i16,
    pub typmod: i32,
    pub format: Format,
}

impl Writer {
    pub fn len(&self) -> usize {
        self.buffer.len()
    }
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }
    pub fn clear(&mut self) {
        self.buffer.clear();
    }
    pub fn shrink(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
    }
    /// Forgets what was written after `len`, e.g. a row that failed half way.
    pub fn truncate(&mut self, len: usize) {
        self.buffer.truncate(len);
    }

    /// One message: its type, then what `body` appends; the length is filled in.
    #[inline]
    pub fn message(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let at = self.begin(kind);
        body(&mut self.buffer);
        self.end(at);
    }
    /// Begins a message whose body is appended to [`Writer::buffer`]; give the result to `end`.
    #[inline]
    pub fn begin(&mut self, kind: u8) -> usize {
        self.buffer.push(kind);
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        at
    }
    #[inline]
    pub fn end(&mut self, at: usize) {
        let len = (self.buffer.len() - at) as u32;
        self.buffer[at..at + 4].copy_from_slice(&len.to_be_bytes());
    }
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub fn authentication(&mut self, code: u32, data: &[u8]) {
        self.message(b'R', |b| {
            b.extend_from_slice(&code.to_be_bytes());
            b.extend_from_slice(data);
        });
    }
    pub fn parameter_status(&mut self, name: &str, value: &str) {
        self.message(b'S', |b| {
            string(b, name);
            string(b, value);
        });
    }
    pub fn backend_key_data(&mut self, pid: i32, key: &[u8]) {
        self.message(b'K', |b| {
            b.extend_from_slice(&pid.to_be_bytes());
            b.extend_from_slice(key);
        });
    }
    /// `I`dle, in `T`ransaction, or in a failed one (`E`).
    pub fn ready_for_query(&mut self, status: u8) {
        self.message(b'Z', |b| b.push(status));
    }
    pub fn command_complete(&mut self, tag: &str) {
        self.message(b'C', |b| string(b, tag));
    }
    pub fn empty_query_response(&mut self) {
        self.message(b'I', |_| {});
    }
    pub fn parse_complete(&mut self) {
        self.message(b'1', |_| {});
    }
    pub fn bind_complete(&mut self) {
        self.message(b'2', |_| {});
    }
    pub fn close_complete(&mut self) {
        self.message(b'3', |_| {});
    }
    pub fn no_data(&mut self) {
        self.message(b'n', |_| {});
    }
    pub fn portal_suspended(&mut self) {
        self.message(b's', |_| {});
    }
    pub fn parameter_description(&mut self, types: &[Oid]) {
        self.message(b't', |b| {
            b.extend_from_slice(&(types.len() as u16).to_be_bytes());
            types.iter().for_each(|t| b.extend_from_slice(&t.0.to_be_bytes()));
        });
    }
    pub fn row_description<'f>(&mut self, fields: impl ExactSizeIterator<Item = FieldDescription<'f>>) {
        self.message(b'T', |b| {
            b.extend_from_slice(&(fields.len() as u16).to_be_bytes());
            for f in fields {
                string(b, f.name);
                b.extend_from_slice(&f.table.0.to_be_bytes());
                b.extend_from_slice(&f.column.to_be_bytes());
                b.extend_from_slice(&f.type_oid.0.to_be_bytes());
                b.extend_from_slice(&f.typlen.to_be_bytes());
                b.extend_from_slice(&f.typmod.to_be_bytes());
                b.extend_from_slice(&(f.format as i16).to_be_bytes());
            }
        });
    }
    /// CopyInResponse (`G`) or CopyOutResponse (`H`).
    pub fn copy_response(&mut self, kind: u8, format: Format, columns: usize) {
        self.message(kind, |b| {
            b.push(format as u8);
            b.extend_from_slice(&(columns as u16).to_be_bytes());
            (0..columns).for_each(|_| b.extend_from_slice(&(format as i16).to_be_bytes()));
        });
    }
    pub fn copy_data(&mut self, data: &[u8]) {
        self.message(b'd', |b| b.extend_from_slice(data));
    }
    pub fn copy_done(&mut self) {
        self.message(b'c', |_| {});
    }
    pub fn notification(&mut self, pid: i32, channel: &str, payload: &str) {
        self.message(b'A', |b| {
            b.extend_from_slice(&pid.to_be_bytes());
            string(b, channel);
            string(b, payload);
        });
    }
    pub fn negotiate_protocol_version(&mut self, newest_minor: u32, unknown: &[String]) {
        self.message(b'v', |b| {
            b.extend_from_slice(&newest_minor.to_be_bytes());
            b.extend_from_slice(&(unknown.len() as u32).to_be_bytes());
            unknown.iter().for_each(|u| string(b, u));
        });
    }

    /// ErrorResponse, or NoticeResponse below ERROR. `query` is the statement that byte positions refer to.
    pub fn error(&mut self, error: &PgError, query: Option<&str>) {
        let f: &Fields = error.fields();
        let kind = if f.severity >= Severity::Error { b'E' } else { b'N' };
        self.message(kind, |b| {
            let mut field = |code: u8, text: &str| {
                b.push(code);
                string(b, text);
            };
            field(b'S', f.severity.as_str());
            field(b'V', f.severity.as_str());
            field(b'C', f.sqlstate.as_str());
            field(b'M', &f.message);
            let mut optional = |code: u8, text: &Option<String>| {
                if let Some(text) = text {
                    field(code, text);
                }
            };
            optional(b'D', &f.detail);
            optional(b'H', &f.hint);
            optional(b'P', &f.position.map(|p| character_position(query, p).to_string()));
            let internal = f.internal_query.as_deref();
            optional(b'p', &f.internal_position.map(|p| character_position(internal, p).to_string()));
            optional(b'q', &f.internal_query);
            optional(b'W', &f.context);
            optional(b's', &f.schema);
            optional(b't', &f.table);
            optional(b'c', &f.column);
            optional(b'd', &f.datatype);
            optional(b'n', &f.constraint);
            b.push(0);
        });
    }
}

fn string(b: &mut Vec<u8>, s: &str) {
    b.extend_from_slice(s.as_bytes());
    b.push(0);
}

/// Characters from 1, as clients count.
fn character_position(query: Option<&str>, byte: usize) -> usize {
    let before = query.map_or(byte, |q| q.bytes().take(byte).filter(|b| b & 0xc0 != 0x80).count());
    before + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_position_counts_characters() {
        let mut w = Writer::default();
        w.error(&PgError::new(base::sqlstate::SYNTAX_ERROR, "x").at(4usize), Some("é é x"));
        let text = String::from_utf8_lossy(w.bytes()).into_owned();
        assert!(text.contains("P4\0"), "{text:?}");
        assert_eq!(w.bytes()[1..5], ((w.len() - 1) as u32).to_be_bytes());
    }
}
