//! The first packet: a startup message, a cancel request, or a request for encryption.

use base::sqlstate::{FEATURE_NOT_SUPPORTED, INVALID_AUTHORIZATION_SPECIFICATION, PROTOCOL_VIOLATION};
use base::{PgError, Result};

/// What a client opens with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Startup {
    Ssl,
    Gss,
    Cancel { pid: i32, key: Vec<u8> },
    Session(StartupMessage),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StartupMessage {
    /// The minor version in effect: 0 or 2.
    pub minor: u32,
    /// The client asked for more than there is: tell it. (NegotiateProtocolVersion)
    pub negotiate: bool,
    /// Protocol options (`_pq_.*`) that are unknown here.
    pub unknown_options: Vec<String>,
    pub user: String,
    pub database: String,
    pub replication: Option<String>,
    /// Command-line style options: `-c name=value`.
    pub options: Option<String>,
    /// Everything else: settings.
    pub settings: Vec<(String, String)>,
}

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// Reads the packet's body (without its length).
pub fn parse(body: &[u8]) -> Result<Startup> {
    let (code, rest) = body.split_first_chunk::<4>().ok_or_else(invalid_layout)?;
    match u32::from_be_bytes(*code) {
        SSL_REQUEST => Ok(Startup::Ssl),
        GSS_REQUEST => Ok(Startup::Gss),
        CANCEL_REQUEST => {
            let (pid, key) = rest.split_first_chunk::<4>().ok_or_else(invalid_layout)?;
            Ok(Startup::Cancel { pid: i32::from_be_bytes(*pid), key: key.to_vec() })
        }
        version => message(version, rest).map(Startup::Session),
    }
}

fn message(version: u32, rest: &[u8]) -> Result<StartupMessage> {
    let (major, minor) = (version >> 16, version & 0xffff);
    if major != 3 {
        let text = format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).fatal());
    }
    let mut m = StartupMessage { minor: if minor >= 2 { 2 } else { 0 }, ..StartupMessage::default() };
    m.negotiate = minor > 2 || minor == 1;
    let mut database = None;
    let mut strings = rest.split(|&b| b == 0);
    loop {
        let name = strings.next().ok_or_else(invalid_layout)?;
        if name.is_empty() {
            break;
        }
        let value = strings.next().ok_or_else(invalid_layout)?;
        let text = |b: &[u8]| String::from_utf8(b.to_vec()).map_err(|_| invalid_layout());
        let (name, value) = (text(name)?, text(value)?);
        match name.as_str() {
            "user" => m.user = value,
            "database" => database = Some(value),
            "options" => m.options = Some(value),
            "replication" => m.replication = Some(value),
            _ if name.starts_with("_pq_.") => {
                m.negotiate = true;
                m.unknown_options.push(name);
            }
            _ => m.settings.push((name, value)),
        }
    }
    // Exactly the final terminator may remain.
    if strings.next().is_none_or(|s| !s.is_empty()) || strings.next().is_some() {
        return Err(invalid_layout());
    }
    if m.user.is_empty() {
        let text = "no PostgreSQL user name specified in startup packet";
        return Err(PgError::new(INVALID_AUTHORIZATION_SPECIFICATION, text).fatal());
    }
    m.database = database.filter(|d| !d.is_empty()).unwrap_or_else(|| m.user.clone());
    // Names in catalogs are no longer than this.
    for name in [&mut m.user, &mut m.database] {
        let mut end = name.len().min(base::NAMEDATALEN - 1);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
    }
    Ok(m)
}

fn invalid_layout() -> PgError {
    let text = "invalid startup packet layout: expected terminator as last byte";
    PgError::new(PROTOCOL_VIOLATION, text).fatal()
}

/// The settings in an `options` string: `-c name=value` and `--name=value`, blanks escaped by backslashes.
pub fn parse_options(options: &str) -> Result<Vec<(String, String)>> {
    let mut words = vec![String::new()];
    let mut chars = options.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => words.last_mut().into_iter().for_each(|w| w.extend(chars.next())),
            c if c.is_ascii_whitespace() => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|w| w.push(c)),
        }
    }
    let mut settings = Vec::new();
    let mut words = words.into_iter().filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        let setting = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(s), _) => s.to_owned(),
            (_, Some("")) => words.next().unwrap_or_default(),
            (_, Some(s)) => s.to_owned(),
            _ => {
                let text = format!("invalid command-line argument for server process: {word}");
                return Err(PgError::new(base::sqlstate::SYNTAX_ERROR, text).fatal());
            }
        };
        let Some((name, value)) = setting.split_once('=') else {
            let text = format!("-c {setting} requires a value");
            return Err(PgError::new(base::sqlstate::SYNTAX_ERROR, text).fatal());
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn startup_packets() {
        let packet = |version: u32, rest: &[u8]| [&version.to_be_bytes()[..], rest].concat();
        let ok = parse(&packet(3 << 16, b"user\0u\0application_name\0a b\0\0"));
        match ok {
            Ok(Startup::Session(m)) => {
                assert_eq!((m.user.as_str(), m.database.as_str(), m.minor, m.negotiate), ("u", "u", 0, false));
                assert_eq!(m.settings, [("application_name".to_owned(), "a b".to_owned())]);
            }
            other => panic!("{other:?}"),
        }
        assert!(
            matches!(parse(&packet(3 << 16 | 9999, b"user\0u\0\0")), Ok(Startup::Session(m)) if m.negotiate && m.minor == 2)
        );
        assert!(parse(&packet(2 << 16, b"user\0u\0\0")).is_err());
        assert!(parse(&packet(3 << 16, b"\0")).is_err());
        assert!(parse(&packet(3 << 16, b"user\0u")).is_err());
        assert_eq!(parse(&packet(SSL_REQUEST, b"")).unwrap(), Startup::Ssl);
    }

    #[test]
    fn options() {
        let got = parse_options(r"-c work_mem=1MB --search-path=a\ b -cx.y=z").unwrap();
        let got: Vec<_> = got.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(got, [("work_mem", "1MB"), ("search_path", "a b"), ("x.y", "z")]);
        assert!(parse_options("-z").is_err());
    }
}
