//! Time zones: full names from the bundled database, fixed offsets, abbreviations.

use base::sqlstate::INVALID_PARAMETER_VALUE;
use base::{PgError, Result};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::{Civil, DAY, SECOND, UNIX_EPOCH_S, split};

/// Where civil time and instants meet; offsets are seconds east of Greenwich.
#[derive(Clone, Debug)]
pub enum Zone {
    Fixed(i32, Option<String>),
    Named(TimeZone),
}

/// Abbreviations with their offsets in minutes. (PostgreSQL: `timezonesets/Default`, the common ones)
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("zulu", 0),
    ("ut", 0),
    ("uct", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("cest", 120),
    ("met", 60),
    ("mest", 120),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("msd", 240),
    ("ist", 120),
    ("idt", 180),
    ("jst", 540),
    ("kst", 540),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("acst", 570),
    ("acdt", 630),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("ast", -240),
    ("adt", -180),
    ("nst", -210),
    ("ndt", -150),
    ("brt", -180),
    ("art", -180),
    ("sast", 120),
    ("pkt", 300),
];

/// An abbreviation's offset in seconds.
pub fn abbreviation(name: &str) -> Option<i32> {
    let low = name.to_ascii_lowercase();
    ABBREVIATIONS.iter().find(|(n, _)| *n == low).map(|(_, m)| m * 60)
}

/// What an abbreviation means.
pub enum Abbreviation {
    /// Seconds east.
    Fixed(i32),
    /// As the zone uses it at the time in question.
    Dynamic(Zone),
}

/// Abbreviations whose offset has changed. (PostgreSQL: `timezonesets/Default`, entries that name a zone)
const DYNAMIC: &[(&str, &str)] = &[("msk", "Europe/Moscow"), ("msd", "Europe/Moscow"), ("vet", "America/Caracas")];

/// A word as an abbreviation: of the session's zone, else of the common ones. (PostgreSQL: `DecodeTimezoneAbbrev`)
pub fn abbreviation_in(word: &str, session: &Zone) -> Option<Abbreviation> {
    if super::parse::month_named(word).is_some() || word.len() > 10 {
        return None;
    }
    let uses = session.uses_of(word);
    if let Some((_, first)) = uses.first() {
        if uses.iter().all(|(_, o)| o == first) {
            return Some(Abbreviation::Fixed(*first));
        }
        return Some(Abbreviation::Dynamic(session.clone()));
    }
    if let Some((_, name)) = DYNAMIC.iter().find(|(a, _)| *a == word) {
        return Zone::named(name).map(Abbreviation::Dynamic);
    }
    abbreviation(word).map(Abbreviation::Fixed)
}
/// The offset that an abbreviation had last at a civil time, or first after it.
pub fn dynamic_offset(zone: &Zone, word: &str, local: i64) -> i32 {
    let ts = zone.to_utc(local);
    let uses = zone.uses_of(word);
    let before = uses.iter().rev().find(|(from, _)| *from <= ts);
    before.or_else(|| uses.first()).map_or_else(|| zone.offset_of_local(local), |(_, o)| *o)
}

impl Zone {
    /// When the zone used an abbreviation, and for which offset.
    fn uses_of(&self, word: &str) -> Vec<(i64, i32)> {
        let Zone::Named(tz) = self else { return Vec::new() };
        let mut out = Vec::new();
        let first = tz.to_offset_info(Timestamp::MIN);
        if first.abbreviation().eq_ignore_ascii_case(word) {
            out.push((i64::MIN, first.offset().seconds()));
        }
        // After that year the rules repeat.
        let end = Timestamp::from_second(2_145_916_800).unwrap_or(Timestamp::MAX);
        for t in tz.following(Timestamp::MIN).take_while(|t| t.timestamp() < end) {
            if t.abbreviation().eq_ignore_ascii_case(word) {
                let at = (t.timestamp().as_second() - UNIX_EPOCH_S).saturating_mul(SECOND);
                out.push((at, t.offset().seconds()));
            }
        }
        out
    }
    /// Whether it never changes its offset.
    pub fn is_fixed(&self) -> bool {
        match self {
            Zone::Fixed(..) => true,
            Zone::Named(tz) => tz.following(Timestamp::MIN).next().is_none(),
        }
    }
    pub const UTC: Zone = Zone::Fixed(0, None);

    /// A zone by its full name, as `TimeZone` or `AT TIME ZONE` take it; also POSIX rules such as `<+03>-03`.
    pub fn named(name: &str) -> Option<Zone> {
        match &*name.to_ascii_lowercase() {
            "utc" | "etc/utc" | "z" | "zulu" => return Some(Zone::Fixed(0, Some("UTC".into()))),
            "gmt" | "etc/gmt" => return Some(Zone::Fixed(0, Some("GMT".into()))),
            _ => {}
        }
        if let Ok(tz) = TimeZone::get(name) {
            return Some(Zone::Named(tz));
        }
        if let Some(z) = bracketed(name) {
            return Some(z);
        }
        if let Some(z) = nameless(name) {
            return Some(z);
        }
        if !name.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        // A zone with summer time and no rules for it has those of the United States.
        let ruled = || TimeZone::posix(&format!("{name},M3.2.0,M11.1.0"));
        TimeZone::posix(name).or_else(|_| ruled()).ok().map(Zone::Named)
    }
    /// As `AT TIME ZONE` takes it: an abbreviation, a full name, or an offset with POSIX's sign.
    pub fn lookup(name: &str) -> Result<Zone> {
        let dynamic = DYNAMIC.iter().find(|(a, _)| a.eq_ignore_ascii_case(name));
        if dynamic.is_none()
            && let Some(offset) = abbreviation(name)
        {
            return Ok(Zone::Fixed(offset, Some(name.to_ascii_uppercase())));
        }
        if let Some(z) = Zone::named(dynamic.map_or(name, |(_, zone)| *zone)) {
            return Ok(z);
        }
        if let Some(offset) = super::parse::offset(name) {
            return Ok(Zone::Fixed(-offset, None));
        }
        Err(PgError::new(INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized")))
    }
    /// The session's zone.
    pub fn session(name: &str) -> Zone {
        Zone::named(name).unwrap_or(Zone::UTC)
    }
    /// The offset at an instant.
    pub fn offset_at(&self, ts: i64) -> i32 {
        match self {
            Zone::Fixed(o, _) => *o,
            Zone::Named(tz) => tz.to_offset(instant(ts)).seconds(),
        }
    }
    /// The zone's abbreviation at an instant.
    pub fn abbreviation_at(&self, ts: i64) -> String {
        match self {
            Zone::Fixed(_, Some(name)) => name.clone(),
            Zone::Fixed(o, None) => super::format::offset_text(*o),
            Zone::Named(tz) => tz.to_offset_info(instant(ts)).abbreviation().to_string(),
        }
    }
    pub fn is_dst_at(&self, ts: i64) -> bool {
        match self {
            Zone::Fixed(..) => false,
            Zone::Named(tz) => tz.to_offset_info(instant(ts)).dst().is_dst(),
        }
    }
    /// The offset of a civil time; in a gap as before it, in a fold as after it. (PostgreSQL: `DetermineTimeZoneOffset`)
    pub fn offset_of_local(&self, local: i64) -> i32 {
        match self {
            Zone::Fixed(o, _) => *o,
            Zone::Named(tz) => {
                let c = Civil::of(local);
                let (Ok(year), us) = (i16::try_from(c.year.clamp(-9998, 9998)), c.time) else { return 0 };
                let at = |v: i64| v as i8;
                let day = if c.month == 2 { c.day.min(super::month_days(year.into(), 2)) } else { c.day };
                let date = civil::date(year, at(c.month), at(day));
                let s = us.rem_euclid(DAY) / SECOND;
                let dt = date.at(at(s / 3600), at(s / 60 % 60), at(s % 60), 0);
                match tz.to_ambiguous_timestamp(dt).offset() {
                    jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
                    jiff::tz::AmbiguousOffset::Gap { before, .. } => before.seconds(),
                    jiff::tz::AmbiguousOffset::Fold { after, .. } => after.seconds(),
                }
            }
        }
    }
    /// Civil time to instant.
    pub fn to_utc(&self, local: i64) -> i64 {
        local - i64::from(self.offset_of_local(local)) * SECOND
    }
    /// Instant to civil time.
    pub fn to_local(&self, ts: i64) -> i64 {
        ts + i64::from(self.offset_at(ts)) * SECOND
    }
}

/// `+02:30`: POSIX's rules with an empty name.
fn nameless(name: &str) -> Option<Zone> {
    let (sign, rest) = match name.as_bytes().first()? {
        b'-' => (1, &name[1..]),
        b'+' => (-1, &name[1..]),
        _ => (-1, name),
    };
    let (h, m) = rest.split_once(':')?;
    let int = |s: &str| s.parse::<i32>().ok().filter(|_| s.len() <= 2 && s.bytes().all(|c| c.is_ascii_digit()));
    let (h, m) = (int(h)?, int(m)?);
    (h <= 24 && m < 60).then_some(Zone::Fixed(sign * (h * 3600 + m * 60), None))
}
/// `<name>offset` with POSIX's sign, as SET TIME ZONE makes of numbers.
fn bracketed(name: &str) -> Option<Zone> {
    let (label, rest) = name.strip_prefix('<')?.split_once('>')?;
    let (sign, rest) = match rest.as_bytes().first()? {
        b'-' => (1, &rest[1..]),
        b'+' => (-1, &rest[1..]),
        _ => (-1, rest),
    };
    let mut parts = rest.split(':').map(|p| p.parse::<i32>().ok());
    let (h, m, s) = (parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    Some(Zone::Fixed(sign * (h * 3600 + m * 60 + s), Some(label.to_owned())))
}

/// As the zone database counts, within its range of years.
fn instant(ts: i64) -> Timestamp {
    let (days, time) = split(ts);
    let (y, m, d) = super::civil(days);
    let days = if y.abs() < 9000 { days } else { super::days_from(y.signum() * (8000 + y.abs() % 400), m, d.min(28)) };
    let s = days * 86_400 + time / SECOND + UNIX_EPOCH_S;
    Timestamp::from_second(s).unwrap_or(Timestamp::UNIX_EPOCH)
}
