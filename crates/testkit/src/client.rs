//! A plain client of protocol 3.0: simple queries with text results, and raw messages for protocol tests.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// An ErrorResponse or NoticeResponse by its field codes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ServerError(pub HashMap<u8, String>);

impl ServerError {
    pub fn field(&self, code: u8) -> &str {
        self.0.get(&code).map_or("", String::as_str)
    }
    pub fn sqlstate(&self) -> &str {
        self.field(b'C')
    }
    pub fn message(&self) -> &str {
        self.field(b'M')
    }
}

impl std::fmt::Debug for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.sqlstate(), self.message())
    }
}

/// What one statement of a simple query gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementResult {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
    pub tag: String,
}

pub type Row = Vec<Option<String>>;

/// What a client speaks through.
trait Stream: Read + Write + Send + std::fmt::Debug {}

impl Stream for TcpStream {}
impl Stream for UnixStream {}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: Box<dyn Stream>,
    pub parameters: HashMap<String, String>,
    pub pid: i32,
    pub key: Vec<u8>,
    /// Notices since they were last taken.
    pub notices: Vec<ServerError>,
    /// What the last ReadyForQuery said.
    pub status: u8,
}

/// How a test connects.
#[derive(Clone, Debug)]
pub struct Target {
    pub port: u16,
    pub user: String,
    pub database: String,
}

impl Target {
    pub fn new(port: u16) -> Target {
        Target { port, user: "postgres".into(), database: "postgres".into() }
    }
    pub fn database(mut self, name: &str) -> Target {
        self.database = name.into();
        self
    }
}

fn other(text: impl Into<String>) -> io::Error {
    io::Error::other(text.into())
}

impl Client {
    /// Connects to 127.0.0.1 without a password.
    pub fn connect(target: &Target) -> io::Result<Client> {
        let stream = TcpStream::connect(("127.0.0.1", target.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Client::start(Box::new(stream), target)
    }
    /// Starts a session on a connection that is there: see `server::embed`.
    pub fn on_stream(stream: UnixStream) -> io::Result<Client> {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Client::start(Box::new(stream), &Target::new(0))
    }
    fn start(stream: Box<dyn Stream>, target: &Target) -> io::Result<Client> {
        let mut client =
            Client { stream, parameters: HashMap::new(), pid: 0, key: Vec::new(), notices: Vec::new(), status: b'I' };
        let mut body = vec![0, 3, 0, 0];
        for text in ["user", &target.user, "database", &target.database] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        client.stream.write_all(&(body.len() as u32 + 4).to_be_bytes())?;
        client.stream.write_all(&body)?;
        loop {
            let (kind, body) = client.read_message()?;
            match kind {
                b'R' if body[..4] == [0; 4] => {}
                b'R' => return Err(other("the server asks for a password")),
                b'K' => {
                    client.pid = i32::from_be_bytes([body[0], body[1], body[2], body[3]]);
                    client.key = body[4..].to_vec();
                }
                b'Z' => return Ok(client),
                b'E' => return Err(other(format!("{:?}", error_fields(&body)))),
                _ => {}
            }
        }
    }

    pub fn send(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let mut message = vec![kind];
        message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        message.extend_from_slice(body);
        self.stream.write_all(&message)
    }
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next message; parameter statuses and notices are noted besides.
    pub fn read_message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let [kind, a, b, c, d] = head;
        let mut body = vec![0; u32::from_be_bytes([a, b, c, d]) as usize - 4];
        self.stream.read_exact(&mut body)?;
        match kind {
            b'S' => {
                let mut parts = body.split(|&b| b == 0).map(|p| String::from_utf8_lossy(p).into_owned());
                if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                    self.parameters.insert(name, value);
                }
            }
            b'N' => self.notices.push(error_fields(&body)),
            b'Z' => self.status = body[0],
            _ => {}
        }
        Ok((kind, body))
    }

    /// Runs the statements of a text: a result each, up to the first error.
    pub fn query(&mut self, sql: &str) -> io::Result<Result<Vec<StatementResult>, ServerError>> {
        self.start_query(sql)?;
        self.finish_query()
    }
    pub fn start_query(&mut self, sql: &str) -> io::Result<()> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.send(b'Q', &body)
    }
    pub fn finish_query(&mut self) -> io::Result<Result<Vec<StatementResult>, ServerError>> {
        let (mut results, mut current, mut error) = (Vec::new(), StatementResult::default(), None);
        loop {
            let (kind, body) = self.read_message()?;
            match kind {
                b'T' => current.columns = column_names(&body),
                b'D' => current.rows.push(data_row(&body)),
                b'C' => {
                    current.tag = String::from_utf8_lossy(&body[..body.len() - 1]).into_owned();
                    results.push(std::mem::take(&mut current));
                }
                b'I' => results.push(StatementResult::default()),
                b'E' => error = Some(error_fields(&body)),
                b'G' => self.send(b'f', b"no data\0")?,
                b'Z' => return Ok(error.map_or(Ok(results), Err)),
                _ => {}
            }
        }
    }

    /// The rows of the last statement; a server error becomes an I/O error.
    pub fn rows(&mut self, sql: &str) -> io::Result<Vec<Row>> {
        let results = self.query(sql)?.map_err(|e| other(format!("{sql}: {e:?}")))?;
        Ok(results.into_iter().next_back().unwrap_or_default().rows)
    }
    /// The first column of the first row.
    pub fn value(&mut self, sql: &str) -> io::Result<String> {
        let rows = self.rows(sql)?;
        rows.into_iter()
            .next()
            .and_then(|r| r.into_iter().next().flatten())
            .ok_or_else(|| other(format!("{sql}: no value")))
    }
    pub fn execute(&mut self, sql: &str) -> io::Result<()> {
        self.rows(sql).map(drop)
    }

    /// Asks the server to cancel what a connection is doing.
    pub fn cancel(port: u16, pid: i32, key: &[u8]) -> io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let mut packet = (12 + key.len() as u32).to_be_bytes().to_vec();
        packet.extend_from_slice(&80_877_102u32.to_be_bytes());
        packet.extend_from_slice(&pid.to_be_bytes());
        packet.extend_from_slice(key);
        stream.write_all(&packet)?;
        let _ = stream.read(&mut [0]);
        Ok(())
    }
}

pub fn error_fields(body: &[u8]) -> ServerError {
    let text = |f: &[u8]| String::from_utf8_lossy(f).into_owned();
    ServerError(body.split(|&b| b == 0).filter(|f| !f.is_empty()).map(|f| (f[0], text(&f[1..]))).collect())
}

fn column_names(body: &[u8]) -> Vec<String> {
    let count = u16::from_be_bytes([body[0], body[1]]);
    let mut rest = &body[2..];
    let mut names = Vec::new();
    for _ in 0..count {
        let end = rest.iter().position(|&b| b == 0).unwrap_or(0);
        names.push(String::from_utf8_lossy(&rest[..end]).into_owned());
        rest = &rest[end + 19..];
    }
    names
}

fn data_row(body: &[u8]) -> Row {
    let count = u16::from_be_bytes([body[0], body[1]]);
    let mut rest = &body[2..];
    let mut row = Vec::new();
    for _ in 0..count {
        let len = i32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]);
        rest = &rest[4..];
        row.push(usize::try_from(len).ok().map(|len| {
            let (value, tail) = rest.split_at(len);
            rest = tail;
            String::from_utf8_lossy(value).into_owned()
        }));
    }
    row
}
