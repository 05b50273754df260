//! Every setting: one entry each. Names, contexts, defaults and descriptions are PostgreSQL 18's (`pg_settings`).

use super::{Context, Flags, Guc, GucDef, Kind, Unit};

pub const ALLOW_ALTER_SYSTEM: Guc = Guc(0);
pub const ALLOW_IN_PLACE_TABLESPACES: Guc = Guc(1);
pub const ALLOW_SYSTEM_TABLE_MODS: Guc = Guc(2);
pub const APPLICATION_NAME: Guc = Guc(3);
pub const ARCHIVE_CLEANUP_COMMAND: Guc = Guc(4);
pub const ARCHIVE_COMMAND: Guc = Guc(5);
pub const ARCHIVE_LIBRARY: Guc = Guc(6);
pub const ARCHIVE_MODE: Guc = Guc(7);
pub const ARCHIVE_TIMEOUT: Guc = Guc(8);
pub const ARRAY_NULLS: Guc = Guc(9);
pub const AUTHENTICATION_TIMEOUT: Guc = Guc(10);
pub const AUTOVACUUM: Guc = Guc(11);
pub const AUTOVACUUM_ANALYZE_SCALE_FACTOR: Guc = Guc(12);
pub const AUTOVACUUM_ANALYZE_THRESHOLD: Guc = Guc(13);
pub const AUTOVACUUM_FREEZE_MAX_AGE: Guc = Guc(14);
pub const AUTOVACUUM_MAX_WORKERS: Guc = Guc(15);
pub const AUTOVACUUM_MULTIXACT_FREEZE_MAX_AGE: Guc = Guc(16);
pub const AUTOVACUUM_NAPTIME: Guc = Guc(17);
pub const AUTOVACUUM_VACUUM_COST_DELAY: Guc = Guc(18);
pub const AUTOVACUUM_VACUUM_COST_LIMIT: Guc = Guc(19);
pub const AUTOVACUUM_VACUUM_INSERT_SCALE_FACTOR: Guc = Guc(20);
pub const AUTOVACUUM_VACUUM_INSERT_THRESHOLD: Guc = Guc(21);
pub const AUTOVACUUM_VACUUM_MAX_THRESHOLD: Guc = Guc(22);
pub const AUTOVACUUM_VACUUM_SCALE_FACTOR: Guc = Guc(23);
pub const AUTOVACUUM_VACUUM_THRESHOLD: Guc = Guc(24);
pub const AUTOVACUUM_WORK_MEM: Guc = Guc(25);
pub const AUTOVACUUM_WORKER_SLOTS: Guc = Guc(26);
pub const BACKEND_FLUSH_AFTER: Guc = Guc(27);
pub const BACKSLASH_QUOTE: Guc = Guc(28);
pub const BACKTRACE_FUNCTIONS: Guc = Guc(29);
pub const BGWRITER_DELAY: Guc = Guc(30);
pub const BGWRITER_FLUSH_AFTER: Guc = Guc(31);
pub const BGWRITER_LRU_MAXPAGES: Guc = Guc(32);
pub const BGWRITER_LRU_MULTIPLIER: Guc = Guc(33);
pub const BLOCK_SIZE: Guc = Guc(34);
pub const BONJOUR: Guc = Guc(35);
pub const BONJOUR_NAME: Guc = Guc(36);
pub const BYTEA_OUTPUT: Guc = Guc(37);
pub const CHECK_FUNCTION_BODIES: Guc = Guc(38);
pub const CHECKPOINT_COMPLETION_TARGET: Guc = Guc(39);
pub const CHECKPOINT_FLUSH_AFTER: Guc = Guc(40);
pub const CHECKPOINT_TIMEOUT: Guc = Guc(41);
pub const CHECKPOINT_WARNING: Guc = Guc(42);
pub const CLIENT_CONNECTION_CHECK_INTERVAL: Guc = Guc(43);
pub const CLIENT_ENCODING: Guc = Guc(44);
pub const CLIENT_MIN_MESSAGES: Guc = Guc(45);
pub const CLUSTER_NAME: Guc = Guc(46);
pub const COMMIT_DELAY: Guc = Guc(47);
pub const COMMIT_SIBLINGS: Guc = Guc(48);
pub const COMMIT_TIMESTAMP_BUFFERS: Guc = Guc(49);
pub const COMPUTE_QUERY_ID: Guc = Guc(50);
pub const CONFIG_FILE: Guc = Guc(51);
pub const CONSTRAINT_EXCLUSION: Guc = Guc(52);
pub const CPU_INDEX_TUPLE_COST: Guc = Guc(53);
pub const CPU_OPERATOR_COST: Guc = Guc(54);
pub const CPU_TUPLE_COST: Guc = Guc(55);
pub const CREATEROLE_SELF_GRANT: Guc = Guc(56);
pub const CURSOR_TUPLE_FRACTION: Guc = Guc(57);
pub const DATA_CHECKSUMS: Guc = Guc(58);
pub const DATA_DIRECTORY: Guc = Guc(59);
pub const DATA_DIRECTORY_MODE: Guc = Guc(60);
pub const DATA_SYNC_RETRY: Guc = Guc(61);
pub const DATESTYLE: Guc = Guc(62);
pub const DEADLOCK_TIMEOUT: Guc = Guc(63);
pub const DEBUG_ASSERTIONS: Guc = Guc(64);
pub const DEBUG_DISCARD_CACHES: Guc = Guc(65);
pub const DEBUG_IO_DIRECT: Guc = Guc(66);
pub const DEBUG_LOGICAL_REPLICATION_STREAMING: Guc = Guc(67);
pub const DEBUG_PARALLEL_QUERY: Guc = Guc(68);
pub const DEBUG_PRETTY_PRINT: Guc = Guc(69);
pub const DEBUG_PRINT_PARSE: Guc = Guc(70);
pub const DEBUG_PRINT_PLAN: Guc = Guc(71);
pub const DEBUG_PRINT_REWRITTEN: Guc = Guc(72);
pub const DEFAULT_STATISTICS_TARGET: Guc = Guc(73);
pub const DEFAULT_TABLE_ACCESS_METHOD: Guc = Guc(74);
pub const DEFAULT_TABLESPACE: Guc = Guc(75);
pub const DEFAULT_TEXT_SEARCH_CONFIG: Guc = Guc(76);
pub const DEFAULT_TOAST_COMPRESSION: Guc = Guc(77);
pub const DEFAULT_TRANSACTION_DEFERRABLE: Guc = Guc(78);
pub const DEFAULT_TRANSACTION_ISOLATION: Guc = Guc(79);
pub const DEFAULT_TRANSACTION_READ_ONLY: Guc = Guc(80);
pub const DYNAMIC_LIBRARY_PATH: Guc = Guc(81);
pub const DYNAMIC_SHARED_MEMORY_TYPE: Guc = Guc(82);
pub const EFFECTIVE_CACHE_SIZE: Guc = Guc(83);
pub const EFFECTIVE_IO_CONCURRENCY: Guc = Guc(84);
pub const ENABLE_ASYNC_APPEND: Guc = Guc(85);
pub const ENABLE_BITMAPSCAN: Guc = Guc(86);
pub const ENABLE_DISTINCT_REORDERING: Guc = Guc(87);
pub const ENABLE_GATHERMERGE: Guc = Guc(88);
pub const ENABLE_GROUP_BY_REORDERING: Guc = Guc(89);
pub const ENABLE_HASHAGG: Guc = Guc(90);
pub const ENABLE_HASHJOIN: Guc = Guc(91);
pub const ENABLE_INCREMENTAL_SORT: Guc = Guc(92);
pub const ENABLE_INDEXONLYSCAN: Guc = Guc(93);
pub const ENABLE_INDEXSCAN: Guc = Guc(94);
pub const ENABLE_MATERIAL: Guc = Guc(95);
pub const ENABLE_MEMOIZE: Guc = Guc(96);
pub const ENABLE_MERGEJOIN: Guc = Guc(97);
pub const ENABLE_NESTLOOP: Guc = Guc(98);
pub const ENABLE_PARALLEL_APPEND: Guc = Guc(99);
pub const ENABLE_PARALLEL_HASH: Guc = Guc(100);
pub const ENABLE_PARTITION_PRUNING: Guc = Guc(101);
pub const ENABLE_PARTITIONWISE_AGGREGATE: Guc = Guc(102);
pub const ENABLE_PARTITIONWISE_JOIN: Guc = Guc(103);
pub const ENABLE_PRESORTED_AGGREGATE: Guc = Guc(104);
pub const ENABLE_SELF_JOIN_ELIMINATION: Guc = Guc(105);
pub const ENABLE_SEQSCAN: Guc = Guc(106);
pub const ENABLE_SORT: Guc = Guc(107);
pub const ENABLE_TIDSCAN: Guc = Guc(108);
pub const ESCAPE_STRING_WARNING: Guc = Guc(109);
pub const EVENT_SOURCE: Guc = Guc(110);
pub const EVENT_TRIGGERS: Guc = Guc(111);
pub const EXIT_ON_ERROR: Guc = Guc(112);
pub const EXTENSION_CONTROL_PATH: Guc = Guc(113);
pub const EXTERNAL_PID_FILE: Guc = Guc(114);
pub const EXTRA_FLOAT_DIGITS: Guc = Guc(115);
pub const FILE_COPY_METHOD: Guc = Guc(116);
pub const FILE_EXTEND_METHOD: Guc = Guc(117);
pub const FROM_COLLAPSE_LIMIT: Guc = Guc(118);
pub const FSYNC: Guc = Guc(119);
pub const FULL_PAGE_WRITES: Guc = Guc(120);
pub const GEQO: Guc = Guc(121);
pub const GEQO_EFFORT: Guc = Guc(122);
pub const GEQO_GENERATIONS: Guc = Guc(123);
pub const GEQO_POOL_SIZE: Guc = Guc(124);
pub const GEQO_SEED: Guc = Guc(125);
pub const GEQO_SELECTION_BIAS: Guc = Guc(126);
pub const GEQO_THRESHOLD: Guc = Guc(127);
pub const GIN_FUZZY_SEARCH_LIMIT: Guc = Guc(128);
pub const GIN_PENDING_LIST_LIMIT: Guc = Guc(129);
pub const GSS_ACCEPT_DELEGATION: Guc = Guc(130);
pub const HASH_MEM_MULTIPLIER: Guc = Guc(131);
pub const HBA_FILE: Guc = Guc(132);
pub const HOT_STANDBY: Guc = Guc(133);
pub const HOT_STANDBY_FEEDBACK: Guc = Guc(134);
pub const HUGE_PAGE_SIZE: Guc = Guc(135);
pub const HUGE_PAGES: Guc = Guc(136);
pub const HUGE_PAGES_STATUS: Guc = Guc(137);
pub const ICU_VALIDATION_LEVEL: Guc = Guc(138);
pub const IDENT_FILE: Guc = Guc(139);
pub const IDLE_IN_TRANSACTION_SESSION_TIMEOUT: Guc = Guc(140);
pub const IDLE_REPLICATION_SLOT_TIMEOUT: Guc = Guc(141);
pub const IDLE_SESSION_TIMEOUT: Guc = Guc(142);
pub const IGNORE_CHECKSUM_FAILURE: Guc = Guc(143);
pub const IGNORE_INVALID_PAGES: Guc = Guc(144);
pub const IGNORE_SYSTEM_INDEXES: Guc = Guc(145);
pub const IN_HOT_STANDBY: Guc = Guc(146);
pub const INTEGER_DATETIMES: Guc = Guc(147);
pub const INTERVALSTYLE: Guc = Guc(148);
pub const IO_COMBINE_LIMIT: Guc = Guc(149);
pub const IO_MAX_COMBINE_LIMIT: Guc = Guc(150);
pub const IO_MAX_CONCURRENCY: Guc = Guc(151);
pub const IO_METHOD: Guc = Guc(152);
pub const IO_WORKERS: Guc = Guc(153);
pub const JIT: Guc = Guc(154);
pub const JIT_ABOVE_COST: Guc = Guc(155);
pub const JIT_DEBUGGING_SUPPORT: Guc = Guc(156);
pub const JIT_DUMP_BITCODE: Guc = Guc(157);
pub const JIT_EXPRESSIONS: Guc = Guc(158);
pub const JIT_INLINE_ABOVE_COST: Guc = Guc(159);
pub const JIT_OPTIMIZE_ABOVE_COST: Guc = Guc(160);
pub const JIT_PROFILING_SUPPORT: Guc = Guc(161);
pub const JIT_PROVIDER: Guc = Guc(162);
pub const JIT_TUPLE_DEFORMING: Guc = Guc(163);
pub const JOIN_COLLAPSE_LIMIT: Guc = Guc(164);
pub const KRB_CASEINS_USERS: Guc = Guc(165);
pub const KRB_SERVER_KEYFILE: Guc = Guc(166);
pub const LC_MESSAGES: Guc = Guc(167);
pub const LC_MONETARY: Guc = Guc(168);
pub const LC_NUMERIC: Guc = Guc(169);
pub const LC_TIME: Guc = Guc(170);
pub const LISTEN_ADDRESSES: Guc = Guc(171);
pub const LO_COMPAT_PRIVILEGES: Guc = Guc(172);
pub const LOCAL_PRELOAD_LIBRARIES: Guc = Guc(173);
pub const LOCK_TIMEOUT: Guc = Guc(174);
pub const LOG_AUTOVACUUM_MIN_DURATION: Guc = Guc(175);
pub const LOG_CHECKPOINTS: Guc = Guc(176);
pub const LOG_CONNECTIONS: Guc = Guc(177);
pub const LOG_DESTINATION: Guc = Guc(178);
pub const LOG_DIRECTORY: Guc = Guc(179);
pub const LOG_DISCONNECTIONS: Guc = Guc(180);
pub const LOG_DURATION: Guc = Guc(181);
pub const LOG_ERROR_VERBOSITY: Guc = Guc(182);
pub const LOG_EXECUTOR_STATS: Guc = Guc(183);
pub const LOG_FILE_MODE: Guc = Guc(184);
pub const LOG_FILENAME: Guc = Guc(185);
pub const LOG_HOSTNAME: Guc = Guc(186);
pub const LOG_LINE_PREFIX: Guc = Guc(187);
pub const LOG_LOCK_FAILURES: Guc = Guc(188);
pub const LOG_LOCK_WAITS: Guc = Guc(189);
pub const LOG_MIN_DURATION_SAMPLE: Guc = Guc(190);
pub const LOG_MIN_DURATION_STATEMENT: Guc = Guc(191);
pub const LOG_MIN_ERROR_STATEMENT: Guc = Guc(192);
pub const LOG_MIN_MESSAGES: Guc = Guc(193);
pub const LOG_PARAMETER_MAX_LENGTH: Guc = Guc(194);
pub const LOG_PARAMETER_MAX_LENGTH_ON_ERROR: Guc = Guc(195);
pub const LOG_PARSER_STATS: Guc = Guc(196);
pub const LOG_PLANNER_STATS: Guc = Guc(197);
pub const LOG_RECOVERY_CONFLICT_WAITS: Guc = Guc(198);
pub const LOG_REPLICATION_COMMANDS: Guc = Guc(199);
pub const LOG_ROTATION_AGE: Guc = Guc(200);
pub const LOG_ROTATION_SIZE: Guc = Guc(201);
pub const LOG_STARTUP_PROGRESS_INTERVAL: Guc = Guc(202);
pub const LOG_STATEMENT: Guc = Guc(203);
pub const LOG_STATEMENT_SAMPLE_RATE: Guc = Guc(204);
pub const LOG_STATEMENT_STATS: Guc = Guc(205);
pub const LOG_TEMP_FILES: Guc = Guc(206);
pub const LOG_TIMEZONE: Guc = Guc(207);
pub const LOG_TRANSACTION_SAMPLE_RATE: Guc = Guc(208);
pub const LOG_TRUNCATE_ON_ROTATION: Guc = Guc(209);
pub const LOGGING_COLLECTOR: Guc = Guc(210);
pub const LOGICAL_DECODING_WORK_MEM: Guc = Guc(211);
pub const MAINTENANCE_IO_CONCURRENCY: Guc = Guc(212);
pub const MAINTENANCE_WORK_MEM: Guc = Guc(213);
pub const MAX_ACTIVE_REPLICATION_ORIGINS: Guc = Guc(214);
pub const MAX_CONNECTIONS: Guc = Guc(215);
pub const MAX_FILES_PER_PROCESS: Guc = Guc(216);
pub const MAX_FUNCTION_ARGS: Guc = Guc(217);
pub const MAX_IDENTIFIER_LENGTH: Guc = Guc(218);
pub const MAX_INDEX_KEYS: Guc = Guc(219);
pub const MAX_LOCKS_PER_TRANSACTION: Guc = Guc(220);
pub const MAX_LOGICAL_REPLICATION_WORKERS: Guc = Guc(221);
pub const MAX_NOTIFY_QUEUE_PAGES: Guc = Guc(222);
pub const MAX_PARALLEL_APPLY_WORKERS_PER_SUBSCRIPTION: Guc = Guc(223);
pub const MAX_PARALLEL_MAINTENANCE_WORKERS: Guc = Guc(224);
pub const MAX_PARALLEL_WORKERS: Guc = Guc(225);
pub const MAX_PARALLEL_WORKERS_PER_GATHER: Guc = Guc(226);
pub const MAX_PRED_LOCKS_PER_PAGE: Guc = Guc(227);
pub const MAX_PRED_LOCKS_PER_RELATION: Guc = Guc(228);
pub const MAX_PRED_LOCKS_PER_TRANSACTION: Guc = Guc(229);
pub const MAX_PREPARED_TRANSACTIONS: Guc = Guc(230);
pub const MAX_REPLICATION_SLOTS: Guc = Guc(231);
pub const MAX_SLOT_WAL_KEEP_SIZE: Guc = Guc(232);
pub const MAX_STACK_DEPTH: Guc = Guc(233);
pub const MAX_STANDBY_ARCHIVE_DELAY: Guc = Guc(234);
pub const MAX_STANDBY_STREAMING_DELAY: Guc = Guc(235);
pub const MAX_SYNC_WORKERS_PER_SUBSCRIPTION: Guc = Guc(236);
pub const MAX_WAL_SENDERS: Guc = Guc(237);
pub const MAX_WAL_SIZE: Guc = Guc(238);
pub const MAX_WORKER_PROCESSES: Guc = Guc(239);
pub const MD5_PASSWORD_WARNINGS: Guc = Guc(240);
pub const MIN_DYNAMIC_SHARED_MEMORY: Guc = Guc(241);
pub const MIN_PARALLEL_INDEX_SCAN_SIZE: Guc = Guc(242);
pub const MIN_PARALLEL_TABLE_SCAN_SIZE: Guc = Guc(243);
pub const MIN_WAL_SIZE: Guc = Guc(244);
pub const MULTIXACT_MEMBER_BUFFERS: Guc = Guc(245);
pub const MULTIXACT_OFFSET_BUFFERS: Guc = Guc(246);
pub const NOTIFY_BUFFERS: Guc = Guc(247);
pub const NUM_OS_SEMAPHORES: Guc = Guc(248);
pub const OAUTH_VALIDATOR_LIBRARIES: Guc = Guc(249);
pub const OUTPUT_PLUGIN_LIBRARIES: Guc = Guc(250);
pub const PARALLEL_LEADER_PARTICIPATION: Guc = Guc(251);
pub const PARALLEL_SETUP_COST: Guc = Guc(252);
pub const PARALLEL_TUPLE_COST: Guc = Guc(253);
pub const PASSWORD_ENCRYPTION: Guc = Guc(254);
pub const PLAN_CACHE_MODE: Guc = Guc(255);
pub const PORT: Guc = Guc(256);
pub const POST_AUTH_DELAY: Guc = Guc(257);
pub const PRE_AUTH_DELAY: Guc = Guc(258);
pub const PRIMARY_CONNINFO: Guc = Guc(259);
pub const PRIMARY_SLOT_NAME: Guc = Guc(260);
pub const QUOTE_ALL_IDENTIFIERS: Guc = Guc(261);
pub const RANDOM_PAGE_COST: Guc = Guc(262);
pub const RECOVERY_END_COMMAND: Guc = Guc(263);
pub const RECOVERY_INIT_SYNC_METHOD: Guc = Guc(264);
pub const RECOVERY_MIN_APPLY_DELAY: Guc = Guc(265);
pub const RECOVERY_PREFETCH: Guc = Guc(266);
pub const RECOVERY_TARGET: Guc = Guc(267);
pub const RECOVERY_TARGET_ACTION: Guc = Guc(268);
pub const RECOVERY_TARGET_INCLUSIVE: Guc = Guc(269);
pub const RECOVERY_TARGET_LSN: Guc = Guc(270);
pub const RECOVERY_TARGET_NAME: Guc = Guc(271);
pub const RECOVERY_TARGET_TIME: Guc = Guc(272);
pub const RECOVERY_TARGET_TIMELINE: Guc = Guc(273);
pub const RECOVERY_TARGET_XID: Guc = Guc(274);
pub const RECURSIVE_WORKTABLE_FACTOR: Guc = Guc(275);
pub const REMOVE_TEMP_FILES_AFTER_CRASH: Guc = Guc(276);
pub const RESERVED_CONNECTIONS: Guc = Guc(277);
pub const RESTART_AFTER_CRASH: Guc = Guc(278);
pub const RESTORE_COMMAND: Guc = Guc(279);
pub const RESTRICT_NONSYSTEM_RELATION_KIND: Guc = Guc(280);
pub const ROW_SECURITY: Guc = Guc(281);
pub const SCRAM_ITERATIONS: Guc = Guc(282);
pub const SEARCH_PATH: Guc = Guc(283);
pub const SEGMENT_SIZE: Guc = Guc(284);
pub const SEND_ABORT_FOR_CRASH: Guc = Guc(285);
pub const SEND_ABORT_FOR_KILL: Guc = Guc(286);
pub const SEQ_PAGE_COST: Guc = Guc(287);
pub const SERIALIZABLE_BUFFERS: Guc = Guc(288);
pub const SERVER_ENCODING: Guc = Guc(289);
pub const SERVER_VERSION: Guc = Guc(290);
pub const SERVER_VERSION_NUM: Guc = Guc(291);
pub const SESSION_PRELOAD_LIBRARIES: Guc = Guc(292);
pub const SESSION_REPLICATION_ROLE: Guc = Guc(293);
pub const SHARED_BUFFERS: Guc = Guc(294);
pub const SHARED_MEMORY_SIZE: Guc = Guc(295);
pub const SHARED_MEMORY_SIZE_IN_HUGE_PAGES: Guc = Guc(296);
pub const SHARED_MEMORY_TYPE: Guc = Guc(297);
pub const SHARED_PRELOAD_LIBRARIES: Guc = Guc(298);
pub const SSL: Guc = Guc(299);
pub const SSL_CA_FILE: Guc = Guc(300);
pub const SSL_CERT_FILE: Guc = Guc(301);
pub const SSL_CIPHERS: Guc = Guc(302);
pub const SSL_CRL_DIR: Guc = Guc(303);
pub const SSL_CRL_FILE: Guc = Guc(304);
pub const SSL_DH_PARAMS_FILE: Guc = Guc(305);
pub const SSL_GROUPS: Guc = Guc(306);
pub const SSL_KEY_FILE: Guc = Guc(307);
pub const SSL_LIBRARY: Guc = Guc(308);
pub const SSL_MAX_PROTOCOL_VERSION: Guc = Guc(309);
pub const SSL_MIN_PROTOCOL_VERSION: Guc = Guc(310);
pub const SSL_PASSPHRASE_COMMAND: Guc = Guc(311);
pub const SSL_PASSPHRASE_COMMAND_SUPPORTS_RELOAD: Guc = Guc(312);
pub const SSL_PREFER_SERVER_CIPHERS: Guc = Guc(313);
pub const SSL_TLS13_CIPHERS: Guc = Guc(314);
pub const STANDARD_CONFORMING_STRINGS: Guc = Guc(315);
pub const STATEMENT_TIMEOUT: Guc = Guc(316);
pub const STATS_FETCH_CONSISTENCY: Guc = Guc(317);
pub const SUBTRANSACTION_BUFFERS: Guc = Guc(318);
pub const SUMMARIZE_WAL: Guc = Guc(319);
pub const SUPERUSER_RESERVED_CONNECTIONS: Guc = Guc(320);
pub const SYNC_REPLICATION_SLOTS: Guc = Guc(321);
pub const SYNCHRONIZE_SEQSCANS: Guc = Guc(322);
pub const SYNCHRONIZED_STANDBY_SLOTS: Guc = Guc(323);
pub const SYNCHRONOUS_COMMIT: Guc = Guc(324);
pub const SYNCHRONOUS_STANDBY_NAMES: Guc = Guc(325);
pub const SYSLOG_FACILITY: Guc = Guc(326);
pub const SYSLOG_IDENT: Guc = Guc(327);
pub const SYSLOG_SEQUENCE_NUMBERS: Guc = Guc(328);
pub const SYSLOG_SPLIT_MESSAGES: Guc = Guc(329);
pub const TCP_KEEPALIVES_COUNT: Guc = Guc(330);
pub const TCP_KEEPALIVES_IDLE: Guc = Guc(331);
pub const TCP_KEEPALIVES_INTERVAL: Guc = Guc(332);
pub const TCP_USER_TIMEOUT: Guc = Guc(333);
pub const TEMP_BUFFERS: Guc = Guc(334);
pub const TEMP_FILE_LIMIT: Guc = Guc(335);
pub const TEMP_TABLESPACES: Guc = Guc(336);
pub const TIMEZONE: Guc = Guc(337);
pub const TIMEZONE_ABBREVIATIONS: Guc = Guc(338);
pub const TRACE_CONNECTION_NEGOTIATION: Guc = Guc(339);
pub const TRACE_NOTIFY: Guc = Guc(340);
pub const TRACE_SORT: Guc = Guc(341);
pub const TRACK_ACTIVITIES: Guc = Guc(342);
pub const TRACK_ACTIVITY_QUERY_SIZE: Guc = Guc(343);
pub const TRACK_COMMIT_TIMESTAMP: Guc = Guc(344);
pub const TRACK_COST_DELAY_TIMING: Guc = Guc(345);
pub const TRACK_COUNTS: Guc = Guc(346);
pub const TRACK_FUNCTIONS: Guc = Guc(347);
pub const TRACK_IO_TIMING: Guc = Guc(348);
pub const TRACK_WAL_IO_TIMING: Guc = Guc(349);
pub const TRANSACTION_BUFFERS: Guc = Guc(350);
pub const TRANSACTION_DEFERRABLE: Guc = Guc(351);
pub const TRANSACTION_ISOLATION: Guc = Guc(352);
pub const TRANSACTION_READ_ONLY: Guc = Guc(353);
pub const TRANSACTION_TIMEOUT: Guc = Guc(354);
pub const TRANSFORM_NULL_EQUALS: Guc = Guc(355);
pub const UNIX_SOCKET_DIRECTORIES: Guc = Guc(356);
pub const UNIX_SOCKET_GROUP: Guc = Guc(357);
pub const UNIX_SOCKET_PERMISSIONS: Guc = Guc(358);
pub const UPDATE_PROCESS_TITLE: Guc = Guc(359);
pub const VACUUM_BUFFER_USAGE_LIMIT: Guc = Guc(360);
pub const VACUUM_COST_DELAY: Guc = Guc(361);
pub const VACUUM_COST_LIMIT: Guc = Guc(362);
pub const VACUUM_COST_PAGE_DIRTY: Guc = Guc(363);
pub const VACUUM_COST_PAGE_HIT: Guc = Guc(364);
pub const VACUUM_COST_PAGE_MISS: Guc = Guc(365);
pub const VACUUM_FAILSAFE_AGE: Guc = Guc(366);
pub const VACUUM_FREEZE_MIN_AGE: Guc = Guc(367);
pub const VACUUM_FREEZE_TABLE_AGE: Guc = Guc(368);
pub const VACUUM_MAX_EAGER_FREEZE_FAILURE_RATE: Guc = Guc(369);
pub const VACUUM_MULTIXACT_FAILSAFE_AGE: Guc = Guc(370);
pub const VACUUM_MULTIXACT_FREEZE_MIN_AGE: Guc = Guc(371);
pub const VACUUM_MULTIXACT_FREEZE_TABLE_AGE: Guc = Guc(372);
pub const VACUUM_TRUNCATE: Guc = Guc(373);
pub const WAL_BLOCK_SIZE: Guc = Guc(374);
pub const WAL_BUFFERS: Guc = Guc(375);
pub const WAL_COMPRESSION: Guc = Guc(376);
pub const WAL_CONSISTENCY_CHECKING: Guc = Guc(377);
pub const WAL_DECODE_BUFFER_SIZE: Guc = Guc(378);
pub const WAL_INIT_ZERO: Guc = Guc(379);
pub const WAL_KEEP_SIZE: Guc = Guc(380);
pub const WAL_LEVEL: Guc = Guc(381);
pub const WAL_LOG_HINTS: Guc = Guc(382);
pub const WAL_RECEIVER_CREATE_TEMP_SLOT: Guc = Guc(383);
pub const WAL_RECEIVER_STATUS_INTERVAL: Guc = Guc(384);
pub const WAL_RECEIVER_TIMEOUT: Guc = Guc(385);
pub const WAL_RECYCLE: Guc = Guc(386);
pub const WAL_RETRIEVE_RETRY_INTERVAL: Guc = Guc(387);
pub const WAL_SEGMENT_SIZE: Guc = Guc(388);
pub const WAL_SENDER_TIMEOUT: Guc = Guc(389);
pub const WAL_SKIP_THRESHOLD: Guc = Guc(390);
pub const WAL_SUMMARY_KEEP_TIME: Guc = Guc(391);
pub const WAL_SYNC_METHOD: Guc = Guc(392);
pub const WAL_WRITER_DELAY: Guc = Guc(393);
pub const WAL_WRITER_FLUSH_AFTER: Guc = Guc(394);
pub const WORK_MEM: Guc = Guc(395);
pub const XMLBINARY: Guc = Guc(396);
pub const XMLOPTION: Guc = Guc(397);
pub const ZERO_DAMAGED_PAGES: Guc = Guc(398);

/// By name, case-insensitively ascending: the order of the constants above.
#[rustfmt::skip]
pub static LIST: &[GucDef] = &[
    GucDef { name: "allow_alter_system", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Other Platforms and Clients", short_desc: "Allows running the ALTER SYSTEM command.", extra_desc: "Can be set to off for environments where global configuration changes should be made using a different method." },
    GucDef { name: "allow_in_place_tablespaces", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Allows tablespaces directly inside pg_tblspc, for testing.", extra_desc: "" },
    GucDef { name: "allow_system_table_mods", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Allows modifications of the structure of system tables.", extra_desc: "" },
    GucDef { name: "application_name", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the application name to be reported in statistics and logs.", extra_desc: "" },
    GucDef { name: "archive_cleanup_command", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archive Recovery", short_desc: "Sets the shell command that will be executed at every restart point.", extra_desc: "" },
    GucDef { name: "archive_command", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archiving", short_desc: "Sets the shell command that will be called to archive a WAL file.", extra_desc: "An empty string means use \"archive_library\"." },
    GucDef { name: "archive_library", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archiving", short_desc: "Sets the library that will be called to archive a WAL file.", extra_desc: "An empty string means use \"archive_command\"." },
    GucDef { name: "archive_mode", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "off", values: &["always", "on", "off"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archiving", short_desc: "Allows archiving of WAL files using \"archive_command\".", extra_desc: "" },
    GucDef { name: "archive_timeout", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 0, min: 0, max: 1073741823 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archiving", short_desc: "Sets the amount of time to wait before forcing a switch to the next WAL file.", extra_desc: "0 disables the timeout." },
    GucDef { name: "array_nulls", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "Enables input of NULL elements in arrays.", extra_desc: "When turned on, unquoted NULL in an array input value means a null value; otherwise it is taken literally." },
    GucDef { name: "authentication_timeout", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 60, min: 1, max: 600 }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Sets the maximum allowed time to complete client authentication.", extra_desc: "" },
    GucDef { name: "autovacuum", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Starts the autovacuum subprocess.", extra_desc: "" },
    GucDef { name: "autovacuum_analyze_scale_factor", context: Context::Sighup, unit: Unit::None, kind: Kind::Real { boot: 0.1, min: 0.0, max: 100.0 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Number of tuple inserts, updates, or deletes prior to analyze as a fraction of reltuples.", extra_desc: "" },
    GucDef { name: "autovacuum_analyze_threshold", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 50, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Minimum number of tuple inserts, updates, or deletes prior to analyze.", extra_desc: "" },
    GucDef { name: "autovacuum_freeze_max_age", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 200000000, min: 100000, max: 2000000000 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Age at which to autovacuum a table to prevent transaction ID wraparound.", extra_desc: "" },
    GucDef { name: "autovacuum_max_workers", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 3, min: 1, max: 262143 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Sets the maximum number of simultaneously running autovacuum worker processes.", extra_desc: "" },
    GucDef { name: "autovacuum_multixact_freeze_max_age", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 400000000, min: 10000, max: 2000000000 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Multixact age at which to autovacuum a table to prevent multixact wraparound.", extra_desc: "" },
    GucDef { name: "autovacuum_naptime", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 60, min: 1, max: 2147483 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Time to sleep between autovacuum runs.", extra_desc: "" },
    GucDef { name: "autovacuum_vacuum_cost_delay", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Real { boot: 2.0, min: -1.0, max: 100.0 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Vacuum cost delay in milliseconds, for autovacuum.", extra_desc: "-1 means use \"vacuum_cost_delay\"." },
    GucDef { name: "autovacuum_vacuum_cost_limit", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: -1, min: -1, max: 10000 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Vacuum cost amount available before napping, for autovacuum.", extra_desc: "-1 means use \"vacuum_cost_limit\"." },
    GucDef { name: "autovacuum_vacuum_insert_scale_factor", context: Context::Sighup, unit: Unit::None, kind: Kind::Real { boot: 0.2, min: 0.0, max: 100.0 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Number of tuple inserts prior to vacuum as a fraction of reltuples.", extra_desc: "" },
    GucDef { name: "autovacuum_vacuum_insert_threshold", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 1000, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Minimum number of tuple inserts prior to vacuum.", extra_desc: "-1 disables insert vacuums." },
    GucDef { name: "autovacuum_vacuum_max_threshold", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 100000000, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Maximum number of tuple updates or deletes prior to vacuum.", extra_desc: "-1 disables the maximum threshold." },
    GucDef { name: "autovacuum_vacuum_scale_factor", context: Context::Sighup, unit: Unit::None, kind: Kind::Real { boot: 0.2, min: 0.0, max: 100.0 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Number of tuple updates or deletes prior to vacuum as a fraction of reltuples.", extra_desc: "" },
    GucDef { name: "autovacuum_vacuum_threshold", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 50, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Minimum number of tuple updates or deletes prior to vacuum.", extra_desc: "" },
    GucDef { name: "autovacuum_work_mem", context: Context::Sighup, unit: Unit::Kilobytes, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum memory to be used by each autovacuum worker process.", extra_desc: "-1 means use \"maintenance_work_mem\"." },
    GucDef { name: "autovacuum_worker_slots", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 16, min: 1, max: 262143 }, flags: Flags::NONE,
        category: "Vacuuming / Automatic Vacuuming", short_desc: "Sets the number of backend slots to allocate for autovacuum workers.", extra_desc: "" },
    GucDef { name: "backend_flush_after", context: Context::User, unit: Unit::Blocks, kind: Kind::Int { boot: 0, min: 0, max: 256 }, flags: Flags::NONE,
        category: "Resource Usage / I/O", short_desc: "Number of pages after which previously performed writes are flushed to disk.", extra_desc: "0 disables forced writeback." },
    GucDef { name: "backslash_quote", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "safe_encoding", values: &["safe_encoding", "on", "off"] }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "Sets whether \"\\'\" is allowed in string literals.", extra_desc: "" },
    GucDef { name: "backtrace_functions", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Log backtrace for errors in these functions.", extra_desc: "" },
    GucDef { name: "bgwriter_delay", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 200, min: 10, max: 10000 }, flags: Flags::NONE,
        category: "Resource Usage / Background Writer", short_desc: "Background writer sleep time between rounds.", extra_desc: "" },
    GucDef { name: "bgwriter_flush_after", context: Context::Sighup, unit: Unit::Blocks, kind: Kind::Int { boot: 64, min: 0, max: 256 }, flags: Flags::NONE,
        category: "Resource Usage / Background Writer", short_desc: "Number of pages after which previously performed writes are flushed to disk.", extra_desc: "0 disables forced writeback." },
    GucDef { name: "bgwriter_lru_maxpages", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 100, min: 0, max: 1073741823 }, flags: Flags::NONE,
        category: "Resource Usage / Background Writer", short_desc: "Background writer maximum number of LRU pages to flush per round.", extra_desc: "0 disables background writing." },
    GucDef { name: "bgwriter_lru_multiplier", context: Context::Sighup, unit: Unit::None, kind: Kind::Real { boot: 2.0, min: 0.0, max: 10.0 }, flags: Flags::NONE,
        category: "Resource Usage / Background Writer", short_desc: "Multiple of the average buffer usage to free per round.", extra_desc: "" },
    GucDef { name: "block_size", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 8192, min: 8192, max: 8192 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the size of a disk block.", extra_desc: "" },
    GucDef { name: "bonjour", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Enables advertising the server via Bonjour.", extra_desc: "" },
    GucDef { name: "bonjour_name", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the Bonjour service name.", extra_desc: "An empty string means use the computer name." },
    GucDef { name: "bytea_output", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "hex", values: &["escape", "hex"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the output format for bytea.", extra_desc: "" },
    GucDef { name: "check_function_bodies", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE.", extra_desc: "" },
    GucDef { name: "checkpoint_completion_target", context: Context::Sighup, unit: Unit::None, kind: Kind::Real { boot: 0.9, min: 0.0, max: 1.0 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Checkpoints", short_desc: "Time spent flushing dirty buffers during checkpoint, as fraction of checkpoint interval.", extra_desc: "" },
    GucDef { name: "checkpoint_flush_after", context: Context::Sighup, unit: Unit::Blocks, kind: Kind::Int { boot: 32, min: 0, max: 256 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Checkpoints", short_desc: "Number of pages after which previously performed writes are flushed to disk.", extra_desc: "0 disables forced writeback." },
    GucDef { name: "checkpoint_timeout", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 300, min: 30, max: 86400 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Checkpoints", short_desc: "Sets the maximum time between automatic WAL checkpoints.", extra_desc: "" },
    GucDef { name: "checkpoint_warning", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 30, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Checkpoints", short_desc: "Sets the maximum time before warning if checkpoints triggered by WAL volume happen too frequently.", extra_desc: "Write a message to the server log if checkpoints caused by the filling of WAL segment files happen more frequently than this amount of time. 0 disables the warning." },
    GucDef { name: "client_connection_check_interval", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Connections and Authentication / TCP Settings", short_desc: "Sets the time interval between checks for disconnection while running queries.", extra_desc: "0 disables connection checks." },
    GucDef { name: "client_encoding", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("SQL_ASCII") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the client's character set encoding.", extra_desc: "" },
    GucDef { name: "client_min_messages", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "notice", values: &["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the message levels that are sent to the client.", extra_desc: "Each level includes all the levels that follow it. The later the level, the fewer messages are sent." },
    GucDef { name: "cluster_name", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Reporting and Logging / Process Title", short_desc: "Sets the name of the cluster, which is included in the process title.", extra_desc: "" },
    GucDef { name: "commit_delay", context: Context::Superuser, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 100000 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Sets the delay in microseconds between transaction commit and flushing WAL to disk.", extra_desc: "" },
    GucDef { name: "commit_siblings", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 5, min: 0, max: 1000 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Sets the minimum number of concurrent open transactions required before performing \"commit_delay\".", extra_desc: "" },
    GucDef { name: "commit_timestamp_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 0, min: 0, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the commit timestamp cache.", extra_desc: "0 means use a fraction of \"shared_buffers\"." },
    GucDef { name: "compute_query_id", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "auto", values: &["auto", "regress", "on", "off"] }, flags: Flags::NONE,
        category: "Statistics / Monitoring", short_desc: "Enables in-core computation of query identifiers.", extra_desc: "" },
    GucDef { name: "config_file", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: None }, flags: Flags::NONE,
        category: "File Locations", short_desc: "Sets the server's main configuration file.", extra_desc: "" },
    GucDef { name: "constraint_exclusion", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "partition", values: &["partition", "on", "off"] }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Enables the planner to use constraints to optimize queries.", extra_desc: "Table scans will be skipped if their constraints guarantee that no rows match the query." },
    GucDef { name: "cpu_index_tuple_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.005, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of processing each index entry during an index scan.", extra_desc: "" },
    GucDef { name: "cpu_operator_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.0025, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of processing each operator or function call.", extra_desc: "" },
    GucDef { name: "cpu_tuple_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.01, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of processing each tuple (row).", extra_desc: "" },
    GucDef { name: "createrole_self_grant", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets whether a CREATEROLE user automatically grants the role to themselves, and with which options.", extra_desc: "An empty string disables automatic self grants." },
    GucDef { name: "cursor_tuple_fraction", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.1, min: 0.0, max: 1.0 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Sets the planner's estimate of the fraction of a cursor's rows that will be retrieved.", extra_desc: "" },
    GucDef { name: "data_checksums", context: Context::Internal, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE.with(Flags::RUNTIME_COMPUTED),
        category: "Preset Options", short_desc: "Shows whether data checksums are turned on for this cluster.", extra_desc: "" },
    GucDef { name: "data_directory", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: None }, flags: Flags::NONE,
        category: "File Locations", short_desc: "Sets the server's data directory.", extra_desc: "" },
    GucDef { name: "data_directory_mode", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 448, min: 0, max: 511 }, flags: Flags::NOT_IN_SAMPLE.with(Flags::RUNTIME_COMPUTED),
        category: "Preset Options", short_desc: "Shows the mode of the data directory.", extra_desc: "The parameter value is a numeric mode specification in the form accepted by the chmod and umask system calls. (To use the customary octal format the number must start with a 0 (zero).)" },
    GucDef { name: "data_sync_retry", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Error Handling", short_desc: "Whether to continue running after a failure to sync data files.", extra_desc: "" },
    GucDef { name: "DateStyle", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("ISO, MDY") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the display format for date and time values.", extra_desc: "Also controls interpretation of ambiguous date inputs." },
    GucDef { name: "deadlock_timeout", context: Context::Superuser, unit: Unit::Milliseconds, kind: Kind::Int { boot: 1000, min: 1, max: 2147483647 }, flags: Flags::NONE,
        category: "Lock Management", short_desc: "Sets the time to wait on a lock before checking for deadlock.", extra_desc: "" },
    GucDef { name: "debug_assertions", context: Context::Internal, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows whether the running server has assertion checks enabled.", extra_desc: "" },
    GucDef { name: "debug_discard_caches", context: Context::Superuser, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 0 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Aggressively flush system caches for debugging purposes.", extra_desc: "0 means use normal caching behavior." },
    GucDef { name: "debug_io_direct", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Use direct I/O for file access.", extra_desc: "An empty string disables direct I/O." },
    GucDef { name: "debug_logical_replication_streaming", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "buffered", values: &["buffered", "immediate"] }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Forces immediate streaming or serialization of changes in large transactions.", extra_desc: "On the publisher, it allows streaming or serializing each change in logical decoding. On the subscriber, it allows serialization of all changes to files and notifies the parallel apply workers to read and apply them at the end of the transaction." },
    GucDef { name: "debug_parallel_query", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "off", values: &["off", "on", "regress"] }, flags: Flags::EXPLAIN.with(Flags::NOT_IN_SAMPLE),
        category: "Developer Options", short_desc: "Forces the planner's use parallel query nodes.", extra_desc: "This can be useful for testing the parallel query infrastructure by forcing the planner to generate plans that contain nodes that perform tuple communication between workers and the main process." },
    GucDef { name: "debug_pretty_print", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Indents parse and plan tree displays.", extra_desc: "" },
    GucDef { name: "debug_print_parse", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs each query's parse tree.", extra_desc: "" },
    GucDef { name: "debug_print_plan", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs each query's execution plan.", extra_desc: "" },
    GucDef { name: "debug_print_rewritten", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs each query's rewritten parse tree.", extra_desc: "" },
    GucDef { name: "default_statistics_target", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 100, min: 1, max: 10000 }, flags: Flags::NONE,
        category: "Query Tuning / Other Planner Options", short_desc: "Sets the default statistics target.", extra_desc: "This applies to table columns that have not had a column-specific target set via ALTER TABLE SET STATISTICS." },
    GucDef { name: "default_table_access_method", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("heap") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the default table access method for new tables.", extra_desc: "" },
    GucDef { name: "default_tablespace", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the default tablespace to create tables and indexes in.", extra_desc: "An empty string means use the database's default tablespace." },
    GucDef { name: "default_text_search_config", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("pg_catalog.simple") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets default text search configuration.", extra_desc: "" },
    GucDef { name: "default_toast_compression", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "pglz", values: &["pglz", "lz4"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the default compression method for compressible values.", extra_desc: "" },
    GucDef { name: "default_transaction_deferrable", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the default deferrable status of new transactions.", extra_desc: "" },
    GucDef { name: "default_transaction_isolation", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "read committed", values: &["serializable", "repeatable read", "read committed", "read uncommitted"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the transaction isolation level of each new transaction.", extra_desc: "" },
    GucDef { name: "default_transaction_read_only", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the default read-only status of new transactions.", extra_desc: "" },
    GucDef { name: "dynamic_library_path", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("$libdir") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Other Defaults", short_desc: "Sets the path for dynamically loadable modules.", extra_desc: "If a dynamically loadable module needs to be opened and the specified name does not have a directory component (i.e., the name does not contain a slash), the system will search this path for the specified file." },
    GucDef { name: "dynamic_shared_memory_type", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "posix", values: &["posix", "sysv", "mmap"] }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Selects the dynamic shared memory implementation used.", extra_desc: "" },
    GucDef { name: "effective_cache_size", context: Context::User, unit: Unit::Blocks, kind: Kind::Int { boot: 524288, min: 1, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's assumption about the total size of the data caches.", extra_desc: "That is, the total size of the caches (kernel cache and shared buffers) used for PostgreSQL data files. This is measured in disk pages, which are normally 8 kB each." },
    GucDef { name: "effective_io_concurrency", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 16, min: 0, max: 1000 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / I/O", short_desc: "Number of simultaneous requests that can be handled efficiently by the disk subsystem.", extra_desc: "0 disables simultaneous requests." },
    GucDef { name: "enable_async_append", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of async append plans.", extra_desc: "" },
    GucDef { name: "enable_bitmapscan", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of bitmap-scan plans.", extra_desc: "" },
    GucDef { name: "enable_distinct_reordering", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables reordering of DISTINCT keys.", extra_desc: "" },
    GucDef { name: "enable_gathermerge", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of gather merge plans.", extra_desc: "" },
    GucDef { name: "enable_group_by_reordering", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables reordering of GROUP BY keys.", extra_desc: "" },
    GucDef { name: "enable_hashagg", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of hashed aggregation plans.", extra_desc: "" },
    GucDef { name: "enable_hashjoin", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of hash join plans.", extra_desc: "" },
    GucDef { name: "enable_incremental_sort", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of incremental sort steps.", extra_desc: "" },
    GucDef { name: "enable_indexonlyscan", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of index-only-scan plans.", extra_desc: "" },
    GucDef { name: "enable_indexscan", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of index-scan plans.", extra_desc: "" },
    GucDef { name: "enable_material", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of materialization.", extra_desc: "" },
    GucDef { name: "enable_memoize", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of memoization.", extra_desc: "" },
    GucDef { name: "enable_mergejoin", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of merge join plans.", extra_desc: "" },
    GucDef { name: "enable_nestloop", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of nested-loop join plans.", extra_desc: "" },
    GucDef { name: "enable_parallel_append", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of parallel append plans.", extra_desc: "" },
    GucDef { name: "enable_parallel_hash", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of parallel hash plans.", extra_desc: "" },
    GucDef { name: "enable_partition_pruning", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables plan-time and execution-time partition pruning.", extra_desc: "Allows the query planner and executor to compare partition bounds to conditions in the query to determine which partitions must be scanned." },
    GucDef { name: "enable_partitionwise_aggregate", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables partitionwise aggregation and grouping.", extra_desc: "" },
    GucDef { name: "enable_partitionwise_join", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables partitionwise join.", extra_desc: "" },
    GucDef { name: "enable_presorted_aggregate", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's ability to produce plans that provide presorted input for ORDER BY / DISTINCT aggregate functions.", extra_desc: "Allows the query planner to build plans that provide presorted input for aggregate functions with an ORDER BY / DISTINCT clause.  When disabled, implicit sorts are always performed during execution." },
    GucDef { name: "enable_self_join_elimination", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables removal of unique self-joins.", extra_desc: "" },
    GucDef { name: "enable_seqscan", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of sequential-scan plans.", extra_desc: "" },
    GucDef { name: "enable_sort", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of explicit sort steps.", extra_desc: "" },
    GucDef { name: "enable_tidscan", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Method Configuration", short_desc: "Enables the planner's use of TID scan plans.", extra_desc: "" },
    GucDef { name: "escape_string_warning", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "Warn about backslash escapes in ordinary string literals.", extra_desc: "" },
    GucDef { name: "event_source", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("PostgreSQL") }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the application name used to identify PostgreSQL messages in the event log.", extra_desc: "" },
    GucDef { name: "event_triggers", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Enables event triggers.", extra_desc: "When enabled, event triggers will fire for all applicable statements." },
    GucDef { name: "exit_on_error", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Error Handling", short_desc: "Terminate session on any error.", extra_desc: "" },
    GucDef { name: "extension_control_path", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("$system") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Other Defaults", short_desc: "Sets the path for extension control files.", extra_desc: "The remaining extension script and secondary control files are then loaded from the same directory where the primary control file was found." },
    GucDef { name: "external_pid_file", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: None }, flags: Flags::NONE,
        category: "File Locations", short_desc: "Writes the postmaster PID to the specified file.", extra_desc: "" },
    GucDef { name: "extra_float_digits", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 1, min: -15, max: 3 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the number of digits displayed for floating-point values.", extra_desc: "This affects real, double precision, and geometric data types. A zero or negative parameter value is added to the standard number of digits (FLT_DIG or DBL_DIG as appropriate). Any value greater than zero selects precise output mode." },
    GucDef { name: "file_copy_method", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "copy", values: &["copy", "clone"] }, flags: Flags::NONE,
        category: "Resource Usage / Disk", short_desc: "Selects the file copy method.", extra_desc: "" },
    GucDef { name: "file_extend_method", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "posix_fallocate", values: &["posix_fallocate", "write_zeros"] }, flags: Flags::NONE,
        category: "Resource Usage / Disk", short_desc: "Selects the method used for extending data files.", extra_desc: "" },
    GucDef { name: "from_collapse_limit", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 8, min: 1, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Sets the FROM-list size beyond which subqueries are not collapsed.", extra_desc: "The planner will merge subqueries into upper queries if the resulting FROM list would have no more than this many items." },
    GucDef { name: "fsync", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Forces synchronization of updates to disk.", extra_desc: "The server will use the fsync() system call in several places to make sure that updates are physically written to disk. This ensures that a database cluster will recover to a consistent state after an operating system or hardware crash." },
    GucDef { name: "full_page_writes", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Writes full pages to WAL when first modified after a checkpoint.", extra_desc: "A page write in process during an operating system crash might be only partially written to disk.  During recovery, the row changes stored in WAL are not enough to recover.  This option writes pages when first modified after a checkpoint to WAL so full recovery is possible." },
    GucDef { name: "geqo", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "Enables genetic query optimization.", extra_desc: "This algorithm attempts to do planning without exhaustive searching." },
    GucDef { name: "geqo_effort", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 5, min: 1, max: 10 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "GEQO: effort is used to set the default for other GEQO parameters.", extra_desc: "" },
    GucDef { name: "geqo_generations", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "GEQO: number of iterations of the algorithm.", extra_desc: "0 means use a suitable default value." },
    GucDef { name: "geqo_pool_size", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "GEQO: number of individuals in the population.", extra_desc: "0 means use a suitable default value." },
    GucDef { name: "geqo_seed", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.0, min: 0.0, max: 1.0 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "GEQO: seed for random path selection.", extra_desc: "" },
    GucDef { name: "geqo_selection_bias", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 2.0, min: 1.5, max: 2.0 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "GEQO: selective pressure within the population.", extra_desc: "" },
    GucDef { name: "geqo_threshold", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 12, min: 2, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Genetic Query Optimizer", short_desc: "Sets the threshold of FROM items beyond which GEQO is used.", extra_desc: "" },
    GucDef { name: "gin_fuzzy_search_limit", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Other Defaults", short_desc: "Sets the maximum allowed result for exact search by GIN.", extra_desc: "0 means no limit." },
    GucDef { name: "gin_pending_list_limit", context: Context::User, unit: Unit::Kilobytes, kind: Kind::Int { boot: 4096, min: 64, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the maximum size of the pending list for GIN index.", extra_desc: "" },
    GucDef { name: "gss_accept_delegation", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Sets whether GSSAPI delegation should be accepted from the client.", extra_desc: "" },
    GucDef { name: "hash_mem_multiplier", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 2.0, min: 1.0, max: 1000.0 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / Memory", short_desc: "Multiple of \"work_mem\" to use for hash tables.", extra_desc: "" },
    GucDef { name: "hba_file", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: None }, flags: Flags::NONE,
        category: "File Locations", short_desc: "Sets the server's \"hba\" configuration file.", extra_desc: "" },
    GucDef { name: "hot_standby", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Allows connections and queries during recovery.", extra_desc: "" },
    GucDef { name: "hot_standby_feedback", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Allows feedback from a hot standby to the primary that will avoid query conflicts.", extra_desc: "" },
    GucDef { name: "huge_page_size", context: Context::Postmaster, unit: Unit::Kilobytes, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "The size of huge page that should be requested.", extra_desc: "0 means use the system default." },
    GucDef { name: "huge_pages", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "try", values: &["off", "on", "try"] }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Use of huge pages on Linux or Windows.", extra_desc: "" },
    GucDef { name: "huge_pages_status", context: Context::Internal, unit: Unit::None, kind: Kind::Enum { boot: "off", values: &["off", "on", "unknown"] }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Indicates the status of huge pages.", extra_desc: "" },
    GucDef { name: "icu_validation_level", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "warning", values: &["disabled", "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Log level for reporting invalid ICU locale strings.", extra_desc: "" },
    GucDef { name: "ident_file", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: None }, flags: Flags::NONE,
        category: "File Locations", short_desc: "Sets the server's \"ident\" configuration file.", extra_desc: "" },
    GucDef { name: "idle_in_transaction_session_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the maximum allowed idle time between queries, when in a transaction.", extra_desc: "0 disables the timeout." },
    GucDef { name: "idle_replication_slot_timeout", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Sets the duration a replication slot can remain idle before it is invalidated.", extra_desc: "" },
    GucDef { name: "idle_session_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the maximum allowed idle time between queries, when not in a transaction.", extra_desc: "0 disables the timeout." },
    GucDef { name: "ignore_checksum_failure", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Continues processing after a checksum failure.", extra_desc: "Detection of a checksum failure normally causes PostgreSQL to report an error, aborting the current transaction. Setting ignore_checksum_failure to true causes the system to ignore the failure (but still report a warning), and continue processing. This behavior could cause crashes or other serious problems. Only has an effect if checksums are enabled." },
    GucDef { name: "ignore_invalid_pages", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Continues recovery after an invalid pages failure.", extra_desc: "Detection of WAL records having references to invalid pages during recovery causes PostgreSQL to raise a PANIC-level error, aborting the recovery. Setting \"ignore_invalid_pages\" to true causes the system to ignore invalid page references in WAL records (but still report a warning), and continue recovery. This behavior may cause crashes, data loss, propagate or hide corruption, or other serious problems. Only has an effect during recovery or in standby mode." },
    GucDef { name: "ignore_system_indexes", context: Context::Backend, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Disables reading from system indexes.", extra_desc: "It does not prevent updating the indexes, so it is safe to use.  The worst consequence is slowness." },
    GucDef { name: "in_hot_standby", context: Context::Internal, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows whether hot standby is currently active.", extra_desc: "" },
    GucDef { name: "integer_datetimes", context: Context::Internal, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows whether datetimes are integer based.", extra_desc: "" },
    GucDef { name: "IntervalStyle", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "postgres", values: &["postgres", "postgres_verbose", "sql_standard", "iso_8601"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the display format for interval values.", extra_desc: "" },
    GucDef { name: "io_combine_limit", context: Context::User, unit: Unit::Blocks, kind: Kind::Int { boot: 16, min: 1, max: 128 }, flags: Flags::NONE,
        category: "Resource Usage / I/O", short_desc: "Limit on the size of data reads and writes.", extra_desc: "" },
    GucDef { name: "io_max_combine_limit", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 16, min: 1, max: 128 }, flags: Flags::NONE,
        category: "Resource Usage / I/O", short_desc: "Server-wide limit that clamps io_combine_limit.", extra_desc: "" },
    GucDef { name: "io_max_concurrency", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: -1, min: -1, max: 1024 }, flags: Flags::NONE,
        category: "Resource Usage / I/O", short_desc: "Max number of IOs that one process can execute simultaneously.", extra_desc: "" },
    GucDef { name: "io_method", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "worker", values: &["sync", "worker", "io_uring"] }, flags: Flags::NONE,
        category: "Resource Usage / I/O", short_desc: "Selects the method for executing asynchronous I/O.", extra_desc: "" },
    GucDef { name: "io_workers", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 3, min: 1, max: 32 }, flags: Flags::NONE,
        category: "Resource Usage / I/O", short_desc: "Number of IO worker processes, for io_method=worker.", extra_desc: "" },
    GucDef { name: "jit", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Allow JIT compilation.", extra_desc: "" },
    GucDef { name: "jit_above_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 100000.0, min: -1.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Perform JIT compilation if query is more expensive.", extra_desc: "-1 disables JIT compilation." },
    GucDef { name: "jit_debugging_support", context: Context::SuperuserBackend, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Register JIT-compiled functions with debugger.", extra_desc: "" },
    GucDef { name: "jit_dump_bitcode", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Write out LLVM bitcode to facilitate JIT debugging.", extra_desc: "" },
    GucDef { name: "jit_expressions", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Allow JIT compilation of expressions.", extra_desc: "" },
    GucDef { name: "jit_inline_above_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 500000.0, min: -1.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Perform JIT inlining if query is more expensive.", extra_desc: "-1 disables inlining." },
    GucDef { name: "jit_optimize_above_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 500000.0, min: -1.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Optimize JIT-compiled functions if query is more expensive.", extra_desc: "-1 disables optimization." },
    GucDef { name: "jit_profiling_support", context: Context::SuperuserBackend, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Register JIT-compiled functions with perf profiler.", extra_desc: "" },
    GucDef { name: "jit_provider", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("llvmjit") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Shared Library Preloading", short_desc: "JIT provider to use.", extra_desc: "" },
    GucDef { name: "jit_tuple_deforming", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Allow JIT compilation of tuple deforming.", extra_desc: "" },
    GucDef { name: "join_collapse_limit", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 8, min: 1, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Sets the FROM-list size beyond which JOIN constructs are not flattened.", extra_desc: "The planner will flatten explicit JOIN constructs into lists of FROM items whenever a list of no more than this many items would result." },
    GucDef { name: "krb_caseins_users", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Sets whether Kerberos and GSSAPI user names should be treated as case-insensitive.", extra_desc: "" },
    GucDef { name: "krb_server_keyfile", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("FILE:/etc/postgresql-common/krb5.keytab") }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Sets the location of the Kerberos server key file.", extra_desc: "" },
    GucDef { name: "lc_messages", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the language in which messages are displayed.", extra_desc: "An empty string means use the operating system setting." },
    GucDef { name: "lc_monetary", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("C") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the locale for formatting monetary amounts.", extra_desc: "An empty string means use the operating system setting." },
    GucDef { name: "lc_numeric", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("C") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the locale for formatting numbers.", extra_desc: "An empty string means use the operating system setting." },
    GucDef { name: "lc_time", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("C") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the locale for formatting date and time values.", extra_desc: "An empty string means use the operating system setting." },
    GucDef { name: "listen_addresses", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("localhost") }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the host name or IP address(es) to listen to.", extra_desc: "" },
    GucDef { name: "lo_compat_privileges", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "Enables backward compatibility mode for privilege checks on large objects.", extra_desc: "Skips privilege checks when reading or modifying large objects, for compatibility with PostgreSQL releases prior to 9.0." },
    GucDef { name: "local_preload_libraries", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Shared Library Preloading", short_desc: "Lists unprivileged shared libraries to preload into each backend.", extra_desc: "" },
    GucDef { name: "lock_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the maximum allowed duration of any wait for a lock.", extra_desc: "0 disables the timeout." },
    GucDef { name: "log_autovacuum_min_duration", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 600000, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the minimum execution time above which autovacuum actions will be logged.", extra_desc: "-1 disables logging autovacuum actions. 0 means log all autovacuum actions." },
    GucDef { name: "log_checkpoints", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs each checkpoint.", extra_desc: "" },
    GucDef { name: "log_connections", context: Context::SuperuserBackend, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs specified aspects of connection establishment and setup.", extra_desc: "" },
    GucDef { name: "log_destination", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("stderr") }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the destination for server log output.", extra_desc: "Valid values are combinations of \"stderr\", \"syslog\", \"csvlog\", \"jsonlog\", and \"eventlog\", depending on the platform." },
    GucDef { name: "log_directory", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("log") }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the destination directory for log files.", extra_desc: "Can be specified as relative to the data directory or as absolute path." },
    GucDef { name: "log_disconnections", context: Context::SuperuserBackend, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs end of a session, including duration.", extra_desc: "" },
    GucDef { name: "log_duration", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs the duration of each completed SQL statement.", extra_desc: "" },
    GucDef { name: "log_error_verbosity", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "default", values: &["terse", "default", "verbose"] }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the verbosity of logged messages.", extra_desc: "" },
    GucDef { name: "log_executor_stats", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Monitoring", short_desc: "Writes executor performance statistics to the server log.", extra_desc: "" },
    GucDef { name: "log_file_mode", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 384, min: 0, max: 511 }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the file permissions for log files.", extra_desc: "The parameter value is expected to be a numeric mode specification in the form accepted by the chmod and umask system calls. (To use the customary octal format the number must start with a 0 (zero).)" },
    GucDef { name: "log_filename", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("postgresql-%Y-%m-%d_%H%M%S.log") }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the file name pattern for log files.", extra_desc: "" },
    GucDef { name: "log_hostname", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs the host name in the connection logs.", extra_desc: "By default, connection logs only show the IP address of the connecting host. If you want them to show the host name you can turn this on, but depending on your host name resolution setup it might impose a non-negligible performance penalty." },
    GucDef { name: "log_line_prefix", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("%m [%p] ") }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Controls information prefixed to each log line.", extra_desc: "An empty string means no prefix." },
    GucDef { name: "log_lock_failures", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs lock failures.", extra_desc: "" },
    GucDef { name: "log_lock_waits", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs long lock waits.", extra_desc: "" },
    GucDef { name: "log_min_duration_sample", context: Context::Superuser, unit: Unit::Milliseconds, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Sets the minimum execution time above which a sample of statements will be logged. Sampling is determined by \"log_statement_sample_rate\".", extra_desc: "-1 disables sampling. 0 means sample all statements." },
    GucDef { name: "log_min_duration_statement", context: Context::Superuser, unit: Unit::Milliseconds, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Sets the minimum execution time above which all statements will be logged.", extra_desc: "-1 disables logging statement durations. 0 means log all statement durations." },
    GucDef { name: "log_min_error_statement", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "error", values: &["debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic"] }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Causes all statements generating error at or above this level to be logged.", extra_desc: "Each level includes all the levels that follow it. The later the level, the fewer messages are sent." },
    GucDef { name: "log_min_messages", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "warning", values: &["debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning", "error", "log", "fatal", "panic"] }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Sets the message levels that are logged.", extra_desc: "Each level includes all the levels that follow it. The later the level, the fewer messages are sent." },
    GucDef { name: "log_parameter_max_length", context: Context::Superuser, unit: Unit::Bytes, kind: Kind::Int { boot: -1, min: -1, max: 1073741823 }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the maximum length in bytes of data logged for bind parameter values when logging statements.", extra_desc: "-1 means log values in full." },
    GucDef { name: "log_parameter_max_length_on_error", context: Context::User, unit: Unit::Bytes, kind: Kind::Int { boot: 0, min: -1, max: 1073741823 }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the maximum length in bytes of data logged for bind parameter values when logging statements, on error.", extra_desc: "-1 means log values in full." },
    GucDef { name: "log_parser_stats", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Monitoring", short_desc: "Writes parser performance statistics to the server log.", extra_desc: "" },
    GucDef { name: "log_planner_stats", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Monitoring", short_desc: "Writes planner performance statistics to the server log.", extra_desc: "" },
    GucDef { name: "log_recovery_conflict_waits", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs standby recovery conflict waits.", extra_desc: "" },
    GucDef { name: "log_replication_commands", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Logs each replication command.", extra_desc: "" },
    GucDef { name: "log_rotation_age", context: Context::Sighup, unit: Unit::Minutes, kind: Kind::Int { boot: 1440, min: 0, max: 35791394 }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the amount of time to wait before forcing log file rotation.", extra_desc: "0 disables time-based creation of new log files." },
    GucDef { name: "log_rotation_size", context: Context::Sighup, unit: Unit::Kilobytes, kind: Kind::Int { boot: 10240, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the maximum size a log file can reach before being rotated.", extra_desc: "0 disables size-based creation of new log files." },
    GucDef { name: "log_startup_progress_interval", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 10000, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Time between progress updates for long-running startup operations.", extra_desc: "0 disables progress updates." },
    GucDef { name: "log_statement", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "none", values: &["none", "ddl", "mod", "all"] }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the type of statements logged.", extra_desc: "" },
    GucDef { name: "log_statement_sample_rate", context: Context::Superuser, unit: Unit::None, kind: Kind::Real { boot: 1.0, min: 0.0, max: 1.0 }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Fraction of statements exceeding \"log_min_duration_sample\" to be logged.", extra_desc: "Use a value between 0.0 (never log) and 1.0 (always log)." },
    GucDef { name: "log_statement_stats", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Monitoring", short_desc: "Writes cumulative performance statistics to the server log.", extra_desc: "" },
    GucDef { name: "log_temp_files", context: Context::Superuser, unit: Unit::Kilobytes, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Log the use of temporary files larger than this number of kilobytes.", extra_desc: "-1 disables logging temporary files. 0 means log all temporary files." },
    GucDef { name: "log_timezone", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("GMT") }, flags: Flags::NONE,
        category: "Reporting and Logging / What to Log", short_desc: "Sets the time zone to use in log messages.", extra_desc: "" },
    GucDef { name: "log_transaction_sample_rate", context: Context::Superuser, unit: Unit::None, kind: Kind::Real { boot: 0.0, min: 0.0, max: 1.0 }, flags: Flags::NONE,
        category: "Reporting and Logging / When to Log", short_desc: "Sets the fraction of transactions from which to log all statements.", extra_desc: "Use a value between 0.0 (never log) and 1.0 (log all statements for all transactions)." },
    GucDef { name: "log_truncate_on_rotation", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Truncate existing log files of same name during log rotation.", extra_desc: "" },
    GucDef { name: "logging_collector", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Start a subprocess to capture stderr, csvlog and/or jsonlog into log files.", extra_desc: "" },
    GucDef { name: "logical_decoding_work_mem", context: Context::User, unit: Unit::Kilobytes, kind: Kind::Int { boot: 65536, min: 64, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum memory to be used for logical decoding.", extra_desc: "This much memory can be used by each internal reorder buffer before spilling to disk." },
    GucDef { name: "maintenance_io_concurrency", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 16, min: 0, max: 1000 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / I/O", short_desc: "A variant of \"effective_io_concurrency\" that is used for maintenance work.", extra_desc: "0 disables simultaneous requests." },
    GucDef { name: "maintenance_work_mem", context: Context::User, unit: Unit::Kilobytes, kind: Kind::Int { boot: 65536, min: 64, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum memory to be used for maintenance operations.", extra_desc: "This includes operations such as VACUUM and CREATE INDEX." },
    GucDef { name: "max_active_replication_origins", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 10, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Replication / Subscribers", short_desc: "Sets the maximum number of active replication origins.", extra_desc: "" },
    GucDef { name: "max_connections", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 100, min: 1, max: 262143 }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the maximum number of concurrent connections.", extra_desc: "" },
    GucDef { name: "max_files_per_process", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 1000, min: 64, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Kernel Resources", short_desc: "Sets the maximum number of files each server process is allowed to open simultaneously.", extra_desc: "" },
    GucDef { name: "max_function_args", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 100, min: 100, max: 100 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the maximum number of function arguments.", extra_desc: "" },
    GucDef { name: "max_identifier_length", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 63, min: 63, max: 63 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the maximum identifier length.", extra_desc: "" },
    GucDef { name: "max_index_keys", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 32, min: 32, max: 32 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the maximum number of index keys.", extra_desc: "" },
    GucDef { name: "max_locks_per_transaction", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 64, min: 10, max: 2147483647 }, flags: Flags::NONE,
        category: "Lock Management", short_desc: "Sets the maximum number of locks per transaction.", extra_desc: "The shared lock table is sized on the assumption that at most \"max_locks_per_transaction\" objects per server process or prepared transaction will need to be locked at any one time." },
    GucDef { name: "max_logical_replication_workers", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 4, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Replication / Subscribers", short_desc: "Maximum number of logical replication worker processes.", extra_desc: "" },
    GucDef { name: "max_notify_queue_pages", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 1048576, min: 64, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Disk", short_desc: "Sets the maximum number of allocated pages for NOTIFY / LISTEN queue.", extra_desc: "" },
    GucDef { name: "max_parallel_apply_workers_per_subscription", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 2, min: 0, max: 1024 }, flags: Flags::NONE,
        category: "Replication / Subscribers", short_desc: "Maximum number of parallel apply workers per subscription.", extra_desc: "" },
    GucDef { name: "max_parallel_maintenance_workers", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 2, min: 0, max: 1024 }, flags: Flags::NONE,
        category: "Resource Usage / Worker Processes", short_desc: "Sets the maximum number of parallel processes per maintenance operation.", extra_desc: "" },
    GucDef { name: "max_parallel_workers", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 8, min: 0, max: 1024 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / Worker Processes", short_desc: "Sets the maximum number of parallel workers that can be active at one time.", extra_desc: "" },
    GucDef { name: "max_parallel_workers_per_gather", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 2, min: 0, max: 1024 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / Worker Processes", short_desc: "Sets the maximum number of parallel processes per executor node.", extra_desc: "" },
    GucDef { name: "max_pred_locks_per_page", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 2, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Lock Management", short_desc: "Sets the maximum number of predicate-locked tuples per page.", extra_desc: "If more than this number of tuples on the same page are locked by a connection, those locks are replaced by a page-level lock." },
    GucDef { name: "max_pred_locks_per_relation", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: -2, min: -2147483648, max: 2147483647 }, flags: Flags::NONE,
        category: "Lock Management", short_desc: "Sets the maximum number of predicate-locked pages and tuples per relation.", extra_desc: "If more than this total of pages and tuples in the same relation are locked by a connection, those locks are replaced by a relation-level lock." },
    GucDef { name: "max_pred_locks_per_transaction", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 64, min: 10, max: 2147483647 }, flags: Flags::NONE,
        category: "Lock Management", short_desc: "Sets the maximum number of predicate locks per transaction.", extra_desc: "The shared predicate lock table is sized on the assumption that at most \"max_pred_locks_per_transaction\" objects per server process or prepared transaction will need to be locked at any one time." },
    GucDef { name: "max_prepared_transactions", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum number of simultaneously prepared transactions.", extra_desc: "" },
    GucDef { name: "max_replication_slots", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 10, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Sets the maximum number of simultaneously defined replication slots.", extra_desc: "" },
    GucDef { name: "max_slot_wal_keep_size", context: Context::Sighup, unit: Unit::Megabytes, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Sets the maximum WAL size that can be reserved by replication slots.", extra_desc: "Replication slots will be marked as failed, and segments released for deletion or recycling, if this much space is occupied by WAL on disk. -1 means no maximum." },
    GucDef { name: "max_stack_depth", context: Context::Superuser, unit: Unit::Kilobytes, kind: Kind::Int { boot: 100, min: 100, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum stack depth, in kilobytes.", extra_desc: "" },
    GucDef { name: "max_standby_archive_delay", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 30000, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the maximum delay before canceling queries when a hot standby server is processing archived WAL data.", extra_desc: "-1 means wait forever." },
    GucDef { name: "max_standby_streaming_delay", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 30000, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the maximum delay before canceling queries when a hot standby server is processing streamed WAL data.", extra_desc: "-1 means wait forever." },
    GucDef { name: "max_sync_workers_per_subscription", context: Context::Sighup, unit: Unit::None, kind: Kind::Int { boot: 2, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Replication / Subscribers", short_desc: "Maximum number of table synchronization workers per subscription.", extra_desc: "" },
    GucDef { name: "max_wal_senders", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 10, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Sets the maximum number of simultaneously running WAL sender processes.", extra_desc: "" },
    GucDef { name: "max_wal_size", context: Context::Sighup, unit: Unit::Megabytes, kind: Kind::Int { boot: 1024, min: 2, max: 2147483647 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Checkpoints", short_desc: "Sets the WAL size that triggers a checkpoint.", extra_desc: "" },
    GucDef { name: "max_worker_processes", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 8, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Resource Usage / Worker Processes", short_desc: "Maximum number of concurrent worker processes.", extra_desc: "" },
    GucDef { name: "md5_password_warnings", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Enables deprecation warnings for MD5 passwords.", extra_desc: "" },
    GucDef { name: "min_dynamic_shared_memory", context: Context::Postmaster, unit: Unit::Megabytes, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Amount of dynamic shared memory reserved at startup.", extra_desc: "" },
    GucDef { name: "min_parallel_index_scan_size", context: Context::User, unit: Unit::Blocks, kind: Kind::Int { boot: 64, min: 0, max: 715827882 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the minimum amount of index data for a parallel scan.", extra_desc: "If the planner estimates that it will read a number of index pages too small to reach this limit, a parallel scan will not be considered." },
    GucDef { name: "min_parallel_table_scan_size", context: Context::User, unit: Unit::Blocks, kind: Kind::Int { boot: 1024, min: 0, max: 715827882 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the minimum amount of table data for a parallel scan.", extra_desc: "If the planner estimates that it will read a number of table pages too small to reach this limit, a parallel scan will not be considered." },
    GucDef { name: "min_wal_size", context: Context::Sighup, unit: Unit::Megabytes, kind: Kind::Int { boot: 80, min: 2, max: 2147483647 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Checkpoints", short_desc: "Sets the minimum size to shrink the WAL to.", extra_desc: "" },
    GucDef { name: "multixact_member_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 32, min: 16, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the MultiXact member cache.", extra_desc: "" },
    GucDef { name: "multixact_offset_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 16, min: 16, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the MultiXact offset cache.", extra_desc: "" },
    GucDef { name: "notify_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 16, min: 16, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the LISTEN/NOTIFY message cache.", extra_desc: "" },
    GucDef { name: "num_os_semaphores", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NOT_IN_SAMPLE.with(Flags::RUNTIME_COMPUTED),
        category: "Preset Options", short_desc: "Shows the number of semaphores required for the server.", extra_desc: "" },
    GucDef { name: "oauth_validator_libraries", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Lists libraries that may be called to validate OAuth v2 bearer tokens.", extra_desc: "" },
    GucDef { name: "output_plugin_libraries", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("pgoutput, test_decoding") }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Lists libraries that may be named as logical decoding output plugins.", extra_desc: "Users with REPLICATION privileges may only use plugins in this list when creating logical replication slots." },
    GucDef { name: "parallel_leader_participation", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::EXPLAIN,
        category: "Resource Usage / Worker Processes", short_desc: "Controls whether Gather and Gather Merge also run subplans.", extra_desc: "Should gather nodes also run subplans or just gather tuples?" },
    GucDef { name: "parallel_setup_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 1000.0, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of starting up worker processes for parallel query.", extra_desc: "" },
    GucDef { name: "parallel_tuple_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.1, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of passing each tuple (row) from worker to leader backend.", extra_desc: "" },
    GucDef { name: "password_encryption", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "scram-sha-256", values: &["md5", "scram-sha-256"] }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Chooses the algorithm for encrypting passwords.", extra_desc: "" },
    GucDef { name: "plan_cache_mode", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "auto", values: &["auto", "force_generic_plan", "force_custom_plan"] }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Controls the planner's selection of custom or generic plan.", extra_desc: "Prepared statements can have custom and generic plans, and the planner will attempt to choose which is better.  This can be set to override the default behavior." },
    GucDef { name: "port", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 5432, min: 1, max: 65535 }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the TCP port the server listens on.", extra_desc: "" },
    GucDef { name: "post_auth_delay", context: Context::Backend, unit: Unit::Seconds, kind: Kind::Int { boot: 0, min: 0, max: 2147 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Sets the amount of time to wait after authentication on connection startup.", extra_desc: "This allows attaching a debugger to the process." },
    GucDef { name: "pre_auth_delay", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 0, min: 0, max: 60 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Sets the amount of time to wait before authentication on connection startup.", extra_desc: "This allows attaching a debugger to the process." },
    GucDef { name: "primary_conninfo", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the connection string to be used to connect to the sending server.", extra_desc: "" },
    GucDef { name: "primary_slot_name", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the name of the replication slot to use on the sending server.", extra_desc: "" },
    GucDef { name: "quote_all_identifiers", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "When generating SQL fragments, quote all identifiers.", extra_desc: "" },
    GucDef { name: "random_page_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 4.0, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of a nonsequentially fetched disk page.", extra_desc: "" },
    GucDef { name: "recovery_end_command", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archive Recovery", short_desc: "Sets the shell command that will be executed once at the end of recovery.", extra_desc: "" },
    GucDef { name: "recovery_init_sync_method", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "fsync", values: &["fsync", "syncfs"] }, flags: Flags::NONE,
        category: "Error Handling", short_desc: "Sets the method for synchronizing the data directory before crash recovery.", extra_desc: "" },
    GucDef { name: "recovery_min_apply_delay", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the minimum delay for applying changes during recovery.", extra_desc: "" },
    GucDef { name: "recovery_prefetch", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "try", values: &["off", "on", "try"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery", short_desc: "Prefetch referenced blocks during recovery.", extra_desc: "Look ahead in the WAL to find references to uncached data." },
    GucDef { name: "recovery_target", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Set to \"immediate\" to end recovery as soon as a consistent state is reached.", extra_desc: "" },
    GucDef { name: "recovery_target_action", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "pause", values: &["pause", "promote", "shutdown"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Sets the action to perform upon reaching the recovery target.", extra_desc: "" },
    GucDef { name: "recovery_target_inclusive", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Sets whether to include or exclude transaction with recovery target.", extra_desc: "" },
    GucDef { name: "recovery_target_lsn", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Sets the LSN of the write-ahead log location up to which recovery will proceed.", extra_desc: "" },
    GucDef { name: "recovery_target_name", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Sets the named restore point up to which recovery will proceed.", extra_desc: "" },
    GucDef { name: "recovery_target_time", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Sets the time stamp up to which recovery will proceed.", extra_desc: "" },
    GucDef { name: "recovery_target_timeline", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("latest") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Specifies the timeline to recover into.", extra_desc: "" },
    GucDef { name: "recovery_target_xid", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery Target", short_desc: "Sets the transaction ID up to which recovery will proceed.", extra_desc: "" },
    GucDef { name: "recursive_worktable_factor", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 10.0, min: 0.001, max: 1e+06 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Other Planner Options", short_desc: "Sets the planner's estimate of the average size of a recursive query's working table.", extra_desc: "" },
    GucDef { name: "remove_temp_files_after_crash", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Remove temporary files after backend crash.", extra_desc: "" },
    GucDef { name: "reserved_connections", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the number of connection slots reserved for roles with privileges of pg_use_reserved_connections.", extra_desc: "" },
    GucDef { name: "restart_after_crash", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Error Handling", short_desc: "Reinitialize server after backend crash.", extra_desc: "" },
    GucDef { name: "restore_command", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Write-Ahead Log / Archive Recovery", short_desc: "Sets the shell command that will be called to retrieve an archived WAL file.", extra_desc: "" },
    GucDef { name: "restrict_nonsystem_relation_kind", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Prohibits access to non-system relations of specified kinds.", extra_desc: "" },
    GucDef { name: "row_security", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Enables row security.", extra_desc: "When enabled, row security will be applied to all users." },
    GucDef { name: "scram_iterations", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 4096, min: 1, max: 2147483647 }, flags: Flags::NONE,
        category: "Connections and Authentication / Authentication", short_desc: "Sets the iteration count for SCRAM secret generation.", extra_desc: "" },
    GucDef { name: "search_path", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("\"$user\", public") }, flags: Flags::EXPLAIN,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the schema search order for names that are not schema-qualified.", extra_desc: "" },
    GucDef { name: "segment_size", context: Context::Internal, unit: Unit::Blocks, kind: Kind::Int { boot: 131072, min: 131072, max: 131072 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the number of pages per disk file.", extra_desc: "" },
    GucDef { name: "send_abort_for_crash", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Send SIGABRT not SIGQUIT to child processes after backend crash.", extra_desc: "" },
    GucDef { name: "send_abort_for_kill", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Send SIGABRT not SIGKILL to stuck child processes.", extra_desc: "" },
    GucDef { name: "seq_page_cost", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 1.0, min: 0.0, max: 1.79769e+308 }, flags: Flags::EXPLAIN,
        category: "Query Tuning / Planner Cost Constants", short_desc: "Sets the planner's estimate of the cost of a sequentially fetched disk page.", extra_desc: "" },
    GucDef { name: "serializable_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 32, min: 16, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the serializable transaction cache.", extra_desc: "" },
    GucDef { name: "server_encoding", context: Context::Internal, unit: Unit::None, kind: Kind::Str { boot: Some("SQL_ASCII") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the server (database) character set encoding.", extra_desc: "" },
    GucDef { name: "server_version", context: Context::Internal, unit: Unit::None, kind: Kind::Str { boot: Some("18.6") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the server version.", extra_desc: "" },
    GucDef { name: "server_version_num", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 180006, min: 180006, max: 180006 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the server version as an integer.", extra_desc: "" },
    GucDef { name: "session_preload_libraries", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Shared Library Preloading", short_desc: "Lists shared libraries to preload into each backend.", extra_desc: "" },
    GucDef { name: "session_replication_role", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "origin", values: &["origin", "replica", "local"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the session's behavior for triggers and rewrite rules.", extra_desc: "" },
    GucDef { name: "shared_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 16384, min: 16, max: 1073741823 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the number of shared memory buffers used by the server.", extra_desc: "" },
    GucDef { name: "shared_memory_size", context: Context::Internal, unit: Unit::Megabytes, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NOT_IN_SAMPLE.with(Flags::RUNTIME_COMPUTED),
        category: "Preset Options", short_desc: "Shows the size of the server's main shared memory area (rounded up to the nearest MB).", extra_desc: "" },
    GucDef { name: "shared_memory_size_in_huge_pages", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NOT_IN_SAMPLE.with(Flags::RUNTIME_COMPUTED),
        category: "Preset Options", short_desc: "Shows the number of huge pages needed for the main shared memory area.", extra_desc: "-1 means huge pages are not supported." },
    GucDef { name: "shared_memory_type", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "mmap", values: &["sysv", "mmap"] }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Selects the shared memory implementation used for the main shared memory region.", extra_desc: "" },
    GucDef { name: "shared_preload_libraries", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Shared Library Preloading", short_desc: "Lists shared libraries to preload into server.", extra_desc: "" },
    GucDef { name: "ssl", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Enables SSL connections.", extra_desc: "" },
    GucDef { name: "ssl_ca_file", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Location of the SSL certificate authority file.", extra_desc: "" },
    GucDef { name: "ssl_cert_file", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("server.crt") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Location of the SSL server certificate file.", extra_desc: "" },
    GucDef { name: "ssl_ciphers", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("HIGH:MEDIUM:+3DES:!aNULL") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Sets the list of allowed TLSv1.2 (and lower) ciphers.", extra_desc: "" },
    GucDef { name: "ssl_crl_dir", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Location of the SSL certificate revocation list directory.", extra_desc: "" },
    GucDef { name: "ssl_crl_file", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Location of the SSL certificate revocation list file.", extra_desc: "" },
    GucDef { name: "ssl_dh_params_file", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Location of the SSL DH parameters file.", extra_desc: "An empty string means use compiled-in default parameters." },
    GucDef { name: "ssl_groups", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("X25519:prime256v1") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Sets the group(s) to use for Diffie-Hellman key exchange.", extra_desc: "Multiple groups can be specified using a colon-separated list." },
    GucDef { name: "ssl_key_file", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("server.key") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Location of the SSL server private key file.", extra_desc: "" },
    GucDef { name: "ssl_library", context: Context::Internal, unit: Unit::None, kind: Kind::Str { boot: Some("rustls") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the name of the SSL library.", extra_desc: "" },
    GucDef { name: "ssl_max_protocol_version", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "", values: &["", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Sets the maximum SSL/TLS protocol version to use.", extra_desc: "" },
    GucDef { name: "ssl_min_protocol_version", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "TLSv1.2", values: &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Sets the minimum SSL/TLS protocol version to use.", extra_desc: "" },
    GucDef { name: "ssl_passphrase_command", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Command to obtain passphrases for SSL.", extra_desc: "An empty string means use the built-in prompting mechanism." },
    GucDef { name: "ssl_passphrase_command_supports_reload", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Controls whether \"ssl_passphrase_command\" is called during server reload.", extra_desc: "" },
    GucDef { name: "ssl_prefer_server_ciphers", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Give priority to server ciphersuite order.", extra_desc: "" },
    GucDef { name: "ssl_tls13_ciphers", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / SSL", short_desc: "Sets the list of allowed TLSv1.3 cipher suites.", extra_desc: "An empty string means use the default cipher suites." },
    GucDef { name: "standard_conforming_strings", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "Causes '...' strings to treat backslashes literally.", extra_desc: "" },
    GucDef { name: "statement_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the maximum allowed duration of any statement.", extra_desc: "0 disables the timeout." },
    GucDef { name: "stats_fetch_consistency", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "cache", values: &["none", "cache", "snapshot"] }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Sets the consistency of accesses to statistics data.", extra_desc: "" },
    GucDef { name: "subtransaction_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 0, min: 0, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the subtransaction cache.", extra_desc: "0 means use a fraction of \"shared_buffers\"." },
    GucDef { name: "summarize_wal", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Write-Ahead Log / Summarization", short_desc: "Starts the WAL summarizer process to enable incremental backup.", extra_desc: "" },
    GucDef { name: "superuser_reserved_connections", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 3, min: 0, max: 262143 }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the number of connection slots reserved for superusers.", extra_desc: "" },
    GucDef { name: "sync_replication_slots", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Enables a physical standby to synchronize logical failover replication slots from the primary server.", extra_desc: "" },
    GucDef { name: "synchronize_seqscans", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Previous PostgreSQL Versions", short_desc: "Enables synchronized sequential scans.", extra_desc: "" },
    GucDef { name: "synchronized_standby_slots", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Replication / Primary Server", short_desc: "Lists streaming replication standby server replication slot names that logical WAL sender processes will wait for.", extra_desc: "Logical WAL sender processes will send decoded changes to output plugins only after the specified replication slots have confirmed receiving WAL." },
    GucDef { name: "synchronous_commit", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "on", values: &["local", "remote_write", "remote_apply", "on", "off"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Sets the current transaction's synchronization level.", extra_desc: "" },
    GucDef { name: "synchronous_standby_names", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Replication / Primary Server", short_desc: "Number of synchronous standbys and list of names of potential synchronous ones.", extra_desc: "" },
    GucDef { name: "syslog_facility", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "local0", values: &["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"] }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the syslog \"facility\" to be used when syslog enabled.", extra_desc: "" },
    GucDef { name: "syslog_ident", context: Context::Sighup, unit: Unit::None, kind: Kind::Str { boot: Some("postgres") }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Sets the program name used to identify PostgreSQL messages in syslog.", extra_desc: "" },
    GucDef { name: "syslog_sequence_numbers", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Add sequence number to syslog messages to avoid duplicate suppression.", extra_desc: "" },
    GucDef { name: "syslog_split_messages", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Reporting and Logging / Where to Log", short_desc: "Split messages sent to syslog by lines and to fit into 1024 bytes.", extra_desc: "" },
    GucDef { name: "tcp_keepalives_count", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Connections and Authentication / TCP Settings", short_desc: "Maximum number of TCP keepalive retransmits.", extra_desc: "Number of consecutive keepalive retransmits that can be lost before a connection is considered dead. 0 means use the system default." },
    GucDef { name: "tcp_keepalives_idle", context: Context::User, unit: Unit::Seconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Connections and Authentication / TCP Settings", short_desc: "Time between issuing TCP keepalives.", extra_desc: "0 means use the system default." },
    GucDef { name: "tcp_keepalives_interval", context: Context::User, unit: Unit::Seconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Connections and Authentication / TCP Settings", short_desc: "Time between TCP keepalive retransmits.", extra_desc: "0 means use the system default." },
    GucDef { name: "tcp_user_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Connections and Authentication / TCP Settings", short_desc: "TCP user timeout.", extra_desc: "0 means use the system default." },
    GucDef { name: "temp_buffers", context: Context::User, unit: Unit::Blocks, kind: Kind::Int { boot: 1024, min: 100, max: 1073741823 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum number of temporary buffers used by each session.", extra_desc: "" },
    GucDef { name: "temp_file_limit", context: Context::Superuser, unit: Unit::Kilobytes, kind: Kind::Int { boot: -1, min: -1, max: 2147483647 }, flags: Flags::NONE,
        category: "Resource Usage / Disk", short_desc: "Limits the total size of all temporary files used by each process.", extra_desc: "-1 means no limit." },
    GucDef { name: "temp_tablespaces", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the tablespace(s) to use for temporary tables and sort files.", extra_desc: "An empty string means use the database's default tablespace." },
    GucDef { name: "TimeZone", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: Some("GMT") }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Sets the time zone for displaying and interpreting time stamps.", extra_desc: "" },
    GucDef { name: "timezone_abbreviations", context: Context::User, unit: Unit::None, kind: Kind::Str { boot: None }, flags: Flags::NONE,
        category: "Client Connection Defaults / Locale and Formatting", short_desc: "Selects a file of time zone abbreviations.", extra_desc: "" },
    GucDef { name: "trace_connection_negotiation", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Logs details of pre-authentication connection handshake.", extra_desc: "" },
    GucDef { name: "trace_notify", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Generates debugging output for LISTEN and NOTIFY.", extra_desc: "" },
    GucDef { name: "trace_sort", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Emit information about resource usage in sorting.", extra_desc: "" },
    GucDef { name: "track_activities", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Collects information about executing commands.", extra_desc: "Enables the collection of information on the currently executing command of each session, along with the time at which that command began execution." },
    GucDef { name: "track_activity_query_size", context: Context::Postmaster, unit: Unit::Bytes, kind: Kind::Int { boot: 1024, min: 100, max: 1048576 }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Sets the size reserved for pg_stat_activity.query, in bytes.", extra_desc: "" },
    GucDef { name: "track_commit_timestamp", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Collects transaction commit time.", extra_desc: "" },
    GucDef { name: "track_cost_delay_timing", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Collects timing statistics for cost-based vacuum delay.", extra_desc: "" },
    GucDef { name: "track_counts", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Collects statistics on database activity.", extra_desc: "" },
    GucDef { name: "track_functions", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "none", values: &["none", "pl", "all"] }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Collects function-level statistics on database activity.", extra_desc: "" },
    GucDef { name: "track_io_timing", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Collects timing statistics for database I/O activity.", extra_desc: "" },
    GucDef { name: "track_wal_io_timing", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Statistics / Cumulative Query and Index Statistics", short_desc: "Collects timing statistics for WAL I/O activity.", extra_desc: "" },
    GucDef { name: "transaction_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: 0, min: 0, max: 131072 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the size of the dedicated buffer pool used for the transaction status cache.", extra_desc: "0 means use a fraction of \"shared_buffers\"." },
    GucDef { name: "transaction_deferrable", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NO_RESET.with(Flags::NO_RESET_ALL).with(Flags::NOT_IN_SAMPLE),
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures.", extra_desc: "" },
    GucDef { name: "transaction_isolation", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "read committed", values: &["serializable", "repeatable read", "read committed", "read uncommitted"] }, flags: Flags::NO_RESET.with(Flags::NO_RESET_ALL).with(Flags::NOT_IN_SAMPLE),
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the current transaction's isolation level.", extra_desc: "" },
    GucDef { name: "transaction_read_only", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NO_RESET.with(Flags::NO_RESET_ALL).with(Flags::NOT_IN_SAMPLE),
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the current transaction's read-only status.", extra_desc: "" },
    GucDef { name: "transaction_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets the maximum allowed duration of any transaction within a session (not a prepared transaction).", extra_desc: "0 disables the timeout." },
    GucDef { name: "transform_null_equals", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Version and Platform Compatibility / Other Platforms and Clients", short_desc: "Treats \"expr=NULL\" as \"expr IS NULL\".", extra_desc: "When turned on, expressions of the form expr = NULL (or NULL = expr) are treated as expr IS NULL, that is, they return true if expr evaluates to the null value, and false otherwise. The correct behavior of expr = NULL is to always return null (unknown)." },
    GucDef { name: "unix_socket_directories", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("/tmp") }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the directories where Unix-domain sockets will be created.", extra_desc: "" },
    GucDef { name: "unix_socket_group", context: Context::Postmaster, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the owning group of the Unix-domain socket.", extra_desc: "The owning user of the socket is always the user that starts the server. An empty string means use the user's default group." },
    GucDef { name: "unix_socket_permissions", context: Context::Postmaster, unit: Unit::None, kind: Kind::Int { boot: 511, min: 0, max: 511 }, flags: Flags::NONE,
        category: "Connections and Authentication / Connection Settings", short_desc: "Sets the access permissions of the Unix-domain socket.", extra_desc: "Unix-domain sockets use the usual Unix file system permission set. The parameter value is expected to be a numeric mode specification in the form accepted by the chmod and umask system calls. (To use the customary octal format the number must start with a 0 (zero).)" },
    GucDef { name: "update_process_title", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Reporting and Logging / Process Title", short_desc: "Updates the process title to show the active SQL command.", extra_desc: "Enables updating of the process title every time a new SQL command is received by the server." },
    GucDef { name: "vacuum_buffer_usage_limit", context: Context::User, unit: Unit::Kilobytes, kind: Kind::Int { boot: 2048, min: 0, max: 16777216 }, flags: Flags::NONE,
        category: "Resource Usage / Memory", short_desc: "Sets the buffer pool size for VACUUM, ANALYZE, and autovacuum.", extra_desc: "" },
    GucDef { name: "vacuum_cost_delay", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Real { boot: 0.0, min: 0.0, max: 100.0 }, flags: Flags::NONE,
        category: "Vacuuming / Cost-Based Vacuum Delay", short_desc: "Vacuum cost delay in milliseconds.", extra_desc: "" },
    GucDef { name: "vacuum_cost_limit", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 200, min: 1, max: 10000 }, flags: Flags::NONE,
        category: "Vacuuming / Cost-Based Vacuum Delay", short_desc: "Vacuum cost amount available before napping.", extra_desc: "" },
    GucDef { name: "vacuum_cost_page_dirty", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 20, min: 0, max: 10000 }, flags: Flags::NONE,
        category: "Vacuuming / Cost-Based Vacuum Delay", short_desc: "Vacuum cost for a page dirtied by vacuum.", extra_desc: "" },
    GucDef { name: "vacuum_cost_page_hit", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 1, min: 0, max: 10000 }, flags: Flags::NONE,
        category: "Vacuuming / Cost-Based Vacuum Delay", short_desc: "Vacuum cost for a page found in the buffer cache.", extra_desc: "" },
    GucDef { name: "vacuum_cost_page_miss", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 2, min: 0, max: 10000 }, flags: Flags::NONE,
        category: "Vacuuming / Cost-Based Vacuum Delay", short_desc: "Vacuum cost for a page not found in the buffer cache.", extra_desc: "" },
    GucDef { name: "vacuum_failsafe_age", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 1600000000, min: 0, max: 2100000000 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Age at which VACUUM should trigger failsafe to avoid a wraparound outage.", extra_desc: "" },
    GucDef { name: "vacuum_freeze_min_age", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 50000000, min: 0, max: 1000000000 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Minimum age at which VACUUM should freeze a table row.", extra_desc: "" },
    GucDef { name: "vacuum_freeze_table_age", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 150000000, min: 0, max: 2000000000 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Age at which VACUUM should scan whole table to freeze tuples.", extra_desc: "" },
    GucDef { name: "vacuum_max_eager_freeze_failure_rate", context: Context::User, unit: Unit::None, kind: Kind::Real { boot: 0.03, min: 0.0, max: 1.0 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Fraction of pages in a relation vacuum can scan and fail to freeze before disabling eager scanning.", extra_desc: "A value of 0.0 disables eager scanning and a value of 1.0 will eagerly scan up to 100 percent of the all-visible pages in the relation. If vacuum successfully freezes these pages, the cap is lower than 100 percent, because the goal is to amortize page freezing across multiple vacuums." },
    GucDef { name: "vacuum_multixact_failsafe_age", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 1600000000, min: 0, max: 2100000000 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Multixact age at which VACUUM should trigger failsafe to avoid a wraparound outage.", extra_desc: "" },
    GucDef { name: "vacuum_multixact_freeze_min_age", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 5000000, min: 0, max: 1000000000 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Minimum age at which VACUUM should freeze a MultiXactId in a table row.", extra_desc: "" },
    GucDef { name: "vacuum_multixact_freeze_table_age", context: Context::User, unit: Unit::None, kind: Kind::Int { boot: 150000000, min: 0, max: 2000000000 }, flags: Flags::NONE,
        category: "Vacuuming / Freezing", short_desc: "Multixact age at which VACUUM should scan whole table to freeze tuples.", extra_desc: "" },
    GucDef { name: "vacuum_truncate", context: Context::User, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Vacuuming / Default Behavior", short_desc: "Enables vacuum to truncate empty pages at the end of the table.", extra_desc: "" },
    GucDef { name: "wal_block_size", context: Context::Internal, unit: Unit::None, kind: Kind::Int { boot: 8192, min: 8192, max: 8192 }, flags: Flags::NOT_IN_SAMPLE,
        category: "Preset Options", short_desc: "Shows the block size in the write ahead log.", extra_desc: "" },
    GucDef { name: "wal_buffers", context: Context::Postmaster, unit: Unit::Blocks, kind: Kind::Int { boot: -1, min: -1, max: 262143 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Sets the number of disk-page buffers in shared memory for WAL.", extra_desc: "-1 means use a fraction of \"shared_buffers\"." },
    GucDef { name: "wal_compression", context: Context::Superuser, unit: Unit::None, kind: Kind::Enum { boot: "off", values: &["pglz", "lz4", "zstd", "on", "off"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Compresses full-page writes written in WAL file with specified method.", extra_desc: "" },
    GucDef { name: "wal_consistency_checking", context: Context::Superuser, unit: Unit::None, kind: Kind::Str { boot: Some("") }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Sets the WAL resource managers for which WAL consistency checks are done.", extra_desc: "Full-page images will be logged for all data blocks and cross-checked against the results of WAL replay." },
    GucDef { name: "wal_decode_buffer_size", context: Context::Postmaster, unit: Unit::Bytes, kind: Kind::Int { boot: 524288, min: 65536, max: 1073741823 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Recovery", short_desc: "Buffer size for reading ahead in the WAL during recovery.", extra_desc: "Maximum distance to read ahead in the WAL to prefetch referenced data blocks." },
    GucDef { name: "wal_init_zero", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Writes zeroes to new WAL files before first use.", extra_desc: "" },
    GucDef { name: "wal_keep_size", context: Context::Sighup, unit: Unit::Megabytes, kind: Kind::Int { boot: 0, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Sets the size of WAL files held for standby servers.", extra_desc: "" },
    GucDef { name: "wal_level", context: Context::Postmaster, unit: Unit::None, kind: Kind::Enum { boot: "replica", values: &["minimal", "replica", "logical"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Sets the level of information written to the WAL.", extra_desc: "" },
    GucDef { name: "wal_log_hints", context: Context::Postmaster, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Writes full pages to WAL when first modified after a checkpoint, even for a non-critical modification.", extra_desc: "" },
    GucDef { name: "wal_receiver_create_temp_slot", context: Context::Sighup, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets whether a WAL receiver should create a temporary replication slot if no permanent slot is configured.", extra_desc: "" },
    GucDef { name: "wal_receiver_status_interval", context: Context::Sighup, unit: Unit::Seconds, kind: Kind::Int { boot: 10, min: 0, max: 2147483 }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the maximum interval between WAL receiver status reports to the sending server.", extra_desc: "" },
    GucDef { name: "wal_receiver_timeout", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 60000, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the maximum wait time to receive data from the sending server.", extra_desc: "0 disables the timeout." },
    GucDef { name: "wal_recycle", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: true }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Recycles WAL files by renaming them.", extra_desc: "" },
    GucDef { name: "wal_retrieve_retry_interval", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 5000, min: 1, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Standby Servers", short_desc: "Sets the time to wait before retrying to retrieve WAL after a failed attempt.", extra_desc: "" },
    GucDef { name: "wal_segment_size", context: Context::Internal, unit: Unit::Bytes, kind: Kind::Int { boot: 16777216, min: 1048576, max: 1073741824 }, flags: Flags::NOT_IN_SAMPLE.with(Flags::RUNTIME_COMPUTED),
        category: "Preset Options", short_desc: "Shows the size of write ahead log segments.", extra_desc: "" },
    GucDef { name: "wal_sender_timeout", context: Context::User, unit: Unit::Milliseconds, kind: Kind::Int { boot: 60000, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Replication / Sending Servers", short_desc: "Sets the maximum time to wait for WAL replication.", extra_desc: "" },
    GucDef { name: "wal_skip_threshold", context: Context::User, unit: Unit::Kilobytes, kind: Kind::Int { boot: 2048, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Minimum size of new file to fsync instead of writing WAL.", extra_desc: "" },
    GucDef { name: "wal_summary_keep_time", context: Context::Sighup, unit: Unit::Minutes, kind: Kind::Int { boot: 14400, min: 0, max: 35791394 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Summarization", short_desc: "Time for which WAL summary files should be kept.", extra_desc: "0 disables automatic summary file deletion." },
    GucDef { name: "wal_sync_method", context: Context::Sighup, unit: Unit::None, kind: Kind::Enum { boot: "fdatasync", values: &["fsync", "fdatasync", "open_sync", "open_datasync"] }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Selects the method used for forcing WAL updates to disk.", extra_desc: "" },
    GucDef { name: "wal_writer_delay", context: Context::Sighup, unit: Unit::Milliseconds, kind: Kind::Int { boot: 200, min: 1, max: 10000 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Time between WAL flushes performed in the WAL writer.", extra_desc: "" },
    GucDef { name: "wal_writer_flush_after", context: Context::Sighup, unit: Unit::Blocks, kind: Kind::Int { boot: 128, min: 0, max: 2147483647 }, flags: Flags::NONE,
        category: "Write-Ahead Log / Settings", short_desc: "Amount of WAL written out by WAL writer that triggers a flush.", extra_desc: "" },
    GucDef { name: "work_mem", context: Context::User, unit: Unit::Kilobytes, kind: Kind::Int { boot: 4096, min: 64, max: 2147483647 }, flags: Flags::EXPLAIN,
        category: "Resource Usage / Memory", short_desc: "Sets the maximum memory to be used for query workspaces.", extra_desc: "This much memory can be used by each internal sort operation and hash table before switching to temporary disk files." },
    GucDef { name: "xmlbinary", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "base64", values: &["base64", "hex"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets how binary values are to be encoded in XML.", extra_desc: "" },
    GucDef { name: "xmloption", context: Context::User, unit: Unit::None, kind: Kind::Enum { boot: "content", values: &["content", "document"] }, flags: Flags::NONE,
        category: "Client Connection Defaults / Statement Behavior", short_desc: "Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments.", extra_desc: "" },
    GucDef { name: "zero_damaged_pages", context: Context::Superuser, unit: Unit::None, kind: Kind::Bool { boot: false }, flags: Flags::NOT_IN_SAMPLE,
        category: "Developer Options", short_desc: "Continues processing past damaged page headers.", extra_desc: "Detection of a damaged page header normally causes PostgreSQL to report an error, aborting the current transaction. Setting \"zero_damaged_pages\" to true causes the system to instead report a warning, zero out the damaged page, and continue processing. This behavior will destroy data, namely all the rows on the damaged page." },
];
