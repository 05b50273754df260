//! Sorting as PostgreSQL does it in memory: rows that compare equal come out in the order that they do there. Queries whose
//! ORDER BY leaves ties are then answered alike. For few rows; where there are many, faster sorts take over.
//!
//! The algorithms: Bentley and McIlroy, "Engineering a Sort Function" (1993), with a check for sorted input at each level; for
//! the first few rows of a sort, a heap of them that is then emptied.
//!
//! PostgreSQL: `sort_template.h`, `tuplesort.c` (`make_bounded_heap`, `sort_bounded_heap`).

use std::cmp::Ordering;

/// Up to so many rows are sorted like this.
pub(crate) const FEW: usize = 20_000;

/// The middle one of three places.
fn median<T>(a: &[T], x: usize, y: usize, z: usize, cmp: &mut impl FnMut(&T, &T) -> Ordering) -> usize {
    if cmp(&a[x], &a[y]).is_lt() {
        if cmp(&a[y], &a[z]).is_lt() {
            y
        } else if cmp(&a[x], &a[z]).is_lt() {
            z
        } else {
            x
        }
    } else if cmp(&a[y], &a[z]).is_gt() {
        y
    } else if cmp(&a[x], &a[z]).is_lt() {
        x
    } else {
        z
    }
}

/// Exchanges the `n` elements from `x` on with those from `y` on.
fn swap_ranges<T>(a: &mut [T], x: usize, y: usize, n: usize) {
    for i in 0..n {
        a.swap(x + i, y + i);
    }
}

pub(crate) fn quick_sort<T>(mut a: &mut [T], cmp: &mut impl FnMut(&T, &T) -> Ordering) {
    loop {
        let n = a.len();
        if n < 7 {
            for i in 1..n {
                let mut j = i;
                while j > 0 && cmp(&a[j - 1], &a[j]).is_gt() {
                    a.swap(j, j - 1);
                    j -= 1;
                }
            }
            return;
        }
        if (1..n).all(|i| cmp(&a[i - 1], &a[i]).is_le()) {
            return;
        }
        let mut middle = n / 2;
        if n > 7 {
            let (mut low, mut high) = (0, n - 1);
            if n > 40 {
                let d = n / 8;
                low = median(a, low, low + d, low + 2 * d, cmp);
                middle = median(a, middle - d, middle, middle + d, cmp);
                high = median(a, high - 2 * d, high - d, high, cmp);
            }
            middle = median(a, low, middle, high, cmp);
        }
        a.swap(0, middle);
        // Equal to the pivot, less, unknown, greater, equal: five parts with these borders.
        let (mut pa, mut pb) = (1, 1);
        let (mut pc, mut pd) = (n, n);
        loop {
            while pb < pc {
                let order = cmp(&a[pb], &a[0]);
                if order.is_gt() {
                    break;
                }
                if order.is_eq() {
                    a.swap(pa, pb);
                    pa += 1;
                }
                pb += 1;
            }
            while pb < pc {
                let order = cmp(&a[pc - 1], &a[0]);
                if order.is_lt() {
                    break;
                }
                if order.is_eq() {
                    a.swap(pc - 1, pd - 1);
                    pd -= 1;
                }
                pc -= 1;
            }
            if pb >= pc {
                break;
            }
            a.swap(pb, pc - 1);
            pb += 1;
            pc -= 1;
        }
        let d = pa.min(pb - pa);
        swap_ranges(a, 0, pb - d, d);
        let d = (pd - pc).min(n - pd);
        swap_ranges(a, pb, n - d, d);
        let (less, greater) = (pb - pa, pd - pc);
        let (left, right) = a.split_at_mut(n - greater);
        let left = &mut left[..less];
        a = if less <= greater {
            if less > 1 {
                quick_sort(left, cmp);
            }
            right
        } else {
            if greater > 1 {
                quick_sort(right, cmp);
            }
            left
        };
        if a.len() <= 1 {
            return;
        }
    }
}

/// The first `bound` elements in order. Fewer than twice as many elements are sorted as a whole.
pub(crate) fn first_sorted<T: Copy>(a: &mut Vec<T>, bound: usize, cmp: &mut impl FnMut(&T, &T) -> Ordering) {
    if bound == 0 || a.len() <= bound.saturating_mul(2) {
        quick_sort(a, cmp);
        a.truncate(bound);
        return;
    }
    // A heap with the greatest of the first elements on top.
    let mut heap: Vec<T> = Vec::with_capacity(bound);
    for x in a.iter() {
        if heap.len() < bound {
            let mut j = heap.len();
            heap.push(*x);
            while j > 0 {
                let parent = (j - 1) >> 1;
                if cmp(&heap[parent], x).is_ge() {
                    break;
                }
                heap[j] = heap[parent];
                j = parent;
            }
            heap[j] = *x;
        } else if cmp(&heap[0], x).is_gt() {
            replace_top(&mut heap, *x, cmp);
        }
    }
    let mut n = heap.len();
    let mut out = heap.clone();
    while n > 1 {
        let top = heap[0];
        n -= 1;
        let last = heap[n];
        heap.truncate(n);
        replace_top(&mut heap, last, cmp);
        out[n] = top;
    }
    if let Some(first) = heap.first() {
        out[0] = *first;
    }
    *a = out;
}

fn replace_top<T: Copy>(heap: &mut [T], x: T, cmp: &mut impl FnMut(&T, &T) -> Ordering) {
    let n = heap.len();
    let mut i = 0;
    loop {
        let mut j = 2 * i + 1;
        if j >= n {
            break;
        }
        if j + 1 < n && cmp(&heap[j + 1], &heap[j]).is_gt() {
            j += 1;
        }
        if cmp(&heap[j], &x).is_le() {
            break;
        }
        heap[i] = heap[j];
        i = j;
    }
    heap[i] = x;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_like_any_other_sort() {
        let mut seed = 42u64;
        for n in [0usize, 1, 2, 6, 7, 8, 40, 41, 100, 1000, 5000] {
            for spread in [1u64, 3, 10, 1 << 40] {
                let mut values: Vec<(u64, u32)> = (0..n as u32)
                    .map(|i| {
                        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        ((seed >> 20) % spread, i)
                    })
                    .collect();
                let mut all: Vec<u64> = values.iter().map(|v| v.0).collect();
                all.sort_unstable();
                let mut some = values.clone();
                quick_sort(&mut values, &mut |a, b| a.0.cmp(&b.0));
                assert_eq!(values.iter().map(|v| v.0).collect::<Vec<_>>(), all);
                let bound = n / 3;
                first_sorted(&mut some, bound, &mut |a, b| a.0.cmp(&b.0));
                assert_eq!(some.iter().map(|v| v.0).collect::<Vec<_>>(), all[..bound]);
            }
        }
    }
}
