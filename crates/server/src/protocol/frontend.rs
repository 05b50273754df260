//! What clients say: message bodies as typed values that borrow from the input buffer.

use base::sqlstate::{CHARACTER_NOT_IN_REPERTOIRE, PROTOCOL_VIOLATION};
use base::{Oid, PgError, Result};

/// A value's format on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Text,
    Binary,
}

impl Format {
    fn from_code(code: i16) -> Result<Format> {
        match code {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            _ => {
                let text = format!("unsupported format code: {code}");
                Err(PgError::new(base::sqlstate::INVALID_PARAMETER_VALUE, text))
            }
        }
    }
    /// What a list of codes (none, one for all, or one each) says of the `i`-th value.
    pub fn of(list: &[Format], i: usize) -> Format {
        match list {
            [] => Format::Text,
            [one] => *one,
            many => many.get(i).copied().unwrap_or(Format::Text),
        }
    }
}

/// A list of format codes: none, one for all, or one each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Formats {
    All(Format),
    Each(Vec<Format>),
}

impl std::ops::Deref for Formats {
    type Target = [Format];
    #[inline]
    fn deref(&self) -> &[Format] {
        match self {
            Formats::All(Format::Text) => &[],
            Formats::All(Format::Binary) => &[Format::Binary],
            Formats::Each(list) => list,
        }
    }
}

/// A Bind message's parameter values; `None` for null.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Values<'a> {
    pub fn len(&self) -> usize {
        self.count
    }
    pub fn iter(&self) -> impl Iterator<Item = Option<&'a [u8]>> {
        let mut rest = Reader(self.bytes);
        // The lengths were looked at when the message was read.
        (0..self.count).map(move |_| rest.value().unwrap_or_default())
    }
}

/// What Describe and Close name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<'a> {
    Statement(&'a str),
    Portal(&'a str),
}

#[derive(Debug)]
pub struct Bind<'a> {
    pub portal: &'a str,
    pub statement: &'a str,
    pub formats: Formats,
    pub values: Values<'a>,
    pub result_formats: Formats,
}

/// A frontend message.
#[derive(Debug)]
pub enum Frontend<'a> {
    Query(&'a str),
    Parse { name: &'a str, query: &'a str, types: Vec<Oid> },
    Bind(Bind<'a>),
    Describe(Target<'a>),
    Execute { portal: &'a str, limit: usize },
    Close(Target<'a>),
    Sync,
    Flush,
    Terminate,
    FunctionCall,
    CopyData(&'a [u8]),
    CopyDone,
    CopyFail(&'a str),
    Password(&'a [u8]),
}

impl<'a> Frontend<'a> {
    /// Reads a message's body.
    pub fn parse(kind: u8, body: &'a [u8]) -> Result<Frontend<'a>> {
        let mut r = Reader(body);
        let message = match kind {
            b'Q' => Frontend::Query(r.string()?),
            b'P' => {
                let (name, query) = (r.string()?, r.string()?);
                let n = r.count()?;
                let types = (0..n).map(|_| r.u32().map(Oid)).collect::<Result<_>>()?;
                Frontend::Parse { name, query, types }
            }
            b'B' => Frontend::Bind(r.bind()?),
            b'D' => Frontend::Describe(r.target("DESCRIBE")?),
            b'C' => Frontend::Close(r.target("CLOSE")?),
            b'E' => Frontend::Execute { portal: r.string()?, limit: r.u32()? as i32 as usize },
            b'S' => Frontend::Sync,
            b'H' => Frontend::Flush,
            b'X' => Frontend::Terminate,
            b'F' => return Ok(Frontend::FunctionCall),
            b'd' => return Ok(Frontend::CopyData(body)),
            b'c' => Frontend::CopyDone,
            b'f' => Frontend::CopyFail(r.string()?),
            b'p' => return Ok(Frontend::Password(body)),
            other => return Err(violation(format!("invalid frontend message type {other}"))),
        };
        match r.0.is_empty() {
            true => Ok(message),
            false => Err(violation("invalid message format")),
        }
    }
}

#[cold]
fn violation(text: impl Into<String>) -> PgError {
    PgError::new(PROTOCOL_VIOLATION, text)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(|| violation("insufficient data left in message"))?;
        self.0 = tail;
        Ok(head)
    }
    fn u32(&mut self) -> Result<u32> {
        let b = self.take(4)?;
        Ok(u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
    fn i16(&mut self) -> Result<i16> {
        let b = self.take(2)?;
        Ok(i16::from_be_bytes([b[0], b[1]]))
    }
    /// A 16-bit count; bind messages may have up to 65535 parameters.
    fn count(&mut self) -> Result<usize> {
        Ok(usize::from(self.i16()? as u16))
    }
    fn string(&mut self) -> Result<&'a str> {
        let end = memchr::memchr(0, self.0).ok_or_else(|| violation("invalid string in message"))?;
        let bytes = &self.0[..end];
        self.0 = &self.0[end + 1..];
        std::str::from_utf8(bytes).map_err(|e| invalid_utf8(bytes, e.valid_up_to()))
    }
    fn formats(&mut self) -> Result<Formats> {
        match self.count()? {
            0 => Ok(Formats::All(Format::Text)),
            1 => Format::from_code(self.i16()?).map(Formats::All),
            n => (0..n).map(|_| Format::from_code(self.i16()?)).collect::<Result<_>>().map(Formats::Each),
        }
    }
    fn value(&mut self) -> Result<Option<&'a [u8]>> {
        match self.u32()? {
            u32::MAX => Ok(None),
            len => self.take(len as usize).map(Some),
        }
    }
    fn bind(&mut self) -> Result<Bind<'a>> {
        let (portal, statement) = (self.string()?, self.string()?);
        let formats = self.formats()?;
        let n = self.count()?;
        if formats.len() > 1 && formats.len() != n {
            let text = format!("bind message has {} parameter formats but {n} parameters", formats.len());
            return Err(violation(text));
        }
        let bytes = self.0;
        for _ in 0..n {
            self.value()?;
        }
        let values = Values { count: n, bytes: &bytes[..bytes.len() - self.0.len()] };
        Ok(Bind { portal, statement, formats, values, result_formats: self.formats()? })
    }
    fn target(&mut self, what: &str) -> Result<Target<'a>> {
        let kind = self.take(1)?[0];
        let name = self.string()?;
        match kind {
            b'S' => Ok(Target::Statement(name)),
            b'P' => Ok(Target::Portal(name)),
            _ => Err(violation(format!("invalid {what} message subtype {kind}"))),
        }
    }
}

/// 22021, naming the bad bytes as PostgreSQL does. (PostgreSQL: `report_invalid_encoding`)
pub fn invalid_utf8(bytes: &[u8], at: usize) -> PgError {
    let rest = &bytes[at..];
    let len = match rest.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let shown: Vec<String> = rest.iter().take(len).map(|b| format!("0x{b:02x}")).collect();
    let text = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
    PgError::new(CHARACTER_NOT_IN_REPERTOIRE, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad_messages() {
        assert!(matches!(Frontend::parse(b'Q', b"SELECT 1\0"), Ok(Frontend::Query("SELECT 1"))));
        assert!(matches!(Frontend::parse(b'E', b"p\0\0\0\0\x05"), Ok(Frontend::Execute { portal: "p", limit: 5 })));
        let bind = b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\0";
        match Frontend::parse(b'B', bind) {
            Ok(Frontend::Bind(b)) => {
                assert_eq!((b.statement, b.values.iter().collect()), ("s", vec![Some(&b"x"[..]), None]));
                assert_eq!(Format::of(&b.formats, 1), Format::Binary);
            }
            other => panic!("{other:?}"),
        }
        for (kind, body, message) in [
            (b'Q', &b"no end"[..], "invalid string in message"),
            (b'Q', b"a\0b", "invalid message format"),
            (b'Q', b"\xff\0", "invalid byte sequence for encoding \"UTF8\": 0xff"),
            (b'D', b"Zx\0", "invalid DESCRIBE message subtype 90"),
            (b'P', b"\0\0\0\x02\0\0\0\x01", "insufficient data left in message"),
        ] {
            assert_eq!(Frontend::parse(kind, body).unwrap_err().message(), message);
        }
    }
}
