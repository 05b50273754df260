//! From the tree to automata: one for the whole pattern, and one for each part that a match may have to be taken apart into.

use base::Result;

use super::invalid;
use super::parse::{Anchor, Node, Set};

pub enum Op {
    /// Consumes a character.
    Set(Set),
    Char(char),
    Any,
    /// Goes both ways.
    Split(usize, usize),
    Jump(usize),
    Anchor(Anchor),
    Look {
        ahead: bool,
        positive: bool,
        program: Program,
    },
    /// Approximates a back reference: anything may follow. What it takes is checked when the match is taken apart.
    Match,
}

/// An automaton; it starts at 0.
pub struct Program {
    pub ops: Vec<Op>,
}

/// A part of the pattern with its automaton, and its parts if there are groups in it.
pub struct Tree {
    pub program: Program,
    pub kind: Kind,
    pub longest: bool,
}

pub enum Kind {
    /// Nothing inside that anybody asks for.
    Plain,
    Group(usize, Box<Tree>),
    /// The parts, and for each `i` the automaton of the parts from `i` on.
    Concat(Vec<Tree>, Vec<Program>),
    Alt(Vec<Tree>),
    Repeat {
        tree: Box<Tree>,
        min: u32,
        max: Option<u32>,
        greedy: bool,
    },
    Backref(usize),
}

const LIMIT: usize = 100_000;

pub fn compile(node: &Node) -> Result<Tree> {
    let kind = match node {
        n if !n.has_groups() => Kind::Plain,
        Node::Group(i, n) => Kind::Group(*i, Box::new(compile(n)?)),
        Node::Concat(list) => {
            let rest = (0..list.len()).map(|i| program(&Node::Concat(list[i..].to_vec()))).collect::<Result<_>>()?;
            Kind::Concat(list.iter().map(compile).collect::<Result<_>>()?, rest)
        }
        Node::Alt(list) => Kind::Alt(list.iter().map(compile).collect::<Result<_>>()?),
        Node::Repeat { node, min, max, greedy } => {
            Kind::Repeat { tree: Box::new(compile(node)?), min: *min, max: *max, greedy: *greedy }
        }
        Node::Backref(n) => Kind::Backref(*n),
        _ => Kind::Plain,
    };
    Ok(Tree { program: program(node)?, kind, longest: node.prefers_longest().unwrap_or(true) })
}

fn program(node: &Node) -> Result<Program> {
    let mut ops = Vec::new();
    emit(node, &mut ops)?;
    ops.push(Op::Match);
    Ok(Program { ops })
}

fn emit(node: &Node, ops: &mut Vec<Op>) -> Result<()> {
    if ops.len() > LIMIT {
        return Err(invalid("regular expression is too complex"));
    }
    match node {
        Node::Empty => {}
        Node::Set(s) => ops.push(match &s.ranges[..] {
            [(a, b)] if a == b && !s.icase && !s.negated && s.classes.is_empty() => Op::Char(*a),
            [] if s.negated && s.classes.is_empty() && !s.not_newline => Op::Any,
            _ => Op::Set(s.clone()),
        }),
        Node::Anchor(a) => ops.push(Op::Anchor(*a)),
        Node::Group(_, n) => emit(n, ops)?,
        Node::Concat(list) => {
            for n in list {
                emit(n, ops)?;
            }
        }
        Node::Alt(list) => {
            let mut ends = Vec::new();
            for (i, n) in list.iter().enumerate() {
                let last = i + 1 == list.len();
                let split = ops.len();
                if !last {
                    ops.push(Op::Split(split + 1, 0));
                }
                emit(n, ops)?;
                if !last {
                    ends.push(ops.len());
                    ops.push(Op::Jump(0));
                    ops[split] = Op::Split(split + 1, ops.len());
                }
            }
            let end = ops.len();
            for at in ends {
                ops[at] = Op::Jump(end);
            }
        }
        Node::Repeat { node, min, max, .. } => {
            for _ in 0..*min {
                emit(node, ops)?;
            }
            match max {
                None => {
                    let split = ops.len();
                    ops.push(Op::Split(split + 1, 0));
                    emit(node, ops)?;
                    ops.push(Op::Jump(split));
                    ops[split] = Op::Split(split + 1, ops.len());
                }
                Some(max) => {
                    let mut splits = Vec::new();
                    for _ in *min..*max {
                        splits.push(ops.len());
                        ops.push(Op::Jump(0));
                        emit(node, ops)?;
                    }
                    let end = ops.len();
                    for at in splits {
                        ops[at] = Op::Split(at + 1, end);
                    }
                }
            }
        }
        Node::Backref(_) => {
            let split = ops.len();
            ops.extend([Op::Split(split + 1, split + 3), Op::Any, Op::Jump(split)]);
        }
        Node::Look { ahead, positive, node } => {
            ops.push(Op::Look { ahead: *ahead, positive: *positive, program: program(node)? });
        }
    }
    Ok(())
}
