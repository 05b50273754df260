//! `pg_ndistinct`, `pg_dependencies` and `pg_mcv_list`: what ANALYZE leaves for CREATE STATISTICS, shown.
//!
//! PostgreSQL: `mvdistinct.c`, `dependencies.c`, `mcv.c`.

use base::{Oid, Result};
use types::array::{ElementType, build_vector};
use types::extended_stats::{McvList, read_dependencies, read_ndistinct};
use types::oid::{BOOLOID, TEXTOID};
use types::{Datum, DatumRef, FnCx, RowList, RowSource, builtin};

#[builtin("pg_ndistinct_out")]
fn pg_ndistinct_out(v: &[u8]) -> Result<String> {
    let one = |i: types::extended_stats::DistinctItem| {
        let list: Vec<String> = i.attributes.iter().map(i16::to_string).collect();
        format!("\"{}\": {}", list.join(", "), i.ndistinct as i32)
    };
    let list: Vec<String> = read_ndistinct(v)?.into_iter().map(one).collect();
    Ok(format!("{{{}}}", list.join(", ")))
}

#[builtin("pg_dependencies_out")]
fn pg_dependencies_out(v: &[u8]) -> Result<String> {
    let one = |d: types::extended_stats::Dependency| {
        let list: Vec<String> = d.attributes.iter().map(i16::to_string).collect();
        let (last, others) = list.split_last().map_or((String::new(), Vec::new()), |(l, o)| (l.clone(), o.to_vec()));
        format!("\"{} => {last}\": {:.6}", others.join(", "), d.degree)
    };
    let list: Vec<String> = read_dependencies(v)?.into_iter().map(one).collect();
    Ok(format!("{{{}}}", list.join(", ")))
}

#[builtin("pg_mcv_list_out")]
fn pg_mcv_list_out(v: &[u8]) -> String {
    v.iter().fold("\\x".to_owned(), |s, b| s + &format!("{b:02x}"))
}

#[builtin("pg_ndistinct_send", "pg_dependencies_send", "pg_mcv_list_send")]
fn pg_stats_send(v: &[u8]) -> &[u8] {
    v
}

/// The items of a list of most common combinations, values as text.
#[builtin("pg_stats_ext_mcvlist_items", set)]
fn pg_stats_ext_mcvlist_items(cx: &mut FnCx<'_>, v: &[u8]) -> Result<Box<dyn RowSource>> {
    let list = McvList::read(v)?;
    let mut outputs = Vec::new();
    for t in &list.types {
        outputs.push(cx.rt.type_info(*t)?.output);
    }
    let (text, boolean) = (element(cx, TEXTOID)?, element(cx, BOOLOID)?);
    let mut rows = Vec::new();
    for (i, item) in list.items.iter().enumerate() {
        let mut shown = Vec::new();
        for (value, output) in item.values.iter().zip(&outputs) {
            shown.push(match value {
                Datum::Null => Datum::Null,
                v => cx.rt.call(*output, Oid::INVALID, &[v.as_ref()])?,
            });
        }
        let refs: Vec<DatumRef<'_>> = shown.iter().map(Datum::as_ref).collect();
        let nulls: Vec<Datum> = item.values.iter().map(|v| Datum::bool(v.is_null())).collect();
        let null_refs: Vec<DatumRef<'_>> = nulls.iter().map(Datum::as_ref).collect();
        rows.push(vec![
            Datum::i32(i as i32),
            build_vector(&text, &refs)?,
            build_vector(&boolean, &null_refs)?,
            Datum::Word(item.frequency.to_bits()),
            Datum::Word(item.base_frequency.to_bits()),
        ]);
    }
    Ok(Box::new(RowList(rows.into_iter())))
}

fn element(cx: &mut FnCx<'_>, t: Oid) -> Result<ElementType> {
    Ok(ElementType::of(&*cx.rt.type_info(t)?))
}
