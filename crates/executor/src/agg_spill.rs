//! Rows of a hash aggregation that came when its groups filled the memory and that belong to none of them: they wait in a
//! temporary file, divided by bits of their hash, until the groups in memory have been given out. Each part is then aggregated as
//! an input of its own, and may be divided again.
//!
//! PostgreSQL: `nodeAgg.c` (`hashagg_spill_init`, `agg_refill_hash_table`).

use std::sync::Arc;

use base::Result;
use types::{Batch, Column, Physical, Rows};

use crate::spill::{BLOCK_ROWS, Block, SpillFile};
use crate::state::Run;

const BITS: u32 = 5;
/// How often rows are divided; what then still does not fit is aggregated as it is.
const LEVELS: u32 = 6;

/// Parts being written.
pub(crate) struct AggSpill {
    file: SpillFile,
    level: u32,
    physical: Vec<Physical>,
    waiting: Vec<Vec<Column>>,
    blocks: Vec<Vec<Block>>,
    chosen: Vec<Vec<u32>>,
}

/// A part to be aggregated.
pub(crate) struct AggPart {
    file: Arc<SpillFile>,
    blocks: Vec<Block>,
    physical: Vec<Physical>,
    pub level: u32,
}

impl AggSpill {
    /// Whether rows of this level may be divided once more.
    pub fn is_possible(run: &Run<'_>, level: u32) -> bool {
        level < LEVELS && run.cx.txn.is_some()
    }
    pub fn create(run: &mut Run<'_>, physical: &[Physical], level: u32) -> Result<AggSpill> {
        let parts = 1 << BITS;
        let empty = || physical.iter().map(|p| Column::new(*p)).collect();
        Ok(AggSpill {
            file: SpillFile::create(run)?,
            level,
            physical: physical.to_vec(),
            waiting: (0..parts).map(|_| empty()).collect(),
            blocks: vec![Vec::new(); parts],
            chosen: vec![Vec::new(); parts],
        })
    }
    /// Puts rows of a batch aside; `hashes` by row.
    pub fn put(&mut self, batch: &Batch, rows: &[u32], hashes: &[u64]) -> Result<()> {
        self.chosen.iter_mut().for_each(Vec::clear);
        // The table uses the lowest and the highest bits.
        let shift = 52 - BITS * self.level;
        for &i in rows {
            self.chosen[(hashes[i as usize] >> shift) as usize & ((1 << BITS) - 1)].push(i);
        }
        for p in 0..self.chosen.len() {
            if self.chosen[p].is_empty() {
                continue;
            }
            let rows = Rows::Some(&self.chosen[p]);
            for (to, from) in self.waiting[p].iter_mut().zip(&batch.columns) {
                to.append(from, rows);
            }
            if self.waiting[p].first().map_or(0, Column::len) >= BLOCK_ROWS {
                self.flush(p)?;
            }
        }
        Ok(())
    }
    fn flush(&mut self, p: usize) -> Result<()> {
        let n = self.waiting[p].first().map_or(0, Column::len);
        if n > 0 {
            self.blocks[p].push(self.file.write(self.waiting[p].iter(), Rows::All(n))?);
            self.waiting[p].iter_mut().for_each(Column::clear);
        }
        Ok(())
    }
    /// The parts that have rows, and the file's size in kilobytes.
    pub fn finish(mut self) -> Result<(Vec<AggPart>, i64)> {
        (0..self.waiting.len()).try_for_each(|p| self.flush(p))?;
        let (kilobytes, level) = (self.file.kilobytes(), self.level + 1);
        let (file, physical) = (Arc::new(self.file), self.physical);
        let parts = self.blocks.into_iter().filter(|b| !b.is_empty());
        let part = |blocks| AggPart { file: file.clone(), blocks, physical: physical.clone(), level };
        Ok((parts.map(part).collect(), kilobytes))
    }
}

impl AggPart {
    /// Some rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let Some(block) = self.blocks.pop() else { return Ok(None) };
        let columns = self.file.read(block, &self.physical)?.into_iter().map(Arc::new).collect();
        Ok(Some(Batch { columns, rows: block.rows, selection: None }))
    }
}
