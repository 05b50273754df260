//! SCRAM-SHA-256 secrets as `pg_authid.rolpassword` holds them. (RFC 5803, RFC 7677; PostgreSQL: `scram-common.c`)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// A stored secret: enough to check a proof, not enough to make one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScramSecret {
    pub iterations: u32,
    pub salt: Vec<u8>,
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
}

pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|p| mac.update(p));
    mac.finalize().into_bytes().into()
}

pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

impl ScramSecret {
    /// Derives the secret of a password.
    pub fn derive(password: &str, salt: &[u8], iterations: u32) -> ScramSecret {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), salt, iterations, &mut salted)
            .expect("HMAC takes keys of any length");
        let client_key = hmac_sha256(&salted, &[b"Client Key"]);
        let server_key = hmac_sha256(&salted, &[b"Server Key"]);
        ScramSecret { iterations, salt: salt.to_vec(), stored_key: sha256(&client_key), server_key }
    }
    /// The secret of a password under a random salt of 16 bytes.
    pub fn generate(password: &str, iterations: u32) -> base::Result<ScramSecret> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)
            .map_err(|e| base::PgError::internal(format!("could not generate random salt: {e}")))?;
        Ok(ScramSecret::derive(password, &salt, iterations))
    }
    pub fn parse(text: &str) -> Option<ScramSecret> {
        let (iterations_salt, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = iterations_salt.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let key = |s: &str| <[u8; 32]>::try_from(BASE64.decode(s).ok()?).ok();
        Some(ScramSecret {
            iterations: iterations.parse().ok()?,
            salt: BASE64.decode(salt).ok()?,
            stored_key: key(stored)?,
            server_key: key(server)?,
        })
    }
}

impl std::fmt::Display for ScramSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let b = |bytes: &[u8]| BASE64.encode(bytes);
        write!(f, "SCRAM-SHA-256${}:{}${}:{}", self.iterations, b(&self.salt), b(&self.stored_key), b(&self.server_key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn rfc_example() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let secret = ScramSecret::derive("pencil", &salt, 4096);
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = hmac_sha256(&secret.server_key, &[message.as_bytes()]);
        assert_eq!(BASE64.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(ScramSecret::parse(&secret.to_string()), Some(secret));
    }
}
