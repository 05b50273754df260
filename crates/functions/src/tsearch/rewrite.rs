//! `ts_rewrite`: a part of a query replaced. (PostgreSQL: `tsquery_rewrite.c`)
//!
//! `&` and `|` are flattened and their operands sorted, so that a part is found in whatever order it is written.

use types::builtin;

use super::query::{Node, Op, TsQuery};

/// A node with the mark that it came from a replacement and stays.
#[derive(Clone)]
struct Marked {
    node: Kind,
    fixed: bool,
}
#[derive(Clone)]
enum Kind {
    Leaf(Node),
    Op { op: Op, distance: u16, children: Vec<Marked> },
}

fn mark(n: &Node, fixed: bool) -> Marked {
    let node = match n {
        Node::Word(_) => Kind::Leaf(n.clone()),
        Node::Op { op, distance, children } => {
            Kind::Op { op: *op, distance: *distance, children: children.iter().map(|c| mark(c, false)).collect() }
        }
    };
    Marked { node, fixed }
}
fn plain(m: &Marked) -> Node {
    match &m.node {
        Kind::Leaf(n) => n.clone(),
        Kind::Op { op, distance, children } => {
            Node::Op { op: *op, distance: *distance, children: children.iter().map(plain).collect() }
        }
    }
}
fn flatten(m: &mut Marked) {
    let Kind::Op { op, children, .. } = &mut m.node else { return };
    children.iter_mut().for_each(flatten);
    if !matches!(op, Op::And | Op::Or) {
        return;
    }
    let own = *op;
    let mut out = Vec::with_capacity(children.len());
    for c in children.drain(..) {
        match c.node {
            Kind::Op { op, children, .. } if op == own => out.extend(children),
            node => out.push(Marked { node, fixed: c.fixed }),
        }
    }
    *children = out;
}
fn sort(m: &mut Marked) {
    let Kind::Op { op, children, .. } = &mut m.node else { return };
    children.iter_mut().for_each(sort);
    if *op != Op::Phrase {
        children.sort_by(|a, b| plain(a).order(&plain(b)));
    }
}
/// Back to two operands each.
fn pair_up(m: &mut Marked) {
    let Kind::Op { op, distance, children } = &mut m.node else { return };
    children.iter_mut().for_each(pair_up);
    while children.len() > 2 {
        // The first two become one, the last takes the second's place.
        let last = children.pop();
        let mut rest = std::mem::take(children).into_iter();
        let pair: Vec<Marked> = rest.by_ref().take(2).collect();
        let node = Kind::Op { op: *op, distance: *distance, children: pair };
        children.push(Marked { node, fixed: false });
        children.extend(last);
        children.extend(rest);
    }
}
fn replaced(m: Marked, part: &Marked, new: Option<&Node>, found: &mut bool) -> Option<Marked> {
    let put = |n: &Node| mark(n, true);
    if m.fixed {
        return Some(m);
    }
    let whole = plain(&m).order(&plain(part)).is_eq();
    if whole {
        *found = true;
        return new.map(put);
    }
    let mut m = m;
    if let (Kind::Op { op, children, .. }, Kind::Op { op: wanted, children: parts, .. }) = (&mut m.node, &part.node)
        && op == wanted
        && matches!(op, Op::And | Op::Or)
        && children.len() > parts.len()
    {
        let (mut i, mut j) = (0, 0);
        let mut hit = vec![false; children.len()];
        while i < children.len() && j < parts.len() {
            match plain(&children[i]).order(&plain(&parts[j])) {
                std::cmp::Ordering::Equal => {
                    hit[i] = true;
                    i += 1;
                    j += 1;
                }
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => break,
            }
        }
        if j == parts.len() {
            let mut keep = hit.iter();
            children.retain(|_| !keep.next().copied().unwrap_or(false));
            children.extend(new.map(put));
            *found = true;
            sort(&mut m);
        }
    }
    Some(m)
}
fn search(m: Marked, part: &Marked, new: Option<&Node>, found: &mut bool) -> Option<Marked> {
    let m = replaced(m, part, new, found)?;
    if m.fixed {
        return Some(m);
    }
    let Kind::Op { op, distance, children } = m.node else { return Some(m) };
    let mut children: Vec<Marked> = children.into_iter().filter_map(|c| search(c, part, new, found)).collect();
    match children.len() {
        0 => None,
        1 if op != Op::Not => children.pop(),
        _ => Some(Marked { node: Kind::Op { op, distance, children }, fixed: false }),
    }
}
/// The query with each occurrence of a part replaced; an empty replacement takes the part away.
pub fn rewrite(query: TsQuery, part: &TsQuery, new: &TsQuery) -> TsQuery {
    let (Some(root), Some(part)) = (&query.0, &part.0) else { return query };
    let (mut tree, mut part) = (mark(root, false), mark(part, false));
    for t in [&mut tree, &mut part] {
        flatten(t);
        sort(t);
    }
    let mut found = false;
    let mut tree = search(tree, &part, new.0.as_ref(), &mut found);
    if let Some(t) = &mut tree {
        pair_up(t);
    }
    TsQuery(tree.as_ref().map(plain))
}
#[builtin("tsquery_rewrite")]
fn tsquery_rewrite(query: TsQuery, part: TsQuery, new: TsQuery) -> TsQuery {
    rewrite(query, &part, &new)
}
