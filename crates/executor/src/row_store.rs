//! Batches kept for reading again: in memory up to `work_mem`, the rest in a temporary file. (PostgreSQL: `tuplestore.c`)

use std::sync::Arc;

use base::Result;
use types::{Batch, Physical, Rows};

use crate::spill::{Block, SpillFile};
use crate::state::Run;

enum Part {
    Memory(Batch),
    Disk(Block),
}

/// See the module's head.
#[derive(Default)]
pub(crate) struct RowStore {
    parts: Vec<Part>,
    bytes: usize,
    physical: Vec<Physical>,
    file: Option<SpillFile>,
}

impl RowStore {
    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    pub fn clear(&mut self) {
        *self = RowStore::default();
    }
    /// Adds a batch without selection that nobody else fills.
    pub fn push(&mut self, run: &mut Run<'_>, batch: Batch) -> Result<()> {
        if self.parts.is_empty() {
            self.physical = batch.columns.iter().map(|c| c.physical()).collect();
        }
        self.bytes += size(&batch);
        self.parts.push(Part::Memory(batch));
        let limit = run.cx.settings.work_mem.max(64) as usize * 1024;
        if self.bytes > limit && run.cx.txn.is_some() {
            self.spill(run)?;
        }
        Ok(())
    }
    fn spill(&mut self, run: &mut Run<'_>) -> Result<()> {
        let file = match &mut self.file {
            Some(f) => f,
            none => none.insert(SpillFile::create(run)?),
        };
        for part in self.parts.iter_mut().rev() {
            // All before it went to the file earlier.
            let Part::Memory(batch) = part else { break };
            let block = file.write(batch.columns.iter().map(|c| &**c), Rows::All(batch.rows))?;
            *part = Part::Disk(block);
        }
        self.bytes = 0;
        Ok(())
    }
    pub fn get(&self, i: usize) -> Result<Batch> {
        match (&self.parts[i], &self.file) {
            (Part::Memory(batch), _) => Ok(batch.clone()),
            (Part::Disk(block), Some(file)) => {
                let columns = file.read(*block, &self.physical)?.into_iter().map(Arc::new).collect();
                Ok(Batch { columns, rows: block.rows, selection: None })
            }
            (Part::Disk(_), None) => Err(base::PgError::internal("rows that were kept have no file")),
        }
    }
}

/// Bytes of a batch, about.
fn size(batch: &Batch) -> usize {
    64 + batch.columns.iter().map(|c| 64 + c.memory()).sum::<usize>()
}
