//! The default parser's rules: in each state the first rule whose test holds at the current character applies.
//!
//! What may turn out to be something longer (a host, a file, a hyphenated word) is tried with `Push`: the place is remembered
//! together with the rule, and `Pop` returns there to go on with the next rule. What is certain drops what was remembered.
//! The numbers are those of [`types::search::TOKEN_TYPES`].

/// What a rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test {
    Any,
    End,
    Is(char),
    /// Inside a script or style element.
    Ignored,
    Ascii,
    Alpha,
    Digit,
    Alnum,
    NotAlnum,
    /// A combining mark, which belongs to the word.
    Mark,
    Space,
    Hex,
    UrlChar,
    /// Somebody asked for a host; the question is answered once.
    HostWanted,
    /// A host begins here; it is taken in.
    Host,
    /// A URL's path begins here; it is taken in.
    UrlPath,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    Next,
    Push,
    Pop,
    /// Forgets the last remembered place.
    Clear,
    /// Returns to the remembered state, but not to its place.
    Merge,
    /// Looks at the same character again.
    Rerun,
    /// A token ends before this character.
    Found(u8),
    FoundClear(u8),
    FoundAll(u8),
}

/// What else a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    None,
    /// Script and style elements begin or end.
    Tags,
    /// The URL is read again, as host and path.
    Url,
    /// The word is read again, part by part.
    Back,
    /// What looked like a number is read again.
    Restart,
}

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub test: Test,
    pub act: Act,
    pub to: State,
    pub extra: Extra,
}

macro_rules! extra {
    () => {
        Extra::None
    };
    (tags) => {
        Extra::Tags
    };
    (url) => {
        Extra::Url
    };
    (back) => {
        Extra::Back
    };
    (restart) => {
        Extra::Restart
    };
}

macro_rules! states {
    ($($name:ident: [$($test:ident $(($c:literal))? => $act:ident $(($token:literal))? $to:ident $(, $extra:ident)?;)*])*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum State { Same, $($name),* }

        impl State {
            pub fn rules(self) -> &'static [Rule] {
                match self {
                    State::Same => &[],
                    $(State::$name => &[$(Rule {
                        test: Test::$test $(($c))?,
                        act: Act::$act $(($token))?,
                        to: State::$to,
                        extra: extra!($($extra)?),
                    }),*],)*
                }
            }
        }
    };
}

states! {
    Base: [
        End => Next Same;
        Is('<') => Push TagFirst;
        Ignored => Next Space;
        Ascii => Next AsciiWord;
        Alpha => Next Word;
        Digit => Next UnsignedInt;
        Is('-') => Push SignedIntFirst;
        Is('+') => Push SignedIntFirst;
        Is('&') => Push XMLEntityFirst;
        Is('~') => Push FileTwiddle;
        Is('/') => Push FileFirst;
        Is('.') => Push PathFirstFirst;
        Any => Next Space;
    ]
    NumWord: [
        End => Found(3) Base;
        Alnum => Next NumWord;
        Mark => Next NumWord;
        Is('@') => Push Email;
        Is('/') => Push FileFirst;
        Is('.') => Push FileNext;
        Is('-') => Push HyphenNumWordFirst;
        Any => Found(3) Base;
    ]
    AsciiWord: [
        End => Found(1) Base;
        Ascii => Next Same;
        Is('.') => Push HostFirstDomain;
        Is('.') => Push FileNext;
        Is('-') => Push HostFirstAN;
        Is('-') => Push HyphenAsciiWordFirst;
        Is('_') => Push HostFirstAN;
        Is('@') => Push Email;
        Is(':') => Push ProtocolFirst;
        Is('/') => Push FileFirst;
        Digit => Push Host;
        Digit => Next NumWord;
        Alpha => Next Word;
        Mark => Next Word;
        Any => Found(1) Base;
    ]
    Word: [
        End => Found(2) Base;
        Alpha => Next Same;
        Mark => Next Same;
        Digit => Next NumWord;
        Is('-') => Push HyphenWordFirst;
        Any => Found(2) Base;
    ]
    UnsignedInt: [
        End => Found(22) Base;
        Digit => Next Same;
        Is('.') => Push HostFirstDomain;
        Is('.') => Push PlainDecimalFirst;
        Is('e') => Push MantissaFirst;
        Is('E') => Push MantissaFirst;
        Is('-') => Push HostFirstAN;
        Is('_') => Push HostFirstAN;
        Is('@') => Push Email;
        Ascii => Push Host;
        Alpha => Next NumWord;
        Mark => Next NumWord;
        Is('/') => Push FileFirst;
        Any => Found(22) Base;
    ]
    SignedIntFirst: [
        End => Pop Same;
        Digit => Clear SignedInt;
        Any => Pop Same;
    ]
    SignedInt: [
        End => Found(21) Base;
        Digit => Next Same;
        Is('.') => Push DecimalFirst;
        Is('e') => Push MantissaFirst;
        Is('E') => Push MantissaFirst;
        Any => Found(21) Base;
    ]
    Space: [
        End => Found(12) Base;
        Is('<') => Found(12) Base;
        Ignored => Next Same;
        Is('-') => Found(12) Base;
        Is('+') => Found(12) Base;
        Is('&') => Found(12) Base;
        Is('/') => Found(12) Base;
        NotAlnum => Next Space;
        Any => Found(12) Base;
    ]
    PlainDecimalFirst: [
        End => Pop Same;
        Digit => Clear PlainDecimal;
        Any => Pop Same;
    ]
    PlainDecimal: [
        End => Found(20) Base;
        Digit => Next PlainDecimal;
        Is('.') => Push VersionFirst;
        Is('e') => Push MantissaFirst;
        Is('E') => Push MantissaFirst;
        Any => Found(20) Base;
    ]
    DecimalFirst: [
        End => Pop Same;
        Digit => Clear Decimal;
        Any => Pop Same;
    ]
    Decimal: [
        End => Found(20) Base;
        Digit => Next Decimal;
        Is('.') => Push VersionAhead;
        Is('e') => Push MantissaFirst;
        Is('E') => Push MantissaFirst;
        Any => Found(20) Base;
    ]
    VersionAhead: [
        End => Pop Same;
        Digit => Rerun VersionRestart, restart;
        Any => Pop Same;
    ]
    VersionRestart: [
        End => Pop Same;
        Digit => FoundAll(12) UnsignedInt;
        Any => Next Same;
    ]
    VersionFirst: [
        End => Pop Same;
        Digit => Clear Version;
        Any => Pop Same;
    ]
    Version: [
        End => Found(8) Base;
        Digit => Next Version;
        Is('.') => Push VersionFirst;
        Any => Found(8) Base;
    ]
    MantissaFirst: [
        End => Pop Same;
        Digit => Clear Mantissa;
        Is('+') => Next MantissaSign;
        Is('-') => Next MantissaSign;
        Any => Pop Same;
    ]
    MantissaSign: [
        End => Pop Same;
        Digit => Clear Mantissa;
        Any => Pop Same;
    ]
    Mantissa: [
        End => Found(7) Base;
        Digit => Next Mantissa;
        Any => Found(7) Base;
    ]
    XMLEntityFirst: [
        End => Pop Same;
        Is('#') => Next XMLEntityNumFirst;
        Ascii => Next XMLEntity;
        Is(':') => Next XMLEntity;
        Is('_') => Next XMLEntity;
        Any => Pop Same;
    ]
    XMLEntity: [
        End => Pop Same;
        Alnum => Next XMLEntity;
        Is(':') => Next XMLEntity;
        Is('_') => Next XMLEntity;
        Is('.') => Next XMLEntity;
        Is('-') => Next XMLEntity;
        Is(';') => Next XMLEntityEnd;
        Any => Pop Same;
    ]
    XMLEntityNumFirst: [
        End => Pop Same;
        Is('x') => Next XMLEntityHexNumFirst;
        Is('X') => Next XMLEntityHexNumFirst;
        Digit => Next XMLEntityNum;
        Any => Pop Same;
    ]
    XMLEntityHexNumFirst: [
        End => Pop Same;
        Hex => Next XMLEntityHexNum;
        Any => Pop Same;
    ]
    XMLEntityNum: [
        End => Pop Same;
        Digit => Next XMLEntityNum;
        Is(';') => Next XMLEntityEnd;
        Any => Pop Same;
    ]
    XMLEntityHexNum: [
        End => Pop Same;
        Hex => Next XMLEntityHexNum;
        Is(';') => Next XMLEntityEnd;
        Any => Pop Same;
    ]
    XMLEntityEnd: [
        Any => FoundClear(23) Base;
    ]
    TagFirst: [
        End => Pop Same;
        Is('/') => Push TagCloseFirst;
        Is('!') => Push CommentFirst;
        Is('?') => Push XMLBegin;
        Ascii => Push TagName;
        Is(':') => Push TagName;
        Is('_') => Push TagName;
        Any => Pop Same;
    ]
    XMLBegin: [
        End => Pop Same;
        Is('x') => Next Tag;
        Any => Pop Same;
    ]
    TagCloseFirst: [
        End => Pop Same;
        Ascii => Next TagName;
        Any => Pop Same;
    ]
    TagName: [
        End => Pop Same;
        Is('/') => Next TagBeginEnd;
        Is('>') => Next TagEnd, tags;
        Space => Next Tag, tags;
        Alnum => Next Same;
        Is(':') => Next Same;
        Is('_') => Next Same;
        Is('.') => Next Same;
        Is('-') => Next Same;
        Any => Pop Same;
    ]
    TagBeginEnd: [
        End => Pop Same;
        Is('>') => Next TagEnd;
        Any => Pop Same;
    ]
    Tag: [
        End => Pop Same;
        Is('>') => Next TagEnd, tags;
        Is('\'') => Next TagQuoted;
        Is('"') => Next TagDoubleQuoted;
        Ascii => Next Same;
        Digit => Next Same;
        Is('=') => Next Same;
        Is('-') => Next Same;
        Is('_') => Next Same;
        Is('#') => Next Same;
        Is('/') => Next Same;
        Is(':') => Next Same;
        Is('.') => Next Same;
        Is('&') => Next Same;
        Is('?') => Next Same;
        Is('%') => Next Same;
        Is('~') => Next Same;
        Space => Next Same, tags;
        Any => Pop Same;
    ]
    TagQuoted: [
        End => Pop Same;
        Is('\\') => Push TagBackslash;
        Is('\'') => Next Tag;
        Any => Next TagQuoted;
    ]
    TagDoubleQuoted: [
        End => Pop Same;
        Is('\\') => Push TagBackslash;
        Is('"') => Next Tag;
        Any => Next TagDoubleQuoted;
    ]
    TagBackslash: [
        End => Pop Same;
        Any => Merge Same;
    ]
    TagEnd: [
        Any => FoundAll(13) Base;
    ]
    CommentFirst: [
        End => Pop Same;
        Is('-') => Next CommentLast;
        Is('D') => Next Tag;
        Is('d') => Next Tag;
        Any => Pop Same;
    ]
    CommentLast: [
        End => Pop Same;
        Is('-') => Next Comment;
        Any => Pop Same;
    ]
    Comment: [
        End => Pop Same;
        Is('-') => Next CloseCommentFirst;
        Any => Next Same;
    ]
    CloseCommentFirst: [
        End => Pop Same;
        Is('-') => Next CloseCommentLast;
        Any => Next Comment;
    ]
    CloseCommentLast: [
        End => Pop Same;
        Is('-') => Next Same;
        Is('>') => Next CommentEnd;
        Any => Next Comment;
    ]
    CommentEnd: [
        Any => FoundAll(13) Base;
    ]
    HostFirstDomain: [
        End => Pop Same;
        Ascii => Next HostDomainSecond;
        Digit => Next Host;
        Any => Pop Same;
    ]
    HostDomainSecond: [
        End => Pop Same;
        Ascii => Next HostDomain;
        Digit => Push Host;
        Is('-') => Push HostFirstAN;
        Is('_') => Push HostFirstAN;
        Is('.') => Push HostFirstDomain;
        Is('@') => Push Email;
        Any => Pop Same;
    ]
    HostDomain: [
        End => FoundAll(6) Base;
        Ascii => Next HostDomain;
        Digit => Push Host;
        Is(':') => Push PortFirst;
        Is('-') => Push HostFirstAN;
        Is('_') => Push HostFirstAN;
        Is('.') => Push HostFirstDomain;
        Is('@') => Push Email;
        Digit => Pop Same;
        HostWanted => FoundAll(6) URLPathStart;
        Is('/') => Push UrlTail;
        Any => FoundAll(6) Base;
    ]
    PortFirst: [
        End => Pop Same;
        Digit => Next Port;
        Any => Pop Same;
    ]
    Port: [
        End => FoundAll(6) Base;
        Digit => Next Port;
        HostWanted => FoundAll(6) URLPathStart;
        Is('/') => Push UrlTail;
        Any => FoundAll(6) Base;
    ]
    HostFirstAN: [
        End => Pop Same;
        Digit => Next Host;
        Ascii => Next Host;
        Any => Pop Same;
    ]
    Host: [
        End => Pop Same;
        Digit => Next Host;
        Ascii => Next Host;
        Is('@') => Push Email;
        Is('.') => Push HostFirstDomain;
        Is('-') => Push HostFirstAN;
        Is('_') => Push HostFirstAN;
        Any => Pop Same;
    ]
    Email: [
        HostWanted => Pop Same;
        Host => FoundAll(4) Base;
        Any => Pop Same;
    ]
    FileFirst: [
        End => Pop Same;
        Ascii => Next File;
        Digit => Next File;
        Is('.') => Next PathFirst;
        Is('_') => Next File;
        Is('~') => Push FileTwiddle;
        Any => Pop Same;
    ]
    FileTwiddle: [
        End => Pop Same;
        Ascii => Next File;
        Digit => Next File;
        Is('_') => Next File;
        Is('/') => Next FileFirst;
        Any => Pop Same;
    ]
    PathFirst: [
        End => Pop Same;
        Ascii => Next File;
        Digit => Next File;
        Is('_') => Next File;
        Is('.') => Next PathSecond;
        Is('/') => Next FileFirst;
        Any => Pop Same;
    ]
    PathFirstFirst: [
        End => Pop Same;
        Is('.') => Next PathSecond;
        Is('/') => Next FileFirst;
        Any => Pop Same;
    ]
    PathSecond: [
        End => FoundClear(19) Base;
        Is('/') => Push FileFirst;
        Is('/') => FoundClear(19) Base;
        Space => FoundClear(19) Base;
        Any => Pop Same;
    ]
    File: [
        End => Found(19) Base;
        Ascii => Next File;
        Digit => Next File;
        Is('.') => Push FileNext;
        Is('_') => Next File;
        Is('-') => Next File;
        Is('/') => Push FileFirst;
        Any => Found(19) Base;
    ]
    FileNext: [
        End => Pop Same;
        Ascii => Clear File;
        Digit => Clear File;
        Is('_') => Clear File;
        Any => Pop Same;
    ]
    URLPathFirst: [
        End => Pop Same;
        UrlChar => Next URLPath;
        Any => Pop Same;
    ]
    URLPathStart: [
        Any => Next URLPath;
    ]
    URLPath: [
        End => Found(18) Base;
        UrlChar => Next URLPath;
        Any => Found(18) Base;
    ]
    UrlTail: [
        End => Pop Same;
        UrlPath => FoundAll(5) Base, url;
        Any => Pop Same;
    ]
    ProtocolFirst: [
        End => Pop Same;
        Is('/') => Next ProtocolSecond;
        Any => Pop Same;
    ]
    ProtocolSecond: [
        End => Pop Same;
        Is('/') => Next ProtocolEnd;
        Any => Pop Same;
    ]
    ProtocolEnd: [
        Any => FoundAll(14) Base;
    ]
    HyphenAsciiWordFirst: [
        End => Pop Same;
        Ascii => Next HyphenAsciiWord;
        Alpha => Next HyphenWord;
        Digit => Next HyphenDigitLookahead;
        Any => Pop Same;
    ]
    HyphenAsciiWord: [
        End => FoundAll(16) ParseHyphen, back;
        Ascii => Next HyphenAsciiWord;
        Alpha => Next HyphenWord;
        Mark => Next HyphenWord;
        Digit => Next HyphenNumWord;
        Is('-') => Push HyphenAsciiWordFirst;
        Any => FoundAll(16) ParseHyphen, back;
    ]
    HyphenWordFirst: [
        End => Pop Same;
        Alpha => Next HyphenWord;
        Digit => Next HyphenDigitLookahead;
        Any => Pop Same;
    ]
    HyphenWord: [
        End => FoundAll(17) ParseHyphen, back;
        Alpha => Next HyphenWord;
        Mark => Next HyphenWord;
        Digit => Next HyphenNumWord;
        Is('-') => Push HyphenWordFirst;
        Any => FoundAll(17) ParseHyphen, back;
    ]
    HyphenNumWordFirst: [
        End => Pop Same;
        Alpha => Next HyphenNumWord;
        Digit => Next HyphenDigitLookahead;
        Any => Pop Same;
    ]
    HyphenNumWord: [
        End => FoundAll(15) ParseHyphen, back;
        Alnum => Next HyphenNumWord;
        Mark => Next HyphenNumWord;
        Is('-') => Push HyphenNumWordFirst;
        Any => FoundAll(15) ParseHyphen, back;
    ]
    HyphenDigitLookahead: [
        End => Pop Same;
        Digit => Next HyphenDigitLookahead;
        Alpha => Next HyphenNumWord;
        Mark => Next HyphenNumWord;
        Any => Pop Same;
    ]
    ParseHyphen: [
        End => Rerun Base;
        Ascii => Next HyphenAsciiWordPart;
        Alpha => Next HyphenWordPart;
        Digit => Push HyphenUnsignedInt;
        Is('-') => Push ParseHyphenHyphen;
        Any => Rerun Base;
    ]
    ParseHyphenHyphen: [
        End => Pop Same;
        Alnum => FoundClear(12) ParseHyphen;
        Mark => FoundClear(12) ParseHyphen;
        Any => Pop Same;
    ]
    HyphenWordPart: [
        End => Found(10) Base;
        Alpha => Next HyphenWordPart;
        Mark => Next HyphenWordPart;
        Digit => Next HyphenNumWordPart;
        Any => Found(10) ParseHyphen;
    ]
    HyphenAsciiWordPart: [
        End => Found(11) Base;
        Ascii => Next HyphenAsciiWordPart;
        Alpha => Next HyphenWordPart;
        Mark => Next HyphenWordPart;
        Digit => Next HyphenNumWordPart;
        Any => Found(11) ParseHyphen;
    ]
    HyphenNumWordPart: [
        End => Found(9) Base;
        Alnum => Next HyphenNumWordPart;
        Mark => Next HyphenNumWordPart;
        Any => Found(9) ParseHyphen;
    ]
    HyphenUnsignedInt: [
        End => Pop Same;
        Digit => Next Same;
        Alpha => Clear HyphenNumWordPart;
        Mark => Clear HyphenNumWordPart;
        Any => Pop Same;
    ]
}
