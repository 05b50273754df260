//! The text form of a page, for tests, `tusk inspect` and people.

use std::fmt::Write;

use super::{Page, flags};

/// The header in one line, then a line for each line pointer, and the special space in hex.
pub fn dump(page: &Page) -> String {
    dump_with(page, |_, _| None)
}

/// As [`dump`]; `describe` may add a text for an item's bytes, given its number.
pub fn dump_with(page: &Page, describe: impl Fn(u16, &[u8]) -> Option<String>) -> String {
    let mut out = String::new();
    if page.is_new() {
        return if page.is_all_zeros() { "new page, all zeroes\n".into() } else { "new page, not zeroes\n".into() };
    }
    let mut names = Vec::new();
    for (bit, name) in [
        (flags::HAS_FREE_LINES, "HAS_FREE_LINES"),
        (flags::PAGE_FULL, "PAGE_FULL"),
        (flags::ALL_VISIBLE, "ALL_VISIBLE"),
    ] {
        if page.has_flag(bit) {
            names.push(name);
        }
    }
    let _ = writeln!(
        out,
        "lsn {} checksum {:04x} flags [{}] lower {} upper {} special {} version {} prune_xid {}",
        page.lsn(),
        page.checksum(),
        names.join(" "),
        page.lower(),
        page.upper(),
        page.special_offset(),
        page.pagesize_version() & 0xFF,
        page.prune_xid()
    );
    for n in page.offsets() {
        let id = page.item_id(n);
        let _ = write!(out, "{n:4} {id:?}");
        if let Some(item) = page.item_at(id) {
            match describe(n, item) {
                Some(text) => _ = write!(out, "  {text}"),
                None => _ = write!(out, "  {}", hex(item)),
            }
        } else if id.has_storage() {
            out.push_str("  outside the page");
        }
        out.push('\n');
    }
    if !page.special().is_empty() {
        let _ = writeln!(out, "special {}", hex(page.special()));
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        let _ = write!(text, "{b:02x}");
    }
    text
}
