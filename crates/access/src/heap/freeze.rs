//! Freezing: transaction ids that are about to get too old leave the tuples.
//!
//! A frozen tuple's inserter is known to have committed before every snapshot there is, so that its xid does not matter
//! any more; an xmax that only locked, or whose transaction aborted, is removed. A page's tuples are frozen together.
//!
//! PostgreSQL: `heap_prepare_freeze_tuple`, `FreezeMultiXactId`.

use base::sqlstate::DATA_CORRUPTED;
use base::{MultiXactId, OffsetNumber, PgError, Result, Xid};

use super::prune::PageReport;
use super::visibility::Viewer;
use super::wal::FreezePlan;
use super::xmax::{locked_upgraded, multi_bits};
use crate::tuple::{Header, infomask::*, infomask2, xmax_locked_only};

/// Which ids must go, which may. (PostgreSQL: `VacuumCutoffs`)
#[derive(Clone, Copy, Debug)]
pub struct Cutoffs {
    /// Of the table, from `pg_class`: nothing older is in it.
    pub relfrozenxid: Xid,
    pub relminmxid: MultiXactId,
    /// Transactions before it are over for everybody: their ids may go.
    pub oldest_xmin: Xid,
    pub oldest_mxact: MultiXactId,
    /// Ids before these must go.
    pub freeze_limit: Xid,
    pub multi_cutoff: MultiXactId,
}

/// A vacuum's freezing: the oldest ids that stay in the table.
pub struct FreezeState<'a> {
    pub cutoffs: &'a Cutoffs,
    pub relfrozenxid: Xid,
    pub relminmxid: MultiXactId,
}

impl<'a> FreezeState<'a> {
    pub fn new(cutoffs: &'a Cutoffs) -> FreezeState<'a> {
        FreezeState { cutoffs, relfrozenxid: cutoffs.oldest_xmin, relminmxid: cutoffs.oldest_mxact }
    }
}

fn older(a: Xid, b: Xid) -> Xid {
    if a.is_normal() && a.precedes(b) { a } else { b }
}
fn older_multi(a: MultiXactId, b: MultiXactId) -> MultiXactId {
    if a.is_valid() && a.precedes(b) { a } else { b }
}

#[derive(Clone, PartialEq, Eq)]
struct Frozen {
    xmax: Xid,
    infomask2: u16,
    infomask: u16,
}

/// What becomes of an xmax.
enum NewMax {
    Keep,
    Remove,
    /// This xid and these bits take its place.
    Replace {
        xmax: Xid,
        infomask: u16,
        infomask2: u16,
    },
}

/// One page's freezing in the making.
pub(super) struct PageFreeze<'s, 'c> {
    state: &'s mut FreezeState<'c>,
    required: bool,
    all_frozen: bool,
    plans: Vec<(OffsetNumber, Frozen)>,
    conflict: Xid,
    /// The oldest ids that stay if the page is frozen, and if it is not.
    frozen_xid: Xid,
    frozen_multi: MultiXactId,
    kept_xid: Xid,
    kept_multi: MultiXactId,
}

impl<'s, 'c> PageFreeze<'s, 'c> {
    pub fn new(state: &'s mut FreezeState<'c>) -> PageFreeze<'s, 'c> {
        let (x, m) = (state.relfrozenxid, state.relminmxid);
        PageFreeze {
            state,
            required: false,
            all_frozen: true,
            plans: Vec::new(),
            conflict: Xid::INVALID,
            frozen_xid: x,
            frozen_multi: m,
            kept_xid: x,
            kept_multi: m,
        }
    }
    pub fn all_frozen(&self) -> bool {
        self.all_frozen
    }

    /// Looks at one tuple that stays.
    pub fn prepare(&mut self, viewer: &Viewer<'_>, off: OffsetNumber, h: Header<'_>) -> Result<()> {
        let c = *self.state.cutoffs;
        let (mut mask, mut mask2, mut xmax) = (h.infomask(), h.infomask2(), h.raw_xmax());
        let mut changed = false;
        let xmin = h.xmin();
        if xmin.is_normal() {
            if xmin.precedes(c.relfrozenxid) {
                return Err(too_old("xmin", xmin, c.relfrozenxid));
            }
            self.kept_xid = older(xmin, self.kept_xid);
            if xmin.precedes(c.oldest_xmin) && h.xmin_committed() {
                self.required |= xmin.precedes(c.freeze_limit);
                mask |= XMIN_FROZEN;
                changed = true;
                if !self.conflict.is_valid() || xmin.follows(self.conflict) {
                    self.conflict = xmin;
                }
            } else {
                self.all_frozen = false;
                self.frozen_xid = older(xmin, self.frozen_xid);
            }
        }
        match self.new_max(viewer, h, &c)? {
            NewMax::Keep => {}
            NewMax::Remove => {
                xmax = Xid::INVALID;
                mask = mask & !XMAX_BITS | XMAX_INVALID;
                mask2 &= !(infomask2::HOT_UPDATED | infomask2::KEYS_UPDATED);
                changed = true;
            }
            NewMax::Replace { xmax: new, infomask, infomask2: bits2 } => {
                xmax = new;
                mask = mask & !XMAX_BITS | infomask;
                mask2 = mask2 & !infomask2::KEYS_UPDATED | bits2;
                changed = true;
            }
        }
        if changed {
            self.plans.push((off, Frozen { xmax, infomask2: mask2, infomask: mask }));
        }
        Ok(())
    }

    fn new_max(&mut self, viewer: &Viewer<'_>, h: Header<'_>, c: &Cutoffs) -> Result<NewMax> {
        let xmax = h.raw_xmax();
        if !xmax.is_valid() {
            return Ok(NewMax::Keep);
        }
        if h.xmax_is_multi() {
            return self.new_multi(viewer, h, c);
        }
        if !xmax.is_normal() {
            return Ok(NewMax::Remove);
        }
        if xmax.precedes(c.relfrozenxid) {
            return Err(too_old("xmax", xmax, c.relfrozenxid));
        }
        self.kept_xid = older(xmax, self.kept_xid);
        let goes = xmax.precedes(c.oldest_xmin);
        if !goes {
            self.all_frozen = false;
            self.frozen_xid = older(xmax, self.frozen_xid);
            return Ok(NewMax::Keep);
        }
        if !h.has(XMAX_INVALID) && !h.xmax_locked_only() && viewer.did_commit(xmax)? {
            return Err(PgError::new(DATA_CORRUPTED, format!("cannot freeze committed xmax {xmax}")));
        }
        self.required |= xmax.precedes(c.freeze_limit);
        Ok(NewMax::Remove)
    }

    /// (PostgreSQL: `FreezeMultiXactId`)
    fn new_multi(&mut self, viewer: &Viewer<'_>, h: Header<'_>, c: &Cutoffs) -> Result<NewMax> {
        let multi = MultiXactId(h.raw_xmax().0);
        let lock_only = xmax_locked_only(h.infomask());
        self.kept_multi = older_multi(multi, self.kept_multi);
        if h.has(XMAX_INVALID) || locked_upgraded(h.infomask()) {
            self.required |= multi.precedes(c.multi_cutoff);
            return Ok(NewMax::Remove);
        }
        if multi.precedes(c.relminmxid) {
            let text = format!("found multixact {} from before relminmxid {}", multi.0, c.relminmxid.0);
            return Err(PgError::new(DATA_CORRUPTED, text));
        }
        let manager = viewer.txn().manager();
        let must = multi.precedes(c.multi_cutoff);
        let members = manager.multixacts().members(multi, lock_only)?;
        let mut keep = Vec::new();
        let mut updater = None;
        for m in &members {
            self.kept_xid = older(m.xid, self.kept_xid);
            let running = viewer.is_current(m.xid) || viewer.in_progress(m.xid);
            if running {
                keep.push(*m);
            } else if m.status.is_update() && viewer.did_commit(m.xid)? {
                updater = Some(*m);
                keep.push(*m);
            }
        }
        if keep.is_empty() {
            self.required |= must;
            return Ok(NewMax::Remove);
        }
        if let (Some(u), 1) = (updater, keep.len()) {
            // Only the updater is left, and somebody may still see the tuple: its plain xid is enough.
            self.required |= must;
            self.all_frozen = false;
            self.frozen_xid = older(u.xid, self.frozen_xid);
            let keys = if u.status == txn::MultiXactStatus::Update { infomask2::KEYS_UPDATED } else { 0 };
            return Ok(NewMax::Replace { xmax: u.xid, infomask: XMAX_COMMITTED, infomask2: keys });
        }
        self.all_frozen = false;
        for m in &keep {
            self.frozen_xid = older(m.xid, self.frozen_xid);
        }
        if !must && members.iter().all(|m| !m.xid.precedes(c.freeze_limit)) {
            self.frozen_multi = older_multi(multi, self.frozen_multi);
            for m in &members {
                self.frozen_xid = older(m.xid, self.frozen_xid);
            }
            return Ok(NewMax::Keep);
        }
        self.required = true;
        let new = manager.multixacts().create(viewer.txn(), &keep)?;
        self.frozen_multi = older_multi(new, self.frozen_multi);
        let bits = multi_bits(viewer, new)?;
        Ok(NewMax::Replace { xmax: bits.xmax, infomask: bits.infomask, infomask2: bits.infomask2 })
    }

    /// The plans (empty if the page is better left alone), whether all its tuples are frozen afterwards, and the newest xid
    /// that was frozen.
    pub fn finish(self, opportunity: bool, report: &mut PageReport) -> (Vec<FreezePlan>, bool, Xid) {
        let nothing_to_do = self.plans.is_empty();
        if !(self.required || opportunity || nothing_to_do) {
            (self.state.relfrozenxid, self.state.relminmxid) = (self.kept_xid, self.kept_multi);
            return (Vec::new(), false, Xid::INVALID);
        }
        (self.state.relfrozenxid, self.state.relminmxid) = (self.frozen_xid, self.frozen_multi);
        report.frozen = self.plans.len();
        let mut plans: Vec<FreezePlan> = Vec::new();
        for (off, f) in self.plans {
            let same = |p: &&mut FreezePlan| p.xmax == f.xmax && p.infomask == f.infomask && p.infomask2 == f.infomask2;
            match plans.iter_mut().find(same) {
                Some(p) => p.offsets.push(off),
                None => plans.push(FreezePlan {
                    xmax: f.xmax,
                    infomask2: f.infomask2,
                    infomask: f.infomask,
                    frzflags: 0,
                    offsets: vec![off],
                }),
            }
        }
        let conflict = if nothing_to_do { Xid::INVALID } else { self.conflict };
        (plans, self.all_frozen, conflict)
    }
}

fn too_old(what: &str, xid: Xid, limit: Xid) -> PgError {
    PgError::new(DATA_CORRUPTED, format!("found {what} {xid} from before relfrozenxid {limit}"))
}
