//! Replay of the records this crate writes, and of those about files of databases and tablespaces.

mod files;
mod standby;
mod xact;

use std::sync::Arc;

use base::Result;
use wal::{Record, RedoContext, ResourceManager, RmgrId, RmgrTable};

use crate::manager::TransactionManager;

pub(crate) use standby::{log_running_xacts, log_standby_lock};

/// Registers Transaction, CLOG, MultiXact, Standby, Storage, Database and Tablespace.
pub fn register(table: &mut RmgrTable, manager: &Arc<TransactionManager>) {
    let m = || Arc::clone(manager);
    table.register(RmgrId::XACT, Arc::new(xact::XactManager(m())));
    table.register(RmgrId::CLOG, Arc::new(ClogManager(m())));
    table.register(RmgrId::MULTIXACT, Arc::new(MultiXactManager(m())));
    table.register(RmgrId::STANDBY, Arc::new(standby::StandbyManager));
    table.register(RmgrId::SMGR, Arc::new(files::SmgrManager));
    table.register(RmgrId::DBASE, Arc::new(files::DbaseManager));
    table.register(RmgrId::TBLSPC, Arc::new(files::TblspcManager));
}

struct ClogManager(Arc<TransactionManager>);

impl ResourceManager for ClogManager {
    fn redo(&self, _cx: &RedoContext, record: &Record) -> Result<()> {
        if let Some((oldest, db)) = self.0.clog().redo(record)? {
            self.0.advance_xid_limit(oldest, db);
        }
        Ok(())
    }
    fn identify(&self, info: u8) -> Option<String> {
        name(info & 0xF0, &[(crate::clog::ZEROPAGE, "ZEROPAGE"), (crate::clog::TRUNCATE, "TRUNCATE")])
    }
    fn desc(&self, record: &Record, out: &mut String) {
        let mut r = record.main_reader();
        let text = match record.rmgr_info() {
            crate::clog::ZEROPAGE => r.i64().map(|page| format!("page {page}")),
            _ => r.i64().and_then(|page| Ok(format!("page {page}; oldestXact {}", r.xid()?))),
        };
        out.push_str(&text.unwrap_or_default());
    }
}

struct MultiXactManager(Arc<TransactionManager>);

impl ResourceManager for MultiXactManager {
    fn redo(&self, _cx: &RedoContext, record: &Record) -> Result<()> {
        let newest = self.0.multixacts().redo(record)?;
        newest.into_iter().for_each(|xid| self.0.advance_past(xid));
        Ok(())
    }
    fn identify(&self, info: u8) -> Option<String> {
        let names = [(0x00, "ZERO_OFF_PAGE"), (0x10, "ZERO_MEM_PAGE"), (0x20, "CREATE_ID"), (0x30, "TRUNCATE_ID")];
        name(info & 0xF0, &names)
    }
    fn desc(&self, record: &Record, out: &mut String) {
        // A damaged record is printed as far as it can be read.
        let _ = crate::multixact::describe(record, out);
    }
}

fn name(info: u8, names: &[(u8, &str)]) -> Option<String> {
    names.iter().find(|(n, _)| *n == info).map(|(_, name)| (*name).to_owned())
}
