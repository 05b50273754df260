//! Column numbers of the catalogs: `cols::pg_class::RELNAME`. (PostgreSQL: `Anum_pg_class_relname`)
include!(concat!(env!("OUT_DIR"), "/cols.rs"));
