//! Removing entries from a leaf: those that vacuum finds dead, and those that scans have marked.
//! (PostgreSQL: `_bt_delitems_vacuum`, `_bt_delitems_delete`)

use base::{OffsetNumber, Result, TupleId, Xid};
use storage::{OwnedExclusive, Page, critical};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::insert::DeadRows;
use super::page::{Opaque, change_opaque, flags};
use super::search::Tree;
use super::tuple;
use super::wal::{DELETE, VACUUM};

/// A posting list that loses some of its row places, by their numbers in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PostingUpdate {
    pub offnum: OffsetNumber,
    pub gone: Vec<u16>,
}

/// What goes from a leaf.
#[derive(Default, Debug)]
pub(super) struct Removal {
    pub deleted: Vec<OffsetNumber>,
    pub updated: Vec<PostingUpdate>,
}

#[derive(Clone, Copy)]
pub(super) enum Reason {
    Vacuum,
    /// The newest transaction that removed one of the rows: standbys must not look any more. (PostgreSQL:
    /// `snapshotConflictHorizon`)
    KnownDead(Xid),
}

impl Removal {
    pub fn is_empty(&self) -> bool {
        self.deleted.is_empty() && self.updated.is_empty()
    }
    /// Takes note of what goes from one tuple; says how many row places go and how many stay.
    pub fn add(&mut self, offnum: OffsetNumber, t: &[u8], mut is_gone: impl FnMut(TupleId) -> bool) -> (usize, usize) {
        let (mut i, mut gone) = (0u16, Vec::new());
        tuple::for_each_tid(t, |tid| {
            if is_gone(tid) {
                gone.push(i);
            }
            i += 1;
        });
        let (n, all) = (gone.len(), usize::from(i));
        match n {
            0 => {}
            _ if n == all => self.deleted.push(offnum),
            _ => self.updated.push(PostingUpdate { offnum, gone }),
        }
        (n, all - n)
    }
    /// The payload of block 0 of both records.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.deleted.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        self.updated.iter().for_each(|u| out.extend_from_slice(&u.offnum.to_le_bytes()));
        for u in &self.updated {
            out.extend_from_slice(&(u.gone.len() as u16).to_le_bytes());
            u.gone.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        }
        out
    }
    pub fn decode(bytes: &[u8], deleted: usize, updated: usize) -> Result<Removal> {
        let mut r = wal::bytes::Reader::new(bytes);
        let mut removal = Removal::default();
        for _ in 0..deleted {
            removal.deleted.push(r.u16()?);
        }
        for _ in 0..updated {
            removal.updated.push(PostingUpdate { offnum: r.u16()?, gone: Vec::new() });
        }
        for u in &mut removal.updated {
            for _ in 0..r.u16()? {
                u.gone.push(r.u16()?);
            }
        }
        Ok(removal)
    }
    /// Changes the page. Used when it is done first and by redo.
    pub fn apply(&self, page: &mut Page) -> Result<()> {
        let many = self.updated.len() > 2;
        for u in &self.updated {
            let old = page.item(u.offnum).unwrap_or(&[]);
            if old.len() < 8 || !tuple::is_posting(old) {
                return Err(base::PgError::internal("no posting list to take row places from"));
            }
            let id = page.item_id(u.offnum);
            let left = tuple::without_tids(old, &u.gone);
            match many {
                true => page.index_tuple_shrink(u.offnum, &left)?,
                false => _ = page.index_tuple_overwrite(u.offnum, &left)?,
            }
            // Overwriting keeps the line pointer's state; what is left of a tuple marked dead is not.
            if id.is_dead() {
                let new = page.item_id(u.offnum);
                page.set_item_id(u.offnum, storage::ItemId::normal(new.offset(), new.len()));
            }
        }
        match many {
            true => page.index_delete_and_compact(&self.deleted),
            false => page.index_multi_delete(&self.deleted),
        }
    }
}

impl Tree<'_> {
    pub(super) fn remove_items(&self, page: &mut OwnedExclusive, removal: &Removal, reason: Reason) -> Result<()> {
        if removal.is_empty() {
            return Ok(());
        }
        let mut new = page.to_boxed();
        removal.apply(&mut new)?;
        change_opaque(&mut new, |o| {
            o.flags &= !flags::HAS_GARBAGE;
            if matches!(reason, Reason::Vacuum) {
                o.cycle_id = 0;
            }
        });
        critical(|section| {
            page.write(section).copy_from(&new);
            let Some(log) = self.log else { return };
            let counts = [removal.deleted.len() as u16, removal.updated.len() as u16];
            let mut main = Vec::with_capacity(9);
            let info = match reason {
                Reason::Vacuum => VACUUM,
                Reason::KnownDead(xid) => {
                    main.extend_from_slice(&xid.0.to_le_bytes());
                    DELETE
                }
            };
            counts.iter().for_each(|n| main.extend_from_slice(&n.to_le_bytes()));
            if info == DELETE {
                main.push(u8::from(self.index.is_catalog));
            }
            let record = RecordBuilder::new(RmgrId::BTREE, info)
                .xid(self.xid)
                .main_data(&main)
                .register_buffer(0, &*page, RegBuf::STANDARD)
                .buffer_data(0, &removal.encode());
            let lsn = log.insert(section, record);
            page.set_lsn(section, lsn);
        });
        Ok(())
    }
    /// Removes entries that scans have marked dead. (PostgreSQL: `_bt_simpledel_pass`)
    pub(super) fn delete_dead(&self, page: &mut OwnedExclusive, dead_rows: &mut DeadRows<'_>) -> Result<()> {
        let first = Opaque::of(page).first_data();
        let dead: Vec<OffsetNumber> = (first..=page.max_offset()).filter(|n| page.item_id(*n).is_dead()).collect();
        if dead.is_empty() {
            return Ok(());
        }
        let mut tids = Vec::new();
        for &n in &dead {
            tuple::for_each_tid(self.item(page, n)?, |tid| tids.push(tid));
        }
        let horizon = dead_rows(&mut tids)?;
        tids.sort_unstable();
        let mut removal = Removal::default();
        for &n in &dead {
            removal.add(n, self.item(page, n)?, |tid| tids.binary_search(&tid).is_ok());
        }
        self.remove_items(page, &removal, Reason::KnownDead(horizon))
    }
}
