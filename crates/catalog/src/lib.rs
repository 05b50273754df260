//! System catalogs: their definitions and published contents, caches, privileges, and transactional changes.
//!
//! A session asks its [`Catalog`], a cheap handle: `catalog.type_by_oid(..)`, `functions_by_name(..)`, `relation(..)`,
//! `find_relation(schema, name)`, `search_path()`, `format_type(..)`, `type_info(..)`, `has_privilege(..)`. Everything
//! comes from caches that all sessions share, behind `Arc`. [`Catalog::bootstrap`] serves the published rows without any
//! storage, for tests.
//!
//! In reading order: [`row`] (a struct for a row of each catalog, made from `data/*.tsv`), [`oids`], [`cols`], [`bootstrap`] (those files'
//! rows), [`scan`] (how rows are read), [`syscache`] (the caches and a transaction's overlay), [`inval`], [`lookup`],
//! [`namespace`], [`relcache`], [`format_type`], [`acl`]. Then what changes catalogs: [`ddl`]. Below them lie [`store`] (catalogs in heap
//! and B-trees), [`open`] (relations made ready for access), [`follow`] (the end of a transaction), [`relmap`]. A new cluster: [`initdb`].
//!
//! A session is wired like this:
//! ```ignore
//! let shared = SharedCatalog::with_environment(environment);           // once a cluster
//! let files = CatalogFiles::open(vfs, database, tablespace, btree)?;   // once a database
//! let store = CatalogStore::new(files.clone());                        // once a session
//! let catalog = Catalog::new(shared, database, store.clone());
//! // for each transaction:
//! store.set_transaction(Some(txn.clone()));
//! txn.add_callback(Box::new(CatalogFollower::new(catalog.clone(), files.clone())));
//! // .. statements; before commit or abort: store.set_transaction(None)
//! ```
#![forbid(unsafe_code)]

pub mod acl;
mod array;
pub mod bootstrap;
pub mod cols;
pub mod ddl;
pub mod follow;
pub mod format_type;
pub mod hash;
pub mod initdb;
pub mod inval;
pub mod lookup;
pub mod namespace;
pub mod oids;
pub mod open;
mod order;
pub mod privileges;
pub mod relcache;
pub mod relmap;
pub mod row;
pub mod scan;
pub mod scram;
mod search;
mod slots;
pub mod store;
pub mod syscache;
mod temp;

pub use acl::{AclItem, AclKind, AclMode, RoleMemberships};
pub use array::{int2vector, oidvector};
pub use bootstrap::BootstrapCatalog;
pub use ddl::{DependencyType, DropBehavior, DropOptions, Found, NewConstraint, NewIndex, NewRelation, ObjectAddress};
pub use follow::CatalogFollower;
pub use format_type::{TypeNameStyle, quote_identifier};
pub use inval::Invalidation;
pub use namespace::SearchPath;
pub use open::Environment;
pub use relcache::{IndexInfo, Relation, relkind};
pub use row::*;
pub use scan::{CatalogScan, Row};
pub use store::{CatalogFiles, CatalogStore};
pub use syscache::{CacheId, Catalog, SharedCatalog};
