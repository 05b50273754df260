//! The tree within one page of the map: a heap-ordered array in which every node holds the maximum of its children.
//! (PostgreSQL: `fsmpage.c`)

use base::BLCKSZ;

use crate::page::{HEADER_SIZE, Page};

const NEXT_SLOT: usize = HEADER_SIZE;
const NODES_AT: usize = HEADER_SIZE + 4;
const NODES: usize = BLCKSZ - NODES_AT;
const INNER: usize = BLCKSZ / 2 - 1;
/// Leaves of a page. (PostgreSQL: `SlotsPerFSMPage`)
pub(super) const SLOTS: u32 = (NODES - INNER) as u32;

fn node(page: &Page, n: usize) -> u8 {
    // The last inner nodes have fewer than two children.
    if n < NODES { page.bytes()[NODES_AT + n] } else { 0 }
}
fn set_node(page: &mut Page, n: usize, value: u8) {
    page.bytes_mut()[NODES_AT + n] = value;
}
fn max_of_children(page: &Page, n: usize) -> u8 {
    node(page, 2 * n + 1).max(node(page, 2 * n + 2))
}

pub(super) fn get(page: &Page, slot: u32) -> u8 {
    node(page, INNER + slot as usize)
}
/// The root: no leaf has more.
pub(super) fn max(page: &Page) -> u8 {
    node(page, 0)
}
pub(super) fn next_slot(page: &Page) -> u32 {
    page.u32_at(NEXT_SLOT)
}
/// Where the next search begins: a hint.
pub(super) fn set_next_slot(page: &mut Page, slot: u32) {
    page.set_u32_at(NEXT_SLOT, slot);
}
/// Would `set` change anything?
pub(super) fn needs_set(page: &Page, slot: u32, value: u8) -> bool {
    get(page, slot) != value || value > max(page)
}
pub(super) fn set(page: &mut Page, slot: u32, value: u8) {
    let mut n = INNER + slot as usize;
    set_node(page, n, value);
    while n > 0 {
        n = (n - 1) / 2;
        let new = max_of_children(page, n);
        if node(page, n) == new {
            break;
        }
        set_node(page, n, new);
    }
    if value > max(page) {
        // A torn write left an inner node wrong.
        rebuild(page);
    }
}
/// Computes all inner nodes anew.
pub(super) fn rebuild(page: &mut Page) {
    for n in (0..INNER).rev() {
        let new = max_of_children(page, n);
        set_node(page, n, new);
    }
}
/// Clears the leaves from `first` on.
pub(super) fn truncate(page: &mut Page, first: u32) {
    page.bytes_mut()[NODES_AT + INNER + first as usize..].fill(0);
    rebuild(page);
}

/// What a search in a page finds.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Found {
    Slot(u32),
    Nothing,
    /// An inner node promises what no leaf has: rebuild.
    Damaged,
}

/// A leaf of at least `min`, the first to the right of the last one found, going around.
pub(super) fn search(page: &Page, min: u8) -> Found {
    if max(page) < min {
        return Found::Nothing;
    }
    let start = next_slot(page);
    let mut n = INNER + if start < SLOTS { start as usize } else { 0 };
    // Step right, then up: the subtree looked at doubles each time and never reaches left of the start.
    while n > 0 && node(page, n) < min {
        n += 1;
        if n.wrapping_add(1).is_power_of_two() {
            // Past the right end of a level: its first node is on the next level's place; its parent is on ours.
            n = (n - 1) / 2;
        }
        n = (n - 1) / 2;
    }
    while n < INNER {
        let (left, right) = (2 * n + 1, 2 * n + 2);
        n = match () {
            () if node(page, left) >= min => left,
            () if node(page, right) >= min => right,
            () => return Found::Damaged,
        };
    }
    Found::Slot((n - INNER) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_goes_around() {
        let mut page = Page::boxed();
        page.init(0);
        assert_eq!(SLOTS, 4069);
        assert_eq!(search(&page, 1), Found::Nothing);
        for (slot, value) in [(5, 10), (100, 20), (4068, 30)] {
            set(&mut page, slot, value);
        }
        for (start, min, expected) in
            [(0, 5, 5), (6, 5, 100), (101, 5, 4068), (0, 25, 4068), (4068, 15, 4068), (9999, 20, 100)]
        {
            set_next_slot(&mut page, start);
            assert_eq!(search(&page, min), Found::Slot(expected), "{start} {min}");
        }
        set(&mut page, 4068, 0);
        set_next_slot(&mut page, 101);
        assert_eq!(search(&page, 5), Found::Slot(5));
        assert_eq!(max(&page), 20);
        truncate(&mut page, 100);
        assert_eq!(max(&page), 10);
        set_node(&mut page, 0, 99);
        assert_eq!(search(&page, 50), Found::Damaged);
    }

    #[test]
    fn every_slot_is_found() {
        for slot in [0, 1, 2047, 2048, 4000, 4068] {
            for start in [0, 1, 2000, 4068] {
                let mut page = Page::boxed();
                page.init(0);
                set(&mut page, slot, 7);
                set_next_slot(&mut page, start);
                assert_eq!(search(&page, 7), Found::Slot(slot), "slot {slot} from {start}");
            }
        }
    }
}
