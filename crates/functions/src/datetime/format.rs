//! Writing dates and times in the session's style. (PostgreSQL: `EncodeDateTime`)

use types::Settings;
use types::settings::{DateOrder, DateStyle};

use super::zone::Zone;
use super::{Civil, HOUR, MINUTE, MONTHS, SECOND, WEEKDAYS, civil, weekday};

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    use std::io::Write;
    let _ = out.write_fmt(text);
}
fn two(v: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (v / 10 % 10) as u8, b'0' + (v % 10) as u8]);
}
/// Seconds' fraction without trailing zeroes.
pub fn fraction(us: i64, out: &mut Vec<u8>) {
    if us == 0 {
        return;
    }
    out.push(b'.');
    let (mut rest, mut unit) = (us, 100_000);
    while rest > 0 {
        out.push(b'0' + (rest / unit) as u8);
        rest %= unit;
        unit /= 10;
    }
}
/// `hh:mm:ss[.ffffff]`
pub fn time(t: i64, out: &mut Vec<u8>) {
    two(t / HOUR, out);
    out.push(b':');
    two(t / MINUTE % 60, out);
    out.push(b':');
    two(t / SECOND % 60, out);
    fraction(t % SECOND, out);
}
/// `+hh[:mm[:ss]]`
pub fn offset_text(offset: i32) -> String {
    let (sign, o) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let (h, m, s) = (o / 3600, o / 60 % 60, o % 60);
    match (m, s) {
        (0, 0) => format!("{sign}{h:02}"),
        (_, 0) => format!("{sign}{h:02}:{m:02}"),
        _ => format!("{sign}{h:02}:{m:02}:{s:02}"),
    }
}
fn year_of(y: i64) -> (i64, &'static [u8]) {
    if y > 0 { (y, b"") } else { (1 - y, b" BC") }
}
fn year(y: i64, out: &mut Vec<u8>) {
    match y {
        0..10_000 => {
            two(y / 100, out);
            two(y % 100, out);
        }
        y => put(out, format_args!("{y}")),
    }
}

fn day_text(y: i64, m: i64, d: i64, s: &Settings, stamp: bool, out: &mut Vec<u8>) {
    let (a, b, sep) = match (s.date_style, s.date_order) {
        (DateStyle::Iso, _) => {
            year(y, out);
            out.push(b'-');
            two(m, out);
            out.push(b'-');
            return two(d, out);
        }
        (DateStyle::German, _) => (d, m, b'.'),
        (style, order) => {
            let sep = if style == DateStyle::Sql { b'/' } else { b'-' };
            if order == DateOrder::Ymd && style == DateStyle::Postgres && !stamp {
                year(y, out);
                out.push(b'-');
                two(m, out);
                out.push(b'-');
                return two(d, out);
            }
            if order == DateOrder::Dmy { (d, m, sep) } else { (m, d, sep) }
        }
    };
    two(a, out);
    out.push(sep);
    two(b, out);
    out.push(sep);
    year(y, out);
}

pub fn date(days: i64, s: &Settings, out: &mut Vec<u8>) {
    let (y, m, d) = civil(days);
    let (y, bc) = year_of(y);
    day_text(y, m, d, s, false, out);
    out.extend_from_slice(bc);
}

/// `zone`: offset and abbreviation, for a timestamptz.
pub fn timestamp(local: i64, zone: Option<(i32, &str)>, s: &Settings, out: &mut Vec<u8>) {
    let c = Civil::of(local);
    let (y, bc) = year_of(c.year);
    if s.date_style == DateStyle::Postgres {
        let name = &WEEKDAYS[weekday(c.days()) as usize][..3];
        let month = &MONTHS[c.month as usize - 1][..3];
        match s.date_order {
            DateOrder::Dmy => put(out, format_args!("{name} {:02} {month} ", c.day)),
            _ => put(out, format_args!("{name} {month} {:02} ", c.day)),
        }
        time(c.time, out);
        out.push(b' ');
        year(y, out);
        if let Some((_, abbreviation)) = zone {
            put(out, format_args!(" {abbreviation}"));
        }
    } else {
        day_text(y, c.month, c.day, s, true, out);
        out.push(b' ');
        time(c.time, out);
        match zone {
            Some((offset, _)) if s.date_style == DateStyle::Iso => {
                out.extend_from_slice(offset_text(offset).as_bytes())
            }
            Some((_, abbreviation)) => put(out, format_args!(" {abbreviation}")),
            None => {}
        }
    }
    out.extend_from_slice(bc);
}

pub fn timestamptz(ts: i64, zone: &Zone, s: &Settings, out: &mut Vec<u8>) {
    let offset = zone.offset_at(ts);
    let local = ts + i64::from(offset) * SECOND;
    if s.date_style == DateStyle::Iso {
        return timestamp(local, Some((offset, "")), s, out);
    }
    timestamp(local, Some((offset, &zone.abbreviation_at(ts))), s, out);
}
