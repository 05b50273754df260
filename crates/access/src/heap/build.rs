//! The rows that a new index gets entries for.
//!
//! An index points to the first line pointer of a chain of heap-only versions, so that each version comes with its chain's
//! root. Versions that somebody may still see are indexed as well, as dead ones: they do not count for uniqueness. A chain
//! of which only the newest version is indexed, although others can still see an older one, is *broken*: transactions that
//! might look for the older one must not use the index (`pg_index.indcheckxmin`).
//!
//! PostgreSQL: `heapam_index_build_range_scan`, `heap_get_root_tuples`.

use base::{BlockNumber, OffsetNumber, Result, TupleId, Xid};
use storage::{BufferTag, Page, ReadMode, Strategy, StrategyKind};
use txn::{Snapshot, Transaction};

use super::HeapRelation;
use super::prune;
use super::visibility::{ForVacuum, Viewer};
use crate::tuple::{Header, varlena::corrupted};

/// What an index build's scan found.
#[derive(Clone, Copy, Default, Debug)]
pub struct BuildScan {
    /// Live rows, for `pg_class.reltuples`.
    pub live: f64,
    /// The index must not be used by old snapshots. (PostgreSQL: `ii_BrokenHotChain`)
    pub broken_hot_chain: bool,
}

/// What becomes of a version.
enum Fate {
    Skip,
    Index { alive: bool },
    WaitFor(Xid),
}

/// For each line pointer the root of its chain; 0 where there is none. (PostgreSQL: `heap_get_root_tuples`)
fn roots(page: &Page, viewer: &Viewer<'_>) -> Result<Vec<OffsetNumber>> {
    let heap_only =
        |n| page.item_id(n).is_normal() && page.item(n).and_then(Header::new).is_some_and(|h| h.is_heap_only());
    if !page.offsets().any(heap_only) {
        return Ok(Vec::new());
    }
    let mut roots = vec![0; usize::from(page.max_offset()) + 1];
    for root in page.offsets() {
        let item = page.item_id(root);
        let mut next = root;
        let mut previous_xmax = None;
        if item.is_redirected() {
            next = item.redirect_target();
        } else if !item.is_normal() || page.item(root).and_then(Header::new).is_some_and(|h| h.is_heap_only()) {
            continue;
        }
        while next >= 1 && next <= page.max_offset() && page.item_id(next).is_normal() {
            let Some(h) = page.item(next).and_then(Header::new) else { break };
            if previous_xmax.is_some_and(|x| x != h.xmin() && x != h.raw_xmin()) || roots[usize::from(next)] != 0 {
                break;
            }
            roots[usize::from(next)] = root;
            if !h.is_hot_updated() {
                break;
            }
            (next, previous_xmax) = (h.ctid().offset, Some(viewer.update_xid(h)?));
        }
    }
    Ok(roots)
}

impl HeapRelation {
    /// Hands over the rows to be indexed: bytes, the place an entry must point to, whether the row is alive. No latch is
    /// held meanwhile. `snapshot`: for a concurrent build, which indexes just what it sees; else the caller's lock keeps
    /// writers out. `unique`: rows of running transactions are waited for. (PostgreSQL: `table_index_build_scan`)
    pub fn build_scan(
        &self,
        txn: &Transaction,
        snapshot: Option<&Snapshot>,
        unique: bool,
        each: &mut dyn FnMut(&[u8], TupleId, bool) -> Result<()>,
    ) -> Result<BuildScan> {
        let pool = txn.manager().pool();
        let horizon = txn.manager().visibility_horizon(self.horizon_kind(), txn.proc().database());
        let ring = Strategy::new(StrategyKind::BulkRead);
        let mut result = BuildScan::default();
        let mut bytes: Vec<u8> = Vec::new();
        let mut found: Vec<(usize, TupleId, bool)> = Vec::new();
        for n in 0..self.nblocks(txn)? {
            txn.proc().interrupt().check()?;
            let block = BlockNumber(n);
            let buffer = pool.pin(BufferTag::main(self.locator, block), ReadMode::Normal, Some(&ring))?;
            if prune::is_worth_a_try(self, &buffer.shared()) {
                prune::prune_on_access(self, txn, &buffer)?;
            }
            'again: loop {
                let viewer = Viewer::new(txn);
                bytes.clear();
                found.clear();
                let mut page_result = BuildScan::default();
                let page = buffer.shared();
                super::scan::bring_in(&page);
                let roots = roots(&page, &viewer)?;
                for off in page.offsets() {
                    if !page.item_id(off).is_normal() {
                        continue;
                    }
                    let Some(h) = page.item(off).and_then(Header::new) else {
                        return Err(corrupted("a line pointer points off its page"));
                    };
                    let fate = match snapshot {
                        Some(s) if viewer.mvcc(h, s)?.0 => {
                            page_result.live += 1.0;
                            Fate::Index { alive: true }
                        }
                        Some(_) => Fate::Skip,
                        None => fate(&viewer, h, unique, &|x| horizon.is_removable(x), &mut page_result)?,
                    };
                    let alive = match fate {
                        Fate::Skip => continue,
                        Fate::Index { alive } => alive,
                        Fate::WaitFor(xid) => {
                            drop(page);
                            txn.manager().wait_for_xid(txn.proc(), xid)?;
                            continue 'again;
                        }
                    };
                    let root = match h.is_heap_only() {
                        true => roots[usize::from(off)],
                        false => off,
                    };
                    if root == 0 {
                        let text = format!(
                            "failed to find parent tuple for heap-only tuple at ({block},{off}) in table \"{}\"",
                            self.name
                        );
                        return Err(base::PgError::new(base::sqlstate::DATA_CORRUPTED, text));
                    }
                    bytes.extend_from_slice(h.bytes());
                    found.push((bytes.len(), TupleId::new(block, root), alive));
                }
                result.live += page_result.live;
                result.broken_hot_chain |= page_result.broken_hot_chain;
                break;
            }
            let mut from = 0;
            for &(end, tid, alive) in &found {
                each(&bytes[from..end], tid, alive)?;
                from = end;
            }
        }
        Ok(result)
    }
}

fn fate(
    viewer: &Viewer<'_>,
    h: Header<'_>,
    unique: bool,
    removable: &dyn Fn(Xid) -> bool,
    result: &mut BuildScan,
) -> Result<Fate> {
    let state = viewer.for_vacuum(h)?.0;
    // Of a chain only the newest version is indexed.
    let old_version = |result: &mut BuildScan| match h.is_hot_updated() {
        true => {
            result.broken_hot_chain = true;
            Fate::Skip
        }
        false => Fate::Index { alive: false },
    };
    Ok(match state {
        ForVacuum::Dead => Fate::Skip,
        ForVacuum::Live => {
            result.live += 1.0;
            Fate::Index { alive: true }
        }
        ForVacuum::RecentlyDead(xid) if removable(xid) => Fate::Skip,
        ForVacuum::RecentlyDead(_) => old_version(result),
        ForVacuum::InsertInProgress => {
            let xmin = h.raw_xmin();
            if !viewer.is_current(xmin) && unique {
                return Ok(Fate::WaitFor(xmin));
            }
            result.live += f64::from(u8::from(viewer.is_current(xmin)));
            Fate::Index { alive: true }
        }
        ForVacuum::DeleteInProgress => {
            let xmax = viewer.update_xid(h)?;
            if !viewer.is_current(xmax) {
                if unique || h.is_hot_updated() {
                    return Ok(Fate::WaitFor(xmax));
                }
                result.live += 1.0;
                return Ok(Fate::Index { alive: false });
            }
            old_version(result)
        }
    })
}
