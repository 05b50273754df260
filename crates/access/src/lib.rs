//! Access methods: how rows lie in tables and indexes, and how they are found there.
//!
//! | module | what |
//! | --- | --- |
//! | [`tuple`] | heap and index tuples: forming, deforming, a page's tuples to columns |
//! | [`heap`] | tables: scans, fetches, insert, delete, update, row locks, pruning, vacuum, redo |
//! | [`toast`] | long values |
//! | [`sequence`] | sequences' pages |
//! | [`index`] | what upper floors see of an index of any kind |
#![forbid(unsafe_code)]

pub mod heap;
pub mod index;
pub mod sequence;
pub mod toast;
pub mod tuple;

#[cfg(test)]
mod testing;
