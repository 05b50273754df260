//! Access methods: how rows lie in tables and indexes, and how they are found there.
//!
//! | module | what |
//! | --- | --- |
//! | [`tuple`] | heap and index tuples: forming, deforming, a page's tuples to columns |
//! | [`heap`] | tables: scans, fetches, insert, delete, update, row locks, pruning, vacuum, redo |
//! | [`toast`] | long values |
//! | [`sequence`] | sequences' pages |
//! | [`nbtree`] | B-trees |
//! | [`index`] | what upper floors see of an index of any kind |
#![forbid(unsafe_code)]

pub mod heap;
pub mod index;
pub mod nbtree;
pub mod sequence;
pub mod toast;
pub mod tuple;

/// Registers the resource managers of this crate: Heap, Heap2, Btree, Sequence. For [`txn::startup::open`].
pub fn register_redo(table: &mut wal::RmgrTable) {
    heap::redo::register(table);
    sequence::register(table);
    table.register(wal::RmgrId::BTREE, std::sync::Arc::new(nbtree::wal::NbtreeRmgr));
}

#[cfg(test)]
mod testing;
