//! System catalogs: their definitions and published contents, caches, privileges, and transactional changes.
#![forbid(unsafe_code)]

pub mod acl;
mod array;
pub mod bootstrap;
pub mod cols;
pub mod hash;
pub mod oids;
pub mod row;
pub mod scan;

pub use array::{int2vector, oidvector};
pub use bootstrap::BootstrapCatalog;
pub use row::*;
pub use scan::{CatalogScan, Row};
