//! `pg_hba.conf`: who may connect from where, and how they prove who they are. The first matching line decides.
//! (PostgreSQL: manual, "The pg_hba.conf File")

use std::net::IpAddr;

use base::sqlstate::INVALID_AUTHORIZATION_SPECIFICATION;
use base::{PgError, Result};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionType {
    Local,
    Host,
    HostSsl,
    HostNoSsl,
    HostGss,
    HostNoGss,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Method {
    Trust,
    Reject,
    Password,
    Md5,
    ScramSha256,
    Peer,
    /// Known to PostgreSQL, not here yet.
    Other(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    All,
    SameHost,
    SameNet,
    Net(IpAddr, IpAddr),
    Name(String),
}

/// One word of a list, and whether it was quoted (then it is a name, never a keyword).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    pub text: String,
    pub quoted: bool,
}

impl Word {
    fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HbaLine {
    pub file: String,
    pub number: usize,
    pub text: String,
    pub kind: ConnectionType,
    pub databases: Vec<Word>,
    pub users: Vec<Word>,
    pub address: Option<Address>,
    pub method: Method,
    pub options: Vec<(String, String)>,
}

/// Who knocks, from where.
pub struct Candidate<'a> {
    pub user: &'a str,
    pub database: &'a str,
    pub replication: bool,
    /// `None` on a Unix socket.
    pub address: Option<IpAddr>,
    pub ssl: bool,
    /// Whether the user is a member of the role (`+role`).
    pub member_of: &'a dyn Fn(&str) -> bool,
}

/// The file's lines, or the complaints about them: `(line, message)`.
pub fn parse(file: &str, text: &str) -> Result<Vec<HbaLine>, Vec<(usize, String)>> {
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    let mut number = 0;
    let mut raw_lines = text.lines();
    while let Some(raw) = raw_lines.next() {
        number += 1;
        let first = number;
        let mut joined = raw.to_owned();
        while joined.ends_with('\\') {
            joined.pop();
            joined.push_str(raw_lines.next().unwrap_or_default());
            number += 1;
        }
        let fields = tokenize(&joined);
        if fields.is_empty() {
            continue;
        }
        match parse_line(&fields) {
            Ok((kind, databases, users, address, method, options)) => lines.push(HbaLine {
                file: file.to_owned(),
                number: first,
                text: joined.trim_end().to_owned(),
                kind,
                databases,
                users,
                address,
                method,
                options,
            }),
            Err(message) => errors.push((first, message)),
        }
    }
    if errors.is_empty() { Ok(lines) } else { Err(errors) }
}

/// Fields separated by blanks, each a list of words separated by commas.
fn tokenize(line: &str) -> Vec<Vec<Word>> {
    let mut fields: Vec<Vec<Word>> = Vec::new();
    let mut chars = line.chars().peekable();
    let mut continues = false;
    loop {
        while chars.peek().is_some_and(|c| c.is_whitespace()) {
            chars.next();
        }
        match chars.peek() {
            None | Some('#') => return fields,
            Some(',') => {
                chars.next();
                continues = true;
                continue;
            }
            _ => {}
        }
        let mut word = Word { text: String::new(), quoted: false };
        let mut in_quotes = false;
        while let Some(&c) = chars.peek() {
            if !in_quotes && (c.is_whitespace() || c == ',' || c == '#') {
                break;
            }
            chars.next();
            match c {
                '"' if in_quotes && chars.peek() == Some(&'"') => {
                    chars.next();
                    word.text.push('"');
                }
                '"' => {
                    in_quotes = !in_quotes;
                    word.quoted = true;
                }
                c => word.text.push(c),
            }
        }
        match fields.last_mut() {
            Some(last) if continues => last.push(word),
            _ => fields.push(vec![word]),
        }
        continues = chars.peek() == Some(&',');
    }
}

type Parsed = (ConnectionType, Vec<Word>, Vec<Word>, Option<Address>, Method, Vec<(String, String)>);

fn parse_line(fields: &[Vec<Word>]) -> Result<Parsed, String> {
    let mut fields = fields.iter();
    let single = |field: Option<&Vec<Word>>, missing: &str| match field.map(Vec::as_slice) {
        Some([word]) => Ok(word.text.clone()),
        Some(_) => Err("multiple values specified for field".to_owned()),
        None => Err(missing.to_owned()),
    };
    let kind = match single(fields.next(), "")?.as_str() {
        "local" => ConnectionType::Local,
        "host" => ConnectionType::Host,
        "hostssl" => ConnectionType::HostSsl,
        "hostnossl" => ConnectionType::HostNoSsl,
        "hostgssenc" => ConnectionType::HostGss,
        "hostnogssenc" => ConnectionType::HostNoGss,
        other => return Err(format!("invalid connection type \"{other}\"")),
    };
    let databases = fields.next().ok_or("end-of-line before database specification")?.clone();
    let users = fields.next().ok_or("end-of-line before role specification")?.clone();
    let address = match kind {
        ConnectionType::Local => None,
        _ => {
            let text = single(fields.next(), "end-of-line before IP address specification")?;
            Some(match text.as_str() {
                "all" => Address::All,
                "samehost" => Address::SameHost,
                "samenet" => Address::SameNet,
                _ => match text.split_once('/') {
                    Some((ip, bits)) => cidr(ip, bits).ok_or(format!("invalid CIDR mask in address \"{text}\""))?,
                    None => match text.parse::<IpAddr>() {
                        Ok(ip) => {
                            let mask = single(fields.next(), "end-of-line before netmask specification")?;
                            Address::Net(ip, mask.parse().map_err(|_| format!("invalid IP mask \"{mask}\""))?)
                        }
                        Err(_) => Address::Name(text),
                    },
                },
            })
        }
    };
    let name = single(fields.next(), "end-of-line before authentication method")?;
    let method = match name.as_str() {
        "trust" => Method::Trust,
        "reject" => Method::Reject,
        "password" => Method::Password,
        "md5" => Method::Md5,
        "scram-sha-256" => Method::ScramSha256,
        "peer" if kind == ConnectionType::Local => Method::Peer,
        "peer" => return Err("peer authentication is only supported on local sockets".into()),
        "ident" if kind == ConnectionType::Local => Method::Peer,
        "ident" | "gss" | "sspi" | "pam" | "bsd" | "ldap" | "radius" | "cert" | "oauth" => Method::Other(name),
        other => return Err(format!("invalid authentication method \"{other}\"")),
    };
    let mut options = Vec::new();
    for word in fields.flatten() {
        let (key, value) = word
            .text
            .split_once('=')
            .ok_or(format!("authentication option not in name=value format: {}", word.text))?;
        options.push((key.to_owned(), value.to_owned()));
    }
    Ok((kind, databases, users, address, method, options))
}

fn cidr(ip: &str, bits: &str) -> Option<Address> {
    let ip: IpAddr = ip.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let mask = match ip {
        IpAddr::V4(_) if bits <= 32 => IpAddr::V4(u32::MAX.checked_shl(32 - bits).unwrap_or(0).into()),
        IpAddr::V6(_) if bits <= 128 => IpAddr::V6(u128::MAX.checked_shl(128 - bits).unwrap_or(0).into()),
        _ => return None,
    };
    Some(Address::Net(ip, mask))
}

fn in_net(address: IpAddr, net: IpAddr, mask: IpAddr) -> bool {
    match (address, net, mask) {
        (IpAddr::V4(a), IpAddr::V4(n), IpAddr::V4(m)) => u32::from(a) & u32::from(m) == u32::from(n) & u32::from(m),
        (IpAddr::V6(a), IpAddr::V6(n), IpAddr::V6(m)) => u128::from(a) & u128::from(m) == u128::from(n) & u128::from(m),
        _ => false,
    }
}

impl HbaLine {
    fn matches(&self, who: &Candidate<'_>) -> bool {
        let kind = match (self.kind, who.address) {
            (ConnectionType::Local, address) => address.is_none(),
            (_, None) | (ConnectionType::HostGss, _) => false,
            (ConnectionType::HostSsl, _) => who.ssl,
            (ConnectionType::HostNoSsl, _) => !who.ssl,
            (ConnectionType::Host | ConnectionType::HostNoGss, _) => true,
        };
        kind && self.address_matches(who.address) && self.database_matches(who) && self.user_matches(who)
    }
    fn address_matches(&self, address: Option<IpAddr>) -> bool {
        match (&self.address, address) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Address::All), _) => true,
            (Some(Address::Net(net, mask)), Some(a)) => in_net(a, *net, *mask),
            (Some(Address::SameHost | Address::SameNet), Some(a)) => a.is_loopback(),
            (Some(Address::Name(name)), Some(a)) => {
                use std::net::ToSocketAddrs;
                (name.as_str(), 0).to_socket_addrs().is_ok_and(|mut found| found.any(|f| f.ip() == a))
            }
        }
    }
    fn database_matches(&self, who: &Candidate<'_>) -> bool {
        self.databases.iter().any(|word| {
            if who.replication {
                return word.is("replication");
            }
            word.is("all")
                || (word.is("sameuser") && who.user == who.database)
                || ((word.is("samerole") || word.is("samegroup")) && (who.member_of)(who.database))
                || (!word.is("replication") && word.text == who.database)
        })
    }
    fn user_matches(&self, who: &Candidate<'_>) -> bool {
        self.users.iter().any(|word| match word.text.strip_prefix('+') {
            Some(role) if !word.quoted => (who.member_of)(role),
            _ => word.is("all") || word.text == who.user,
        })
    }
}

/// The line that decides, or the error that no line does.
pub fn find<'l>(lines: &'l [HbaLine], who: &Candidate<'_>) -> Result<&'l HbaLine> {
    if let Some(line) = lines.iter().find(|l| l.matches(who)) {
        return Ok(line);
    }
    let host = who.address.map_or("[local]".to_owned(), |a| a.to_string());
    let encryption = if who.ssl { "SSL encryption" } else { "no encryption" };
    let what = if who.replication { "replication connection from" } else { "" };
    let text = match what {
        "" => format!(
            "no pg_hba.conf entry for host \"{host}\", user \"{}\", database \"{}\", {encryption}",
            who.user, who.database
        ),
        _ => format!("no pg_hba.conf entry for {what} host \"{host}\", user \"{}\", {encryption}", who.user),
    };
    Err(PgError::new(INVALID_AUTHORIZATION_SPECIFICATION, text).fatal())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\n\
        local all all peer\n\
        host \"all\" bob 10.0.0.0/8 md5\n\
        host a,b +staff 127.0.0.1 255.255.255.255 scram-sha-256 # end\n\
        host replication all ::1/128 trust\n\
        host all all all reject\n";

    #[test]
    fn first_match_decides() {
        let lines = parse("f", FILE).unwrap();
        let check = |user: &str, database: &str, address: Option<&str>, replication: bool, expected: Method| {
            let address = address.map(|a| a.parse().unwrap());
            let member_of = |role: &str| role == "staff" && user == "eve";
            let who = Candidate { user, database, replication, address, ssl: false, member_of: &member_of };
            assert_eq!(find(&lines, &who).unwrap().method, expected, "{user} {database} {address:?}");
        };
        check("bob", "x", None, false, Method::Peer);
        check("bob", "all", Some("10.1.2.3"), false, Method::Md5);
        check("bob", "x", Some("10.1.2.3"), false, Method::Reject);
        check("eve", "b", Some("127.0.0.1"), false, Method::ScramSha256);
        check("bob", "b", Some("127.0.0.1"), false, Method::Reject);
        check("bob", "", Some("::1"), true, Method::Trust);
    }

    #[test]
    fn bad_lines() {
        let errors = parse("f", "nonsense\nlocal all\nhost all all 1.2.3.4/99 trust\nlocal a b magic").unwrap_err();
        let messages: Vec<_> = errors.iter().map(|(n, m)| (*n, m.as_str())).collect();
        assert_eq!(
            messages,
            [
                (1, "invalid connection type \"nonsense\""),
                (2, "end-of-line before role specification"),
                (3, "invalid CIDR mask in address \"1.2.3.4/99\""),
                (4, "invalid authentication method \"magic\""),
            ]
        );
    }
}
