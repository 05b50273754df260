//! The text and CSV formats: lines to fields and back.

use base::sqlstate::BAD_COPY_FILE_FORMAT;
use base::{PgError, Result};

use super::{Format, Options};

/// Takes lines out of a stream of bytes that arrives in pieces.
#[derive(Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins, and up to where an end was looked for.
    start: usize,
    scanned: usize,
    in_quotes: bool,
    pub number: u64,
    /// `\.` was seen.
    pub ended: bool,
}

impl Lines {
    /// For appending the next piece.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        &mut self.buffer
    }

    /// The next whole line, without its end, and its number; `None` if more bytes are needed. At the stream's end (`last`)
    /// what is left is a line.
    pub fn next(&mut self, o: &Options, last: bool) -> Result<Option<(&[u8], u64)>> {
        if self.ended {
            return Ok(None);
        }
        let end = match o.format {
            Format::Csv => self.find_csv_end(o),
            _ => self.find_text_end(),
        };
        let (line_end, next) = match end {
            Some(at) => (at, at + 1),
            None if last && self.start < self.buffer.len() => (self.buffer.len(), self.buffer.len()),
            None if last && self.in_quotes => {
                return Err(PgError::new(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field"));
            }
            None => return Ok(None),
        };
        let start = self.start;
        (self.start, self.scanned) = (next, next);
        self.number += 1;
        let mut line_end = line_end;
        if line_end > start && self.buffer[line_end - 1] == b'\r' {
            line_end -= 1;
        }
        let line = &self.buffer[start..line_end];
        if line == b"\\." && o.format == Format::Text {
            self.ended = true;
            return Ok(None);
        }
        Ok(Some((line, self.number)))
    }

    fn find_text_end(&mut self) -> Option<usize> {
        // A backslash before the end of line makes it part of the data.
        loop {
            let at = self.scanned + memchr::memchr(b'\n', &self.buffer[self.scanned..])?;
            let escapes = self.buffer[self.start..at].iter().rev().take_while(|b| **b == b'\\').count();
            if escapes % 2 == 0 {
                return Some(at);
            }
            self.scanned = at + 1;
        }
    }

    fn find_csv_end(&mut self, o: &Options) -> Option<usize> {
        let mut i = self.scanned;
        while i < self.buffer.len() {
            let b = self.buffer[i];
            if self.in_quotes && b == o.escape && o.escape != o.quote {
                // The escaped byte may not have arrived yet.
                if i + 1 == self.buffer.len() {
                    break;
                }
                i += 1;
            } else if b == o.quote {
                self.in_quotes = !self.in_quotes;
            } else if b == b'\n' && !self.in_quotes {
                self.scanned = i;
                return Some(i);
            }
            i += 1;
        }
        self.scanned = i;
        None
    }
}

/// Where a field lies.
#[derive(Clone, Copy)]
enum Place {
    Null,
    /// In the line, as it is.
    Line(usize, usize),
    /// In the bytes of [`Fields`], escapes resolved.
    Own(usize, usize),
}

/// A line's fields.
#[derive(Default)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    places: Vec<Place>,
    /// Which fields were quoted: they are never null or default.
    quoted: Vec<bool>,
}

impl Fields {
    pub fn len(&self) -> usize {
        self.places.len()
    }
    /// Field `i` of the line that was split last; `None` is null.
    pub fn get<'l>(&'l self, line: &'l [u8], i: usize) -> Option<&'l [u8]> {
        match self.places[i] {
            Place::Null => None,
            Place::Line(a, b) => Some(&line[a..b]),
            Place::Own(a, b) => Some(&self.bytes[a..b]),
        }
    }
    pub fn is_quoted(&self, i: usize) -> bool {
        self.quoted.get(i).copied().unwrap_or(false)
    }

    pub fn split(&mut self, line: &[u8], o: &Options) -> Result<()> {
        self.bytes.clear();
        self.places.clear();
        self.quoted.clear();
        match o.format {
            Format::Csv => self.split_csv(line, o),
            _ => {
                self.split_text(line, o);
                Ok(())
            }
        }
    }

    fn split_text(&mut self, line: &[u8], o: &Options) {
        let null = o.null.as_bytes();
        if memchr::memchr(b'\\', line).is_none() {
            let mut start = 0;
            loop {
                let end = memchr::memchr(o.delimiter, &line[start..]).map_or(line.len(), |n| start + n);
                self.places.push(if &line[start..end] == null { Place::Null } else { Place::Line(start, end) });
                if end == line.len() {
                    return;
                }
                start = end + 1;
            }
        }
        let mut start = 0;
        loop {
            // Up to the delimiter, which a backslash protects.
            let mut end = start;
            let mut plain = true;
            loop {
                match memchr::memchr2(o.delimiter, b'\\', &line[end..]) {
                    None => end = line.len(),
                    Some(n) if line[end + n] == o.delimiter => end += n,
                    Some(n) => {
                        plain = false;
                        end = (end + n + 2).min(line.len());
                        continue;
                    }
                }
                break;
            }
            let field = &line[start..end];
            self.places.push(if field == null {
                Place::Null
            } else if plain {
                Place::Line(start, end)
            } else {
                let from = self.bytes.len();
                unescape(field, &mut self.bytes);
                Place::Own(from, self.bytes.len())
            });
            if end == line.len() {
                return;
            }
            start = end + 1;
        }
    }

    fn split_csv(&mut self, line: &[u8], o: &Options) -> Result<()> {
        let mut i = 0;
        loop {
            let start = self.bytes.len();
            let mut quoted = false;
            while i < line.len() && line[i] != o.delimiter {
                if line[i] != o.quote {
                    self.bytes.push(line[i]);
                    i += 1;
                    continue;
                }
                quoted = true;
                i += 1;
                loop {
                    match line.get(i) {
                        None => return Err(PgError::new(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field")),
                        Some(b)
                            if *b == o.escape && line.get(i + 1).is_some_and(|n| *n == o.quote || *n == o.escape) =>
                        {
                            self.bytes.push(line[i + 1]);
                            i += 2;
                        }
                        Some(b) if *b == o.quote => {
                            i += 1;
                            break;
                        }
                        Some(b) => {
                            self.bytes.push(*b);
                            i += 1;
                        }
                    }
                }
            }
            let is_null = !quoted && self.bytes[start..] == *o.null.as_bytes();
            self.places.push(if is_null { Place::Null } else { Place::Own(start, self.bytes.len()) });
            self.quoted.push(quoted);
            if i >= line.len() {
                return Ok(());
            }
            i += 1;
        }
    }
}

/// Backslash sequences of the text format.
fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < field.len() {
        if field[i] != b'\\' || i + 1 == field.len() {
            out.push(field[i]);
            i += 1;
            continue;
        }
        i += 1;
        let c = field[i];
        i += 1;
        match c {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let mut v = u32::from(c - b'0');
                for _ in 0..2 {
                    match field.get(i) {
                        Some(d @ b'0'..=b'7') => v = v * 8 + u32::from(d - b'0'),
                        _ => break,
                    }
                    i += 1;
                }
                out.push(v as u8);
            }
            b'x' if field.get(i).is_some_and(u8::is_ascii_hexdigit) => {
                let mut v = 0;
                for _ in 0..2 {
                    match field.get(i).and_then(|d| char::from(*d).to_digit(16)) {
                        Some(d) => v = v * 16 + d,
                        None => break,
                    }
                    i += 1;
                }
                out.push(v as u8);
            }
            other => out.push(other),
        }
    }
}

/// Appends a field in the text format.
pub(super) fn write_text(value: &[u8], o: &Options, out: &mut Vec<u8>) {
    let mut from = 0;
    for (i, &b) in value.iter().enumerate() {
        let escaped = match b {
            b'\\' => b'\\',
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            b if b == o.delimiter => b,
            _ => continue,
        };
        out.extend_from_slice(&value[from..i]);
        out.extend_from_slice(&[b'\\', escaped]);
        from = i + 1;
    }
    out.extend_from_slice(&value[from..]);
}

/// Appends a field in the CSV format. `only`: it is the row's only column.
pub(super) fn write_csv(value: &[u8], o: &Options, force: bool, only: bool, out: &mut Vec<u8>) {
    let special = |b: &u8| *b == o.delimiter || *b == o.quote || matches!(b, b'\n' | b'\r');
    let quote = force || value == o.null.as_bytes() || value.iter().any(special) || only && value == b"\\.";
    if !quote {
        out.extend_from_slice(value);
        return;
    }
    out.push(o.quote);
    for &b in value {
        if b == o.quote || b == o.escape {
            out.push(o.escape);
        }
        out.push(b);
    }
    out.push(o.quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Header;

    fn options(format: Format) -> Options {
        let csv = format == Format::Csv;
        Options {
            format,
            freeze: false,
            header: Header::No,
            delimiter: if csv { b',' } else { b'\t' },
            null: if csv { String::new() } else { "\\N".into() },
            default: None,
            quote: b'"',
            escape: b'"',
            force_quote: Vec::new(),
            force_quote_all: false,
            force_not_null: Vec::new(),
            force_null: Vec::new(),
        }
    }

    fn read(input: &[u8], format: Format, piece: usize) -> Vec<Vec<Option<String>>> {
        let o = options(format);
        let (mut lines, mut fields, mut rows) = (Lines::default(), Fields::default(), Vec::new());
        let mut take = |lines: &mut Lines, last| {
            while let Some((line, _)) = lines.next(&o, last).unwrap() {
                fields.split(line, &o).unwrap();
                let text = |i| fields.get(line, i).map(|b| String::from_utf8_lossy(b).into_owned());
                rows.push((0..fields.len()).map(text).collect());
            }
        };
        for chunk in input.chunks(piece) {
            lines.buffer().extend_from_slice(chunk);
            take(&mut lines, false);
        }
        take(&mut lines, true);
        rows
    }

    #[test]
    fn both_ways_in_any_pieces() {
        let rows: Vec<Vec<Option<String>>> = vec![
            vec![Some("a".into()), None, Some("tab\tand\nline\\ \"q\",x".into())],
            vec![Some("".into()), Some("\\N".into()), Some("é".into())],
            vec![None, Some("\\.".into()), Some("".into())],
        ];
        for format in [Format::Text, Format::Csv] {
            let o = options(format);
            let mut out = Vec::new();
            for row in &rows {
                for (i, v) in row.iter().enumerate() {
                    if i > 0 {
                        out.push(o.delimiter);
                    }
                    match (v, format) {
                        (None, _) => out.extend_from_slice(o.null.as_bytes()),
                        (Some(v), Format::Csv) => write_csv(v.as_bytes(), &o, false, false, &mut out),
                        (Some(v), _) => write_text(v.as_bytes(), &o, &mut out),
                    }
                }
                out.push(b'\n');
            }
            for piece in [1, 2, 7, 1000] {
                assert_eq!(read(&out, format, piece), rows, "{format:?} {piece}");
            }
        }
    }

    #[test]
    fn escapes_and_ends() {
        let rows = read(b"\\x41\\101\\t\\\\\tx\r\n\\.\nrest", Format::Text, 1000);
        assert_eq!(rows, [[Some("AA\t\\".to_owned()), Some("x".to_owned())]]);
        let rows = read(b"a,\"b\nc\"\nlast,", Format::Csv, 3);
        assert_eq!(rows, [[Some("a".to_owned()), Some("b\nc".to_owned())], [Some("last".to_owned()), None]]);
    }
}
