//! Pruning: dead versions leave a page, chains of heap-only versions get shorter. And freezing, in the same pass.
//!
//! A row's versions on a page hang together: an index points to the first line pointer (the root), each version to the
//! next. When the first ones are dead to everybody, the root becomes a redirect to the first that is not, or, if none is
//! left, a dead line pointer that vacuum may free once no index entry points to it. Tuples move together afterwards, so
//! the page must be pinned by nobody else (a cleanup latch).
//!
//! A reader prunes a page it meets if something on it can go and the page is getting full ([`prune_on_access`]); vacuum
//! prunes and freezes every page it visits ([`prune_page`]).
//!
//! PostgreSQL: `pruneheap.c`.

use base::{OffsetNumber, Result, Xid};
use storage::page::{MAX_HEAP_TUPLES_PER_PAGE, flags};
use storage::{ExclusivePage, ItemFlags, ItemId, Page, PinnedBuffer, critical};
use txn::{Transaction, VisibilityHorizon};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::HeapRelation;
use super::fetch::advance_conflict_horizon;
use super::freeze::{FreezeState, PageFreeze};
use super::visibility::{ForVacuum, Viewer, set_hints_exclusive};
use super::wal::{Prune, op2, prune_flags};
use crate::tuple::{self, Header, header, varlena::corrupted};

/// Does to a page what a record says. `truncate_only`: dead line pointers become unused and no tuple moves, so that others
/// may have the page pinned. (PostgreSQL: `heap_page_prune_execute`, `heap_freeze_prepared_tuples`)
pub fn apply(page: &mut Page, p: &Prune, truncate_only: bool) -> Result<()> {
    let known = |page: &Page, off: u16| match off >= 1 && off <= page.max_offset() {
        true => Ok(()),
        false => Err(corrupted("a line pointer does not exist")),
    };
    for &(from, to) in &p.redirected {
        known(page, from)?;
        page.set_item_id(from, ItemId::redirect(to));
    }
    for &off in &p.now_dead {
        known(page, off)?;
        page.set_item_id(off, ItemId::dead());
    }
    for &off in &p.now_unused {
        known(page, off)?;
        page.set_item_id(off, ItemId::UNUSED);
    }
    if !p.redirected.is_empty() || !p.now_dead.is_empty() || !p.now_unused.is_empty() {
        match truncate_only {
            true => page.truncate_line_pointer_array(),
            false => page.repair_fragmentation()?,
        }
    }
    for plan in &p.plans {
        for &off in &plan.offsets {
            let t = page.item_mut(off).filter(|t| t.len() >= tuple::HEADER_SIZE);
            let t = t.ok_or_else(|| corrupted("a tuple to freeze is not there"))?;
            header::set_xmax(t, plan.xmax);
            header::set_infomask(t, plan.infomask);
            header::set_infomask2(t, plan.infomask2);
        }
    }
    Ok(())
}

/// Might pruning this page pay? Cheap for a page on which nothing can be pruned.
#[inline]
pub fn is_worth_a_try(rel: &HeapRelation, page: &Page) -> bool {
    page.prune_xid().is_valid() && is_filling(rel, page)
}

#[cold]
fn is_filling(rel: &HeapRelation, page: &Page) -> bool {
    page.has_flag(flags::PAGE_FULL) || page.heap_free_space() < rel.target_free_space().max(base::BLCKSZ / 10)
}

/// Prunes a page that is probably worth it, if that is possible without waiting. The caller holds a pin and no latch.
/// (PostgreSQL: `heap_page_prune_opt`)
#[cold]
pub fn prune_on_access(rel: &HeapRelation, txn: &Transaction, buffer: &PinnedBuffer) -> Result<()> {
    if txn.manager().wal().in_recovery() {
        return Ok(());
    }
    let horizon = txn.manager().visibility_horizon(rel.horizon_kind(), txn.proc().database());
    let Some(mut page) = buffer.try_cleanup() else { return Ok(()) };
    if !is_worth_a_try(rel, &page) || !horizon.is_removable(page.prune_xid()) {
        return Ok(());
    }
    prune_page(rel, txn, &mut page, &horizon, Reason::OnAccess, false, None).map(|_| ())
}

/// Why a page is pruned: it is in the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    OnAccess,
    VacuumScan,
    VacuumCleanup,
}

impl Reason {
    fn op(self) -> u8 {
        match self {
            Reason::OnAccess => op2::PRUNE_ON_ACCESS,
            Reason::VacuumScan => op2::PRUNE_VACUUM_SCAN,
            Reason::VacuumCleanup => op2::PRUNE_VACUUM_CLEANUP,
        }
    }
}

/// What a page holds after pruning. (PostgreSQL: `PruneFreezeResult`)
#[derive(Clone, Default, Debug)]
pub struct PageReport {
    /// Tuples that were removed.
    pub deleted: usize,
    pub live: usize,
    pub recently_dead: usize,
    pub frozen: usize,
    /// Dead line pointers that index entries may point to.
    pub dead_items: Vec<OffsetNumber>,
    /// Every tuple is visible to everybody; dead line pointers do not count.
    pub all_visible: bool,
    pub all_frozen: bool,
    /// The newest xmin on the page, where all are visible: standbys must not have older snapshots.
    pub visibility_cutoff: Xid,
    /// The page holds what keeps the table from being truncated before it.
    pub has_tuples: bool,
}

/// Pruning in the making.
struct Plan<'a> {
    viewer: &'a Viewer<'a>,
    states: Vec<Option<ForVacuum>>,
    done: Vec<bool>,
    out: Prune,
    conflict: Xid,
    deleted: usize,
    unused_now: bool,
    dead_items: Vec<OffsetNumber>,
}

impl Plan<'_> {
    fn dead_or_unused(&mut self, off: OffsetNumber) {
        if self.unused_now {
            self.out.now_unused.push(off);
        } else {
            self.out.now_dead.push(off);
            self.dead_items.push(off);
        }
    }

    /// A chain from its root. (PostgreSQL: `heap_prune_chain`)
    fn chain(&mut self, page: &Page, root: OffsetNumber) -> Result<()> {
        let redirected = page.item_id(root).is_redirected();
        let mut chain: Vec<OffsetNumber> = Vec::with_capacity(8);
        let mut dead = 0;
        let mut previous_xmax: Option<Xid> = None;
        let mut off = root;
        while off >= 1 && off <= page.max_offset() && !self.done[usize::from(off)] {
            let item = page.item_id(off);
            if item.is_redirected() {
                if !chain.is_empty() {
                    break;
                }
                chain.push(off);
                off = item.redirect_target();
                continue;
            }
            let Some(state) = self.states[usize::from(off)] else { break };
            let Some(h) = page.item(off).and_then(Header::new) else { break };
            if previous_xmax.is_some_and(|x| x != h.xmin() && x != h.raw_xmin()) {
                break;
            }
            chain.push(off);
            match state {
                ForVacuum::Dead => {
                    dead = chain.len();
                    advance_conflict_horizon(h, self.viewer, &mut self.conflict)?;
                }
                ForVacuum::RecentlyDead(_) => {}
                _ => break,
            }
            if !h.is_hot_updated() {
                break;
            }
            off = h.ctid().offset;
            previous_xmax = Some(self.viewer.update_xid(h)?);
        }
        for &off in &chain {
            self.done[usize::from(off)] = true;
        }
        if redirected && chain.len() < 2 {
            // What it led to is gone.
            self.done[usize::from(root)] = true;
            self.dead_or_unused(root);
            return Ok(());
        }
        if dead == 0 {
            return Ok(());
        }
        self.deleted += dead - usize::from(redirected);
        match dead == chain.len() {
            true => self.dead_or_unused(root),
            false => self.out.redirected.push((root, chain[dead])),
        }
        self.out.now_unused.extend_from_slice(&chain[1..dead]);
        Ok(())
    }
}

/// Prunes a page, held with a cleanup latch, and freezes its tuples if `freeze` asks for it. `unused_now`: there are no
/// indexes, so that dead line pointers are free at once. (PostgreSQL: `heap_page_prune_and_freeze`)
pub fn prune_page(
    rel: &HeapRelation,
    txn: &Transaction,
    page: &mut ExclusivePage<'_>,
    horizon: &VisibilityHorizon,
    reason: Reason,
    unused_now: bool,
    freeze: Option<&mut FreezeState<'_>>,
) -> Result<PageReport> {
    let viewer = Viewer::new(txn);
    let max = usize::from(page.max_offset());
    if max > MAX_HEAP_TUPLES_PER_PAGE * 2 {
        return Err(corrupted("a page has too many line pointers"));
    }
    let mut plan = Plan {
        viewer: &viewer,
        states: vec![None; max + 1],
        done: vec![false; max + 1],
        out: Prune::default(),
        conflict: Xid::INVALID,
        deleted: 0,
        unused_now,
        dead_items: Vec::new(),
    };
    let mut hints = Vec::new();
    for off in page.offsets() {
        if !page.item_id(off).is_normal() {
            continue;
        }
        let Some(h) = page.item(off).and_then(Header::new) else {
            return Err(corrupted("a line pointer points off its page"));
        };
        let (state, hint) = viewer.for_vacuum(h)?;
        if hint != 0 {
            hints.push((off, hint));
        }
        plan.states[usize::from(off)] = Some(match state {
            ForVacuum::RecentlyDead(xid) if horizon.is_removable(xid) => ForVacuum::Dead,
            other => other,
        });
    }
    set_hints_exclusive(page, &hints)?;
    plan_chains(&mut plan, page)?;

    let mut report = PageReport { deleted: plan.deleted, ..PageReport::default() };
    let new_prune_xid = survey(&plan, page, &mut report, freeze.as_ref().map(|f| f.cutoffs.oldest_xmin))?;
    report.dead_items = std::mem::take(&mut plan.dead_items);
    report.dead_items.sort_unstable();
    report.has_tuples |= !report.dead_items.is_empty();
    let mut out = std::mem::take(&mut plan.out);
    let pruned = !out.redirected.is_empty() || !out.now_dead.is_empty() || !out.now_unused.is_empty();
    if let Some(state) = freeze {
        let mut frozen = PageFreeze::new(state);
        for off in page.offsets() {
            let gone = out.now_unused.contains(&off) || out.now_dead.contains(&off);
            let redirected = out.redirected.iter().any(|r| r.0 == off);
            if let (Some(_), false, false) = (plan.states[usize::from(off)], gone, redirected)
                && let Some(h) = page.item(off).and_then(Header::new)
            {
                frozen.prepare(&viewer, off, h)?;
            }
        }
        let image = rel.needs_wal() && txn.manager().wal().needs_image(page);
        let opportunity = report.all_visible && frozen.all_frozen() && pruned && image;
        let (plans, all_frozen, conflict) = frozen.finish(opportunity, &mut report);
        report.all_frozen = report.all_visible && all_frozen;
        out.plans = plans;
        if conflict.is_valid() && (!plan.conflict.is_valid() || conflict.follows(plan.conflict)) {
            plan.conflict = conflict;
        }
    }
    if !pruned && out.plans.is_empty() {
        if page.prune_xid() != new_prune_xid || page.has_flag(flags::PAGE_FULL) {
            let p = page.hint_write();
            p.set_prune_xid(new_prune_xid);
            p.clear_flag(flags::PAGE_FULL);
            page.mark_dirty_hint()?;
        }
        return Ok(report);
    }
    out.conflict_horizon = Some(plan.conflict).filter(|x| x.is_valid());
    out.flags = prune_flags::CLEANUP_LOCK;
    // Whatever can fail does so on a copy.
    apply(&mut page.to_boxed(), &out, false)?;
    critical(|section| {
        let p = page.write(section);
        apply(p, &out, false).expect("it was tried on a copy");
        p.set_prune_xid(new_prune_xid);
        p.clear_flag(flags::PAGE_FULL);
        log_prune(rel, txn, section, page, reason, &out);
    });
    Ok(report)
}

fn plan_chains(plan: &mut Plan<'_>, page: &Page) -> Result<()> {
    for off in page.offsets() {
        let item = page.item_id(off);
        let root = match item.flags() {
            ItemFlags::Redirect => true,
            ItemFlags::Normal => !page.item(off).and_then(Header::new).is_some_and(|h| h.is_heap_only()),
            ItemFlags::Dead => {
                plan.done[usize::from(off)] = true;
                match plan.unused_now {
                    true => plan.out.now_unused.push(off),
                    false => plan.dead_items.push(off),
                }
                false
            }
            ItemFlags::Unused => false,
        };
        if root && !plan.done[usize::from(off)] {
            plan.chain(page, off)?;
        }
    }
    // Heap-only versions that no chain leads to: an update that aborted left them.
    for off in page.offsets() {
        if !plan.done[usize::from(off)] && plan.states[usize::from(off)] == Some(ForVacuum::Dead) {
            let Some(h) = page.item(off).and_then(Header::new) else { continue };
            if h.is_heap_only() {
                advance_conflict_horizon(h, plan.viewer, &mut plan.conflict)?;
                plan.out.now_unused.push(off);
                plan.deleted += 1;
                plan.done[usize::from(off)] = true;
            }
        }
    }
    plan.out.redirected.sort_unstable();
    plan.out.now_dead.sort_unstable();
    plan.out.now_unused.sort_unstable();
    Ok(())
}

/// Counts what stays, and says which xid makes the next pruning worthwhile.
fn survey(plan: &Plan<'_>, page: &Page, report: &mut PageReport, oldest_xmin: Option<Xid>) -> Result<Xid> {
    let mut prunable = Xid::INVALID;
    let mut note = |xid: Xid| {
        if xid.is_normal() && (!prunable.is_valid() || xid.precedes(prunable)) {
            prunable = xid;
        }
    };
    report.all_visible = true;
    for off in page.offsets() {
        let gone = plan.out.now_unused.contains(&off) || plan.out.now_dead.contains(&off);
        if gone || plan.out.redirected.iter().any(|r| r.0 == off) {
            continue;
        }
        let Some(state) = plan.states[usize::from(off)] else { continue };
        let Some(h) = page.item(off).and_then(Header::new) else { continue };
        report.has_tuples = true;
        match state {
            ForVacuum::Live => {
                report.live += 1;
                let xmin = h.xmin();
                let visible = h.xmin_committed() && oldest_xmin.is_some_and(|o| !xmin.is_normal() || xmin.precedes(o));
                report.all_visible &= visible;
                let newest = report.visibility_cutoff;
                if visible && xmin.is_normal() && (!newest.is_valid() || xmin.follows(newest)) {
                    report.visibility_cutoff = xmin;
                }
            }
            ForVacuum::RecentlyDead(xid) => {
                report.recently_dead += 1;
                report.all_visible = false;
                note(xid);
            }
            ForVacuum::DeleteInProgress => {
                report.live += 1;
                report.all_visible = false;
                note(plan.viewer.update_xid(h)?);
            }
            ForVacuum::InsertInProgress => {
                report.all_visible = false;
                note(h.raw_xmin());
            }
            // In a chain behind a version that others may still see.
            ForVacuum::Dead => {
                report.recently_dead += 1;
                report.all_visible = false;
            }
        }
    }
    Ok(prunable)
}

/// Writes the record of a change that [`apply`] made. (PostgreSQL: `log_heap_prune_and_freeze`)
pub(super) fn log_prune(
    rel: &HeapRelation,
    txn: &Transaction,
    section: &storage::Critical,
    page: &mut ExclusivePage<'_>,
    reason: Reason,
    p: &Prune,
) {
    if !rel.needs_wal() {
        return;
    }
    let (main, data) = p.encode();
    let record = RecordBuilder::new(RmgrId::HEAP2, reason.op())
        .xid(txn.xid_if_assigned().unwrap_or(Xid::INVALID))
        .main_data(&main)
        .register_buffer(0, page, RegBuf::STANDARD)
        .buffer_data(0, &data);
    let lsn = txn.manager().wal().insert(section, record);
    page.set_lsn(section, lsn);
}
