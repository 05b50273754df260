//! The text of `pg_class.relpartbound`. (PostgreSQL: `PartitionBoundSpec`, `PartitionRangeDatum`)

use base::Result;

use super::archive::Archive;
use super::expr::expr;
use crate::query::{PartitionBoundSpec, PartitionRangeDatum};

fn range_datum(a: &mut Archive<'_>, d: &mut PartitionRangeDatum) -> Result<()> {
    a.node("PARTITIONRANGEDATUM", |a| {
        a.num("kind", &mut d.kind)?;
        a.optional("value", &mut d.value, expr)?;
        a.loc("location", &mut d.location)
    })
}

pub(super) fn bound(a: &mut Archive<'_>, b: &mut PartitionBoundSpec) -> Result<()> {
    a.node("PARTITIONBOUNDSPEC", |a| {
        a.char("strategy", &mut b.strategy)?;
        a.flag("is_default", &mut b.is_default)?;
        a.num("modulus", &mut b.modulus)?;
        a.num("remainder", &mut b.remainder)?;
        a.list("listdatums", &mut b.listdatums, expr)?;
        a.list("lowerdatums", &mut b.lowerdatums, range_datum)?;
        a.list("upperdatums", &mut b.upperdatums, range_datum)?;
        a.loc("location", &mut b.location)
    })
}
