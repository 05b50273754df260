//! Cost parameters and formulas.
//!
//! PostgreSQL: `costsize.c`; manual, "Planner Cost Constants".

/// The planner's settings. (PostgreSQL: `seq_page_cost` and so on)
#[derive(Clone, PartialEq, Debug)]
pub struct CostSettings {
    pub seq_page_cost: f64,
    pub random_page_cost: f64,
    pub cpu_tuple_cost: f64,
    pub cpu_index_tuple_cost: f64,
    pub cpu_operator_cost: f64,
    /// In pages.
    pub effective_cache_size: f64,
    /// In kilobytes.
    pub work_mem: f64,
    pub hash_mem_multiplier: f64,
    pub cursor_tuple_fraction: f64,
    pub from_collapse_limit: usize,
    pub join_collapse_limit: usize,
    pub enable_seqscan: bool,
    pub enable_indexscan: bool,
    pub enable_indexonlyscan: bool,
    pub enable_bitmapscan: bool,
    pub enable_tidscan: bool,
    pub enable_sort: bool,
    pub enable_incremental_sort: bool,
    pub enable_hashagg: bool,
    pub enable_nestloop: bool,
    pub enable_material: bool,
    pub enable_memoize: bool,
    pub enable_mergejoin: bool,
    pub enable_hashjoin: bool,
}

impl Default for CostSettings {
    fn default() -> CostSettings {
        CostSettings {
            seq_page_cost: 1.0,
            random_page_cost: 4.0,
            cpu_tuple_cost: 0.01,
            cpu_index_tuple_cost: 0.005,
            cpu_operator_cost: 0.0025,
            effective_cache_size: 524_288.0,
            work_mem: 4096.0,
            hash_mem_multiplier: 2.0,
            cursor_tuple_fraction: 0.1,
            from_collapse_limit: 8,
            join_collapse_limit: 8,
            enable_seqscan: true,
            enable_indexscan: true,
            enable_indexonlyscan: true,
            enable_bitmapscan: true,
            enable_tidscan: true,
            enable_sort: true,
            enable_incremental_sort: true,
            enable_hashagg: true,
            enable_nestloop: true,
            enable_material: true,
            enable_memoize: true,
            enable_mergejoin: true,
            enable_hashjoin: true,
        }
    }
}
