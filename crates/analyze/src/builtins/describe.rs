//! Definitions as SQL: `pg_get_expr` and its like.
