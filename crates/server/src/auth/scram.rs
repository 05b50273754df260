//! The server's side of SCRAM-SHA-256. (RFC 5802, RFC 7677; PostgreSQL: `auth-scram.c`)

use base::sqlstate::PROTOCOL_VIOLATION;
use base::{Interrupt, PgError, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use catalog::scram::{ScramSecret, hmac_sha256, sha256};
use subtle::ConstantTimeEq;

use super::password_message;
use crate::protocol::Connection;

const AUTH_SASL: u32 = 10;
const AUTH_SASL_CONTINUE: u32 = 11;
const AUTH_SASL_FINAL: u32 = 12;
const MECHANISM: &str = "SCRAM-SHA-256";

fn malformed(detail: &str) -> PgError {
    PgError::new(PROTOCOL_VIOLATION, "malformed SCRAM message").detail(detail).fatal()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| PgError::internal(format!("could not generate random nonce: {e}")))?;
    Ok(bytes)
}

/// Whether the client knows the password. Without a SCRAM secret the exchange runs to its end all the same and fails there.
pub(super) fn exchange(c: &mut Connection, interrupt: &Interrupt, secret: Option<&str>) -> Result<bool> {
    let stored = secret.and_then(ScramSecret::parse);
    let known = stored.is_some();
    let secret = match stored {
        Some(secret) => secret,
        None => ScramSecret {
            iterations: 4096,
            salt: random::<16>()?.to_vec(),
            stored_key: random()?,
            server_key: random()?,
        },
    };

    c.out.authentication(AUTH_SASL, format!("{MECHANISM}\0\0").as_bytes());
    let first = initial_response(&password_message(c, interrupt)?)?;
    let first = ClientFirst::parse(&first)?;
    let nonce = format!("{}{}", first.nonce, BASE64.encode(random::<18>()?));
    let server_first = format!("r={nonce},s={},i={}", BASE64.encode(&secret.salt), secret.iterations);
    c.out.authentication(AUTH_SASL_CONTINUE, server_first.as_bytes());

    let last =
        String::from_utf8(password_message(c, interrupt)?).map_err(|_| malformed("The message is not valid UTF-8."))?;
    let last = ClientFinal::parse(&last)?;
    if last.binding != BASE64.encode(first.gs2_header) {
        return Err(PgError::new(PROTOCOL_VIOLATION, "SCRAM channel binding check failed").fatal());
    }
    if last.nonce != nonce {
        return Err(PgError::new(PROTOCOL_VIOLATION, "invalid SCRAM response").detail("Nonce does not match.").fatal());
    }
    let message = format!("{},{server_first},{}", first.bare, last.without_proof);
    let signature = hmac_sha256(&secret.stored_key, &[message.as_bytes()]);
    let client_key: Vec<u8> = signature.iter().zip(&last.proof).map(|(a, b)| a ^ b).collect();
    let proven: bool = sha256(&client_key).ct_eq(&secret.stored_key).into();
    if !(proven && known) {
        return Ok(false);
    }
    let verifier = BASE64.encode(hmac_sha256(&secret.server_key, &[message.as_bytes()]));
    c.out.authentication(AUTH_SASL_FINAL, format!("v={verifier}").as_bytes());
    Ok(true)
}

/// The mechanism's name and the first client message.
fn initial_response(body: &[u8]) -> Result<String> {
    let end = memchr::memchr(0, body).ok_or_else(|| malformed("The message is too short."))?;
    if &body[..end] != MECHANISM.as_bytes() {
        let text = "client selected an invalid SASL authentication mechanism";
        return Err(PgError::new(PROTOCOL_VIOLATION, text).fatal());
    }
    let data = body.get(end + 5..).ok_or_else(|| malformed("The message is empty."))?;
    String::from_utf8(data.to_vec()).map_err(|_| malformed("The message is not valid UTF-8."))
}

struct ClientFirst<'a> {
    gs2_header: &'a str,
    bare: &'a str,
    nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    fn parse(text: &'a str) -> Result<ClientFirst<'a>> {
        // gs2-header is "n,[a=..]," or "y,..,"; channel binding ("p=") was not offered.
        if text.starts_with("p=") {
            let e = "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.";
            return Err(malformed(e));
        }
        let mut commas = text.match_indices(',').map(|(i, _)| i);
        let second = commas.nth(1).ok_or_else(|| malformed("Comma expected."))?;
        let (gs2_header, bare) = text.split_at(second + 1);
        if !gs2_header.starts_with(['n', 'y']) {
            return Err(malformed("Unexpected channel-binding flag."));
        }
        let nonce = bare.split(',').find_map(|p| p.strip_prefix("r=")).ok_or_else(|| malformed("Nonce expected."))?;
        if nonce.is_empty() || !nonce.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
            return Err(malformed("Non-printable characters in SCRAM nonce."));
        }
        Ok(ClientFirst { gs2_header, bare, nonce })
    }
}

struct ClientFinal<'a> {
    binding: &'a str,
    nonce: &'a str,
    proof: [u8; 32],
    without_proof: &'a str,
}

impl<'a> ClientFinal<'a> {
    fn parse(text: &'a str) -> Result<ClientFinal<'a>> {
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or_else(|| malformed("Proof expected."))?;
        let proof = BASE64.decode(proof).ok().and_then(|p| p.try_into().ok());
        let attribute = |name: &str| without_proof.split(',').find_map(|p| p.strip_prefix(name));
        Ok(ClientFinal {
            binding: attribute("c=").ok_or_else(|| malformed("Channel binding expected."))?,
            nonce: attribute("r=").ok_or_else(|| malformed("Nonce expected."))?,
            proof: proof.ok_or_else(|| malformed("Malformed proof in client-final-message."))?,
            without_proof,
        })
    }
}
