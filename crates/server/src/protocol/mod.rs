//! The frontend/backend protocol, versions 3.0 and 3.2: messages in, messages out. (PostgreSQL: manual, "Message Formats")

mod connection;
mod frontend;
pub mod startup;
mod writer;

pub use connection::{Connection, Fill, Frame, Stream};
pub use frontend::{Bind, Format, Formats, Frontend, Target, invalid_utf8};
pub use writer::{FieldDescription, Writer};
