//! Ids by name: catalogs (`RELATION_RELATION`), their indexes (`CLASS_OID_INDEX`), and single objects (`BTREE_AM_OID`,
//! `DEFAULT_COLLATION_OID`, ...), as PostgreSQL names them, respelled. Type ids are in [`types::oid`].

use base::Oid;

include!(concat!(env!("OUT_DIR"), "/oids.rs"));

/// Functions' ids: `F_` and the name, followed by the argument types where the name is not unique. (PostgreSQL: `fmgroids.h`)
pub mod fmgr {
    use base::Oid;
    include!(concat!(env!("OUT_DIR"), "/fmgroids.rs"));
}
