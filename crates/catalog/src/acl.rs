//! Access control lists: who may do what with an object. Text and disk form, defaults, and the test itself.
//!
//! An ACL is a list of [`AclItem`]s; a NULL one in a catalog stands for [`acldefault`]. The item's privileges are a set of bits, the
//! upper half says which of them may be passed on. Who is a member of whom is answered by [`RoleMemberships`]: the caller has it.
//!
//! PostgreSQL: `acl.c`, `aclchk.c`; manual, "Privileges".

use base::sqlstate::{INVALID_TEXT_REPRESENTATION, NAME_TOO_LONG, UNDEFINED_OBJECT};
use base::{NAMEDATALEN, Oid, PgError, Result};

/// A set of privileges. (PostgreSQL: `AclMode`)
pub type AclMode = u64;

pub const ACL_INSERT: AclMode = 1 << 0;
pub const ACL_SELECT: AclMode = 1 << 1;
pub const ACL_UPDATE: AclMode = 1 << 2;
pub const ACL_DELETE: AclMode = 1 << 3;
pub const ACL_TRUNCATE: AclMode = 1 << 4;
pub const ACL_REFERENCES: AclMode = 1 << 5;
pub const ACL_TRIGGER: AclMode = 1 << 6;
pub const ACL_EXECUTE: AclMode = 1 << 7;
pub const ACL_USAGE: AclMode = 1 << 8;
pub const ACL_CREATE: AclMode = 1 << 9;
pub const ACL_CREATE_TEMP: AclMode = 1 << 10;
pub const ACL_CONNECT: AclMode = 1 << 11;
pub const ACL_SET: AclMode = 1 << 12;
pub const ACL_ALTER_SYSTEM: AclMode = 1 << 13;
pub const ACL_MAINTAIN: AclMode = 1 << 14;
pub const ACL_NO_RIGHTS: AclMode = 0;
/// Not a stored privilege: what SELECT FOR UPDATE and its like need besides SELECT. (PostgreSQL: `ACL_SELECT_FOR_UPDATE`)
pub const ACL_SELECT_FOR_UPDATE: AclMode = ACL_UPDATE;

/// The privileges' letters, in the order of their bits. (PostgreSQL: `ACL_ALL_RIGHTS_STR`)
pub const ACL_LETTERS: &str = "arwdDxtXUCTcsAm";
const N_ACL_RIGHTS: usize = 15;

/// The names GRANT uses, in the order of the bits.
pub const ACL_NAMES: [&str; N_ACL_RIGHTS] = [
    "INSERT",
    "SELECT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "EXECUTE",
    "USAGE",
    "CREATE",
    "TEMPORARY",
    "CONNECT",
    "SET",
    "ALTER SYSTEM",
    "MAINTAIN",
];

/// The grantee that stands for everybody. (PostgreSQL: `ACL_ID_PUBLIC`)
pub const PUBLIC: Oid = Oid::INVALID;

/// Kinds of objects that carry privileges.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AclKind {
    Column,
    Table,
    Sequence,
    Database,
    Function,
    Language,
    LargeObject,
    Schema,
    Tablespace,
    ForeignDataWrapper,
    ForeignServer,
    Type,
    Parameter,
}

impl AclKind {
    /// As `acldefault(char, oid)` abbreviates it.
    pub fn from_letter(c: u8) -> Option<AclKind> {
        Some(match c {
            b'c' => AclKind::Column,
            b'r' => AclKind::Table,
            b's' => AclKind::Sequence,
            b'd' => AclKind::Database,
            b'f' => AclKind::Function,
            b'l' => AclKind::Language,
            b'L' => AclKind::LargeObject,
            b'n' => AclKind::Schema,
            b't' => AclKind::Tablespace,
            b'F' => AclKind::ForeignDataWrapper,
            b'S' => AclKind::ForeignServer,
            b'T' => AclKind::Type,
            b'p' => AclKind::Parameter,
            _ => return None,
        })
    }
    /// Every privilege that this kind of object knows. (PostgreSQL: `ACL_ALL_RIGHTS_*`)
    pub fn all_rights(self) -> AclMode {
        const COLUMN: AclMode = ACL_INSERT | ACL_SELECT | ACL_UPDATE | ACL_REFERENCES;
        match self {
            AclKind::Column => COLUMN,
            AclKind::Table => COLUMN | ACL_DELETE | ACL_TRUNCATE | ACL_TRIGGER | ACL_MAINTAIN,
            AclKind::Sequence => ACL_USAGE | ACL_SELECT | ACL_UPDATE,
            AclKind::Database => ACL_CREATE | ACL_CREATE_TEMP | ACL_CONNECT,
            AclKind::Function => ACL_EXECUTE,
            AclKind::Language | AclKind::ForeignDataWrapper | AclKind::ForeignServer | AclKind::Type => ACL_USAGE,
            AclKind::LargeObject => ACL_SELECT | ACL_UPDATE,
            AclKind::Schema => ACL_USAGE | ACL_CREATE,
            AclKind::Tablespace => ACL_CREATE,
            AclKind::Parameter => ACL_SET | ACL_ALTER_SYSTEM,
        }
    }
    /// What everybody may do while nothing was granted or revoked.
    pub fn world_default(self) -> AclMode {
        match self {
            AclKind::Database => ACL_CREATE_TEMP | ACL_CONNECT,
            AclKind::Function => ACL_EXECUTE,
            AclKind::Language | AclKind::Type => ACL_USAGE,
            _ => ACL_NO_RIGHTS,
        }
    }
}

/// One entry: what `grantor` granted to `grantee`. (PostgreSQL: `AclItem`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AclItem {
    pub grantee: Oid,
    pub grantor: Oid,
    /// Lower half: privileges. Upper half: those of them that may be passed on.
    pub bits: u64,
}

impl AclItem {
    pub fn new(grantee: Oid, grantor: Oid, privileges: AclMode, grant_options: AclMode) -> AclItem {
        AclItem { grantee, grantor, bits: privileges & 0xFFFF_FFFF | grant_options << 32 }
    }
    pub fn privileges(&self) -> AclMode {
        self.bits & 0xFFFF_FFFF
    }
    pub fn grant_options(&self) -> AclMode {
        self.bits >> 32
    }
    /// The sixteen bytes on disk.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut b = [0; 16];
        b[0..4].copy_from_slice(&self.grantee.0.to_le_bytes());
        b[4..8].copy_from_slice(&self.grantor.0.to_le_bytes());
        b[8..16].copy_from_slice(&self.bits.to_le_bytes());
        b
    }
    pub fn from_bytes(b: [u8; 16]) -> AclItem {
        let word = |i: usize| u32::from_le_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]);
        AclItem { grantee: Oid(word(0)), grantor: Oid(word(4)), bits: u64::from(word(8)) | u64::from(word(12)) << 32 }
    }

    /// Reads `grantee=privileges/grantor`. `role` finds a role by name. A missing grantor means the bootstrap superuser (PostgreSQL warns
    /// then; the second value says so). (PostgreSQL: `aclparse`, `aclitemin`)
    pub fn parse(text: &str, role: &dyn Fn(&str) -> Result<Option<Oid>>) -> Result<(AclItem, GrantorGiven)> {
        let bad = |message: String| PgError::new(INVALID_TEXT_REPRESENTATION, message);
        let find = |name: &str| {
            role(name)?.ok_or_else(|| PgError::new(UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))
        };
        let (mut name, mut rest) = identifier(text)?;
        if !rest.starts_with('=') {
            if name != "group" && name != "user" {
                return Err(bad(format!("unrecognized key word: \"{name}\""))
                    .hint("ACL key word must be \"group\" or \"user\"."));
            }
            (name, rest) = identifier(rest)?;
            if name.is_empty() {
                return Err(bad("missing name".into()).hint("A name must follow the \"group\" or \"user\" key word."));
            }
        }
        let Some(mut rest) = rest.strip_prefix('=') else { return Err(bad("missing \"=\" sign".into())) };
        let (mut privileges, mut options, mut last) = (0, 0, 0);
        while let Some(c) = rest.chars().next().filter(|c| c.is_ascii_alphabetic() || *c == '*') {
            match (c, ACL_LETTERS.find(c)) {
                ('*', _) => options |= last,
                (_, Some(bit)) => last = 1 << bit,
                _ => return Err(bad(format!("invalid mode character: must be one of \"{ACL_LETTERS}\""))),
            }
            privileges |= last;
            rest = &rest[1..];
        }
        let grantee = if name.is_empty() { PUBLIC } else { find(&name)? };
        let (mut grantor, mut given) = (Oid(10), GrantorGiven::No);
        if let Some(r) = rest.strip_prefix('/') {
            let (name, r) = identifier(r)?;
            if name.is_empty() {
                return Err(bad("a name must follow the \"/\" sign".into()));
            }
            (grantor, given, rest) = (find(&name)?, GrantorGiven::Yes, r);
        }
        if !rest.trim_start_matches(is_space).is_empty() {
            return Err(bad("extra garbage at the end of the ACL specification".into()));
        }
        Ok((AclItem::new(grantee, grantor, privileges, options), given))
    }

    /// `grantee=privileges/grantor`. `role` gives a role's name; an unknown one is printed as a number. (PostgreSQL: `aclitemout`)
    pub fn print(&self, role: &dyn Fn(Oid) -> Option<String>) -> String {
        let mut out = String::new();
        let put = |out: &mut String, id: Oid| match role(id) {
            Some(name) => put_identifier(out, &name),
            None => out.push_str(&id.to_string()),
        };
        if self.grantee != PUBLIC {
            put(&mut out, self.grantee);
        }
        out.push('=');
        for (i, c) in ACL_LETTERS.chars().enumerate() {
            if self.privileges() & 1 << i != 0 {
                out.push(c);
            }
            if self.grant_options() & 1 << i != 0 {
                out.push('*');
            }
        }
        out.push('/');
        put(&mut out, self.grantor);
        out
    }
}

/// Whether a text form named the grantor. If not, a client is warned "defaulting grantor to user ID 10".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrantorGiven {
    Yes,
    No,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Takes a word, which may be quoted in part, and the spaces around it. (PostgreSQL: `getid`)
fn identifier(text: &str) -> Result<(String, &str)> {
    let text = text.trim_start_matches(is_space);
    let (mut name, mut quoted, mut end) = (String::new(), false, text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if !(quoted || c == '"' || !c.is_ascii() || c.is_ascii_alphanumeric() || c == '_') {
            end = i;
            break;
        }
        if c == '"' {
            if !quoted {
                quoted = true;
                continue;
            }
            if chars.peek().is_none_or(|&(_, next)| next != '"') {
                quoted = false;
                continue;
            }
            chars.next();
        }
        name.push(c);
        if name.len() >= NAMEDATALEN {
            return Err(PgError::new(NAME_TOO_LONG, "identifier too long")
                .detail(format!("Identifier must be less than {NAMEDATALEN} characters.")));
        }
    }
    Ok((name, text[end..].trim_start_matches(is_space)))
}

/// Writes a role's name, quoted where `identifier` would not read it back. (PostgreSQL: `putid`)
fn put_identifier(out: &mut String, name: &str) {
    match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => out.push_str(name),
        false => {
            out.push('"');
            out.push_str(&name.replace('"', "\"\""));
            out.push('"');
        }
    }
}

/// A list as a catalog's column holds it.
pub fn from_datum(d: types::DatumRef<'_>) -> Result<Vec<AclItem>> {
    crate::row::Field::of(d)
}
/// For a catalog's column.
pub fn to_datum(list: &[AclItem]) -> Result<types::Datum> {
    crate::row::Field::put(&list.to_vec(), types::oid::ACLITEMARRAYOID)
}

/// What an object's privileges are while its ACL is NULL. (PostgreSQL: `acldefault`)
pub fn acldefault(kind: AclKind, owner: Oid) -> Vec<AclItem> {
    let mut acl = Vec::with_capacity(2);
    if kind.world_default() != ACL_NO_RIGHTS {
        acl.push(AclItem::new(PUBLIC, owner, kind.world_default(), ACL_NO_RIGHTS));
    }
    if kind != AclKind::Column {
        acl.push(AclItem::new(owner, owner, kind.all_rights(), ACL_NO_RIGHTS));
    }
    acl
}

/// Who is in which role. The catalog's handle implements it.
pub trait RoleMemberships {
    /// Whether `role` has the privileges of `of`: it is the same, a superuser, or inherits from it. (PostgreSQL: `has_privs_of_role`)
    fn has_privs_of_role(&self, role: Oid, of: Oid) -> Result<bool>;
}

/// Which of the privileges in `mask` `role` has. With `AclMaskHow::Any` the search stops at the first.
/// Grant options are asked for as `mask << 32`. (PostgreSQL: `aclmask`)
pub fn aclmask(
    acl: &[AclItem],
    role: Oid,
    owner: Oid,
    mask: AclMode,
    how: AclMaskHow,
    roles: &dyn RoleMemberships,
) -> Result<AclMode> {
    if mask == 0 {
        return Ok(0);
    }
    let enough = |found: AclMode| match how {
        AclMaskHow::All => found == mask,
        AclMaskHow::Any => found != 0,
    };
    let mut found = 0;
    // The owner holds all grant options, whatever the list says.
    if mask >> 32 != 0 && roles.has_privs_of_role(role, owner)? {
        found = mask & !0xFFFF_FFFF;
        if enough(found) {
            return Ok(found);
        }
    }
    // First what is granted to everybody or to the role itself: that needs no look at memberships.
    for item in acl.iter().filter(|i| i.grantee == PUBLIC || i.grantee == role) {
        found |= item.bits & mask;
        if enough(found) {
            return Ok(found);
        }
    }
    for item in acl.iter().filter(|i| i.grantee != PUBLIC && i.grantee != role) {
        if item.bits & mask & !found != 0 && roles.has_privs_of_role(role, item.grantee)? {
            found |= item.bits & mask;
            if enough(found) {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Whether all of the asked privileges are wanted or one suffices. (PostgreSQL: `AclMaskHow`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclMaskHow {
    All,
    Any,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Result<Option<Oid>> {
        Ok(match name {
            "postgres" => Some(Oid(10)),
            "a b" => Some(Oid(20)),
            "x" => Some(Oid(30)),
            _ => None,
        })
    }
    fn name(id: Oid) -> Option<String> {
        [(10, "postgres"), (20, "a b"), (30, "x")].iter().find(|(o, _)| *o == id.0).map(|(_, n)| (*n).to_owned())
    }

    #[test]
    fn text_form() {
        for (text, expected) in [
            ("=r/postgres", "=r/postgres"),
            ("postgres=arwdDxtm/postgres", "postgres=arwdDxtm/postgres"),
            (" \"a b\" =r*w/x", "\"a b\"=r*w/x"),
            ("user x=U/postgres", "x=U/postgres"),
            ("nobody=r/x", "role \"nobody\" does not exist"),
            ("x=q/x", "invalid mode character: must be one of \"arwdDxtXUCTcsAm\""),
            ("x", "unrecognized key word: \"x\""),
            ("x=r/x y", "extra garbage at the end of the ACL specification"),
        ] {
            let got = match AclItem::parse(text, &role) {
                Ok((item, _)) => {
                    assert_eq!(AclItem::from_bytes(item.to_bytes()), item);
                    item.print(&name)
                }
                Err(e) => e.message().to_owned(),
            };
            assert_eq!(got, expected, "{text}");
        }
    }

    struct Chain;
    impl RoleMemberships for Chain {
        fn has_privs_of_role(&self, role: Oid, of: Oid) -> Result<bool> {
            Ok(role == of || (role, of) == (Oid(30), Oid(20)))
        }
    }

    #[test]
    fn mask_follows_membership() {
        let acl = [
            AclItem::new(Oid(10), Oid(10), ACL_SELECT | ACL_UPDATE, 0),
            AclItem::new(Oid(20), Oid(10), ACL_SELECT, ACL_SELECT),
        ];
        let ask = |role, mask| aclmask(&acl, Oid(role), Oid(10), mask, AclMaskHow::All, &Chain).unwrap();
        assert_eq!(ask(30, ACL_SELECT | ACL_UPDATE), ACL_SELECT);
        assert_eq!(ask(40, ACL_SELECT), 0);
        assert_eq!(ask(30, ACL_SELECT << 32), ACL_SELECT << 32);
        assert_eq!(ask(10, ACL_DELETE << 32), ACL_DELETE << 32);
    }
}
