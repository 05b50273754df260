//! The log's own records. (PostgreSQL: `XLOG_*` of `pg_control.h`)

pub const CHECKPOINT_SHUTDOWN: u8 = 0x00;
pub const CHECKPOINT_ONLINE: u8 = 0x10;
pub const NOOP: u8 = 0x20;
pub const NEXTOID: u8 = 0x30;
pub const SWITCH: u8 = 0x40;
pub const BACKUP_END: u8 = 0x50;
pub const PARAMETER_CHANGE: u8 = 0x60;
pub const RESTORE_POINT: u8 = 0x70;
pub const FPW_CHANGE: u8 = 0x80;
pub const END_OF_RECOVERY: u8 = 0x90;
pub const FPI_FOR_HINT: u8 = 0xA0;
pub const FPI: u8 = 0xB0;
pub const OVERWRITE_CONTRECORD: u8 = 0xD0;
pub const CHECKPOINT_REDO: u8 = 0xE0;
