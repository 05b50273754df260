//! What nearly everything speaks: datums, columns and batches, tuple descriptors, the registry of built-ins and the hook
//! ([`Runtime`]) through which a function reaches the session. Small and stable.
//!
//! A built-in is one annotated function:
//!
//! ```ignore
//! #[builtin("int4pl", batch)]
//! fn int4pl(a: i32, b: i32) -> Result<i32> { .. }
//!
//! #[builtin("array_append")]                       // a context first, if needed; `Option` or `DatumRef` take nulls
//! fn array_append(cx: &mut FnCx, array: DatumRef, value: DatumRef) -> Result<Datum> { .. }
//!
//! #[builtin("int4out", write)]                     // an output function: appends text, also straight to the send buffer
//! fn int4out(v: i32, out: &mut Vec<u8>) -> Result<()> { .. }
//!
//! #[builtin("generate_series_int4", set)]          // a set-returning function gives a `Box<dyn RowSource>`
//! fn generate_series(from: i32, to: i32) -> Result<Box<dyn RowSource>> { .. }
//!
//! #[builtin("jsonb_build_object", raw)]            // all arguments as they come, for VARIADIC "any" and the like
//! fn jsonb_build_object(cx: &mut FnCx, args: &[DatumRef]) -> Result<Datum> { .. }
//! ```
//!
//! Arguments that are toasted arrive plain, except with `raw` (there [`with_plain`] helps).
//! The result may be a plain value or a `Result`. A crate's build script (`builtin_list::generate`) collects all
//! `#[builtin]` functions of its sources into one list.
#![forbid(unsafe_code)]

pub mod array;
pub mod column;
pub mod compare;
pub mod convert;
pub mod datum;
pub mod extended_stats;
pub mod json;
pub mod kernel;
pub mod oid;
pub mod order;
pub mod record;
pub mod registry;
pub mod search;
pub mod settings;
pub mod tupledesc;

pub use column::{Batch, Bitmap, BytesColumn, Column, ColumnData, Physical, Rows};
pub use compare::{Comparator, SortKey};
pub use convert::{FromDatum, IntoDatum, Word};
pub use datum::{Bytes, Datum, DatumRef};
pub use registry::{
    AggStates, Arg, Body, Builtin, BuiltinAggregate, BuiltinOrder, FnCall, FnCx, FnState, Registry, RowList, RowSource,
    Runtime, TypeInfo, with_plain,
};
pub use settings::Settings;
pub use tupledesc::{Align, Attribute, TupleDesc};
pub use types_macros::builtin;
