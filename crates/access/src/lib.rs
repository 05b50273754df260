//! Access methods: how rows lie in tables and indexes, and how they are found there.
//!
//! | module | what |
//! | --- | --- |
//! | [`tuple`] | heap and index tuples: forming, deforming, a page's tuples to columns |
#![forbid(unsafe_code)]

pub mod tuple;
