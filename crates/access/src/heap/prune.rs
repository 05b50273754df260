//! Pruning: dead versions leave a page, chains of heap-only versions get shorter.

use base::Result;
use storage::{ItemId, Page};

use super::wal::Prune;
use crate::tuple::{self, header, varlena::corrupted};

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
