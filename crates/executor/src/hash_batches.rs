//! The batches of a hash join that does not fit in memory: rows of both sides in a temporary file, by bits of their hash.
//!
//! Rows of the first batch never get here. A row's hash is written with it, so that nothing is computed twice.
//!
//! PostgreSQL: `nodeHash.c` (`ExecHashIncreaseNumBatches`), `nodeHashjoin.c` (`ExecHashJoinNewBatch`). Different here: the number
//! of batches is chosen once, from what has come and what the planner expects; one that is still too big is loaded as it is.

use std::sync::Arc;

use base::Result;
use types::{Column, ColumnData, Physical, Rows};

use crate::spill::{BLOCK_ROWS, Block, SpillFile};
use crate::state::Run;

/// `work_mem * hash_mem_multiplier`, in bytes. (PostgreSQL: `get_hash_memory_limit`)
pub(crate) fn hash_memory(run: &Run<'_>) -> usize {
    run.cx.settings.work_mem.max(64) as usize * 1024 * 2
}

/// One side's rows: those not yet written and where the others are. The hash is the last column.
struct Side {
    physical: Vec<Physical>,
    waiting: Vec<Vec<Column>>,
    blocks: Vec<Vec<Block>>,
}

impl Side {
    fn new(batches: usize, mut physical: Vec<Physical>) -> Side {
        physical.push(Physical::W8);
        let empty = || physical.iter().map(|p| Column::new(*p)).collect();
        Side { waiting: (0..batches).map(|_| empty()).collect(), blocks: vec![Vec::new(); batches], physical }
    }
    fn put<'c>(
        &mut self,
        file: &mut SpillFile,
        batch: usize,
        columns: impl Iterator<Item = &'c Column>,
        hashes: &[u64],
        rows: &[u32],
    ) -> Result<()> {
        let waiting = &mut self.waiting[batch];
        for (to, from) in waiting.iter_mut().zip(columns) {
            to.append(from, Rows::Some(rows));
        }
        if let Some(Column { data: ColumnData::W8(v), .. }) = waiting.last_mut() {
            v.extend(rows.iter().map(|i| hashes[*i as usize] as i64));
            if v.len() >= BLOCK_ROWS {
                return self.flush(file, batch);
            }
        }
        Ok(())
    }
    fn flush(&mut self, file: &mut SpillFile, batch: usize) -> Result<()> {
        let waiting = &mut self.waiting[batch];
        let n = waiting.last().map_or(0, Column::len);
        let all: Vec<u32> = (0..n as u32).collect();
        for part in all.chunks(BLOCK_ROWS) {
            self.blocks[batch].push(file.write(waiting.iter(), Rows::Some(part))?);
        }
        waiting.iter_mut().for_each(Column::clear);
        Ok(())
    }
    /// A block's columns and hashes.
    fn read(&self, file: &SpillFile, block: Block) -> Result<(Vec<Column>, Vec<u64>)> {
        let mut columns = file.read(block, &self.physical)?;
        let hashes = match columns.pop() {
            Some(Column { data: ColumnData::W8(v), .. }) => v.into_iter().map(|h| h as u64).collect(),
            _ => Vec::new(),
        };
        Ok((columns, hashes))
    }
}

/// See the module's head.
pub(crate) struct HashBatches {
    file: SpillFile,
    count: usize,
    current: usize,
    inner: Side,
    outer: Side,
    /// The next block of the current batch's outer rows.
    at: usize,
    /// Row numbers by batch.
    parts: Vec<Vec<u32>>,
}

impl HashBatches {
    /// `count` is a power of two.
    pub fn create(run: &mut Run<'_>, count: usize, inner: Vec<Physical>, outer: Vec<Physical>) -> Result<HashBatches> {
        Ok(HashBatches {
            file: SpillFile::create(run)?,
            count,
            current: 0,
            inner: Side::new(count, inner),
            outer: Side::new(count, outer),
            at: 0,
            parts: vec![Vec::new(); count],
        })
    }
    pub fn count(&self) -> usize {
        self.count
    }
    /// The outer side is still being read from its plan.
    pub fn in_first(&self) -> bool {
        self.current == 0
    }
    /// Low bits choose the bucket, high ones the batch.
    fn divide(&mut self, rows: impl Iterator<Item = (u32, u64)>) {
        self.parts.iter_mut().for_each(Vec::clear);
        for (i, hash) in rows {
            self.parts[(hash >> 48) as usize & (self.count - 1)].push(i);
        }
    }

    /// Of the inner rows at hand keeps those of the first batch. Rows that match nothing belong there.
    pub fn keep_first(&mut self, columns: &mut [Column], hashes: &mut Vec<u64>, linked: &mut Vec<bool>) -> Result<()> {
        let place = |i: u32| if linked[i as usize] { hashes[i as usize] } else { 0 };
        self.divide((0..hashes.len() as u32).map(|i| (i, place(i))));
        for b in 1..self.count {
            if !self.parts[b].is_empty() {
                self.inner.put(&mut self.file, b, columns.iter(), hashes, &self.parts[b])?;
            }
        }
        let first = &self.parts[0];
        if first.len() == hashes.len() {
            return Ok(());
        }
        for c in columns.iter_mut() {
            let mut kept = Column::with_capacity(c.physical(), first.len());
            kept.append(c, Rows::Some(first));
            *c = kept;
        }
        *hashes = first.iter().map(|i| hashes[*i as usize]).collect();
        *linked = first.iter().map(|i| linked[*i as usize]).collect();
        Ok(())
    }
    pub fn flush_inner(&mut self) -> Result<()> {
        (1..self.count).try_for_each(|b| self.inner.flush(&mut self.file, b))
    }

    /// Puts outer rows of later batches aside; `rows` keeps the others.
    pub fn put_outer(&mut self, columns: &[Arc<Column>], hashes: &[u64], rows: &mut Vec<u32>) -> Result<()> {
        self.divide(rows.iter().map(|i| (*i, hashes[*i as usize])));
        for b in 1..self.count {
            if !self.parts[b].is_empty() {
                self.outer.put(&mut self.file, b, columns.iter().map(|c| &**c), hashes, &self.parts[b])?;
            }
        }
        rows.clone_from(&self.parts[0]);
        Ok(())
    }
    pub fn flush_outer(&mut self) -> Result<()> {
        (1..self.count).try_for_each(|b| self.outer.flush(&mut self.file, b))
    }

    /// The inner rows of the next batch; `None` after the last.
    pub fn next_batch(&mut self) -> Result<Option<(Vec<Column>, Vec<u64>)>> {
        if self.current + 1 >= self.count {
            return Ok(None);
        }
        self.current += 1;
        self.at = 0;
        let width = self.inner.physical.len() - 1;
        let mut columns: Vec<Column> = self.inner.physical[..width].iter().map(|p| Column::new(*p)).collect();
        let mut hashes = Vec::new();
        for block in &self.inner.blocks[self.current] {
            let (more, h) = self.inner.read(&self.file, *block)?;
            for (to, from) in columns.iter_mut().zip(&more) {
                to.append(from, Rows::All(h.len()));
            }
            hashes.extend(h);
        }
        Ok(Some((columns, hashes)))
    }
    /// Some outer rows of the current batch; `None` at its end.
    pub fn next_outer(&mut self) -> Result<Option<(Vec<Column>, Vec<u64>)>> {
        let Some(block) = self.outer.blocks[self.current].get(self.at) else { return Ok(None) };
        self.at += 1;
        self.outer.read(&self.file, *block).map(Some)
    }
}
