//! Where to split a page: near the middle (or the fill factor, at the right end), where few columns tell the halves apart.
//! (PostgreSQL: `nbtsplitloc.c`; the choices and their constants are the same, so that indexes grow alike)

use base::{BLCKSZ, OffsetNumber, Result};
use storage::Page;
use storage::page::{HEADER_SIZE, ITEM_ID_SIZE, maxalign};

use super::page::{FIRST_KEY, HIGH_KEY, OPAQUE_SIZE, Opaque};
use super::search::Tree;
use super::tuple;

const INNER_FILL: f64 = 0.70;
const SINGLE_VALUE_FILL: f64 = 0.96;
const LEAF_TOLERANCE: f64 = 0.050;
const INNER_TOLERANCE: f64 = 0.075;

/// A place to split at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SplitPoint {
    /// The first item of the old page that goes right.
    pub first_right: OffsetNumber,
    pub new_item_on_left: bool,
    left_free: i32,
    right_free: i32,
    delta: i32,
}

#[derive(PartialEq, Eq)]
enum Choice {
    Default,
    ManyDuplicates,
    SingleValue,
}

struct Finder<'t, 'a> {
    tree: &'t Tree<'a>,
    page: &'t Page,
    new: &'t [u8],
    new_at: OffsetNumber,
    /// With its line pointer.
    new_size: i32,
    is_leaf: bool,
    is_rightmost: bool,
    left_space: i32,
    right_space: i32,
    data_total: i32,
    min_first_right: i32,
    splits: Vec<SplitPoint>,
}

/// Chooses the place. `new_at`: where the new item belongs on the old page.
pub(super) fn find(tree: &Tree<'_>, page: &Page, new_at: OffsetNumber, new: &[u8]) -> Result<SplitPoint> {
    let opaque = Opaque::of(page);
    let space = (BLCKSZ - HEADER_SIZE - maxalign(OPAQUE_SIZE)) as i32;
    let mut right_space = space;
    if !opaque.is_rightmost() {
        right_space -= (maxalign(page.item_id(HIGH_KEY).len()) + ITEM_ID_SIZE) as i32;
    }
    let mut f = Finder {
        tree,
        page,
        new,
        new_at,
        new_size: (maxalign(new.len()) + ITEM_ID_SIZE) as i32,
        is_leaf: opaque.is_leaf(),
        is_rightmost: opaque.is_rightmost(),
        left_space: space,
        right_space,
        data_total: right_space - page.exact_free_space() as i32,
        min_first_right: i32::MAX,
        splits: Vec::with_capacity(usize::from(page.max_offset()) + 1),
    };
    f.collect(opaque)?;
    if f.splits.is_empty() {
        let text = format!("could not find a feasible split point for index \"{}\"", tree.index.name);
        return Err(base::PgError::internal(text));
    }
    f.choose()
}

impl Finder<'_, '_> {
    fn size_of(&self, n: OffsetNumber) -> i32 {
        (maxalign(self.page.item_id(n).len()) + ITEM_ID_SIZE) as i32
    }
    fn collect(&mut self, opaque: Opaque) -> Result<()> {
        let max = self.page.max_offset();
        let mut to_left = 0;
        for n in opaque.first_data()..=max {
            let size = self.size_of(n);
            if n <= self.new_at {
                self.consider(n, false, to_left, size)?;
            }
            if n >= self.new_at {
                self.consider(n, true, to_left, size)?;
            }
            to_left += size;
        }
        if self.new_at > max {
            self.consider(self.new_at, false, self.data_total, 0)?;
        }
        Ok(())
    }
    /// Records a place if both halves fit. (PostgreSQL: `_bt_recsplitloc`)
    fn consider(&mut self, first_right: OffsetNumber, new_on_left: bool, to_left: i32, size: i32) -> Result<()> {
        let new_is_first_right = first_right == self.new_at && !new_on_left;
        let first_right_size = if new_is_first_right { self.new_size } else { size };
        // The left high key is made from the first right item, without its posting list.
        let mut posting = 0;
        if !new_is_first_right && self.is_leaf && first_right_size > 64 {
            let item = self.tree.item(self.page, first_right)?;
            if tuple::is_posting(item) {
                posting = (tuple::size(item) - tuple::key_size(item)) as i32;
            }
        }
        let mut left_free = self.left_space - to_left;
        let mut right_free = self.right_space - (self.data_total - to_left);
        left_free -= match self.is_leaf {
            true => first_right_size + maxalign(tuple::TID_SIZE) as i32 - posting,
            false => first_right_size,
        };
        match new_on_left {
            true => left_free -= self.new_size,
            false => right_free -= self.new_size,
        }
        if !self.is_leaf {
            // The first item of an inner page loses its key.
            right_free += first_right_size - (8 + ITEM_ID_SIZE as i32);
        }
        // With nothing to its left, a page would have only a high key.
        let left_is_empty = to_left == 0 && !new_on_left;
        if left_free >= 0 && right_free >= 0 && !left_is_empty {
            self.min_first_right = self.min_first_right.min(first_right_size);
            let new_item_on_left = new_on_left;
            self.splits.push(SplitPoint { first_right, new_item_on_left, left_free, right_free, delta: 0 });
        }
        Ok(())
    }
    fn choose(mut self) -> Result<SplitPoint> {
        let fill = f64::from(self.tree.fill_factor()) / 100.0;
        let mut target = None;
        if !self.is_leaf {
            target = self.is_rightmost.then_some(INNER_FILL);
        } else if self.is_rightmost {
            target = Some(fill);
        } else if let Some(after_new) = self.grows_after_new_item(fill)? {
            match after_new {
                true => target = Some(fill),
                false => {
                    let at_new = |s: &&SplitPoint| s.new_item_on_left && s.first_right == self.new_at;
                    if let Some(split) = self.splits.iter().find(at_new) {
                        return Ok(*split);
                    }
                }
            }
        }
        let (first, last) = (self.splits[0], self.splits[self.splits.len() - 1]);
        self.sort(target);
        let mut interval = self.default_interval();
        let (mut perfect, choice) = self.strategy(interval, first, last)?;
        match choice {
            Choice::Default => {}
            Choice::ManyDuplicates => {
                perfect = self.tree.key_columns() as i32;
                interval = self.splits.len();
            }
            Choice::SingleValue => {
                self.sort(Some(SINGLE_VALUE_FILL));
                interval = 1;
            }
        }
        self.best(interval, perfect, &choice)
    }
    /// By how far they are from the wanted division. (PostgreSQL: `_bt_deltasortsplits`)
    fn sort(&mut self, target: Option<f64>) {
        for s in &mut self.splits {
            let delta = match target {
                Some(fill) => (fill * f64::from(s.left_free) - (1.0 - fill) * f64::from(s.right_free)) as i32,
                None => s.left_free - s.right_free,
            };
            s.delta = delta.abs();
        }
        self.splits.sort_by_key(|s| s.delta);
    }
    /// Are rows coming in ascending order in the middle of the index, e.g. order items by (order, number)? `Some(true)`:
    /// at the end of the page; `Some(false)`: split behind the new item. (PostgreSQL: `_bt_afternewitemoff`)
    fn grows_after_new_item(&self, fill: f64) -> Result<Option<bool>> {
        let max = self.page.max_offset();
        let columns = self.tree.key_columns();
        let same_size =
            self.new_size == self.min_first_right && self.new_size * (i32::from(max) - 1) == self.data_total;
        if columns == 1 || self.new_at == FIRST_KEY || !same_size || self.new_size > 8 + 16 + ITEM_ID_SIZE as i32 {
            return Ok(None);
        }
        let before = self.tree.item(self.page, (self.new_at - 1).min(max))?;
        let at_end = self.new_at > max;
        if !at_end {
            let (low, high) = (tuple::raw_tid(before), tuple::raw_tid(self.new));
            let adjacent = low.block == high.block || low.block.0 + 1 == high.block.0 && high.offset == 1;
            if tuple::is_posting(before) || !adjacent {
                return Ok(None);
            }
        }
        let keep = self.tree.columns_to_differ(before, self.new)?;
        if keep <= 1 || keep > columns {
            return Ok(None);
        }
        let position = f64::from(self.new_at) / (f64::from(max) + 1.0);
        Ok(Some(at_end || position > fill))
    }
    /// How many of the sorted places are near enough to the best. (PostgreSQL: `_bt_defaultinterval`)
    fn default_interval(&self) -> usize {
        let share = if self.is_leaf { LEAF_TOLERANCE } else { INNER_TOLERANCE };
        let tolerance = (f64::from(self.data_total) * share) as i32;
        let best = self.splits[0];
        let near = |s: &SplitPoint| {
            (s.left_free - best.left_free).abs() <= tolerance && (s.right_free - best.right_free).abs() <= tolerance
        };
        self.splits.iter().skip(1).position(|s| !near(s)).map_or(self.splits.len(), |n| n + 1)
    }
    fn last_left(&self, s: SplitPoint) -> Result<&[u8]> {
        match s.new_item_on_left && s.first_right == self.new_at {
            true => Ok(self.new),
            false => self.tree.item(self.page, s.first_right - 1),
        }
    }
    fn first_right(&self, s: SplitPoint) -> Result<&[u8]> {
        match !s.new_item_on_left && s.first_right == self.new_at {
            true => Ok(self.new),
            false => self.tree.item(self.page, s.first_right),
        }
    }
    fn separating_columns(&self, left: SplitPoint, right: SplitPoint) -> Result<i32> {
        Ok(self.tree.columns_to_differ(self.last_left(left)?, self.first_right(right)?)? as i32)
    }
    /// What to aim at: a penalty good enough to stop looking, and whether duplicates ask for something else.
    /// (PostgreSQL: `_bt_strategy`)
    fn strategy(&self, interval: usize, first: SplitPoint, last: SplitPoint) -> Result<(i32, Choice)> {
        if !self.is_leaf {
            return Ok((self.min_first_right, Choice::Default));
        }
        let columns = self.tree.key_columns() as i32;
        let (left, right) = self.edges(interval);
        let within = self.separating_columns(left, right)?;
        if within <= columns {
            return Ok((within, Choice::Default));
        }
        let whole = self.separating_columns(first, last)?;
        if whole <= columns {
            return Ok((columns, Choice::ManyDuplicates));
        }
        if self.is_rightmost {
            return Ok((whole, Choice::SingleValue));
        }
        let high = self.tree.columns_to_differ(self.tree.item(self.page, HIGH_KEY)?, self.new)? as i32;
        Ok((high, if high <= columns { Choice::SingleValue } else { Choice::Default }))
    }
    /// The places farthest left and right among the first `interval`. (PostgreSQL: `_bt_interval_edges`)
    fn edges(&self, interval: usize) -> (SplitPoint, SplitPoint) {
        let best = self.splits[0];
        let near = &self.splits[..interval.min(self.splits.len())];
        // A new item on the left makes the division lie farther right.
        let place = |s: &SplitPoint| (s.first_right, s.new_item_on_left);
        let left = near.iter().rev().find(|s| place(s) < place(&best)).copied();
        let right = near.iter().rev().find(|s| place(s) > place(&best)).copied();
        (left.unwrap_or(best), right.unwrap_or(best))
    }
    /// (PostgreSQL: `_bt_split_penalty`)
    fn penalty(&self, s: SplitPoint) -> Result<i32> {
        if self.is_leaf {
            return self.separating_columns(s, s);
        }
        let new_is_first_right = !s.new_item_on_left && s.first_right == self.new_at;
        Ok(if new_is_first_right { self.new_size } else { self.size_of(s.first_right) })
    }
    /// (PostgreSQL: `_bt_bestsplitloc`)
    fn best(&self, interval: usize, perfect: i32, choice: &Choice) -> Result<SplitPoint> {
        let mut best: Option<(i32, SplitPoint)> = None;
        for &s in self.splits.iter().take(interval) {
            let penalty = self.penalty(s)?;
            if best.is_none_or(|(b, _)| penalty < b) {
                best = Some((penalty, s));
            }
            if penalty <= perfect {
                break;
            }
        }
        let found = best.map_or(self.splits[0], |(_, s)| s);
        // Many duplicates: do not make a right page that starts just behind the new item again and again.
        let just_behind = !found.new_item_on_left
            && found.first_right >= self.new_at
            && u32::from(found.first_right) < u32::from(self.new_at) + 9;
        match *choice == Choice::ManyDuplicates && !self.is_rightmost && just_behind {
            true => Ok(self.splits[0]),
            false => Ok(found),
        }
    }
}
