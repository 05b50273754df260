//! Who may connect: `pg_hba.conf` decides how, a method checks. (PostgreSQL: manual, "Client Authentication")

pub mod hba;
mod scram;

use base::sqlstate::{INVALID_AUTHORIZATION_SPECIFICATION, INVALID_PASSWORD, PROTOCOL_VIOLATION};
use base::{Interrupt, PgError, Result};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::protocol::Connection;
use hba::{HbaLine, Method};

const AUTH_OK: u32 = 0;
const AUTH_CLEARTEXT: u32 = 3;
const AUTH_MD5: u32 = 5;

/// What the catalogs say of the role that wants in.
#[derive(Clone, Debug)]
pub struct AuthRole {
    pub name: String,
    /// `rolpassword`; none also where it has expired.
    pub password: Option<String>,
}

/// Runs the method of the matching line. `role` is `None` if there is no such role: the client must not learn that before
/// it has shown a password.
pub fn authenticate(
    connection: &mut Connection,
    interrupt: &Interrupt,
    line: &HbaLine,
    user: &str,
    role: Option<&AuthRole>,
    peer: Option<&str>,
) -> Result<()> {
    let secret = role.and_then(|r| r.password.as_deref());
    let outcome = match line.method {
        Method::Trust => Ok(true),
        Method::Reject => {
            let text = format!("pg_hba.conf rejects connection for user \"{user}\"");
            return Err(PgError::new(INVALID_AUTHORIZATION_SPECIFICATION, text).fatal());
        }
        Method::Password => cleartext(connection, interrupt, user, secret),
        Method::Md5 if secret.is_none_or(|s| s.starts_with("md5")) => md5_exchange(connection, interrupt, user, secret),
        Method::Md5 | Method::ScramSha256 => scram::exchange(connection, interrupt, secret),
        Method::Peer => Ok(peer.is_some_and(|p| p == user)),
        Method::Other(ref name) => {
            return Err(PgError::unsupported(format!("authentication method \"{name}\"")).fatal());
        }
    };
    if outcome? {
        connection.out.authentication(AUTH_OK, &[]);
        return Ok(());
    }
    let (code, text) = match line.method {
        Method::Peer => {
            (INVALID_AUTHORIZATION_SPECIFICATION, format!("Peer authentication failed for user \"{user}\""))
        }
        _ => (INVALID_PASSWORD, format!("password authentication failed for user \"{user}\"")),
    };
    let detail = format!("Connection matched file \"{}\" line {}: \"{}\"", line.file, line.number, line.text);
    Err(PgError::new(code, text).detail_log(detail).fatal())
}

/// The body of the next message, which must be a password message.
fn password_message(connection: &mut Connection, interrupt: &Interrupt) -> Result<Vec<u8>> {
    connection.flush(interrupt)?;
    let frame = connection.frame_blocking(interrupt)?;
    if frame.kind != b'p' {
        let text = format!("expected password response, got message type {}", frame.kind);
        return Err(PgError::new(PROTOCOL_VIOLATION, text).fatal());
    }
    Ok(connection.body(frame).to_vec())
}

fn c_string(mut body: Vec<u8>) -> Result<String> {
    let text = match body.pop() {
        Some(0) => String::from_utf8(body).ok(),
        _ => None,
    };
    text.ok_or_else(|| PgError::new(PROTOCOL_VIOLATION, "invalid password packet size").fatal())
}

fn md5_hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    parts.iter().for_each(|p| hash.update(p));
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn cleartext(c: &mut Connection, interrupt: &Interrupt, user: &str, secret: Option<&str>) -> Result<bool> {
    c.out.authentication(AUTH_CLEARTEXT, &[]);
    let password = c_string(password_message(c, interrupt)?)?;
    let Some(secret) = secret else { return Ok(false) };
    if let Some(scram) = catalog::scram::ScramSecret::parse(secret) {
        let offered = catalog::scram::ScramSecret::derive(&password, &scram.salt, scram.iterations);
        return Ok(offered.stored_key.ct_eq(&scram.stored_key).into());
    }
    let offered = format!("md5{}", md5_hex(&[password.as_bytes(), user.as_bytes()]));
    Ok(offered.as_bytes().ct_eq(secret.as_bytes()).into())
}

fn md5_exchange(c: &mut Connection, interrupt: &Interrupt, user: &str, secret: Option<&str>) -> Result<bool> {
    let mut salt = [0; 4];
    getrandom::fill(&mut salt).map_err(|e| PgError::internal(format!("could not generate random salt: {e}")))?;
    c.out.authentication(AUTH_MD5, &salt);
    let offered = c_string(password_message(c, interrupt)?)?;
    let _ = user;
    let Some(stored) = secret.and_then(|s| s.strip_prefix("md5")) else { return Ok(false) };
    let expected = format!("md5{}", md5_hex(&[stored.as_bytes(), &salt]));
    Ok(offered.as_bytes().ct_eq(expected.as_bytes()).into())
}
