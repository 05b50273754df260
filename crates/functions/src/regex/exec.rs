//! Running automata over characters, and taking a match apart into its groups.

use super::parse::{Anchor, Class};
use super::program::{Kind, Op, Program, Tree};
use super::{Captures, Regex};

/// The states an automaton is in.
struct States {
    list: Vec<usize>,
    /// When a state was last entered, by step.
    seen: Vec<u32>,
}

fn is_word(c: Option<&char>) -> bool {
    c.is_some_and(|&c| Class::Word.contains(c))
}

fn holds(anchor: Anchor, text: &[char], at: usize) -> bool {
    let before = || at.checked_sub(1).and_then(|i| text.get(i));
    let (b, a) = (is_word(before()), is_word(text.get(at)));
    match anchor {
        Anchor::Bol => at == 0,
        Anchor::Eol => at == text.len(),
        Anchor::LineBol => before().is_none_or(|&c| c == '\n'),
        Anchor::LineEol => text.get(at).is_none_or(|&c| c == '\n'),
        Anchor::WordStart => !b && a,
        Anchor::WordEnd => b && !a,
        Anchor::WordEdge => b != a,
        Anchor::NotWordEdge => b == a,
    }
}

fn look(ahead: bool, program: &Program, text: &[char], at: usize) -> bool {
    if ahead {
        return run(program, text, at, |_| false).is_some();
    }
    let mut found = false;
    simulate(program, &text[..at.min(text.len())], text, 0, true, &mut |end| {
        found |= end == at;
        found
    });
    found
}

/// Enters a state and all that it leads to without a character.
fn enter(
    p: &Program,
    text: &[char],
    at: usize,
    step: u32,
    states: &mut States,
    stack: &mut Vec<usize>,
    from: usize,
) -> bool {
    let mut matched = false;
    stack.push(from);
    while let Some(s) = stack.pop() {
        if states.seen[s] == step {
            continue;
        }
        states.seen[s] = step;
        match &p.ops[s] {
            Op::Split(a, b) => stack.extend([*b, *a]),
            Op::Jump(a) => stack.push(*a),
            Op::Anchor(a) => {
                if holds(*a, text, at) {
                    stack.push(s + 1);
                }
            }
            Op::Look { ahead, positive, program } => {
                if look(*ahead, program, text, at) == *positive {
                    stack.push(s + 1);
                }
            }
            Op::Match => matched = true,
            _ => states.list.push(s),
        }
    }
    matched
}

/// Runs from `start` over `limit` (a prefix of `text`, which anchors look at); `found` is told each end of a match and stops the
/// run by answering true. With `anywhere`, a match may begin at any later place too.
fn simulate(
    p: &Program,
    limit: &[char],
    text: &[char],
    start: usize,
    anywhere: bool,
    found: &mut dyn FnMut(usize) -> bool,
) {
    let n = p.ops.len();
    let mut now = States { list: Vec::new(), seen: vec![0; n] };
    let mut next = States { list: Vec::new(), seen: vec![0; n] };
    let mut stack = Vec::new();
    let mut step = 1;
    let mut matched = enter(p, text, start, step, &mut now, &mut stack, 0);
    let mut at = start;
    loop {
        if matched && found(at) {
            return;
        }
        if at >= limit.len() || (now.list.is_empty() && !anywhere) {
            return;
        }
        let c = limit[at];
        at += 1;
        step += 1;
        matched = false;
        next.list.clear();
        for &s in &now.list {
            let goes = match &p.ops[s] {
                Op::Char(x) => *x == c,
                Op::Any => true,
                Op::Set(set) => set.contains(c),
                _ => false,
            };
            if goes {
                matched |= enter(p, text, at, step, &mut next, &mut stack, s + 1);
            }
        }
        if anywhere {
            matched |= enter(p, text, at, step, &mut next, &mut stack, 0);
        }
        std::mem::swap(&mut now, &mut next);
    }
}

/// The last end of a match from `start` before `go_on` says no.
fn run(p: &Program, text: &[char], start: usize, go_on: impl Fn(usize) -> bool) -> Option<usize> {
    let mut last = None;
    simulate(p, text, text, start, false, &mut |end| {
        last = Some(end);
        !go_on(end)
    });
    last
}

/// All ends of matches from `start` up to `end`, in the wanted order.
fn ends(p: &Program, text: &[char], start: usize, end: usize, longest: bool) -> Vec<usize> {
    let mut list = Vec::new();
    simulate(p, &text[..end], text, start, false, &mut |e| {
        list.push(e);
        false
    });
    if longest {
        list.reverse();
    }
    list
}

fn spans(p: &Program, text: &[char], start: usize, end: usize) -> bool {
    let mut found = false;
    simulate(p, &text[..end], text, start, false, &mut |e| {
        found = e == end;
        found
    });
    found
}

/// Whether there is a match anywhere.
pub fn any(regex: &Regex, text: &[char]) -> bool {
    let mut found = false;
    simulate(&regex.tree.program, text, text, 0, true, &mut |_| {
        found = true;
        true
    });
    found
}

pub fn find(regex: &Regex, text: &[char], from: usize, captures: bool) -> Option<Captures> {
    let tree = &regex.tree;
    for start in from..=text.len() {
        if !captures || !regex.has_backrefs {
            let end = match tree.longest {
                true => run(&tree.program, text, start, |_| true),
                false => run(&tree.program, text, start, |_| false),
            };
            let Some(end) = end else { continue };
            let mut groups = vec![None; regex.groups + 1];
            groups[0] = Some((start, end));
            if captures && regex.groups > 0 {
                let cx = Dissect { regex, text };
                cx.part(tree, start, end, &mut groups, &mut |_| true);
            }
            return Some(groups);
        }
        for end in ends(&tree.program, text, start, text.len(), tree.longest) {
            let mut groups = vec![None; regex.groups + 1];
            groups[0] = Some((start, end));
            let mut result = None;
            let cx = Dissect { regex, text };
            let done = cx.part(tree, start, end, &mut groups, &mut |g| {
                result = Some(g.clone());
                true
            });
            if done {
                return result;
            }
        }
    }
    None
}

/// Takes a match apart: each part goes on to `then`, which may send it back for another try (only back references do).
struct Dissect<'a> {
    regex: &'a Regex,
    text: &'a [char],
}

type Then<'a> = &'a mut dyn FnMut(&mut Captures) -> bool;

impl Dissect<'_> {
    fn part(&self, tree: &Tree, start: usize, end: usize, groups: &mut Captures, then: Then<'_>) -> bool {
        match &tree.kind {
            Kind::Plain => then(groups),
            Kind::Group(n, inner) => {
                let old = groups[*n];
                let done = self.part(inner, start, end, groups, &mut |g| {
                    let before = g[*n];
                    g[*n] = Some((start, end));
                    then(g) || {
                        g[*n] = before;
                        false
                    }
                });
                if !done {
                    groups[*n] = old;
                }
                done
            }
            Kind::Backref(n) => match groups[*n] {
                Some((a, b)) if self.equal(a, b, start, end) => then(groups),
                _ => false,
            },
            Kind::Alt(list) => list
                .iter()
                .filter(|t| spans(&t.program, self.text, start, end))
                .any(|t| self.part(t, start, end, groups, then)),
            Kind::Concat(list, rest) => self.concat(list, rest, 0, start, end, groups, then),
            Kind::Repeat { tree: inner, min, max, greedy } => {
                self.repeat(inner, (*min, *max, *greedy), 0, start, end, groups, then)
            }
        }
    }
    fn equal(&self, a: usize, b: usize, start: usize, end: usize) -> bool {
        let same = |x: &char, y: &char| {
            x == y || self.regex.icase && crate::strings::lower_char(*x) == crate::strings::lower_char(*y)
        };
        b - a == end - start && self.text[a..b].iter().zip(&self.text[start..end]).all(|(x, y)| same(x, y))
    }
    fn concat(
        &self,
        list: &[Tree],
        rest: &[Program],
        i: usize,
        start: usize,
        end: usize,
        groups: &mut Captures,
        then: Then<'_>,
    ) -> bool {
        if i + 1 == list.len() {
            return self.part(&list[i], start, end, groups, then);
        }
        for middle in ends(&list[i].program, self.text, start, end, list[i].longest) {
            if !spans(&rest[i + 1], self.text, middle, end) {
                continue;
            }
            let done = self
                .part(&list[i], start, middle, groups, &mut |g| self.concat(list, rest, i + 1, middle, end, g, then));
            if done {
                return true;
            }
        }
        false
    }
    fn repeat(
        &self,
        inner: &Tree,
        bounds: (u32, Option<u32>, bool),
        count: u32,
        start: usize,
        end: usize,
        groups: &mut Captures,
        then: Then<'_>,
    ) -> bool {
        let (min, max, _) = bounds;
        if start == end && (count > 0 || min == 0) {
            // An empty iteration sets its groups once, as the pattern `(a*)*` on no `a` does.
            if count == 0 && max != Some(0) && spans(&inner.program, self.text, start, end) {
                return self.part(inner, start, end, groups, then) || then(groups);
            }
            return count >= min && then(groups) || count < min && self.empties(inner, start, groups, then);
        }
        if max.is_some_and(|m| count >= m) {
            return false;
        }
        for middle in ends(&inner.program, self.text, start, end, inner.longest) {
            if middle == start && start != end {
                continue;
            }
            let done = self.part(inner, start, middle, groups, &mut |g| {
                if middle == end && count + 1 >= min {
                    then(g)
                } else {
                    self.repeat(inner, bounds, count + 1, middle, end, g, then)
                }
            });
            if done {
                return true;
            }
        }
        false
    }
    /// The iterations still owed match nothing.
    fn empties(&self, inner: &Tree, at: usize, groups: &mut Captures, then: Then<'_>) -> bool {
        spans(&inner.program, self.text, at, at) && self.part(inner, at, at, groups, then)
    }
}
