//! The texts that a session sent last, but for their numbers.
//!
//! A client sends the same few texts with other numbers in them. Such a text is told by its bytes, without a lexer: between
//! the numbers it is what it was, and the numbers are plain digits again. Then its tokens are the same as well, so that the
//! plan of its shape ([`super::constants`]) serves it.

use std::sync::Arc;

use types::Datum;

use super::constants::Shared;

/// A transaction's usual handful of statements.
const KEPT: usize = 8;
/// A number of so many digits is an int4.
const DIGITS: usize = 9;

/// What a template is good for: the catalogs' generation and the plan key.
pub(super) type Era = (u64, u64);

struct Template {
    /// What stands before, between and behind the numbers.
    pieces: Box<[Box<str>]>,
    /// Which number each parameter is, and whether a minus before it belongs to it.
    params: Box<[(usize, bool)]>,
    shared: Arc<Shared>,
    era: Era,
}

/// See the module's head.
#[derive(Default)]
pub(super) struct Templates(Vec<Template>);

impl Templates {
    /// The plan for a text, with its parameters' values.
    pub fn find(&self, text: &str, era: Era) -> Option<(Arc<Shared>, Arc<[Datum]>)> {
        self.0.iter().rev().filter(|t| t.era == era).find_map(|t| Some((Arc::clone(&t.shared), t.values(text)?)))
    }

    /// Remembers a text that ran by a shared plan. `numbers` are the places of the constants that became parameters, in the
    /// text's order; `params` as in [`Template`].
    pub fn learn(
        &mut self,
        text: &str,
        numbers: &[(usize, usize)],
        params: Box<[(usize, bool)]>,
        shared: &Arc<Shared>,
        era: Era,
    ) {
        let plain = |&(start, end): &(usize, usize)| {
            (1..=DIGITS).contains(&(end - start)) && text.as_bytes()[start..end].iter().all(u8::is_ascii_digit)
        };
        if !numbers.iter().all(plain) {
            return;
        }
        let mut pieces = Vec::with_capacity(numbers.len() + 1);
        let mut from = 0;
        for &(start, end) in numbers {
            pieces.push(text[from..start].into());
            from = end;
        }
        pieces.push(text[from..].into());
        self.0.retain(|t| t.era == era);
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push(Template { pieces: pieces.into(), params, shared: Arc::clone(shared), era });
    }

    /// Forgets all: the session is quiet.
    pub fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

impl Template {
    /// The parameters' values, if the text is one of this kind.
    fn values(&self, text: &str) -> Option<Arc<[Datum]>> {
        const MANY: usize = 16;
        let (first, others) = self.pieces.split_first()?;
        let mut rest = text.as_bytes().strip_prefix(first.as_bytes())?;
        let mut numbers = [0; MANY];
        for (number, piece) in numbers.get_mut(..others.len())?.iter_mut().zip(others) {
            let len = rest.iter().take(DIGITS + 1).take_while(|b| b.is_ascii_digit()).count();
            if !(1..=DIGITS).contains(&len) {
                return None;
            }
            let (digits, after) = rest.split_at(len);
            *number = digits.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0'));
            rest = after.strip_prefix(piece.as_bytes())?;
        }
        if !rest.is_empty() {
            return None;
        }
        let value = |&(i, negated): &(usize, bool)| Datum::i32(if negated { -numbers[i] } else { numbers[i] });
        Some(match &*self.params {
            [one] => Arc::new([value(one)]),
            several => several.iter().map(value).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_digits() {
        let text = "UPDATE t SET a = a + -17 WHERE b = 4;";
        let mut templates = Templates::default();
        let shared = Arc::new(Shared::default());
        templates.learn(text, &[(22, 24), (35, 36)], Box::new([(1, false), (0, true)]), &shared, (1, 2));
        let values = |text: &str| templates.find(text, (1, 2)).map(|(_, v)| v.to_vec());
        let numbers = |a, b| Some(vec![Datum::i32(a), Datum::i32(b)]);
        assert_eq!(values("UPDATE t SET a = a + -17 WHERE b = 4;"), numbers(4, -17));
        assert_eq!(values("UPDATE t SET a = a + -999999999 WHERE b = 007;"), numbers(7, -999_999_999));
        for other in [
            "UPDATE t SET a = a + 17 WHERE b = 4;",
            "UPDATE t SET a = a + -1000000000 WHERE b = 4;",
            "UPDATE t SET a = a + -1.7 WHERE b = 4;",
            "UPDATE t SET a = a + - WHERE b = 4;",
            "UPDATE t SET a = a + -17 WHERE b = 4; ",
            "UPDATE t SET a = a + -17 WHERE b = 4",
        ] {
            assert_eq!(values(other), None, "{other}");
        }
        assert!(templates.find(text, (2, 2)).is_none());
    }
}
