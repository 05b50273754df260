//! Pages of `pg_xact` and its like, cached. (PostgreSQL: `slru.c`)
