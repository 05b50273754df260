//! Which partition a row belongs to: the way from a partitioned table down to a leaf ([`Router`]), and whether a row of a partition
//! may be there ([`PartitionCheck`]).
//!
//! Keys are read straight from the row's columns in the format of the table that the statement names; nothing is allocated for
//! a row unless a key has expressions or its values are toasted. A table on the way is looked at when the first row comes by.
//!
//! PostgreSQL: `execPartition.c` (`ExecFindPartition`, `FormPartitionKeyDatum`), `ExecPartitionCheck`.

use std::sync::Arc;

use analyze::partition::{self, PartitionDesc};
use base::sqlstate::CHECK_VIOLATION;
use base::{Oid, PgError, Result};
use catalog::{Relation, relkind};
use txn::LockMode;
use types::{Batch, Datum, DatumRef};

use crate::constraints::row_scope;
use crate::context::ExecContext;
use crate::expr::{CExpr, Compiler};
use crate::heap::OpenTable;
use crate::state::Run;

enum KeySource {
    /// A column of the row, from 0.
    Column(usize),
    Expr(CExpr),
}

/// Reads a partitioned table's key from rows of that table or of another one in its tree, and finds the partition.
pub(crate) struct KeyReader {
    desc: Arc<PartitionDesc>,
    sources: Vec<KeySource>,
    computes: bool,
}

/// Keys up to this length need no list on the heap.
const FEW: usize = 4;

impl KeyReader {
    /// `rows`: the table whose rows will be given.
    fn build(cx: &mut ExecContext, rel: &Relation, rows: &OpenTable) -> Result<KeyReader> {
        let catalog = cx.catalog.clone();
        let desc = partition::desc_of(&catalog, rel, cx)?;
        let map = if rel.oid == rows.entry.oid { None } else { partition::column_map(rel, &rows.entry)? };
        let mut sources = Vec::new();
        for k in &desc.key.columns {
            sources.push(match (k.attnum, &map) {
                (0, map) => {
                    let mut e = k.expr.clone();
                    if let Some(map) = map {
                        partition::quals::renumber(&mut e, map)?;
                    }
                    KeySource::Expr(Compiler::new(cx, row_scope(1, rows)).expr(&e)?)
                }
                (n, None) => KeySource::Column(n as usize - 1),
                (n, Some(map)) => KeySource::Column((map[n as usize - 1] as usize).wrapping_sub(1)),
            });
        }
        let computes = sources.iter().any(|s| matches!(s, KeySource::Expr(_)));
        Ok(KeyReader { desc, sources, computes })
    }

    /// The partition of a row.
    fn route(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<Option<usize>> {
        let n = self.sources.len();
        if !self.computes && n <= FEW {
            let mut values = [DatumRef::Null; FEW];
            let mut plain = true;
            for (slot, s) in values.iter_mut().zip(&self.sources) {
                let KeySource::Column(c) = s else { continue };
                *slot = batch.columns[*c].get(i);
                plain &= !matches!(slot, DatumRef::Toasted(_));
            }
            if plain {
                return self.desc.route(run.cx, &values[..n]);
            }
        }
        let values = self.values(run, batch, i)?;
        let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
        self.desc.route(run.cx, &refs)
    }

    fn values(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<Vec<Datum>> {
        let mut out = Vec::with_capacity(self.sources.len());
        for s in &mut self.sources {
            let v = match s {
                KeySource::Column(c) => batch.columns[*c].get(i).to_owned(),
                KeySource::Expr(e) => e.eval_row(run, batch, i)?,
            };
            out.push(crate::expr::function::plain(run, v.as_ref())?);
        }
        Ok(out)
    }
}

enum Child {
    Unknown,
    Node(usize),
    Leaf(usize),
}

struct RouterNode {
    rel: Arc<Relation>,
    keys: KeyReader,
    children: Vec<Child>,
}

/// The partitioned tables on the way from the one that the statement names.
pub(crate) struct Router {
    root: Arc<OpenTable>,
    nodes: Vec<RouterNode>,
    /// Leaves that rows went to, in the order of their first.
    leaves: Vec<Oid>,
}

impl Router {
    pub fn new(cx: &mut ExecContext, root: Arc<OpenTable>) -> Result<Router> {
        let mut router = Router { nodes: Vec::new(), leaves: Vec::new(), root };
        let rel = router.root.entry.clone();
        router.add_node(cx, rel)?;
        Ok(router)
    }
    pub fn root(&self) -> &Arc<OpenTable> {
        &self.root
    }
    fn add_node(&mut self, cx: &mut ExecContext, rel: Arc<Relation>) -> Result<usize> {
        let keys = KeyReader::build(cx, &rel, &self.root)?;
        let children = keys.desc.parts.iter().map(|_| Child::Unknown).collect();
        self.nodes.push(RouterNode { rel, keys, children });
        Ok(self.nodes.len() - 1)
    }
    pub fn leaf_oid(&self, leaf: usize) -> Oid {
        self.leaves[leaf]
    }

    /// The leaf of a row that has the root's columns; leaves are numbered as they come.
    pub fn route(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<usize> {
        let mut at = 0;
        loop {
            let node = &mut self.nodes[at];
            let Some(k) = node.keys.route(run, batch, i)? else { return Err(self.no_partition(run, at, batch, i)?) };
            match node.children[k] {
                Child::Leaf(leaf) => return Ok(leaf),
                Child::Node(next) => at = next,
                Child::Unknown => self.look(run.cx, at, k)?,
            }
        }
    }

    /// A row's first visit: locks the partition.
    fn look(&mut self, cx: &mut ExecContext, at: usize, k: usize) -> Result<()> {
        let oid = self.nodes[at].keys.desc.parts[k].oid;
        crate::lock_relation(cx, oid, LockMode::RowExclusive)?;
        let rel = cx.catalog.relation_entry(oid)?;
        self.nodes[at].children[k] = match rel.kind() {
            relkind::PARTITIONED_TABLE => Child::Node(self.add_node(cx, rel)?),
            relkind::FOREIGN_TABLE => return Err(PgError::unsupported("routing rows to foreign tables")),
            _ => {
                self.leaves.push(oid);
                Child::Leaf(self.leaves.len() - 1)
            }
        };
        Ok(())
    }

    #[cold]
    fn no_partition(&mut self, run: &mut Run<'_>, at: usize, batch: &Batch, i: usize) -> Result<PgError> {
        let node = &mut self.nodes[at];
        let values = node.keys.values(run, batch, i)?;
        let mut shown = Vec::new();
        for (k, v) in node.keys.desc.key.columns.iter().zip(&values) {
            shown.push(match v {
                Datum::Null => "null".to_owned(),
                v => run.cx.output(k.ty.oid, v.as_ref())?,
            });
        }
        let rel = node.rel.clone();
        let catalog = run.cx.catalog.clone();
        let text = format!("no partition of relation \"{}\" found for row", rel.name());
        let schema = catalog.namespace_name(rel.namespace())?.unwrap_or_default();
        let e = PgError::new(CHECK_VIOLATION, text).table(schema, rel.name());
        let (role, acl) = (run.cx.settings.current_user, rel.class.relacl.as_deref());
        let select = catalog::acl::ACL_SELECT;
        if !catalog.has_privilege(role, catalog::AclKind::Table, rel.owner(), acl, select)? {
            return Ok(e);
        }
        let key = analyze::deparse::partition_key(run.cx, &catalog, rel.oid, true)?.unwrap_or_default();
        Ok(e.detail(format!("Partition key of the failing row contains ({key}) = ({}).", shown.join(", "))))
    }
}

/// Whether rows of a partition may be there: each ancestor up to the top would send them here.
pub(crate) struct PartitionCheck {
    levels: Vec<(KeyReader, usize)>,
}

impl PartitionCheck {
    /// `None` for tables that are no partitions. `up_to`: the ancestor that the statement names, which sent the row.
    pub fn of(cx: &mut ExecContext, table: &OpenTable) -> Result<Option<PartitionCheck>> {
        if !table.entry.class.relispartition {
            return Ok(None);
        }
        let mut levels = Vec::new();
        let mut child = table.entry.clone();
        while let Some(parent) = partition::parent_of(&cx.catalog, &child)? {
            let parent = cx.catalog.relation_entry(parent)?;
            let keys = KeyReader::build(cx, &parent, table)?;
            let place = keys.desc.position(child.oid);
            // One that is being detached has no condition any more.
            if let Some(place) = place {
                levels.push((keys, place));
            }
            child = parent;
        }
        Ok(Some(PartitionCheck { levels }))
    }

    /// Whether a change of these columns (from 1) can matter.
    pub fn touched_by(&self, columns: &[i16]) -> bool {
        self.levels.iter().flat_map(|(k, _)| &k.sources).any(|s| match s {
            KeySource::Column(c) => columns.contains(&(*c as i16 + 1)),
            KeySource::Expr(_) => true,
        })
    }

    /// Whether a row (a batch with the table's columns) belongs here.
    pub fn holds(&mut self, run: &mut Run<'_>, batch: &Batch, i: usize) -> Result<bool> {
        for (keys, place) in &mut self.levels {
            if keys.route(run, batch, i)? != Some(*place) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
