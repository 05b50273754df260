//! Built-ins that need the catalogs: names of objects, visibility, privileges, definitions.
pub mod acl;
pub mod describe;
pub mod enums;
pub mod partition;
pub mod privileges;
pub mod regtypes;
pub mod searchtypes;
pub mod session;
pub mod updatable;
pub mod validate;
