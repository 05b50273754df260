//! The bodies of the built-in functions: a module a SQL type with its input, output, operators and functions.
//!
//! A leaf: only the binary and tests link it; everyone else calls through the registry that [`registry`] makes. `BUILTINS`
//! holds the `#[builtin]` functions, `BUILTIN_LISTS` the families made by the macros in `macros`, [`AGGREGATES`] the
//! aggregates' vectorised states, [`ORDERS`] the comparators of by-reference types.
//!
//! Conventions: text is UTF-8. A receive function gets the message's bytes as its `internal` argument. Regular expressions and
//! other costly set-up are kept in the call site's state. Text is ordered bytewise; other collations answer "not supported".
#![forbid(unsafe_code)]

#[macro_use]
mod macros;

pub mod agg;
pub mod array_sql;
pub mod arrays;
pub mod bits;
pub mod boolean;
pub mod bytes;
pub mod datetime;
pub mod encode;
pub mod err;
pub mod extended_stats;
pub mod float;
pub mod float_math;
pub mod formatting;
pub mod generic;
pub mod geometry;
pub mod hash;
pub mod in_range;
pub mod int;
pub mod json;
pub mod like;
pub mod mac;
pub mod misc;
pub mod money;
pub mod multirange;
pub mod network;
pub mod numeric;
pub mod oid;
pub mod quote;
pub mod random;
pub mod range;
pub mod record;
pub mod regex;
pub mod regexp;
pub mod strings;
#[cfg(test)]
mod testing;
pub mod text;
pub mod tsearch;
pub mod unicode;
pub mod uuid;
pub mod wire;

use types::{BuiltinAggregate, BuiltinOrder, Registry};

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// Aggregates with states of their own.
pub static AGGREGATES: &[&[BuiltinAggregate]] = &[
    agg::fold::AGGREGATES,
    agg::sums::AGGREGATES,
    agg::collect::AGGREGATES,
    agg::intervals::AGGREGATES,
    json::aggregate::AGGREGATES,
    multirange::AGGREGATES,
    agg::floats::AVERAGE,
    agg::floats::VAR_POP,
    agg::floats::VAR_SAMP,
    agg::floats::STDDEV_POP,
    agg::floats::STDDEV_SAMP,
    agg::floats::REGRESSION,
    agg::numerics::NUMERIC,
    agg::numerics::INT8,
    agg::numerics::INT4,
    agg::numerics::INT2,
    agg::numerics::SUMS,
];

/// Orders of by-reference types that need no context.
pub static ORDERS: &[BuiltinOrder] = &[
    BuiltinOrder { names: &["numeric_cmp"], cmp: numeric::compare_bytes, abbreviate: Some(numeric::abbreviate) },
    BuiltinOrder { names: &["jsonb_cmp"], cmp: json::jsonb::compare_bytes, abbreviate: None },
    BuiltinOrder { names: &["tsvector_cmp"], cmp: tsearch::vector::compare_bytes, abbreviate: None },
    BuiltinOrder { names: &["tsquery_cmp"], cmp: tsearch::query::compare_bytes, abbreviate: None },
    BuiltinOrder { names: &["interval_cmp"], cmp: datetime::interval::compare_bytes, abbreviate: None },
    BuiltinOrder { names: &["bitcmp"], cmp: bits::compare_bytes, abbreviate: None },
    BuiltinOrder { names: &["macaddr_cmp", "macaddr8_cmp"], cmp: mac::order, abbreviate: None },
    BuiltinOrder { names: &["network_cmp"], cmp: network::compare_bytes, abbreviate: None },
    BuiltinOrder { names: &["timetz_cmp"], cmp: datetime::time::compare_timetz, abbreviate: None },
    BuiltinOrder { names: &["btoidvectorcmp"], cmp: oid::compare_oidvectors, abbreviate: None },
];

/// A registry of everything in this crate; other crates' lists are added with `with_functions`.
pub fn registry() -> Registry {
    let registry = Registry::new()
        .with_functions(BUILTINS)
        .with_orders(ORDERS)
        .with_json(json::query::FUNCTIONS)
        .with_search(tsearch::SEARCH);
    let registry = AGGREGATES.iter().fold(registry, |r, list| r.with_aggregates(list));
    BUILTIN_LISTS.iter().fold(registry, |r, list| r.with_functions(list))
}
