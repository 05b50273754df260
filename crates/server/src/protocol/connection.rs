//! A client's socket with its two buffers.
//!
//! Between statements a session takes what bytes there are and is parked otherwise. Inside one it may have to wait for its
//! client: reads block for a short while only, so that it notices interrupts. Buffers shrink when a session stays parked.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use base::sqlstate::{CONNECTION_FAILURE, PROTOCOL_VIOLATION};
use base::{Interrupt, PgError, Result};

use super::writer::Writer;

/// What a client speaks through.
#[derive(Debug)]
pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(s) => s.as_fd(),
            Stream::Unix(s) => s.as_fd(),
        }
    }
}

impl Stream {
    /// This end's address, of a TCP connection.
    pub fn local_address(&self) -> Option<std::net::SocketAddr> {
        match self {
            Stream::Tcp(s) => s.local_addr().ok(),
            Stream::Unix(_) => None,
        }
    }
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(s) => s.read(buffer),
            Stream::Unix(s) => s.read(buffer),
        }
    }
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(s) => s.write(buffer),
            Stream::Unix(s) => s.write(buffer),
        }
    }
    /// How long a read and a write may block before they return to look around.
    pub fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()> {
        match self {
            Stream::Tcp(s) => s.set_read_timeout(Some(read)).and_then(|()| s.set_write_timeout(Some(write))),
            Stream::Unix(s) => s.set_read_timeout(Some(read)).and_then(|()| s.set_write_timeout(Some(write))),
        }
    }
    pub fn is_unix(&self) -> bool {
        matches!(self, Stream::Unix(_))
    }
}

/// What came of waiting for bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fill {
    Data,
    /// Nothing yet.
    Quiet,
    /// The client has closed.
    End,
}

/// A message's type and the place of its body in the input buffer.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub kind: u8,
    pub start: usize,
    pub end: usize,
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    pub stream: Stream,
    input: Vec<u8>,
    /// The unread bytes of `input`.
    start: usize,
    end: usize,
    pub out: Writer,
    /// The last read took all there was.
    drained: bool,
}

const INPUT_SIZE: usize = 8192;
/// Output is sent when this much has gathered.
const SEND_AT: usize = 64 * 1024;
/// (PostgreSQL: `PQ_LARGE_MESSAGE_LIMIT`, `PQ_SMALL_MESSAGE_LIMIT`)
const LARGE_MESSAGE: usize = 0x3fff_fffe;
const SMALL_MESSAGE: usize = 10_000;

impl Connection {
    pub fn new(stream: Stream) -> Connection {
        Connection { stream, input: Vec::new(), start: 0, end: 0, out: Writer::default(), drained: false }
    }

    /// Gives the buffers' memory back: before a session is parked.
    pub fn shrink(&mut self) {
        if self.start == self.end {
            (self.input, self.start, self.end) = (Vec::new(), 0, 0);
        }
        self.out.shrink();
    }

    /// The operating system's name of the user at the other end of a Unix socket.
    pub fn peer_user(&self) -> Option<String> {
        let Stream::Unix(s) = &self.stream else { return None };
        let uid = rustix::net::sockopt::socket_peercred(s).ok()?.uid.as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        let entry = passwd
            .lines()
            .map(|l| l.split(':').collect::<Vec<_>>())
            .find(|f| f.get(2) == Some(&uid.to_string().as_str()))?;
        entry.first().map(|n| (*n).to_owned())
    }

    /// Has everything been read that had come by the last read?
    pub fn is_drained(&self) -> bool {
        self.drained
    }

    pub fn has_input(&self) -> bool {
        self.start < self.end
    }

    /// Waits for more bytes, for a short while.
    pub fn fill(&mut self) -> io::Result<Fill> {
        self.make_space();
        loop {
            match self.stream.read(&mut self.input[self.end..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return self.filled(other),
            }
        }
    }

    /// Takes the bytes that are here.
    pub fn fill_now(&mut self) -> io::Result<Fill> {
        self.make_space();
        loop {
            let flags = rustix::net::RecvFlags::DONTWAIT;
            match rustix::net::recv(&self.stream, &mut self.input[self.end..], flags) {
                Err(rustix::io::Errno::INTR) => {}
                other => return self.filled(other.map(|(n, _)| n).map_err(io::Error::from)),
            }
        }
    }

    fn filled(&mut self, read: io::Result<usize>) -> io::Result<Fill> {
        match read {
            Ok(0) => Ok(Fill::End),
            Ok(n) => {
                self.end += n;
                self.drained = self.end < self.input.len();
                Ok(Fill::Data)
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                self.drained = true;
                Ok(Fill::Quiet)
            }
            Err(e) => Err(e),
        }
    }

    fn make_space(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.end == self.input.len() {
            if self.start > 0 {
                self.input.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                let size = (self.input.len() * 2).max(INPUT_SIZE);
                self.input.resize(size, 0);
            }
        }
    }

    /// Waits for more bytes however long it takes, looking at the interrupts.
    pub fn fill_blocking(&mut self, interrupt: &Interrupt) -> Result<()> {
        interrupt.before_wait();
        loop {
            match self.fill() {
                Ok(Fill::Data) => return Ok(()),
                Ok(Fill::Quiet) => interrupt.check()?,
                Ok(Fill::End) | Err(_) => return Err(lost()),
            }
        }
    }

    /// The next whole message if it is here. The frame stays valid until the next `fill`.
    pub fn frame(&mut self) -> Result<Option<Frame>> {
        let Some(&[kind, a, b, c, d]) = self.input[self.start..self.end].first_chunk::<5>() else { return Ok(None) };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let limit = match kind {
            b'Q' | b'P' | b'B' | b'F' | b'd' => LARGE_MESSAGE,
            b'D' | b'E' | b'C' | b'S' | b'H' | b'c' | b'X' => SMALL_MESSAGE,
            b'f' | b'p' => 65_535,
            _ => {
                let text = format!("invalid frontend message type {kind}");
                return Err(PgError::new(PROTOCOL_VIOLATION, text).fatal());
            }
        };
        if !(4..=limit).contains(&len) {
            return Err(PgError::new(PROTOCOL_VIOLATION, "invalid message length").fatal());
        }
        let (start, end) = (self.start + 5, self.start + 1 + len);
        if end > self.end {
            self.make_room(end);
            return Ok(None);
        }
        self.start = end;
        Ok(Some(Frame { kind, start, end }))
    }

    /// The next message, waited for.
    pub fn frame_blocking(&mut self, interrupt: &Interrupt) -> Result<Frame> {
        loop {
            if let Some(frame) = self.frame()? {
                return Ok(frame);
            }
            self.fill_blocking(interrupt)?;
        }
    }

    /// The first packet of a connection has no type byte: its body.
    pub fn startup_packet(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(&[a, b, c, d]) = self.input[self.start..self.end].first_chunk::<4>() else { return Ok(None) };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        if !(8..=SMALL_MESSAGE).contains(&len) {
            return Err(PgError::new(PROTOCOL_VIOLATION, "invalid length of startup packet").fatal());
        }
        if self.start + len > self.end {
            return Ok(None);
        }
        let body = self.input[self.start + 4..self.start + len].to_vec();
        self.start += len;
        Ok(Some(body))
    }

    /// Room for a message that ends at `end`, so that `fill` reads it in few steps.
    fn make_room(&mut self, end: usize) {
        if end > self.input.len() {
            self.input.copy_within(self.start..self.end, 0);
            let need = end - self.start;
            (self.start, self.end) = (0, self.end - self.start);
            if need > self.input.len() {
                self.input.resize(need.next_power_of_two().max(INPUT_SIZE), 0);
            }
        }
    }

    pub fn body(&self, frame: Frame) -> &[u8] {
        &self.input[frame.start..frame.end]
    }

    /// A message's body beside the output buffer: for handlers that read one while they write the other.
    pub fn body_and_out(&mut self, frame: Frame) -> (&[u8], &mut Writer) {
        (&self.input[frame.start..frame.end], &mut self.out)
    }

    /// Sends what has gathered.
    pub fn flush(&mut self, interrupt: &Interrupt) -> Result<()> {
        let mut sent = 0;
        let bytes = self.out.bytes();
        while sent < bytes.len() {
            match self.stream.write(&bytes[sent..]) {
                Ok(0) => return Err(lost()),
                Ok(n) => sent += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // The client does not read: only a request to terminate ends the wait.
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    interrupt.before_wait();
                    if interrupt.is_terminating() {
                        return Err(lost());
                    }
                }
                Err(_) => return Err(lost()),
            }
        }
        self.out.clear();
        Ok(())
    }

    /// Sends if enough has gathered to be worth a system call.
    #[inline]
    pub fn flush_if_full(&mut self, interrupt: &Interrupt) -> Result<()> {
        if self.out.len() >= SEND_AT { self.flush(interrupt) } else { Ok(()) }
    }
}

#[cold]
fn lost() -> PgError {
    PgError::new(CONNECTION_FAILURE, "connection to client lost").fatal()
}
