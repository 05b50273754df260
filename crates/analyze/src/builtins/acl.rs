//! `aclitem`: input, output, and what is in a list of them. (PostgreSQL: `acl.c`)

use base::sqlstate::INVALID_PARAMETER_VALUE;
use base::{Oid, PgError, Result};
use catalog::acl::{self, AclItem, AclKind, AclMode};
use types::array::{ArrayRef, ElementType, build};
use types::oid::ACLITEMOID;
use types::{Datum, DatumRef, FnCx, IntoDatum, RowList, RowSource, builtin};

use super::regtypes::catalog_of;

/// Privileges by their keyword, in the order that lists show them.
const KEYWORDS: &[(&str, AclMode)] = &[
    ("INSERT", acl::ACL_INSERT),
    ("SELECT", acl::ACL_SELECT),
    ("UPDATE", acl::ACL_UPDATE),
    ("DELETE", acl::ACL_DELETE),
    ("TRUNCATE", acl::ACL_TRUNCATE),
    ("REFERENCES", acl::ACL_REFERENCES),
    ("TRIGGER", acl::ACL_TRIGGER),
    ("EXECUTE", acl::ACL_EXECUTE),
    ("USAGE", acl::ACL_USAGE),
    ("CREATE", acl::ACL_CREATE),
    ("TEMPORARY", acl::ACL_CREATE_TEMP),
    ("CONNECT", acl::ACL_CONNECT),
    ("SET", acl::ACL_SET),
    ("ALTER SYSTEM", acl::ACL_ALTER_SYSTEM),
    ("MAINTAIN", acl::ACL_MAINTAIN),
];

fn item(bytes: &[u8]) -> Result<AclItem> {
    let bytes = bytes.try_into().map_err(|_| PgError::internal("an aclitem has 16 bytes"))?;
    Ok(AclItem::from_bytes(bytes))
}

fn items(cx: &mut FnCx<'_>, array: &[u8]) -> Result<Vec<AclItem>> {
    let element = ElementType::of(&*cx.rt.type_info(ACLITEMOID)?);
    ArrayRef::new(array)?.to_vec(&element)?.into_iter().map(|d| item(d.as_bytes())).collect()
}

#[builtin("aclitemin")]
fn aclitemin(cx: &mut FnCx<'_>, text: &str) -> Result<Vec<u8>> {
    let parsed = catalog_of(cx)?.parse_aclitem(text)?;
    Ok(parsed.to_bytes().to_vec())
}

#[builtin("aclitemout")]
fn aclitemout(cx: &mut FnCx<'_>, value: &[u8]) -> Result<String> {
    Ok(catalog_of(cx)?.print_aclitem(&item(value)?))
}

#[builtin("aclitem_eq")]
fn aclitem_eq(a: &[u8], b: &[u8]) -> bool {
    a == b
}

#[builtin("acldefault_sql")]
fn acldefault(cx: &mut FnCx<'_>, kind: u8, owner: Oid) -> Result<Datum> {
    let unknown = || PgError::internal(format!("unrecognized object type abbreviation: {}", char::from(kind)));
    let list = acl::acldefault(AclKind::from_letter(kind).ok_or_else(unknown)?, owner);
    let element = ElementType::of(&*cx.rt.type_info(ACLITEMOID)?);
    let bytes: Vec<[u8; 16]> = list.into_iter().map(AclItem::to_bytes).collect();
    let values: Vec<DatumRef<'_>> = bytes.iter().map(|b| DatumRef::Bytes(b)).collect();
    build(&element, &[values.len() as i32], &[1], &values)
}

#[builtin("aclcontains")]
fn aclcontains(cx: &mut FnCx<'_>, list: &[u8], wanted: &[u8]) -> Result<bool> {
    let wanted = item(wanted)?;
    let covers =
        |i: &AclItem| (i.grantee, i.grantor) == (wanted.grantee, wanted.grantor) && i.bits & wanted.bits == wanted.bits;
    Ok(items(cx, list)?.iter().any(covers))
}

#[builtin("makeaclitem")]
fn makeaclitem(grantee: Oid, grantor: Oid, privileges: &str, grantable: bool) -> Result<Vec<u8>> {
    let mut mode = 0;
    for word in privileges.split(',').map(|w| w.trim().to_ascii_uppercase()) {
        let word = if word == "TEMP" { "TEMPORARY".to_owned() } else { word };
        let unknown = || PgError::new(INVALID_PARAMETER_VALUE, format!("unrecognized privilege type: \"{word}\""));
        mode |= KEYWORDS.iter().find(|(k, _)| *k == word).ok_or_else(unknown)?.1;
    }
    Ok(AclItem::new(grantee, grantor, mode, if grantable { mode } else { 0 }).to_bytes().to_vec())
}

#[builtin("aclexplode", set)]
fn aclexplode(cx: &mut FnCx<'_>, list: &[u8]) -> Result<Box<dyn RowSource>> {
    let mut rows = Vec::new();
    for i in items(cx, list)? {
        for (keyword, mode) in KEYWORDS.iter().filter(|(_, mode)| i.privileges() & mode != 0) {
            let grantable = i.grant_options() & mode != 0;
            rows.push(vec![
                i.grantor.into_datum(),
                i.grantee.into_datum(),
                (*keyword).into_datum(),
                grantable.into_datum(),
            ]);
        }
    }
    Ok(Box::new(RowList(rows.into_iter())))
}
