//! Built-ins that need the session or the cluster: settings, activity, the log's positions, locks, transaction ids, sizes,
//! statistics.
//!
//! What they need the session lends as extensions of its context: see [`cluster`], [`entry`] and their like. Files are named
//! by subject. What is not counted here is 0 or null, as in a server whose statistics were just reset.

pub(crate) mod activity;
pub(crate) mod advisory;
pub(crate) mod control;
pub(crate) mod information;
pub(crate) mod lists;
pub(crate) mod locks;
pub(crate) mod logs;
pub(crate) mod settings;
pub(crate) mod sizes;
pub(crate) mod statistics;
pub(crate) mod xids;

use std::sync::Arc;

use base::{Oid, PgError, Result};
use catalog::Catalog;
use txn::{Proc, Transaction};
use types::array::{self, ElementType};
use types::oid::TEXTOID;
use types::{Align, Datum, DatumRef, FnCx, RowList, RowSource, record};

use crate::cluster::{Cluster, SessionEntry};
use crate::session::SharedVariables;

type Rows = Box<dyn RowSource>;

fn cluster(cx: &mut FnCx<'_>) -> Result<Arc<Cluster>> {
    Ok(Arc::clone(cx.extension::<Arc<Cluster>>()?))
}
fn entry(cx: &mut FnCx<'_>) -> Result<Arc<SessionEntry>> {
    Ok(Arc::clone(cx.extension::<Arc<SessionEntry>>()?))
}
fn variables(cx: &mut FnCx<'_>) -> Result<SharedVariables> {
    Ok(Arc::clone(cx.extension::<SharedVariables>()?))
}
fn catalog(cx: &mut FnCx<'_>) -> Result<Catalog> {
    Ok(cx.extension::<Catalog>()?.clone())
}
/// Must be given back before the statement ends: a commit wants the transaction for itself.
fn transaction(cx: &mut FnCx<'_>) -> Result<Arc<Transaction>> {
    Ok(Arc::clone(cx.extension::<Arc<Transaction>>()?))
}
fn own_proc(cx: &mut FnCx<'_>) -> Result<Arc<Proc>> {
    Ok(Arc::clone(cx.extension::<Arc<Transaction>>()?.proc()))
}
fn is_superuser(cx: &mut FnCx<'_>) -> Result<bool> {
    let user = cx.settings().current_user;
    catalog(cx)?.is_superuser(user)
}
/// Is the current user a member of a predefined role, or a superuser?
fn has_role(cx: &mut FnCx<'_>, role: &str) -> Result<bool> {
    let user = cx.settings().current_user;
    let catalog = catalog(cx)?;
    match catalog.role_by_name(role)? {
        Some(r) => Ok(catalog.privileges_of_role(user, r.oid)?),
        None => catalog.is_superuser(user),
    }
}

trait Privileges {
    fn privileges_of_role(&self, user: Oid, role: Oid) -> Result<bool>;
}

impl Privileges for Catalog {
    /// (PostgreSQL: `has_privs_of_role`)
    fn privileges_of_role(&self, user: Oid, role: Oid) -> Result<bool> {
        Ok(user == role || self.is_superuser(user)? || self.roles_inherited_by(user)?.contains(&role))
    }
}

fn opt<T>(value: Option<T>, make: impl FnOnce(T) -> Datum) -> Datum {
    value.map_or(Datum::Null, make)
}
fn opt_text(value: Option<&str>) -> Datum {
    opt(value, Datum::text)
}
/// A timestamp, null where it is not set.
fn time(t: i64) -> Datum {
    if t == 0 { Datum::Null } else { Datum::i64(t) }
}
fn rows(list: Vec<Vec<Datum>>) -> Rows {
    Box::new(RowList(list.into_iter()))
}
fn no_rows() -> Rows {
    rows(Vec::new())
}

fn text_array<S: AsRef<str>>(values: &[S]) -> Result<Datum> {
    let elem = ElementType { oid: TEXTOID, len: -1, byval: false, align: Align::Int };
    let values: Vec<Datum> = values.iter().map(|v| Datum::text(v.as_ref())).collect();
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    array::build_vector(&elem, &refs)
}
fn word_array(oid: Oid, values: &[Datum]) -> Result<Datum> {
    let elem = ElementType { oid, len: 4, byval: true, align: Align::Int };
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    array::build_vector(&elem, &refs)
}

/// A row as the result of a function that returns `record`.
fn one_row(cx: &mut FnCx<'_>, values: &[Datum]) -> Result<Datum> {
    let desc = cx.call.result_desc.clone();
    let desc = desc.ok_or_else(|| PgError::internal("return type must be a row type"))?;
    let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
    record::build(&desc, &refs)
}

/// A number as `numeric`. (PostgreSQL: `int64_to_numeric`)
fn numeric(cx: &mut FnCx<'_>, value: i64) -> Result<Datum> {
    cx.rt.call(Oid(1781), Oid::INVALID, &[Datum::i64(value).as_ref()])
}

/// An `inet` of one host. (PostgreSQL: `inet_struct`)
fn inet(address: std::net::IpAddr) -> Datum {
    let mut bytes = Vec::with_capacity(18);
    match address {
        std::net::IpAddr::V4(a) => {
            bytes.extend_from_slice(&[2, 32]);
            bytes.extend_from_slice(&a.octets());
        }
        std::net::IpAddr::V6(a) => {
            bytes.extend_from_slice(&[3, 128]);
            bytes.extend_from_slice(&a.octets());
        }
    }
    Datum::bytes(bytes)
}
