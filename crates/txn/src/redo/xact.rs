//! Replay of commits and aborts. (PostgreSQL: `xact_redo`)

use std::fmt::Write;
use std::sync::Arc;

use base::{ForkNumber, RelFileLocator, Result, Xid};
use wal::{Record, RedoContext, ResourceManager};

use super::name;
use crate::clog::XidStatus;
use crate::manager::TransactionManager;
use crate::record::{
    ABORT, ABORT_PREPARED, ASSIGNMENT, COMMIT, COMMIT_PREPARED, COMPLETION_APPLY_FEEDBACK, COMPLETION_FORCE_SYNC,
    COMPLETION_UPDATE_RELCACHE_FILE, INVALIDATIONS, OPMASK, Outcome, PREPARE,
};

pub(super) struct XactManager(pub Arc<TransactionManager>);

impl XactManager {
    fn redo_outcome(&self, cx: &RedoContext, record: &Record, status: XidStatus) -> Result<()> {
        let outcome = Outcome::parse(record)?;
        let xid = outcome.twophase_xid.unwrap_or(record.xid);
        outcome.subs.iter().chain([&xid]).for_each(|x| self.0.advance_past(*x));
        self.0.clog().redo_status(xid, &outcome.subs, status, record.end)?;
        if outcome.twophase_xid.is_some() {
            self.0.prepared.redo_finish(&self.0, xid)?;
        }
        drop_files(cx, &outcome.dropped)
    }
}

fn drop_files(cx: &RedoContext, locators: &[RelFileLocator]) -> Result<()> {
    if locators.is_empty() {
        return Ok(());
    }
    for locator in locators {
        ForkNumber::ALL.into_iter().for_each(|fork| cx.forget_relation(*locator, fork));
    }
    cx.pool.drop_relations(locators);
    cx.smgr().unlink(locators, true)
}

impl ResourceManager for XactManager {
    fn redo(&self, cx: &RedoContext, record: &Record) -> Result<()> {
        match record.info & OPMASK {
            COMMIT | COMMIT_PREPARED => self.redo_outcome(cx, record, XidStatus::Committed),
            ABORT | ABORT_PREPARED => self.redo_outcome(cx, record, XidStatus::Aborted),
            PREPARE => self.0.prepared.redo_prepare(&self.0, &record.main, record.end),
            // They matter to sessions on a standby only.
            ASSIGNMENT | INVALIDATIONS => Ok(()),
            info => Err(record.damaged(format!("xact_redo: unknown op code {info}"))),
        }
    }
    fn identify(&self, info: u8) -> Option<String> {
        let names = [
            (COMMIT, "COMMIT"),
            (PREPARE, "PREPARE"),
            (ABORT, "ABORT"),
            (COMMIT_PREPARED, "COMMIT_PREPARED"),
            (ABORT_PREPARED, "ABORT_PREPARED"),
            (ASSIGNMENT, "ASSIGNMENT"),
            (INVALIDATIONS, "INVALIDATION"),
        ];
        name(info & OPMASK, &names)
    }
    fn desc(&self, record: &Record, out: &mut String) {
        // A damaged record is printed as far as it can be read.
        let _ = describe(record, out);
    }
}

fn describe(record: &Record, out: &mut String) -> Result<()> {
    match record.info & OPMASK {
        COMMIT | COMMIT_PREPARED | ABORT | ABORT_PREPARED => describe_outcome(&Outcome::parse(record)?, out),
        PREPARE => {
            let files = |l: &[RelFileLocator]| l.iter().map(|l| storage_path(*l)).collect::<Vec<_>>().join(" ");
            out.push_str(&crate::twophase::describe(&record.main, &time_text, &files)?);
        }
        ASSIGNMENT => {
            let mut r = record.main_reader();
            let _ = write!(out, "xtop {}: subxacts:", r.xid()?);
            for _ in 0..r.count(4)? {
                let _ = write!(out, " {}", r.xid()?);
            }
        }
        _ => {}
    }
    Ok(())
}

fn time_text(time: i64) -> String {
    let seconds = time.div_euclid(1_000_000) + 946_684_800;
    format!("{} UTC", wal::control::ctime_utc(seconds))
}

fn describe_outcome(o: &Outcome, out: &mut String) {
    let list = |out: &mut String, label: &str, items: Vec<String>| {
        if !items.is_empty() {
            let _ = write!(out, "; {label}: {}", items.join(" "));
        }
    };
    if let Some(xid) = o.twophase_xid {
        let _ = write!(out, "{xid}: ");
    }
    out.push_str(&time_text(o.time));
    list(out, "rels", o.dropped.iter().map(|l| storage_path(*l)).collect());
    list(out, "subxacts", o.subs.iter().map(Xid::to_string).collect());
    if o.stats > 0 {
        let _ = write!(out, "; dropped stats: {}", o.stats);
    }
    if !o.invalidations.is_empty() {
        if o.xinfo & COMPLETION_UPDATE_RELCACHE_FILE != 0 {
            let _ = write!(out, "; relcache init file inval dbid {} tsid {}", o.database, o.tablespace);
        }
        list(out, "inval msgs", o.invalidations.iter().map(describe_message).collect());
    }
    for (bit, text) in [(COMPLETION_APPLY_FEEDBACK, "; apply_feedback"), (COMPLETION_FORCE_SYNC, "; sync")] {
        if o.xinfo & bit != 0 {
            out.push_str(text);
        }
    }
    if let Some((lsn, _)) = o.origin {
        let _ = write!(out, "; origin: lsn {lsn}");
    }
    if let Some(gid) = &o.gid {
        let _ = write!(out, "; gid {gid}");
    }
}

/// A message of 16 bytes: its kind, the database, and what it names. (PostgreSQL: `standby_desc_invalidations`)
fn describe_message(m: &[u8; 16]) -> String {
    let word = |at: usize| u32::from_le_bytes([m[at], m[at + 1], m[at + 2], m[at + 3]]);
    match m[0] as i8 {
        id @ 0.. => format!("catcache {id}"),
        -1 => format!("catalog {}", word(8)),
        -2 => format!("relcache {}", word(8)),
        -3 => "smgr".into(),
        -4 => format!("relmap db {}", word(4)),
        -5 => format!("snapshot {}", word(8)),
        -6 => format!("relsync {}", word(8)),
        id => format!("unrecognized id {id}"),
    }
}

/// The path of a relation's main fork. (PostgreSQL: `relpathperm`)
fn storage_path(l: RelFileLocator) -> String {
    format!("{}/{}", crate::database_files::database_path(l.spc, l.db), l.rel)
}
