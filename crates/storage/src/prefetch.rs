//! Telling the processor what will be read soon.
//!
//! For loops over places that are known beforehand but lie all over memory, such as tuples in sorted order.

/// Begins to bring an element into the cache; does nothing where there is none.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], at: usize) {
    let Some(element) = slice.get(at) else { return };
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint about memory that a reference points at; it changes nothing, and every x86-64 processor has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = element;
}

#[cfg(test)]
mod tests {
    #[test]
    fn beyond_the_end() {
        super::prefetch(&[1, 2, 3], 2);
        super::prefetch(&[1, 2, 3], 3);
        super::prefetch::<u64>(&[], 0);
    }
}
