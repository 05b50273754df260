//! A server that does nothing: it answers each message at once with the bytes that a point query would give. What clients
//! reach with it is the ceiling for any server with a thread per connection. `ceiling PORT`, for `bench/run`.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A message's kind, length and body.
fn message(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    out.push(kind);
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
}

fn describe(out: &mut Vec<u8>) {
    message(out, b'T', b"\0\x01abalance\0\0\0\x40\0\0\x03\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0");
}

fn row(out: &mut Vec<u8>) {
    message(out, b'D', b"\0\x01\0\0\0\x010");
    message(out, b'C', b"SELECT 1\0");
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut start, mut end, mut out) = (vec![0; 16384], 0, 0, Vec::new());
    let mut started = false;
    loop {
        let have = &input[start..end];
        let head = if started { 1 } else { 0 };
        let len = have.get(head..head + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize + head);
        let Some(message_end) = len.filter(|len| *len <= have.len()) else {
            stream.write_all(&out)?;
            out.clear();
            input.copy_within(start..end, 0);
            (start, end) = (0, end - start);
            let n = stream.read(&mut input[end..])?;
            if n == 0 {
                return Ok(());
            }
            end += n;
            continue;
        };
        let (kind, body) = (have[0], &have[head + 4..message_end]);
        start += message_end;
        if !started {
            if body.starts_with(&[0x04, 0xd2, 0x16]) {
                out.push(b'N'); // a request for encryption
                continue;
            }
            started = true;
            message(&mut out, b'R', &[0; 4]);
            for setting in ["server_version\x0018.0\0", "client_encoding\0UTF8\0", "standard_conforming_strings\0on\0"]
            {
                message(&mut out, b'S', setting.as_bytes());
            }
            message(&mut out, b'Z', b"I");
            continue;
        }
        match kind {
            b'Q' => {
                describe(&mut out);
                row(&mut out);
                message(&mut out, b'Z', b"I");
            }
            b'P' => message(&mut out, b'1', b""),
            b'B' => message(&mut out, b'2', b""),
            b'D' => describe(&mut out),
            b'E' => row(&mut out),
            b'S' => message(&mut out, b'Z', b"I"),
            b'X' => return Ok(()),
            _ => {}
        }
    }
}

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|p| p.parse().ok()).expect("ceiling PORT");
    for stream in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let stream = stream?;
        thread::Builder::new().stack_size(128 << 10).spawn(move || drop(serve(stream)))?;
    }
    Ok(())
}
