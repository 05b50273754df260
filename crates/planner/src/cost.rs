//! The planner's parameters. (PostgreSQL: manual, "Query Planning")

/// Costs are in units of a sequential page read.
#[derive(Clone, PartialEq, Debug)]
pub struct CostSettings {
    pub seq_page_cost: f64,
    pub random_page_cost: f64,
    pub cpu_tuple_cost: f64,
    pub cpu_index_tuple_cost: f64,
    pub cpu_operator_cost: f64,
    pub parallel_tuple_cost: f64,
    pub parallel_setup_cost: f64,
    /// Pages.
    pub effective_cache_size: f64,
    /// Kilobytes.
    pub work_mem: f64,
    pub hash_mem_multiplier: f64,
    pub cursor_tuple_fraction: f64,
    pub default_statistics_target: i32,
    pub from_collapse_limit: i32,
    pub join_collapse_limit: i32,
    pub max_parallel_workers_per_gather: i32,
    pub enable_bitmapscan: bool,
    pub enable_hashagg: bool,
    pub enable_hashjoin: bool,
    pub enable_incremental_sort: bool,
    pub enable_indexonlyscan: bool,
    pub enable_indexscan: bool,
    pub enable_material: bool,
    pub enable_memoize: bool,
    pub enable_mergejoin: bool,
    pub enable_nestloop: bool,
    pub enable_seqscan: bool,
    pub enable_sort: bool,
    pub enable_tidscan: bool,
    pub enable_distinct_reordering: bool,
    pub enable_group_by_reordering: bool,
    pub enable_presorted_aggregate: bool,
    pub enable_partition_pruning: bool,
    /// `constraint_exclusion` is `on` or `partition`.
    pub constraint_exclusion: bool,
    pub enable_partitionwise_aggregate: bool,
    pub enable_partitionwise_join: bool,
}

impl Default for CostSettings {
    fn default() -> CostSettings {
        CostSettings {
            seq_page_cost: 1.0,
            random_page_cost: 4.0,
            cpu_tuple_cost: 0.01,
            cpu_index_tuple_cost: 0.005,
            cpu_operator_cost: 0.0025,
            parallel_tuple_cost: 0.1,
            parallel_setup_cost: 1000.0,
            effective_cache_size: 524_288.0,
            work_mem: 4096.0,
            hash_mem_multiplier: 2.0,
            cursor_tuple_fraction: 0.1,
            default_statistics_target: 100,
            from_collapse_limit: 8,
            join_collapse_limit: 8,
            max_parallel_workers_per_gather: 2,
            enable_bitmapscan: true,
            enable_hashagg: true,
            enable_hashjoin: true,
            enable_incremental_sort: true,
            enable_indexonlyscan: true,
            enable_indexscan: true,
            enable_material: true,
            enable_memoize: true,
            enable_mergejoin: true,
            enable_nestloop: true,
            enable_seqscan: true,
            enable_sort: true,
            enable_tidscan: true,
            enable_distinct_reordering: true,
            enable_group_by_reordering: true,
            enable_presorted_aggregate: true,
            enable_partition_pruning: true,
            constraint_exclusion: true,
            enable_partitionwise_aggregate: false,
            enable_partitionwise_join: false,
        }
    }
}

/// At least one row, whole rows. (PostgreSQL: `clamp_row_est`)
pub(crate) fn clamp_row_est(rows: f64) -> f64 {
    if rows > 1e100 || rows.is_nan() {
        1e100
    } else if rows <= 1.0 {
        1.0
    } else {
        rows.round_ties_even()
    }
}
