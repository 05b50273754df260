//! The files behind dictionaries: stop words of Snowball's languages and the samples. They are part of the server; there is no
//! directory to put others.
//!
//! PostgreSQL: `$SHAREDIR/tsearch_data`, `get_tsearch_config_filename`, `readstoplist`.

use std::collections::HashSet;

use base::sqlstate::*;
use base::{PgError, Result};

const FILES: &[(&str, &str)] = &[
    ("danish.stop", include_str!("../../../data/tsearch/danish.stop")),
    ("dutch.stop", include_str!("../../../data/tsearch/dutch.stop")),
    ("english.stop", include_str!("../../../data/tsearch/english.stop")),
    ("finnish.stop", include_str!("../../../data/tsearch/finnish.stop")),
    ("french.stop", include_str!("../../../data/tsearch/french.stop")),
    ("german.stop", include_str!("../../../data/tsearch/german.stop")),
    ("hungarian.stop", include_str!("../../../data/tsearch/hungarian.stop")),
    ("hunspell_sample.affix", include_str!("../../../data/tsearch/hunspell_sample.affix")),
    ("hunspell_sample_long.affix", include_str!("../../../data/tsearch/hunspell_sample_long.affix")),
    ("hunspell_sample_long.dict", include_str!("../../../data/tsearch/hunspell_sample_long.dict")),
    ("hunspell_sample_num.affix", include_str!("../../../data/tsearch/hunspell_sample_num.affix")),
    ("hunspell_sample_num.dict", include_str!("../../../data/tsearch/hunspell_sample_num.dict")),
    ("ispell_sample.affix", include_str!("../../../data/tsearch/ispell_sample.affix")),
    ("ispell_sample.dict", include_str!("../../../data/tsearch/ispell_sample.dict")),
    ("italian.stop", include_str!("../../../data/tsearch/italian.stop")),
    ("nepali.stop", include_str!("../../../data/tsearch/nepali.stop")),
    ("norwegian.stop", include_str!("../../../data/tsearch/norwegian.stop")),
    ("portuguese.stop", include_str!("../../../data/tsearch/portuguese.stop")),
    ("russian.stop", include_str!("../../../data/tsearch/russian.stop")),
    ("spanish.stop", include_str!("../../../data/tsearch/spanish.stop")),
    ("swedish.stop", include_str!("../../../data/tsearch/swedish.stop")),
    ("synonym_sample.syn", include_str!("../../../data/tsearch/synonym_sample.syn")),
    ("thesaurus_sample.ths", include_str!("../../../data/tsearch/thesaurus_sample.ths")),
    ("turkish.stop", include_str!("../../../data/tsearch/turkish.stop")),
];

/// Where messages say the files are.
const DIRECTORY: &str = "tsearch_data";

/// The text of a file by its base name and extension.
pub fn read(base: &str, extension: &str, what: &str) -> Result<&'static str> {
    if !base.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
        let text = format!("invalid text search configuration file name \"{base}\"");
        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
    }
    let name = format!("{base}.{extension}");
    let found = FILES.iter().find(|f| f.0 == name).map(|f| f.1);
    found.ok_or_else(|| {
        let text = format!("could not open {what} \"{DIRECTORY}/{name}\": No such file or directory");
        PgError::new(CONFIG_FILE_ERROR, text)
    })
}

/// Stop words, in lower case.
#[derive(Clone, Default, Debug)]
pub struct StopWords(HashSet<String>);

impl StopWords {
    pub fn read(base: &str) -> Result<StopWords> {
        let text = read(base, "stop", "stop-word file")?;
        let words = text.lines().filter_map(|l| l.split_whitespace().next());
        Ok(StopWords(words.map(super::lower).collect()))
    }
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}
