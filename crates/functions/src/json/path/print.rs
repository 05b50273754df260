//! `jsonpath` as text. (PostgreSQL: `printJsonPathItem`)

use super::*;
use crate::json::write_string;

pub fn to_text(path: &JsonPath) -> String {
    let mut out = Vec::new();
    if !path.lax {
        out.extend_from_slice(b"strict ");
    }
    item(&path.expr, false, true, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
fn text(out: &mut Vec<u8>, s: &str) {
    out.extend_from_slice(s.as_bytes());
}
fn operand(inner: &Item, outer: u8, out: &mut Vec<u8>) {
    item(inner, false, inner.priority() <= outer, out);
}
fn item(v: &Item, in_key: bool, brackets: bool, out: &mut Vec<u8>) {
    let open = |out: &mut Vec<u8>| text(out, if brackets { "(" } else { "" });
    let close = |out: &mut Vec<u8>| text(out, if brackets { ")" } else { "" });
    match &v.op {
        Op::Null => text(out, "null"),
        Op::Bool(b) => text(out, if *b { "true" } else { "false" }),
        Op::String(s) => write_string(s, out),
        Op::Number(n) => {
            let next = v.next.is_some();
            text(out, if next { "(" } else { "" });
            n.write(out);
            text(out, if next { ")" } else { "" });
        }
        Op::Root => text(out, "$"),
        Op::Current => text(out, "@"),
        Op::Last => text(out, "last"),
        Op::Variable(name) => {
            text(out, "$");
            write_string(name, out);
        }
        Op::Key(name) => {
            text(out, if in_key { "." } else { "" });
            write_string(name, out);
        }
        Op::AnyKey => text(out, if in_key { ".*" } else { "*" }),
        Op::AnyArray => text(out, "[*]"),
        Op::Any(first, last) => {
            text(out, if in_key { "." } else { "" });
            let shown = match (*first, *last) {
                (0, u32::MAX) => "**".to_owned(),
                (u32::MAX, u32::MAX) => "**{last}".to_owned(),
                (a, b) if a == b => format!("**{{{a}}}"),
                (u32::MAX, b) => format!("**{{last to {b}}}"),
                (a, u32::MAX) => format!("**{{{a} to last}}"),
                (a, b) => format!("**{{{a} to {b}}}"),
            };
            text(out, &shown);
        }
        Op::Index(list) => {
            text(out, "[");
            for (i, (from, to)) in list.iter().enumerate() {
                text(out, if i > 0 { "," } else { "" });
                item(from, false, false, out);
                if let Some(to) = to {
                    text(out, " to ");
                    item(to, false, false, out);
                }
            }
            text(out, "]");
        }
        Op::Binary(op, a, b) => {
            open(out);
            operand(a, op.priority(), out);
            text(out, &format!(" {} ", op.name()));
            operand(b, op.priority(), out);
            close(out);
        }
        Op::Unary(op @ (Unary::Plus | Unary::Minus), a) => {
            open(out);
            text(out, if *op == Unary::Plus { "+" } else { "-" });
            operand(a, 5, out);
            close(out);
        }
        Op::Unary(op, a) => {
            let (before, after) = match op {
                Unary::Not => ("!(", ")"),
                Unary::IsUnknown => ("(", ") is unknown"),
                Unary::Exists => ("exists (", ")"),
                _ => ("?(", ")"),
            };
            text(out, before);
            item(a, false, false, out);
            text(out, after);
        }
        Op::LikeRegex { expr, pattern, flags } => {
            open(out);
            operand(expr, 6, out);
            text(out, " like_regex ");
            write_string(pattern, out);
            if *flags != 0 {
                text(out, " flag \"");
                let letters = [
                    (REGEX_ICASE, "i"),
                    (REGEX_DOTALL, "s"),
                    (REGEX_MLINE, "m"),
                    (REGEX_WSPACE, "x"),
                    (REGEX_QUOTE, "q"),
                ];
                letters.iter().filter(|(f, _)| flags & f != 0).for_each(|(_, l)| text(out, l));
                text(out, "\"");
            }
            close(out);
        }
        Op::Method(m) => text(out, &format!(".{}()", m.name())),
        Op::Datetime(m, arg) => {
            text(out, &format!(".{}(", m.name()));
            if let Some(a) = arg {
                item(a, false, false, out);
            }
            text(out, ")");
        }
        Op::Decimal(a, b) => {
            text(out, ".decimal(");
            if let Some(a) = a {
                item(a, false, false, out);
            }
            if let Some(b) = b {
                text(out, ",");
                item(b, false, false, out);
            }
            text(out, ")");
        }
    }
    if let Some(next) = &v.next {
        item(next, true, true, out);
    }
}
