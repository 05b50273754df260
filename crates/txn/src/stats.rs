//! Cumulative statistics: what happened to tables, indexes and databases since the counters were reset.
//!
//! | | |
//! | --- | --- |
//! | [`Stats`] | shared by the cluster: a [`TableStats`] for each relation, a [`DatabaseStats`] for each database |
//! | [`Changes`] | of a transaction: its changed rows, by table and subtransaction, until its fate is known |
//!
//! Whoever counts keeps the relation's [`TableStats`] and adds to it once a statement or batch; adding is one relaxed atomic
//! step. Changed rows are counted with the transaction ([`crate::Transaction::count`]): what an aborted one inserted is dead.
//! They live on this floor since rows are changed on the next one, and the transaction's fate is known here.
//!
//! Invariant: figures are estimates for people and for autovacuum. Nothing may rely on them for correctness.
//!
//! PostgreSQL: `pgstat_relation.c`, `pgstat_database.c`. Different here: counters are shared memory that sessions add to
//! directly; there are no pending entries to flush, and so no delay until others see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::Oid;
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::transaction::current_timestamp;

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident, $kind:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        /// Names the counters of a
        #[doc = concat!("[`", stringify!($name), "`].")]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $kind { $($(#[$field_doc])* $field,)* }

        impl $kind {
            /// All of them, in the order they are saved in.
            pub const ALL: &[$kind] = &[$($kind::$field,)*];
        }

        $(#[$doc])*
        pub struct $name {
            /// Invalid for shared relations.
            pub database: Oid,
            /// The relation; invalid for a database.
            pub oid: Oid,
            counters: [AtomicI64; $kind::ALL.len()],
        }

        impl $name {
            fn new(database: Oid, oid: Oid) -> $name {
                $name { database, oid, counters: [const { AtomicI64::new(0) }; $kind::ALL.len()] }
            }
            #[inline]
            pub fn get(&self, counter: $kind) -> i64 {
                self.counters[counter as usize].load(Ordering::Relaxed)
            }
            #[inline]
            pub fn add(&self, counter: $kind, n: i64) {
                self.counters[counter as usize].fetch_add(n, Ordering::Relaxed);
            }
            #[inline]
            pub fn set(&self, counter: $kind, value: i64) {
                self.counters[counter as usize].store(value, Ordering::Relaxed);
            }
            /// All counters become 0.
            pub fn reset(&self) {
                self.counters.iter().for_each(|c| c.store(0, Ordering::Relaxed));
            }
        }
    };
}

counters! {
    /// The counters of a table or an index. (PostgreSQL: `PgStat_StatTabEntry`)
    TableStats, TableCounter {
        Scans,
        /// Times are microseconds since 2000-01-01 UTC, 0 for never.
        LastScan,
        /// Rows read by sequential scans; entries read, for an index.
        RowsReturned,
        /// Rows fetched after an index.
        RowsFetched,
        Inserted,
        Updated,
        Deleted,
        HotUpdated,
        /// Updates whose new version went to another page.
        NewPageUpdated,
        /// Estimates.
        Live,
        Dead,
        /// Changes since the last ANALYZE, and inserted rows since the last VACUUM.
        ModSinceAnalyze,
        InsertedSinceVacuum,
        LastVacuum,
        LastAutovacuum,
        LastAnalyze,
        LastAutoanalyze,
        VacuumCount,
        AutovacuumCount,
        AnalyzeCount,
        AutoanalyzeCount,
        /// In milliseconds.
        VacuumTime,
        AutovacuumTime,
        AnalyzeTime,
        AutoanalyzeTime,
        BlocksFetched,
        BlocksHit,
    }
}

counters! {
    /// The counters of a database, besides the sums over its relations. (PostgreSQL: `PgStat_StatDBEntry`)
    DatabaseStats, DatabaseCounter {
        Commits,
        Rollbacks,
        /// These are of relations that are gone.
        RowsReturned,
        RowsFetched,
        Inserted,
        Updated,
        Deleted,
        BlocksFetched,
        BlocksHit,
        Deadlocks,
        TemporaryFiles,
        TemporaryBytes,
        Sessions,
        SessionsAbandoned,
        SessionsFatal,
        SessionsKilled,
        /// Microseconds.
        SessionTime,
        ActiveTime,
        IdleInTransactionTime,
        ResetTime,
        /// When autovacuum last worked here. (PostgreSQL: `last_autovac_time`)
        LastAutovacuum,
    }
}

/// Who vacuumed or analyzed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Command,
    Autovacuum,
}

impl TableStats {
    /// A scan began.
    #[inline]
    pub fn scanned(&self, time: i64) {
        self.add(TableCounter::Scans, 1);
        self.set(TableCounter::LastScan, time);
    }
    /// A VACUUM that began at `start` ended. (PostgreSQL: `pgstat_report_vacuum`)
    pub fn vacuumed(&self, by: By, start: i64, live: i64, dead: i64) {
        use TableCounter::*;
        self.set(Live, live.max(0));
        self.set(Dead, dead.max(0));
        // Rows inserted while it ran are lost to this count, as in PostgreSQL: the next round finds them.
        self.set(InsertedSinceVacuum, 0);
        match by {
            By::Command => self.happened(LastVacuum, VacuumCount, VacuumTime, start),
            By::Autovacuum => self.happened(LastAutovacuum, AutovacuumCount, AutovacuumTime, start),
        }
    }
    /// An ANALYZE of all columns ended. It does not count dead rows: what changes told stays. (PostgreSQL:
    /// `pgstat_report_analyze`)
    pub fn analyzed(&self, by: By, start: i64, live: i64) {
        use TableCounter::*;
        self.set(Live, live.max(0));
        self.set(ModSinceAnalyze, 0);
        match by {
            By::Command => self.happened(LastAnalyze, AnalyzeCount, AnalyzeTime, start),
            By::Autovacuum => self.happened(LastAutoanalyze, AutoanalyzeCount, AutoanalyzeTime, start),
        }
    }
    fn happened(&self, last: TableCounter, count: TableCounter, time: TableCounter, start: i64) {
        let now = current_timestamp();
        self.set(last, now);
        self.add(count, 1);
        self.add(time, (now - start).max(0) / 1000);
    }
    /// Adds to an estimate that must not become negative.
    fn shift(&self, counter: TableCounter, n: i64) {
        if n != 0 {
            self.add(counter, n);
            // Two of them at once may leave it a little off: it is an estimate.
            if self.get(counter) < 0 {
                self.set(counter, 0);
            }
        }
    }
}

/// See the module's head.
#[derive(Default)]
pub struct Stats {
    tables: RwLock<HashMap<(Oid, Oid), Arc<TableStats>>>,
    databases: RwLock<HashMap<Oid, Arc<DatabaseStats>>>,
}

impl Stats {
    /// The counters of a relation; `database` is invalid for a shared one.
    pub fn table(&self, database: Oid, oid: Oid) -> Arc<TableStats> {
        if let Some(found) = self.find_table(database, oid) {
            return found;
        }
        let mut tables = self.tables.write();
        let new = || Arc::new(TableStats::new(database, oid));
        Arc::clone(tables.entry((database, oid)).or_insert_with(new))
    }
    /// If anything was counted.
    pub fn find_table(&self, database: Oid, oid: Oid) -> Option<Arc<TableStats>> {
        self.tables.read().get(&(database, oid)).cloned()
    }
    /// All relations of a database.
    pub fn tables(&self, database: Oid) -> Vec<Arc<TableStats>> {
        self.tables.read().values().filter(|t| t.database == database).cloned().collect()
    }
    pub fn database(&self, database: Oid) -> Arc<DatabaseStats> {
        if let Some(found) = self.find_database(database) {
            return found;
        }
        let mut databases = self.databases.write();
        let new = || Arc::new(DatabaseStats::new(database, Oid::INVALID));
        Arc::clone(databases.entry(database).or_insert_with(new))
    }
    pub fn find_database(&self, database: Oid) -> Option<Arc<DatabaseStats>> {
        self.databases.read().get(&database).cloned()
    }
    /// Everything there is, to be saved.
    pub fn all(&self) -> (Vec<Arc<TableStats>>, Vec<Arc<DatabaseStats>>) {
        (self.tables.read().values().cloned().collect(), self.databases.read().values().cloned().collect())
    }
    /// Forgets the relations of a database that are gone; what they counted stays with the database. Those that a session
    /// still counts for stay: `exists` may not know yet of one that is being made.
    /// (PostgreSQL: `pgstat_drop_relation`)
    pub fn retain_tables(&self, database: Oid, exists: impl Fn(Oid) -> bool) {
        let sum = self.database(database);
        self.tables.write().retain(|_, t| {
            let keep = t.database != database || exists(t.oid) || Arc::strong_count(t) > 1;
            if !keep {
                for (of_table, of_database) in SUMMED {
                    sum.add(*of_database, t.get(*of_table));
                }
            }
            keep
        });
    }
    /// Forgets databases that are gone.
    pub fn retain_databases(&self, exists: impl Fn(Oid) -> bool) {
        let keep = |oid: Oid| !oid.is_valid() || exists(oid);
        self.tables.write().retain(|(database, _), _| keep(*database));
        self.databases.write().retain(|oid, _| keep(*oid));
    }
    /// A database's counter with those of its relations.
    pub fn sum(&self, database: Oid, counter: DatabaseCounter) -> i64 {
        let own = self.find_database(database).map_or(0, |d| d.get(counter));
        match SUMMED.iter().find(|(_, d)| *d == counter) {
            Some((of_table, _)) => {
                let tables = self.tables.read();
                own + tables.values().filter(|t| t.database == database).map(|t| t.get(*of_table)).sum::<i64>()
            }
            None => own,
        }
    }
    /// (PostgreSQL: `pg_stat_reset`)
    pub fn reset_database(&self, database: Oid) {
        self.tables(database).iter().for_each(|t| t.reset());
        let d = self.database(database);
        d.reset();
        d.set(DatabaseCounter::ResetTime, current_timestamp());
    }
}

/// A database's counters that are sums over its relations.
const SUMMED: &[(TableCounter, DatabaseCounter)] = &[
    (TableCounter::RowsReturned, DatabaseCounter::RowsReturned),
    (TableCounter::RowsFetched, DatabaseCounter::RowsFetched),
    (TableCounter::Inserted, DatabaseCounter::Inserted),
    (TableCounter::Updated, DatabaseCounter::Updated),
    (TableCounter::Deleted, DatabaseCounter::Deleted),
    (TableCounter::BlocksFetched, DatabaseCounter::BlocksFetched),
    (TableCounter::BlocksHit, DatabaseCounter::BlocksHit),
];

/// What happened to a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Insert,
    /// By a version on the same page, which the indexes need not know.
    HotUpdate,
    Update,
    /// To another page.
    NewPageUpdate,
    Delete,
}

/// A table's changed rows in one subtransaction. (PostgreSQL: `PgStat_TableXactStatus`)
struct TableChanges {
    stats: Arc<TableStats>,
    level: usize,
    inserted: i64,
    updated: i64,
    deleted: i64,
    hot_updated: i64,
    new_page_updated: i64,
    /// The table was emptied, after `before` (inserted, updated, deleted).
    truncated: Option<(i64, i64, i64)>,
}

impl TableChanges {
    fn end(mut self, committed: bool) {
        use TableCounter::*;
        // Undone, the rows from before the truncation are those that count.
        if let (Some(before), false) = (self.truncated, committed) {
            (self.inserted, self.updated, self.deleted) = before;
        }
        let s = &self.stats;
        let counted = [
            (Inserted, self.inserted),
            (Updated, self.updated),
            (Deleted, self.deleted),
            (HotUpdated, self.hot_updated),
            (NewPageUpdated, self.new_page_updated),
            (InsertedSinceVacuum, self.inserted),
        ];
        counted.iter().filter(|(_, n)| *n != 0).for_each(|(counter, n)| s.add(*counter, *n));
        if committed {
            if self.truncated.is_some() {
                s.set(Live, 0);
                s.set(Dead, 0);
                s.set(InsertedSinceVacuum, self.inserted);
            }
            s.shift(Live, self.inserted - self.deleted);
            s.shift(Dead, self.updated + self.deleted);
            s.shift(ModSinceAnalyze, self.inserted + self.updated + self.deleted);
        } else {
            s.shift(Dead, self.inserted + self.updated);
        }
    }
}

/// What a prepared transaction has changed in a table. (PostgreSQL: `TwoPhasePgStatRecord`)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PreparedChange {
    pub table: Oid,
    pub shared: bool,
    pub truncated: bool,
    /// Inserted, updated, deleted.
    pub rows: [i64; 3],
    /// The same before the table was emptied.
    pub before: [i64; 3],
}

impl PreparedChange {
    /// The transaction has ended. (PostgreSQL: `pgstat_twophase_postcommit`, `pgstat_twophase_postabort`)
    pub fn apply(&self, stats: &Stats, database: Oid, committed: bool) {
        let database = if self.shared { Oid::INVALID } else { database };
        let [inserted, updated, deleted] = self.rows;
        let [a, b, c] = self.before;
        TableChanges {
            stats: stats.table(database, self.table),
            level: 0,
            inserted,
            updated,
            deleted,
            hot_updated: 0,
            new_page_updated: 0,
            truncated: self.truncated.then_some((a, b, c)),
        }
        .end(committed);
    }
}

/// A transaction's changed rows. (PostgreSQL: `PgStat_SubXactStatus`)
#[derive(Default)]
pub(crate) struct Changes {
    tables: Vec<TableChanges>,
    level: usize,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
    fn entry(&mut self, stats: &Arc<TableStats>) -> &mut TableChanges {
        // The table in question is nearly always the last one or its TOAST table.
        let level = self.level;
        let found = self.tables.iter().rposition(|t| t.level == level && Arc::ptr_eq(&t.stats, stats));
        let at = found.unwrap_or_else(|| {
            self.tables.push(TableChanges {
                stats: Arc::clone(stats),
                level,
                inserted: 0,
                updated: 0,
                deleted: 0,
                hot_updated: 0,
                new_page_updated: 0,
                truncated: None,
            });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }
    pub fn count(&mut self, stats: &Arc<TableStats>, change: Change, rows: i64) {
        let t = self.entry(stats);
        match change {
            Change::Insert => t.inserted += rows,
            Change::Delete => t.deleted += rows,
            Change::Update => t.updated += rows,
            Change::HotUpdate => {
                t.updated += rows;
                t.hot_updated += rows;
            }
            Change::NewPageUpdate => {
                t.updated += rows;
                t.new_page_updated += rows;
            }
        }
    }
    /// (PostgreSQL: `pgstat_count_truncate`)
    pub fn truncate(&mut self, stats: &Arc<TableStats>) {
        let t = self.entry(stats);
        t.truncated.get_or_insert((t.inserted, t.updated, t.deleted));
        (t.inserted, t.updated, t.deleted) = (0, 0, 0);
    }
    pub fn begin_sub(&mut self) {
        self.level += 1;
    }
    /// Its changes are the parent's now. (PostgreSQL: `AtEOSubXact_PgStat_Relations`)
    pub fn release_sub(&mut self) {
        let level = self.level;
        self.level -= 1;
        let (inner, outer) = std::mem::take(&mut self.tables).into_iter().partition(|t| t.level == level);
        self.tables = outer;
        let inner: Vec<TableChanges> = inner;
        for t in inner {
            let parent = self.entry(&t.stats);
            if t.truncated.is_some() {
                parent.truncated.get_or_insert((parent.inserted, parent.updated, parent.deleted));
                (parent.inserted, parent.updated, parent.deleted) = (t.inserted, t.updated, t.deleted);
            } else {
                parent.inserted += t.inserted;
                parent.updated += t.updated;
                parent.deleted += t.deleted;
            }
            parent.hot_updated += t.hot_updated;
            parent.new_page_updated += t.new_page_updated;
        }
    }
    pub fn rollback_sub(&mut self) {
        let level = self.level;
        self.level -= 1;
        let (inner, outer) = std::mem::take(&mut self.tables).into_iter().partition(|t| t.level == level);
        self.tables = outer;
        let inner: Vec<TableChanges> = inner;
        inner.into_iter().for_each(|t| t.end(false));
    }
    /// For a prepared transaction's state.
    pub fn prepared(&self) -> Vec<PreparedChange> {
        let change = |t: &TableChanges| {
            let (a, b, c) = t.truncated.unwrap_or_default();
            PreparedChange {
                table: t.stats.oid,
                shared: !t.stats.database.is_valid(),
                truncated: t.truncated.is_some(),
                rows: [t.inserted, t.updated, t.deleted],
                before: [a, b, c],
            }
        };
        self.tables.iter().map(change).collect()
    }
    /// A prepared transaction has them now, but for what does not depend on its outcome.
    pub fn handed_over(&mut self) {
        for t in std::mem::take(&mut self.tables) {
            t.stats.add(TableCounter::HotUpdated, t.hot_updated);
            t.stats.add(TableCounter::NewPageUpdated, t.new_page_updated);
        }
    }
    /// (PostgreSQL: `AtEOXact_PgStat_Relations`)
    pub fn end(&mut self, committed: bool) {
        std::mem::take(&mut self.tables).into_iter().for_each(|t| t.end(committed));
        self.level = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TableCounter::*;

    const DB: Oid = Oid(5);
    const TABLE: Oid = Oid(20000);

    fn figures(t: &TableStats) -> [i64; 6] {
        [Inserted, Updated, Deleted, Live, Dead, ModSinceAnalyze].map(|c| t.get(c))
    }

    #[test]
    fn committed_and_aborted() {
        let stats = Stats::default();
        let t = stats.table(DB, TABLE);
        let mut c = Changes::default();
        c.count(&t, Change::Insert, 10);
        c.count(&t, Change::Update, 2);
        c.count(&t, Change::HotUpdate, 1);
        c.count(&t, Change::Delete, 4);
        c.end(true);
        assert_eq!(figures(&t), [10, 3, 4, 6, 7, 17]);
        assert_eq!(t.get(HotUpdated), 1);
        c.count(&t, Change::Insert, 5);
        c.count(&t, Change::Delete, 6);
        c.end(false);
        assert_eq!(figures(&t), [15, 3, 10, 6, 12, 17]);
        assert_eq!(t.get(InsertedSinceVacuum), 15);
    }

    #[test]
    fn subtransactions() {
        let stats = Stats::default();
        let t = stats.table(DB, TABLE);
        let mut c = Changes::default();
        c.count(&t, Change::Insert, 1);
        c.begin_sub();
        c.count(&t, Change::Insert, 10);
        c.begin_sub();
        c.count(&t, Change::Insert, 100);
        c.rollback_sub();
        c.release_sub();
        c.end(true);
        assert_eq!(figures(&t), [111, 0, 0, 11, 100, 11]);
    }

    #[test]
    fn truncation() {
        let stats = Stats::default();
        let t = stats.table(DB, TABLE);
        let mut c = Changes::default();
        c.count(&t, Change::Insert, 100);
        c.end(true);
        c.count(&t, Change::Delete, 10);
        c.truncate(&t);
        c.count(&t, Change::Insert, 3);
        c.end(true);
        assert_eq!((t.get(Live), t.get(Dead)), (3, 0));
        // Taken back, the table has its rows again.
        c.truncate(&t);
        c.end(false);
        assert_eq!((t.get(Live), t.get(Dead)), (3, 0));
    }

    #[test]
    fn dropped_tables_stay_in_the_sum() {
        let stats = Stats::default();
        stats.table(DB, TABLE).add(Inserted, 7);
        let used = stats.table(DB, Oid(20002));
        stats.table(DB, Oid(20001)).add(Inserted, 1);
        assert_eq!(stats.sum(DB, DatabaseCounter::Inserted), 8);
        stats.retain_tables(DB, |oid| oid != TABLE);
        assert!(stats.find_table(DB, TABLE).is_none());
        stats.retain_tables(DB, |_| false);
        assert!(stats.find_table(DB, used.oid).is_some());
        assert_eq!(stats.sum(DB, DatabaseCounter::Inserted), 8);
    }
}
