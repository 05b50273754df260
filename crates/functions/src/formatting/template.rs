//! Date templates taken apart. (PostgreSQL: `parse_format`, `DCH_keywords`)

/// What a pattern stands for; those that differ in letter case only share one, see [`Pattern::name`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// `AM`, `PM`; with dots.
    Meridiem {
        dots: bool,
    },
    /// `AD`, `BC`; with dots.
    Era {
        dots: bool,
    },
    Century,
    Day,
    Dy,
    DayOfYear,
    DayOfMonth,
    DayOfWeek,
    /// `FF1` to `FF6`
    Fraction(u32),
    Fixed,
    Hour24,
    Hour12,
    IsoDayOfYear,
    IsoDay,
    IsoWeek,
    /// So many digits of the ISO year.
    IsoYear(u32),
    Julian,
    Minute,
    MonthNumber,
    Month,
    Mon,
    Millisecond,
    Offset,
    Quarter,
    Roman,
    SecondsOfDay,
    Second,
    ZoneHour,
    ZoneMinute,
    Zone,
    Microsecond,
    WeekOfYear,
    WeekOfMonth,
    CommaYear,
    /// So many digits of the year.
    Year(u32),
}

/// Which calendar a pattern belongs to; a template must not mix them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Convention {
    Gregorian,
    IsoWeek,
}

impl Field {
    pub fn convention(self) -> Option<Convention> {
        use Field::*;
        match self {
            DayOfYear | DayOfMonth | DayOfWeek | MonthNumber | Month | Mon | Roman | WeekOfYear | WeekOfMonth
            | CommaYear | Year(_) => Some(Convention::Gregorian),
            IsoDayOfYear | IsoDay | IsoWeek | IsoYear(_) => Some(Convention::IsoWeek),
            _ => None,
        }
    }
    /// Whether its text is digits.
    fn is_digits(self) -> bool {
        use Field::*;
        !matches!(
            self,
            Meridiem { .. } | Era { .. } | Day | Dy | Fixed | Month | Mon | Offset | Roman | ZoneHour | Zone
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordinal {
    Lower,
    Upper,
}

/// A pattern with its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pattern {
    pub field: Field,
    /// As it is spelled, which tells the letter case of the result.
    pub name: &'static str,
    /// `FM`
    pub fill: bool,
    /// `TM`
    pub translate: bool,
    pub ordinal: Option<Ordinal>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Node {
    Pattern(Pattern),
    Separator(char),
    Space(char),
    Text(char),
}

/// In the order of search: of two that begin alike, the longer comes first.
const PATTERNS: &[(&str, Field)] = {
    use Field::*;
    &[
        ("A.D.", Era { dots: true }),
        ("A.M.", Meridiem { dots: true }),
        ("AD", Era { dots: false }),
        ("AM", Meridiem { dots: false }),
        ("B.C.", Era { dots: true }),
        ("BC", Era { dots: false }),
        ("CC", Century),
        ("DAY", Day),
        ("DDD", DayOfYear),
        ("DD", DayOfMonth),
        ("DY", Dy),
        ("Day", Day),
        ("Dy", Dy),
        ("D", DayOfWeek),
        ("FF1", Fraction(1)),
        ("FF2", Fraction(2)),
        ("FF3", Fraction(3)),
        ("FF4", Fraction(4)),
        ("FF5", Fraction(5)),
        ("FF6", Fraction(6)),
        ("FX", Fixed),
        ("HH24", Hour24),
        ("HH12", Hour12),
        ("HH", Hour12),
        ("IDDD", IsoDayOfYear),
        ("ID", IsoDay),
        ("IW", IsoWeek),
        ("IYYY", IsoYear(4)),
        ("IYY", IsoYear(3)),
        ("IY", IsoYear(2)),
        ("I", IsoYear(1)),
        ("J", Julian),
        ("MI", Minute),
        ("MM", MonthNumber),
        ("MONTH", Month),
        ("MON", Mon),
        ("MS", Millisecond),
        ("Month", Month),
        ("Mon", Mon),
        ("OF", Offset),
        ("P.M.", Meridiem { dots: true }),
        ("PM", Meridiem { dots: false }),
        ("Q", Quarter),
        ("RM", Roman),
        ("SSSSS", SecondsOfDay),
        ("SSSS", SecondsOfDay),
        ("SS", Second),
        ("TZH", ZoneHour),
        ("TZM", ZoneMinute),
        ("TZ", Zone),
        ("US", Microsecond),
        ("WW", WeekOfYear),
        ("W", WeekOfMonth),
        ("Y,YYY", CommaYear),
        ("YYYY", Year(4)),
        ("YYY", Year(3)),
        ("YY", Year(2)),
        ("Y", Year(1)),
        ("a.d.", Era { dots: true }),
        ("a.m.", Meridiem { dots: true }),
        ("ad", Era { dots: false }),
        ("am", Meridiem { dots: false }),
        ("b.c.", Era { dots: true }),
        ("bc", Era { dots: false }),
        ("cc", Century),
        ("day", Day),
        ("ddd", DayOfYear),
        ("dd", DayOfMonth),
        ("dy", Dy),
        ("d", DayOfWeek),
        ("ff1", Fraction(1)),
        ("ff2", Fraction(2)),
        ("ff3", Fraction(3)),
        ("ff4", Fraction(4)),
        ("ff5", Fraction(5)),
        ("ff6", Fraction(6)),
        ("fx", Fixed),
        ("hh24", Hour24),
        ("hh12", Hour12),
        ("hh", Hour12),
        ("iddd", IsoDayOfYear),
        ("id", IsoDay),
        ("iw", IsoWeek),
        ("iyyy", IsoYear(4)),
        ("iyy", IsoYear(3)),
        ("iy", IsoYear(2)),
        ("i", IsoYear(1)),
        ("j", Julian),
        ("mi", Minute),
        ("mm", MonthNumber),
        ("month", Month),
        ("mon", Mon),
        ("ms", Millisecond),
        ("of", Offset),
        ("p.m.", Meridiem { dots: true }),
        ("pm", Meridiem { dots: false }),
        ("q", Quarter),
        ("rm", Roman),
        ("sssss", SecondsOfDay),
        ("ssss", SecondsOfDay),
        ("ss", Second),
        ("tzh", ZoneHour),
        ("tzm", ZoneMinute),
        ("tz", Zone),
        ("us", Microsecond),
        ("ww", WeekOfYear),
        ("w", WeekOfMonth),
        ("y,yyy", CommaYear),
        ("yyyy", Year(4)),
        ("yyy", Year(3)),
        ("yy", Year(2)),
        ("y", Year(1)),
    ]
};

pub fn is_separator(c: u8) -> bool {
    c.is_ascii_punctuation()
}

/// Text outside patterns: one character, or a quoted run. (Shared with numeric templates.)
pub fn literal(rest: &str, mut put: impl FnMut(char, bool)) -> usize {
    let mut chars = rest.char_indices().peekable();
    match chars.next() {
        Some((_, '"')) => {
            while let Some((i, c)) = chars.next() {
                match c {
                    '"' => return i + 1,
                    '\\' => put(chars.next().map_or('\\', |(_, c)| c), true),
                    c => put(c, true),
                }
            }
            rest.len()
        }
        Some((_, '\\')) if chars.peek().is_some_and(|(_, c)| *c == '"') => {
            put('"', false);
            2
        }
        Some((_, c)) => {
            put(c, false);
            c.len_utf8()
        }
        None => 0,
    }
}

pub fn parse(format: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        let (mut fill, mut translate) = (false, false);
        if let Some(r) = rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm")) {
            (fill, rest) = (true, r);
        } else if let Some(r) = rest.strip_prefix("TM").or_else(|| rest.strip_prefix("tm")) {
            (translate, rest) = (true, r);
        }
        if let Some((name, field)) = PATTERNS.iter().find(|(name, _)| rest.starts_with(name)) {
            rest = &rest[name.len()..];
            let mut ordinal = None;
            if let Some(r) = rest.strip_prefix("TH") {
                (ordinal, rest) = (Some(Ordinal::Upper), r);
            } else if let Some(r) = rest.strip_prefix("th") {
                (ordinal, rest) = (Some(Ordinal::Lower), r);
            } else if let Some(r) = rest.strip_prefix("SP") {
                rest = r;
            }
            nodes.push(Node::Pattern(Pattern { field: *field, name, fill, translate, ordinal }));
            continue;
        }
        let used = literal(rest, |c, quoted| {
            nodes.push(match c {
                c if quoted => Node::Text(c),
                c if u8::try_from(c).is_ok_and(is_separator) => Node::Separator(c),
                c if crate::int::is_space(c) => Node::Space(c),
                c => Node::Text(c),
            });
        });
        rest = &rest[used..];
    }
    nodes
}

/// Whether what follows the pattern at `i` ends its digits. (PostgreSQL: `is_next_separator`)
pub fn ends_digits(nodes: &[Node], i: usize) -> bool {
    if let Node::Pattern(Pattern { ordinal: Some(_), .. }) = nodes[i] {
        return true;
    }
    match nodes.get(i + 1) {
        Some(Node::Pattern(p)) => !p.field.is_digits(),
        Some(Node::Separator(c) | Node::Space(c) | Node::Text(c)) => !c.is_ascii_digit(),
        None => true,
    }
}
