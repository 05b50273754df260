//! The words of the grammar: each with its category, and whether it may be a column label without AS.
//!
//! Looked up through a small hash table that the compiler builds. PostgreSQL: `kwlist.h`, `pg_get_keywords()`.

/// Where a keyword may stand as a plain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Anywhere.
    Unreserved,
    /// As a column or table name, not as a function or type.
    ColName,
    /// As a function or type name, not as a column or table.
    TypeFuncName,
    /// Nowhere (but after AS).
    Reserved,
}

impl Category {
    /// `catcode` of `pg_get_keywords()`.
    pub fn code(self) -> char {
        match self {
            Category::Unreserved => 'U',
            Category::ColName => 'C',
            Category::TypeFuncName => 'T',
            Category::Reserved => 'R',
        }
    }
}

/// One line of `pg_get_keywords()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    pub word: &'static str,
    pub category: Category,
    /// May be a column label without AS.
    pub bare_label: bool,
}

macro_rules! keywords {
    ($($variant:ident $word:literal $category:ident $label:ident;)*) => {
        /// A keyword.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Kw { $($variant),* }

        /// All keywords, in alphabetical order and in the order of [`Kw`].
        pub static KEYWORDS: &[Keyword] = &KEYWORD_ARRAY;
        const ALL: &[Kw] = &[$(Kw::$variant),*];
        const KEYWORD_ARRAY: [Keyword; ALL.len()] = [$(
            Keyword { word: $word, category: Category::$category, bare_label: is_bare(stringify!($label)) }
        ),*];
    };
}

const fn is_bare(label: &str) -> bool {
    label.as_bytes()[0] == b'B'
}

impl Kw {
    pub fn info(self) -> &'static Keyword {
        &KEYWORDS[self as usize]
    }
    pub fn word(self) -> &'static str {
        self.info().word
    }
    pub fn category(self) -> Category {
        self.info().category
    }
}

const TABLE_BITS: u32 = 11;
const LONGEST: usize = 17;

const fn hash(word: &[u8]) -> usize {
    let mut h: u32 = word.len() as u32;
    let mut i = 0;
    while i < word.len() {
        h = (h ^ (word[i] | 0x20) as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    (h.wrapping_mul(0x9E37_79B1) >> (32 - TABLE_BITS)) as usize
}

/// Open addressing; an entry is the keyword's number plus one.
static TABLE: [u16; 1 << TABLE_BITS] = {
    let mut table = [0u16; 1 << TABLE_BITS];
    let mut i = 0;
    while i < KEYWORD_ARRAY.len() {
        let mut slot = hash(KEYWORD_ARRAY[i].word.as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) & ((1 << TABLE_BITS) - 1);
        }
        table[slot] = i as u16 + 1;
        i += 1;
    }
    table
};

/// The keyword that `word` is, in any case. (PostgreSQL: `ScanKeywordLookup`)
pub fn lookup(word: &str) -> Option<Kw> {
    if word.len() > LONGEST {
        return None;
    }
    let mut slot = hash(word.as_bytes());
    loop {
        match TABLE[slot] {
            0 => return None,
            n if KEYWORDS[n as usize - 1].word.eq_ignore_ascii_case(word) => return Some(ALL[n as usize - 1]),
            _ => slot = (slot + 1) & ((1 << TABLE_BITS) - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found() {
        for (i, k) in KEYWORDS.iter().enumerate() {
            assert_eq!(lookup(k.word).map(|kw| kw as usize), Some(i));
            assert_eq!(lookup(&k.word.to_uppercase()).map(Kw::word), Some(k.word));
        }
        assert!(KEYWORDS.is_sorted_by_key(|k| k.word));
        assert_eq!(lookup("pgbench_accounts"), None);
        assert_eq!(Kw::Select.category(), Category::Reserved);
        assert_eq!(KEYWORDS.len(), 494);
    }
}

#[rustfmt::skip]
keywords! {
    Abort "abort" Unreserved Bare;
    Absent "absent" Unreserved Bare;
    Absolute "absolute" Unreserved Bare;
    Access "access" Unreserved Bare;
    Action "action" Unreserved Bare;
    Add "add" Unreserved Bare;
    Admin "admin" Unreserved Bare;
    After "after" Unreserved Bare;
    Aggregate "aggregate" Unreserved Bare;
    All "all" Reserved Bare;
    Also "also" Unreserved Bare;
    Alter "alter" Unreserved Bare;
    Always "always" Unreserved Bare;
    Analyse "analyse" Reserved Bare;
    Analyze "analyze" Reserved Bare;
    And "and" Reserved Bare;
    Any "any" Reserved Bare;
    Array "array" Reserved AsLabel;
    As "as" Reserved AsLabel;
    Asc "asc" Reserved Bare;
    Asensitive "asensitive" Unreserved Bare;
    Assertion "assertion" Unreserved Bare;
    Assignment "assignment" Unreserved Bare;
    Asymmetric "asymmetric" Reserved Bare;
    At "at" Unreserved Bare;
    Atomic "atomic" Unreserved Bare;
    Attach "attach" Unreserved Bare;
    Attribute "attribute" Unreserved Bare;
    Authorization "authorization" TypeFuncName Bare;
    Backward "backward" Unreserved Bare;
    Before "before" Unreserved Bare;
    Begin "begin" Unreserved Bare;
    Between "between" ColName Bare;
    Bigint "bigint" ColName Bare;
    Binary "binary" TypeFuncName Bare;
    Bit "bit" ColName Bare;
    Boolean "boolean" ColName Bare;
    Both "both" Reserved Bare;
    Breadth "breadth" Unreserved Bare;
    By "by" Unreserved Bare;
    Cache "cache" Unreserved Bare;
    Call "call" Unreserved Bare;
    Called "called" Unreserved Bare;
    Cascade "cascade" Unreserved Bare;
    Cascaded "cascaded" Unreserved Bare;
    Case "case" Reserved Bare;
    Cast "cast" Reserved Bare;
    Catalog "catalog" Unreserved Bare;
    Chain "chain" Unreserved Bare;
    Char "char" ColName AsLabel;
    Character "character" ColName AsLabel;
    Characteristics "characteristics" Unreserved Bare;
    Check "check" Reserved Bare;
    Checkpoint "checkpoint" Unreserved Bare;
    Class "class" Unreserved Bare;
    Close "close" Unreserved Bare;
    Cluster "cluster" Unreserved Bare;
    Coalesce "coalesce" ColName Bare;
    Collate "collate" Reserved Bare;
    Collation "collation" TypeFuncName Bare;
    Column "column" Reserved Bare;
    Columns "columns" Unreserved Bare;
    Comment "comment" Unreserved Bare;
    Comments "comments" Unreserved Bare;
    Commit "commit" Unreserved Bare;
    Committed "committed" Unreserved Bare;
    Compression "compression" Unreserved Bare;
    Concurrently "concurrently" TypeFuncName Bare;
    Conditional "conditional" Unreserved Bare;
    Configuration "configuration" Unreserved Bare;
    Conflict "conflict" Unreserved Bare;
    Connection "connection" Unreserved Bare;
    Constraint "constraint" Reserved Bare;
    Constraints "constraints" Unreserved Bare;
    Content "content" Unreserved Bare;
    Continue "continue" Unreserved Bare;
    Conversion "conversion" Unreserved Bare;
    Copy "copy" Unreserved Bare;
    Cost "cost" Unreserved Bare;
    Create "create" Reserved AsLabel;
    Cross "cross" TypeFuncName Bare;
    Csv "csv" Unreserved Bare;
    Cube "cube" Unreserved Bare;
    Current "current" Unreserved Bare;
    CurrentCatalog "current_catalog" Reserved Bare;
    CurrentDate "current_date" Reserved Bare;
    CurrentRole "current_role" Reserved Bare;
    CurrentSchema "current_schema" TypeFuncName Bare;
    CurrentTime "current_time" Reserved Bare;
    CurrentTimestamp "current_timestamp" Reserved Bare;
    CurrentUser "current_user" Reserved Bare;
    Cursor "cursor" Unreserved Bare;
    Cycle "cycle" Unreserved Bare;
    Data "data" Unreserved Bare;
    Database "database" Unreserved Bare;
    Day "day" Unreserved AsLabel;
    Deallocate "deallocate" Unreserved Bare;
    Dec "dec" ColName Bare;
    Decimal "decimal" ColName Bare;
    Declare "declare" Unreserved Bare;
    Default "default" Reserved Bare;
    Defaults "defaults" Unreserved Bare;
    Deferrable "deferrable" Reserved Bare;
    Deferred "deferred" Unreserved Bare;
    Definer "definer" Unreserved Bare;
    Delete "delete" Unreserved Bare;
    Delimiter "delimiter" Unreserved Bare;
    Delimiters "delimiters" Unreserved Bare;
    Depends "depends" Unreserved Bare;
    Depth "depth" Unreserved Bare;
    Desc "desc" Reserved Bare;
    Detach "detach" Unreserved Bare;
    Dictionary "dictionary" Unreserved Bare;
    Disable "disable" Unreserved Bare;
    Discard "discard" Unreserved Bare;
    Distinct "distinct" Reserved Bare;
    Do "do" Reserved Bare;
    Document "document" Unreserved Bare;
    Domain "domain" Unreserved Bare;
    Double "double" Unreserved Bare;
    Drop "drop" Unreserved Bare;
    Each "each" Unreserved Bare;
    Else "else" Reserved Bare;
    Empty "empty" Unreserved Bare;
    Enable "enable" Unreserved Bare;
    Encoding "encoding" Unreserved Bare;
    Encrypted "encrypted" Unreserved Bare;
    End "end" Reserved Bare;
    Enforced "enforced" Unreserved Bare;
    Enum "enum" Unreserved Bare;
    Error "error" Unreserved Bare;
    Escape "escape" Unreserved Bare;
    Event "event" Unreserved Bare;
    Except "except" Reserved AsLabel;
    Exclude "exclude" Unreserved Bare;
    Excluding "excluding" Unreserved Bare;
    Exclusive "exclusive" Unreserved Bare;
    Execute "execute" Unreserved Bare;
    Exists "exists" ColName Bare;
    Explain "explain" Unreserved Bare;
    Expression "expression" Unreserved Bare;
    Extension "extension" Unreserved Bare;
    External "external" Unreserved Bare;
    Extract "extract" ColName Bare;
    False "false" Reserved Bare;
    Family "family" Unreserved Bare;
    Fetch "fetch" Reserved AsLabel;
    Filter "filter" Unreserved AsLabel;
    Finalize "finalize" Unreserved Bare;
    First "first" Unreserved Bare;
    Float "float" ColName Bare;
    Following "following" Unreserved Bare;
    For "for" Reserved AsLabel;
    Force "force" Unreserved Bare;
    Foreign "foreign" Reserved Bare;
    Format "format" Unreserved Bare;
    Forward "forward" Unreserved Bare;
    Freeze "freeze" TypeFuncName Bare;
    From "from" Reserved AsLabel;
    Full "full" TypeFuncName Bare;
    Function "function" Unreserved Bare;
    Functions "functions" Unreserved Bare;
    Generated "generated" Unreserved Bare;
    Global "global" Unreserved Bare;
    Grant "grant" Reserved AsLabel;
    Granted "granted" Unreserved Bare;
    Greatest "greatest" ColName Bare;
    Group "group" Reserved AsLabel;
    Grouping "grouping" ColName Bare;
    Groups "groups" Unreserved Bare;
    Handler "handler" Unreserved Bare;
    Having "having" Reserved AsLabel;
    Header "header" Unreserved Bare;
    Hold "hold" Unreserved Bare;
    Hour "hour" Unreserved AsLabel;
    Identity "identity" Unreserved Bare;
    If "if" Unreserved Bare;
    Ilike "ilike" TypeFuncName Bare;
    Immediate "immediate" Unreserved Bare;
    Immutable "immutable" Unreserved Bare;
    Implicit "implicit" Unreserved Bare;
    Import "import" Unreserved Bare;
    In "in" Reserved Bare;
    Include "include" Unreserved Bare;
    Including "including" Unreserved Bare;
    Increment "increment" Unreserved Bare;
    Indent "indent" Unreserved Bare;
    Index "index" Unreserved Bare;
    Indexes "indexes" Unreserved Bare;
    Inherit "inherit" Unreserved Bare;
    Inherits "inherits" Unreserved Bare;
    Initially "initially" Reserved Bare;
    Inline "inline" Unreserved Bare;
    Inner "inner" TypeFuncName Bare;
    Inout "inout" ColName Bare;
    Input "input" Unreserved Bare;
    Insensitive "insensitive" Unreserved Bare;
    Insert "insert" Unreserved Bare;
    Instead "instead" Unreserved Bare;
    Int "int" ColName Bare;
    Integer "integer" ColName Bare;
    Intersect "intersect" Reserved AsLabel;
    Interval "interval" ColName Bare;
    Into "into" Reserved AsLabel;
    Invoker "invoker" Unreserved Bare;
    Is "is" TypeFuncName Bare;
    Isnull "isnull" TypeFuncName AsLabel;
    Isolation "isolation" Unreserved Bare;
    Join "join" TypeFuncName Bare;
    Json "json" ColName Bare;
    JsonArray "json_array" ColName Bare;
    JsonArrayagg "json_arrayagg" ColName Bare;
    JsonExists "json_exists" ColName Bare;
    JsonObject "json_object" ColName Bare;
    JsonObjectagg "json_objectagg" ColName Bare;
    JsonQuery "json_query" ColName Bare;
    JsonScalar "json_scalar" ColName Bare;
    JsonSerialize "json_serialize" ColName Bare;
    JsonTable "json_table" ColName Bare;
    JsonValue "json_value" ColName Bare;
    Keep "keep" Unreserved Bare;
    Key "key" Unreserved Bare;
    Keys "keys" Unreserved Bare;
    Label "label" Unreserved Bare;
    Language "language" Unreserved Bare;
    Large "large" Unreserved Bare;
    Last "last" Unreserved Bare;
    Lateral "lateral" Reserved Bare;
    Leading "leading" Reserved Bare;
    Leakproof "leakproof" Unreserved Bare;
    Least "least" ColName Bare;
    Left "left" TypeFuncName Bare;
    Level "level" Unreserved Bare;
    Like "like" TypeFuncName Bare;
    Limit "limit" Reserved AsLabel;
    Listen "listen" Unreserved Bare;
    Load "load" Unreserved Bare;
    Local "local" Unreserved Bare;
    Localtime "localtime" Reserved Bare;
    Localtimestamp "localtimestamp" Reserved Bare;
    Location "location" Unreserved Bare;
    Lock "lock" Unreserved Bare;
    Locked "locked" Unreserved Bare;
    Logged "logged" Unreserved Bare;
    Mapping "mapping" Unreserved Bare;
    Match "match" Unreserved Bare;
    Matched "matched" Unreserved Bare;
    Materialized "materialized" Unreserved Bare;
    Maxvalue "maxvalue" Unreserved Bare;
    Merge "merge" Unreserved Bare;
    MergeAction "merge_action" ColName Bare;
    Method "method" Unreserved Bare;
    Minute "minute" Unreserved AsLabel;
    Minvalue "minvalue" Unreserved Bare;
    Mode "mode" Unreserved Bare;
    Month "month" Unreserved AsLabel;
    Move "move" Unreserved Bare;
    Name "name" Unreserved Bare;
    Names "names" Unreserved Bare;
    National "national" ColName Bare;
    Natural "natural" TypeFuncName Bare;
    Nchar "nchar" ColName Bare;
    Nested "nested" Unreserved Bare;
    New "new" Unreserved Bare;
    Next "next" Unreserved Bare;
    Nfc "nfc" Unreserved Bare;
    Nfd "nfd" Unreserved Bare;
    Nfkc "nfkc" Unreserved Bare;
    Nfkd "nfkd" Unreserved Bare;
    No "no" Unreserved Bare;
    None "none" ColName Bare;
    Normalize "normalize" ColName Bare;
    Normalized "normalized" Unreserved Bare;
    Not "not" Reserved Bare;
    Nothing "nothing" Unreserved Bare;
    Notify "notify" Unreserved Bare;
    Notnull "notnull" TypeFuncName AsLabel;
    Nowait "nowait" Unreserved Bare;
    Null "null" Reserved Bare;
    Nullif "nullif" ColName Bare;
    Nulls "nulls" Unreserved Bare;
    Numeric "numeric" ColName Bare;
    Object "object" Unreserved Bare;
    Objects "objects" Unreserved Bare;
    Of "of" Unreserved Bare;
    Off "off" Unreserved Bare;
    Offset "offset" Reserved AsLabel;
    Oids "oids" Unreserved Bare;
    Old "old" Unreserved Bare;
    Omit "omit" Unreserved Bare;
    On "on" Reserved AsLabel;
    Only "only" Reserved Bare;
    Operator "operator" Unreserved Bare;
    Option "option" Unreserved Bare;
    Options "options" Unreserved Bare;
    Or "or" Reserved Bare;
    Order "order" Reserved AsLabel;
    Ordinality "ordinality" Unreserved Bare;
    Others "others" Unreserved Bare;
    Out "out" ColName Bare;
    Outer "outer" TypeFuncName Bare;
    Over "over" Unreserved AsLabel;
    Overlaps "overlaps" TypeFuncName AsLabel;
    Overlay "overlay" ColName Bare;
    Overriding "overriding" Unreserved Bare;
    Owned "owned" Unreserved Bare;
    Owner "owner" Unreserved Bare;
    Parallel "parallel" Unreserved Bare;
    Parameter "parameter" Unreserved Bare;
    Parser "parser" Unreserved Bare;
    Partial "partial" Unreserved Bare;
    Partition "partition" Unreserved Bare;
    Passing "passing" Unreserved Bare;
    Password "password" Unreserved Bare;
    Path "path" Unreserved Bare;
    Period "period" Unreserved Bare;
    Placing "placing" Reserved Bare;
    Plan "plan" Unreserved Bare;
    Plans "plans" Unreserved Bare;
    Policy "policy" Unreserved Bare;
    Position "position" ColName Bare;
    Preceding "preceding" Unreserved Bare;
    Precision "precision" ColName AsLabel;
    Prepare "prepare" Unreserved Bare;
    Prepared "prepared" Unreserved Bare;
    Preserve "preserve" Unreserved Bare;
    Primary "primary" Reserved Bare;
    Prior "prior" Unreserved Bare;
    Privileges "privileges" Unreserved Bare;
    Procedural "procedural" Unreserved Bare;
    Procedure "procedure" Unreserved Bare;
    Procedures "procedures" Unreserved Bare;
    Program "program" Unreserved Bare;
    Publication "publication" Unreserved Bare;
    Quote "quote" Unreserved Bare;
    Quotes "quotes" Unreserved Bare;
    Range "range" Unreserved Bare;
    Read "read" Unreserved Bare;
    Real "real" ColName Bare;
    Reassign "reassign" Unreserved Bare;
    Recursive "recursive" Unreserved Bare;
    Ref "ref" Unreserved Bare;
    References "references" Reserved Bare;
    Referencing "referencing" Unreserved Bare;
    Refresh "refresh" Unreserved Bare;
    Reindex "reindex" Unreserved Bare;
    Relative "relative" Unreserved Bare;
    Release "release" Unreserved Bare;
    Rename "rename" Unreserved Bare;
    Repeatable "repeatable" Unreserved Bare;
    Replace "replace" Unreserved Bare;
    Replica "replica" Unreserved Bare;
    Reset "reset" Unreserved Bare;
    Restart "restart" Unreserved Bare;
    Restrict "restrict" Unreserved Bare;
    Return "return" Unreserved Bare;
    Returning "returning" Reserved AsLabel;
    Returns "returns" Unreserved Bare;
    Revoke "revoke" Unreserved Bare;
    Right "right" TypeFuncName Bare;
    Role "role" Unreserved Bare;
    Rollback "rollback" Unreserved Bare;
    Rollup "rollup" Unreserved Bare;
    Routine "routine" Unreserved Bare;
    Routines "routines" Unreserved Bare;
    Row "row" ColName Bare;
    Rows "rows" Unreserved Bare;
    Rule "rule" Unreserved Bare;
    Savepoint "savepoint" Unreserved Bare;
    Scalar "scalar" Unreserved Bare;
    Schema "schema" Unreserved Bare;
    Schemas "schemas" Unreserved Bare;
    Scroll "scroll" Unreserved Bare;
    Search "search" Unreserved Bare;
    Second "second" Unreserved AsLabel;
    Security "security" Unreserved Bare;
    Select "select" Reserved Bare;
    Sequence "sequence" Unreserved Bare;
    Sequences "sequences" Unreserved Bare;
    Serializable "serializable" Unreserved Bare;
    Server "server" Unreserved Bare;
    Session "session" Unreserved Bare;
    SessionUser "session_user" Reserved Bare;
    Set "set" Unreserved Bare;
    Setof "setof" ColName Bare;
    Sets "sets" Unreserved Bare;
    Share "share" Unreserved Bare;
    Show "show" Unreserved Bare;
    Similar "similar" TypeFuncName Bare;
    Simple "simple" Unreserved Bare;
    Skip "skip" Unreserved Bare;
    Smallint "smallint" ColName Bare;
    Snapshot "snapshot" Unreserved Bare;
    Some "some" Reserved Bare;
    Source "source" Unreserved Bare;
    Sql "sql" Unreserved Bare;
    Stable "stable" Unreserved Bare;
    Standalone "standalone" Unreserved Bare;
    Start "start" Unreserved Bare;
    Statement "statement" Unreserved Bare;
    Statistics "statistics" Unreserved Bare;
    Stdin "stdin" Unreserved Bare;
    Stdout "stdout" Unreserved Bare;
    Storage "storage" Unreserved Bare;
    Stored "stored" Unreserved Bare;
    Strict "strict" Unreserved Bare;
    String "string" Unreserved Bare;
    Strip "strip" Unreserved Bare;
    Subscription "subscription" Unreserved Bare;
    Substring "substring" ColName Bare;
    Support "support" Unreserved Bare;
    Symmetric "symmetric" Reserved Bare;
    Sysid "sysid" Unreserved Bare;
    System "system" Unreserved Bare;
    SystemUser "system_user" Reserved Bare;
    Table "table" Reserved Bare;
    Tables "tables" Unreserved Bare;
    Tablesample "tablesample" TypeFuncName Bare;
    Tablespace "tablespace" Unreserved Bare;
    Target "target" Unreserved Bare;
    Temp "temp" Unreserved Bare;
    Template "template" Unreserved Bare;
    Temporary "temporary" Unreserved Bare;
    Text "text" Unreserved Bare;
    Then "then" Reserved Bare;
    Ties "ties" Unreserved Bare;
    Time "time" ColName Bare;
    Timestamp "timestamp" ColName Bare;
    To "to" Reserved AsLabel;
    Trailing "trailing" Reserved Bare;
    Transaction "transaction" Unreserved Bare;
    Transform "transform" Unreserved Bare;
    Treat "treat" ColName Bare;
    Trigger "trigger" Unreserved Bare;
    Trim "trim" ColName Bare;
    True "true" Reserved Bare;
    Truncate "truncate" Unreserved Bare;
    Trusted "trusted" Unreserved Bare;
    Type "type" Unreserved Bare;
    Types "types" Unreserved Bare;
    Uescape "uescape" Unreserved Bare;
    Unbounded "unbounded" Unreserved Bare;
    Uncommitted "uncommitted" Unreserved Bare;
    Unconditional "unconditional" Unreserved Bare;
    Unencrypted "unencrypted" Unreserved Bare;
    Union "union" Reserved AsLabel;
    Unique "unique" Reserved Bare;
    Unknown "unknown" Unreserved Bare;
    Unlisten "unlisten" Unreserved Bare;
    Unlogged "unlogged" Unreserved Bare;
    Until "until" Unreserved Bare;
    Update "update" Unreserved Bare;
    User "user" Reserved Bare;
    Using "using" Reserved Bare;
    Vacuum "vacuum" Unreserved Bare;
    Valid "valid" Unreserved Bare;
    Validate "validate" Unreserved Bare;
    Validator "validator" Unreserved Bare;
    Value "value" Unreserved Bare;
    Values "values" ColName Bare;
    Varchar "varchar" ColName Bare;
    Variadic "variadic" Reserved Bare;
    Varying "varying" Unreserved AsLabel;
    Verbose "verbose" TypeFuncName Bare;
    Version "version" Unreserved Bare;
    View "view" Unreserved Bare;
    Views "views" Unreserved Bare;
    Virtual "virtual" Unreserved Bare;
    Volatile "volatile" Unreserved Bare;
    When "when" Reserved Bare;
    Where "where" Reserved AsLabel;
    Whitespace "whitespace" Unreserved Bare;
    Window "window" Reserved AsLabel;
    With "with" Reserved AsLabel;
    Within "within" Unreserved AsLabel;
    Without "without" Unreserved AsLabel;
    Work "work" Unreserved Bare;
    Wrapper "wrapper" Unreserved Bare;
    Write "write" Unreserved Bare;
    Xml "xml" Unreserved Bare;
    Xmlattributes "xmlattributes" ColName Bare;
    Xmlconcat "xmlconcat" ColName Bare;
    Xmlelement "xmlelement" ColName Bare;
    Xmlexists "xmlexists" ColName Bare;
    Xmlforest "xmlforest" ColName Bare;
    Xmlnamespaces "xmlnamespaces" ColName Bare;
    Xmlparse "xmlparse" ColName Bare;
    Xmlpi "xmlpi" ColName Bare;
    Xmlroot "xmlroot" ColName Bare;
    Xmlserialize "xmlserialize" ColName Bare;
    Xmltable "xmltable" ColName Bare;
    Year "year" Unreserved AsLabel;
    Yes "yes" Unreserved Bare;
    Zone "zone" Unreserved Bare;}
