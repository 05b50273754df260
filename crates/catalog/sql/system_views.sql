-- The system views. Run once, at the making of a cluster, in template1 as the bootstrap superuser with an empty search path but
-- pg_catalog. Names and types of columns are what clients know; how a view gets at them is our own.
-- Privileges are set for all views together, at the end.
SET search_path = pg_catalog;

-- Roles

CREATE VIEW pg_roles AS
  SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcreaterole, a.rolcreatedb, a.rolcanlogin, a.rolreplication, a.rolconnlimit,
         text '********' AS rolpassword, a.rolvaliduntil, a.rolbypassrls, cfg.setconfig AS rolconfig, a.oid
  FROM pg_authid a LEFT JOIN pg_db_role_setting cfg ON cfg.setrole = a.oid AND cfg.setdatabase = 0;

CREATE VIEW pg_shadow AS
  SELECT a.rolname AS usename, a.oid AS usesysid, a.rolcreatedb AS usecreatedb, a.rolsuper AS usesuper, a.rolreplication AS userepl,
         a.rolbypassrls AS usebypassrls, a.rolpassword AS passwd, a.rolvaliduntil AS valuntil, cfg.setconfig AS useconfig
  FROM pg_authid a LEFT JOIN pg_db_role_setting cfg ON cfg.setrole = a.oid AND cfg.setdatabase = 0
  WHERE a.rolcanlogin;

CREATE VIEW pg_user AS
  SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, text '********' AS passwd, valuntil, useconfig
  FROM pg_shadow;

CREATE VIEW pg_group AS
  SELECT g.rolname AS groname, g.oid AS grosysid,
         ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = g.oid) AS grolist
  FROM pg_authid g
  WHERE NOT g.rolcanlogin;

-- Objects

CREATE VIEW pg_tables AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, pg_get_userbyid(c.relowner) AS tableowner, ts.spcname AS tablespace,
         c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers AS hastriggers, c.relrowsecurity AS rowsecurity
  FROM pg_class c
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
  WHERE c.relkind IN ('r', 'p');

CREATE VIEW pg_views AS
  SELECT n.nspname AS schemaname, c.relname AS viewname, pg_get_userbyid(c.relowner) AS viewowner, pg_get_viewdef(c.oid) AS definition
  FROM pg_class c
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v';

CREATE VIEW pg_matviews AS
  SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_get_userbyid(c.relowner) AS matviewowner, ts.spcname AS tablespace,
         c.relhasindex AS hasindexes, c.relispopulated AS ispopulated, pg_get_viewdef(c.oid) AS definition
  FROM pg_class c
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
  WHERE c.relkind = 'm';

CREATE VIEW pg_indexes AS
  SELECT n.nspname AS schemaname, t.relname AS tablename, i.relname AS indexname, ts.spcname AS tablespace,
         pg_get_indexdef(x.indexrelid) AS indexdef
  FROM pg_index x
  JOIN pg_class t ON t.oid = x.indrelid AND t.relkind IN ('r', 'm', 'p')
  JOIN pg_class i ON i.oid = x.indexrelid AND i.relkind IN ('i', 'I')
  LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN pg_tablespace ts ON ts.oid = i.reltablespace;

CREATE VIEW pg_sequences AS
  SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_get_userbyid(c.relowner) AS sequenceowner,
         s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value,
         s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size, pg_sequence_last_value(c.oid) AS last_value
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid AND c.relkind = 'S'
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT pg_is_other_temp_schema(n.oid);

CREATE VIEW pg_rules AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, r.rulename, pg_get_ruledef(r.oid) AS definition
  FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE r.rulename <> '_RETURN';

CREATE VIEW pg_policies AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, p.polname AS policyname,
         CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS permissive,
         CASE WHEN p.polroles = '{0}'::oid[] THEN '{public}'::name[]
              ELSE ARRAY(SELECT a.rolname FROM pg_authid a WHERE a.oid = ANY (p.polroles) ORDER BY a.rolname) END AS roles,
         CASE p.polcmd WHEN '*' THEN 'ALL' WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                       WHEN 'd' THEN 'DELETE' END AS cmd,
         pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
  FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_publication_tables AS
  SELECT p.pubname, n.nspname AS schemaname, c.relname AS tablename,
         (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = g.relid AND a.attnum = ANY (g.attrs)) AS attnames,
         pg_get_expr(g.qual, g.relid) AS rowfilter
  FROM pg_publication p
  CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) g
  JOIN pg_class c ON c.oid = g.relid
  JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_user_mappings AS
  SELECT m.oid AS umid, s.oid AS srvid, s.srvname, m.umuser,
         CASE m.umuser WHEN 0 THEN name 'public' ELSE a.rolname END AS usename,
         CASE WHEN (m.umuser <> 0 AND a.rolname = current_user AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')))
                OR (m.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE'))
                OR (SELECT me.rolsuper FROM pg_authid me WHERE me.rolname = current_user)
              THEN m.umoptions END AS umoptions
  FROM pg_user_mapping m
  JOIN pg_foreign_server s ON s.oid = m.umserver
  LEFT JOIN pg_authid a ON a.oid = m.umuser;

-- Planner statistics: each kind stands in whichever of the five slots has its number.

CREATE VIEW pg_stats WITH (security_barrier) AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname, s.stainherit AS inherited, s.stanullfrac AS null_frac,
         s.stawidth AS avg_width, s.stadistinct AS n_distinct,
         CASE 1 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3 WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END
           AS most_common_vals,
         CASE 1 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3 WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END
           AS most_common_freqs,
         CASE 2 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3 WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END
           AS histogram_bounds,
         CASE 3 WHEN s.stakind1 THEN s.stanumbers1[1] WHEN s.stakind2 THEN s.stanumbers2[1] WHEN s.stakind3 THEN s.stanumbers3[1] WHEN s.stakind4 THEN s.stanumbers4[1] WHEN s.stakind5 THEN s.stanumbers5[1] END
           AS correlation,
         CASE 4 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3 WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END
           AS most_common_elems,
         CASE 4 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3 WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END
           AS most_common_elem_freqs,
         CASE 5 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3 WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END
           AS elem_count_histogram,
         CASE 6 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3 WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END
           AS range_length_histogram,
         CASE 6 WHEN s.stakind1 THEN s.stanumbers1[1] WHEN s.stakind2 THEN s.stanumbers2[1] WHEN s.stakind3 THEN s.stanumbers3[1] WHEN s.stakind4 THEN s.stanumbers4[1] WHEN s.stakind5 THEN s.stanumbers5[1] END
           AS range_empty_frac,
         CASE 7 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3 WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END
           AS range_bounds_histogram
  FROM pg_statistic s
  JOIN pg_class c ON c.oid = s.starelid
  JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum AND NOT a.attisdropped
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE has_column_privilege(c.oid, a.attnum, 'select') AND NOT (c.relrowsecurity AND row_security_active(c.oid));

CREATE VIEW pg_stats_ext WITH (security_barrier) AS
  SELECT cn.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname, x.stxname AS statistics_name,
         pg_get_userbyid(x.stxowner) AS statistics_owner,
         (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = x.stxrelid AND a.attnum = ANY (x.stxkeys)) AS attnames,
         pg_get_statisticsobjdef_expressions(x.oid) AS exprs, x.stxkind AS kinds, d.stxdinherit AS inherited,
         d.stxdndistinct AS n_distinct, d.stxddependencies AS dependencies,
         m.vals AS most_common_vals, m.nulls AS most_common_val_nulls, m.freqs AS most_common_freqs, m.base_freqs AS most_common_base_freqs
  FROM pg_statistic_ext x
  JOIN pg_class c ON c.oid = x.stxrelid
  JOIN pg_statistic_ext_data d ON d.stxoid = x.oid
  LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace
  LEFT JOIN pg_namespace sn ON sn.oid = x.stxnamespace
  LEFT JOIN LATERAL (SELECT array_agg(i."values") AS vals, array_agg(i.nulls) AS nulls, array_agg(i.frequency) AS freqs,
                            array_agg(i.base_frequency) AS base_freqs
                     FROM pg_mcv_list_items(d.stxdmcv) i) m ON d.stxdmcv IS NOT NULL
  WHERE pg_has_role(c.relowner, 'USAGE') AND NOT (c.relrowsecurity AND row_security_active(c.oid));

CREATE VIEW pg_stats_ext_exprs WITH (security_barrier) AS
  SELECT cn.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname, x.stxname AS statistics_name,
         pg_get_userbyid(x.stxowner) AS statistics_owner, e.expr, d.stxdinherit AS inherited, (e.st).stanullfrac AS null_frac,
         (e.st).stawidth AS avg_width, (e.st).stadistinct AS n_distinct,
         CASE 1 WHEN (e.st).stakind1 THEN (e.st).stavalues1 WHEN (e.st).stakind2 THEN (e.st).stavalues2 WHEN (e.st).stakind3 THEN (e.st).stavalues3 WHEN (e.st).stakind4 THEN (e.st).stavalues4 WHEN (e.st).stakind5 THEN (e.st).stavalues5 END
           AS most_common_vals,
         CASE 1 WHEN (e.st).stakind1 THEN (e.st).stanumbers1 WHEN (e.st).stakind2 THEN (e.st).stanumbers2 WHEN (e.st).stakind3 THEN (e.st).stanumbers3 WHEN (e.st).stakind4 THEN (e.st).stanumbers4 WHEN (e.st).stakind5 THEN (e.st).stanumbers5 END
           AS most_common_freqs,
         CASE 2 WHEN (e.st).stakind1 THEN (e.st).stavalues1 WHEN (e.st).stakind2 THEN (e.st).stavalues2 WHEN (e.st).stakind3 THEN (e.st).stavalues3 WHEN (e.st).stakind4 THEN (e.st).stavalues4 WHEN (e.st).stakind5 THEN (e.st).stavalues5 END
           AS histogram_bounds,
         CASE 3 WHEN (e.st).stakind1 THEN (e.st).stanumbers1[1] WHEN (e.st).stakind2 THEN (e.st).stanumbers2[1] WHEN (e.st).stakind3 THEN (e.st).stanumbers3[1] WHEN (e.st).stakind4 THEN (e.st).stanumbers4[1] WHEN (e.st).stakind5 THEN (e.st).stanumbers5[1] END
           AS correlation,
         CASE 4 WHEN (e.st).stakind1 THEN (e.st).stavalues1 WHEN (e.st).stakind2 THEN (e.st).stavalues2 WHEN (e.st).stakind3 THEN (e.st).stavalues3 WHEN (e.st).stakind4 THEN (e.st).stavalues4 WHEN (e.st).stakind5 THEN (e.st).stavalues5 END
           AS most_common_elems,
         CASE 4 WHEN (e.st).stakind1 THEN (e.st).stanumbers1 WHEN (e.st).stakind2 THEN (e.st).stanumbers2 WHEN (e.st).stakind3 THEN (e.st).stanumbers3 WHEN (e.st).stakind4 THEN (e.st).stanumbers4 WHEN (e.st).stakind5 THEN (e.st).stanumbers5 END
           AS most_common_elem_freqs,
         CASE 5 WHEN (e.st).stakind1 THEN (e.st).stanumbers1 WHEN (e.st).stakind2 THEN (e.st).stanumbers2 WHEN (e.st).stakind3 THEN (e.st).stanumbers3 WHEN (e.st).stakind4 THEN (e.st).stanumbers4 WHEN (e.st).stakind5 THEN (e.st).stanumbers5 END
           AS elem_count_histogram
  FROM pg_statistic_ext x
  JOIN pg_class c ON c.oid = x.stxrelid
  LEFT JOIN pg_statistic_ext_data d ON d.stxoid = x.oid
  LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace
  LEFT JOIN pg_namespace sn ON sn.oid = x.stxnamespace
  JOIN LATERAL (SELECT unnest(pg_get_statisticsobjdef_expressions(x.oid)) AS expr, unnest(d.stxdexpr)::pg_statistic AS st) e
    ON e.expr IS NOT NULL
  WHERE pg_has_role(c.relowner, 'USAGE') AND NOT (c.relrowsecurity AND row_security_active(c.oid));

-- What the server knows of itself

CREATE VIEW pg_locks AS SELECT * FROM pg_lock_status();
CREATE VIEW pg_cursors AS SELECT * FROM pg_cursor();
CREATE VIEW pg_prepared_statements AS SELECT * FROM pg_prepared_statement();
CREATE VIEW pg_settings AS SELECT * FROM pg_show_all_settings();
CREATE VIEW pg_file_settings AS SELECT * FROM pg_show_all_file_settings();
CREATE VIEW pg_hba_file_rules AS SELECT * FROM pg_hba_file_rules();
CREATE VIEW pg_ident_file_mappings AS SELECT * FROM pg_ident_file_mappings();
CREATE VIEW pg_timezone_names AS SELECT * FROM pg_timezone_names();
CREATE VIEW pg_config AS SELECT * FROM pg_config();
CREATE VIEW pg_shmem_allocations AS SELECT * FROM pg_get_shmem_allocations();
CREATE VIEW pg_shmem_allocations_numa AS SELECT * FROM pg_get_shmem_allocations_numa();
CREATE VIEW pg_backend_memory_contexts AS SELECT * FROM pg_get_backend_memory_contexts();
CREATE VIEW pg_wait_events AS SELECT * FROM pg_get_wait_events();
CREATE VIEW pg_aios AS SELECT * FROM pg_get_aios();
CREATE VIEW pg_replication_origin_status AS SELECT * FROM pg_show_replication_origin_status();

-- UPDATE pg_settings SET setting = .. sets the session's value.
CREATE RULE pg_settings_u AS ON UPDATE TO pg_settings WHERE new.name = old.name
  DO SELECT set_config(old.name, new.setting, 'f');
CREATE RULE pg_settings_n AS ON UPDATE TO pg_settings DO INSTEAD NOTHING;

CREATE VIEW pg_timezone_abbrevs AS
  SELECT * FROM pg_timezone_abbrevs_zone() z
  UNION ALL
  SELECT * FROM pg_timezone_abbrevs_abbrevs() a
  WHERE NOT EXISTS (SELECT FROM pg_timezone_abbrevs_zone() z WHERE z.abbrev = a.abbrev)
  ORDER BY abbrev;

CREATE VIEW pg_available_extensions AS
  SELECT e.name, e.default_version, x.extversion AS installed_version, e.comment
  FROM pg_available_extensions() e LEFT JOIN pg_extension x ON x.extname = e.name;

CREATE VIEW pg_available_extension_versions AS
  SELECT e.name, e.version, x.extname IS NOT NULL AS installed, e.superuser, e.trusted, e.relocatable, e.schema, e.requires, e.comment
  FROM pg_available_extension_versions() e LEFT JOIN pg_extension x ON x.extname = e.name AND x.extversion = e.version;

CREATE VIEW pg_prepared_xacts AS
  SELECT p.transaction, p.gid, p.prepared, a.rolname AS owner, d.datname AS database
  FROM pg_prepared_xact() p
  LEFT JOIN pg_authid a ON a.oid = p.ownerid
  LEFT JOIN pg_database d ON d.oid = p.dbid;

-- Security labels, one branch for each catalog whose objects have names of their own.
CREATE VIEW pg_seclabels AS
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, CASE r.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'table' END::text AS objtype, r.relnamespace AS objnamespace, CASE WHEN pg_table_is_visible(r.oid) THEN quote_ident(r.relname) ELSE quote_ident(n.nspname) || '.' || quote_ident(r.relname) END AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_class r ON r.oid = l.objoid JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE l.classoid = 'pg_class'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'column'::text AS objtype, r.relnamespace AS objnamespace, CASE WHEN pg_table_is_visible(r.oid) THEN quote_ident(r.relname) ELSE quote_ident(n.nspname) || '.' || quote_ident(r.relname) END || '.' || a.attname AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_class r ON r.oid = l.objoid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = l.objsubid JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE l.classoid = 'pg_class'::regclass AND l.objsubid <> 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'w' THEN 'window' END AS objtype, p.pronamespace AS objnamespace, CASE WHEN pg_function_is_visible(p.oid) THEN quote_ident(p.proname) ELSE quote_ident(n.nspname) || '.' || quote_ident(p.proname) END || '(' || pg_get_function_arguments(p.oid) || ')' AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_proc p ON p.oid = l.objoid JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE l.classoid = 'pg_proc'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS objtype, t.typnamespace AS objnamespace, CASE WHEN pg_type_is_visible(t.oid) THEN quote_ident(t.typname) ELSE quote_ident(n.nspname) || '.' || quote_ident(t.typname) END AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_type t ON t.oid = l.objoid JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE l.classoid = 'pg_type'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'large object' AS objtype, NULL::oid AS objnamespace, l.objoid::text AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_largeobject_metadata o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_largeobject'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'language' AS objtype, NULL::oid AS objnamespace, quote_ident(o.lanname) AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_language o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_language'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'schema' AS objtype, o.oid AS objnamespace, quote_ident(o.nspname) AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_namespace o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_namespace'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'event trigger' AS objtype, NULL::oid AS objnamespace, quote_ident(o.evtname) AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_event_trigger o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_event_trigger'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'publication' AS objtype, NULL::oid AS objnamespace, quote_ident(o.pubname) AS objname, l.provider, l.label
  FROM pg_seclabel l JOIN pg_publication o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_publication'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'subscription' AS objtype, NULL::oid AS objnamespace, quote_ident(o.subname) AS objname, l.provider, l.label
  FROM pg_shseclabel l JOIN pg_subscription o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_subscription'::regclass
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'database' AS objtype, NULL::oid AS objnamespace, quote_ident(o.datname) AS objname, l.provider, l.label
  FROM pg_shseclabel l JOIN pg_database o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_database'::regclass
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'tablespace' AS objtype, NULL::oid AS objnamespace, quote_ident(o.spcname) AS objname, l.provider, l.label
  FROM pg_shseclabel l JOIN pg_tablespace o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_tablespace'::regclass
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'role' AS objtype, NULL::oid AS objnamespace, quote_ident(o.rolname) AS objname, l.provider, l.label
  FROM pg_shseclabel l JOIN pg_authid o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_authid'::regclass;

-- Activity of tables and indexes

CREATE VIEW pg_stat_all_tables AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_stat_get_numscans(c.oid) AS seq_scan, pg_stat_get_lastscan(c.oid) AS last_seq_scan,
         pg_stat_get_tuples_returned(c.oid) AS seq_tup_read,
         sum(pg_stat_get_numscans(i.indexrelid))::bigint AS idx_scan, max(pg_stat_get_lastscan(i.indexrelid)) AS last_idx_scan,
         sum(pg_stat_get_tuples_fetched(i.indexrelid))::bigint + pg_stat_get_tuples_fetched(c.oid) AS idx_tup_fetch,
         pg_stat_get_tuples_inserted(c.oid) AS n_tup_ins, pg_stat_get_tuples_updated(c.oid) AS n_tup_upd,
         pg_stat_get_tuples_deleted(c.oid) AS n_tup_del, pg_stat_get_tuples_hot_updated(c.oid) AS n_tup_hot_upd,
         pg_stat_get_tuples_newpage_updated(c.oid) AS n_tup_newpage_upd, pg_stat_get_live_tuples(c.oid) AS n_live_tup,
         pg_stat_get_dead_tuples(c.oid) AS n_dead_tup, pg_stat_get_mod_since_analyze(c.oid) AS n_mod_since_analyze,
         pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum, pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum,
         pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum, pg_stat_get_last_analyze_time(c.oid) AS last_analyze,
         pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze, pg_stat_get_vacuum_count(c.oid) AS vacuum_count,
         pg_stat_get_autovacuum_count(c.oid) AS autovacuum_count, pg_stat_get_analyze_count(c.oid) AS analyze_count,
         pg_stat_get_autoanalyze_count(c.oid) AS autoanalyze_count, pg_stat_get_total_vacuum_time(c.oid) AS total_vacuum_time,
         pg_stat_get_total_autovacuum_time(c.oid) AS total_autovacuum_time, pg_stat_get_total_analyze_time(c.oid) AS total_analyze_time,
         pg_stat_get_total_autoanalyze_time(c.oid) AS total_autoanalyze_time
  FROM pg_class c
  LEFT JOIN pg_index i ON i.indrelid = c.oid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm', 'p')
  GROUP BY c.oid, n.nspname, c.relname;

CREATE VIEW pg_stat_xact_all_tables AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_stat_get_xact_numscans(c.oid) AS seq_scan, pg_stat_get_xact_tuples_returned(c.oid) AS seq_tup_read,
         sum(pg_stat_get_xact_numscans(i.indexrelid))::bigint AS idx_scan,
         sum(pg_stat_get_xact_tuples_fetched(i.indexrelid))::bigint + pg_stat_get_xact_tuples_fetched(c.oid) AS idx_tup_fetch,
         pg_stat_get_xact_tuples_inserted(c.oid) AS n_tup_ins, pg_stat_get_xact_tuples_updated(c.oid) AS n_tup_upd,
         pg_stat_get_xact_tuples_deleted(c.oid) AS n_tup_del, pg_stat_get_xact_tuples_hot_updated(c.oid) AS n_tup_hot_upd,
         pg_stat_get_xact_tuples_newpage_updated(c.oid) AS n_tup_newpage_upd
  FROM pg_class c
  LEFT JOIN pg_index i ON i.indrelid = c.oid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm', 'p')
  GROUP BY c.oid, n.nspname, c.relname;

CREATE VIEW pg_statio_all_tables AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS heap_blks_read, pg_stat_get_blocks_hit(c.oid) AS heap_blks_hit,
         ti.blks_read AS idx_blks_read, ti.blks_hit AS idx_blks_hit,
         pg_stat_get_blocks_fetched(t.oid) - pg_stat_get_blocks_hit(t.oid) AS toast_blks_read,
         pg_stat_get_blocks_hit(t.oid) AS toast_blks_hit, xi.blks_read AS tidx_blks_read, xi.blks_hit AS tidx_blks_hit
  FROM pg_class c
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (SELECT sum(pg_stat_get_blocks_fetched(i.indexrelid) - pg_stat_get_blocks_hit(i.indexrelid))::bigint AS blks_read,
                            sum(pg_stat_get_blocks_hit(i.indexrelid))::bigint AS blks_hit
                     FROM pg_index i WHERE i.indrelid = c.oid) ti ON true
  LEFT JOIN LATERAL (SELECT sum(pg_stat_get_blocks_fetched(i.indexrelid) - pg_stat_get_blocks_hit(i.indexrelid))::bigint AS blks_read,
                            sum(pg_stat_get_blocks_hit(i.indexrelid))::bigint AS blks_hit
                     FROM pg_index i WHERE i.indrelid = t.oid) xi ON true
  WHERE c.relkind IN ('r', 't', 'm');

CREATE VIEW pg_stat_all_indexes AS
  SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
         pg_stat_get_numscans(i.oid) AS idx_scan, pg_stat_get_lastscan(i.oid) AS last_idx_scan,
         pg_stat_get_tuples_returned(i.oid) AS idx_tup_read, pg_stat_get_tuples_fetched(i.oid) AS idx_tup_fetch
  FROM pg_index x
  JOIN pg_class c ON c.oid = x.indrelid AND c.relkind IN ('r', 't', 'm')
  JOIN pg_class i ON i.oid = x.indexrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_statio_all_indexes AS
  SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
         pg_stat_get_blocks_fetched(i.oid) - pg_stat_get_blocks_hit(i.oid) AS idx_blks_read, pg_stat_get_blocks_hit(i.oid) AS idx_blks_hit
  FROM pg_index x
  JOIN pg_class c ON c.oid = x.indrelid AND c.relkind IN ('r', 't', 'm')
  JOIN pg_class i ON i.oid = x.indexrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_statio_all_sequences AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS blks_read, pg_stat_get_blocks_hit(c.oid) AS blks_hit
  FROM pg_class c
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S';

-- The same for system objects only, and for users' objects only.
CREATE VIEW pg_stat_sys_tables AS
  SELECT * FROM pg_stat_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';
CREATE VIEW pg_stat_user_tables AS
  SELECT * FROM pg_stat_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';
CREATE VIEW pg_stat_xact_sys_tables AS
  SELECT * FROM pg_stat_xact_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';
CREATE VIEW pg_stat_xact_user_tables AS
  SELECT * FROM pg_stat_xact_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';
CREATE VIEW pg_statio_sys_tables AS
  SELECT * FROM pg_statio_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';
CREATE VIEW pg_statio_user_tables AS
  SELECT * FROM pg_statio_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';
CREATE VIEW pg_stat_sys_indexes AS
  SELECT * FROM pg_stat_all_indexes WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';
CREATE VIEW pg_stat_user_indexes AS
  SELECT * FROM pg_stat_all_indexes WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';
CREATE VIEW pg_statio_sys_indexes AS
  SELECT * FROM pg_statio_all_indexes WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';
CREATE VIEW pg_statio_user_indexes AS
  SELECT * FROM pg_statio_all_indexes WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';
CREATE VIEW pg_statio_sys_sequences AS
  SELECT * FROM pg_statio_all_sequences WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast';
CREATE VIEW pg_statio_user_sequences AS
  SELECT * FROM pg_statio_all_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast';

CREATE VIEW pg_stat_user_functions AS
  SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_stat_get_function_calls(p.oid) AS calls,
         pg_stat_get_function_total_time(p.oid) AS total_time, pg_stat_get_function_self_time(p.oid) AS self_time
  FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prolang <> 12 AND pg_stat_get_function_calls(p.oid) IS NOT NULL;

CREATE VIEW pg_stat_xact_user_functions AS
  SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_stat_get_xact_function_calls(p.oid) AS calls,
         pg_stat_get_xact_function_total_time(p.oid) AS total_time, pg_stat_get_xact_function_self_time(p.oid) AS self_time
  FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prolang <> 12 AND pg_stat_get_xact_function_calls(p.oid) IS NOT NULL;

-- Activity of sessions

CREATE VIEW pg_stat_activity AS
  SELECT s.datid, d.datname, s.pid, s.leader_pid, s.usesysid, a.rolname AS usename, s.application_name, s.client_addr,
         s.client_hostname, s.client_port, s.backend_start, s.xact_start, s.query_start, s.state_change, s.wait_event_type,
         s.wait_event, s.state, s.backend_xid, s.backend_xmin, s.query_id, s.query, s.backend_type
  FROM pg_stat_get_activity(NULL) s
  LEFT JOIN pg_database d ON d.oid = s.datid
  LEFT JOIN pg_authid a ON a.oid = s.usesysid;

CREATE VIEW pg_stat_replication AS
  SELECT s.pid, s.usesysid, a.rolname AS usename, s.application_name, s.client_addr, s.client_hostname, s.client_port,
         s.backend_start, s.backend_xmin, w.state, w.sent_lsn, w.write_lsn, w.flush_lsn, w.replay_lsn, w.write_lag, w.flush_lag,
         w.replay_lag, w.sync_priority, w.sync_state, w.reply_time
  FROM pg_stat_get_activity(NULL) s
  JOIN pg_stat_get_wal_senders() w ON w.pid = s.pid
  LEFT JOIN pg_authid a ON a.oid = s.usesysid;

CREATE VIEW pg_stat_ssl AS
  SELECT s.pid, s.ssl, s.sslversion AS version, s.sslcipher AS cipher, s.sslbits AS bits, s.ssl_client_dn AS client_dn,
         s.ssl_client_serial AS client_serial, s.ssl_issuer_dn AS issuer_dn
  FROM pg_stat_get_activity(NULL) s
  WHERE s.client_port IS NOT NULL;

CREATE VIEW pg_stat_gssapi AS
  SELECT s.pid, s.gss_auth AS gss_authenticated, s.gss_princ AS principal, s.gss_enc AS encrypted,
         s.gss_delegation AS credentials_delegated
  FROM pg_stat_get_activity(NULL) s
  WHERE s.client_port IS NOT NULL;

-- The server as a whole

CREATE VIEW pg_stat_database AS
  SELECT d.oid AS datid, d.datname,
         CASE WHEN d.oid = 0 THEN 0 ELSE pg_stat_get_db_numbackends(d.oid) END AS numbackends,
         pg_stat_get_db_xact_commit(d.oid) AS xact_commit, pg_stat_get_db_xact_rollback(d.oid) AS xact_rollback,
         pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid) AS blks_read,
         pg_stat_get_db_blocks_hit(d.oid) AS blks_hit, pg_stat_get_db_tuples_returned(d.oid) AS tup_returned,
         pg_stat_get_db_tuples_fetched(d.oid) AS tup_fetched, pg_stat_get_db_tuples_inserted(d.oid) AS tup_inserted,
         pg_stat_get_db_tuples_updated(d.oid) AS tup_updated, pg_stat_get_db_tuples_deleted(d.oid) AS tup_deleted,
         pg_stat_get_db_conflict_all(d.oid) AS conflicts, pg_stat_get_db_temp_files(d.oid) AS temp_files,
         pg_stat_get_db_temp_bytes(d.oid) AS temp_bytes, pg_stat_get_db_deadlocks(d.oid) AS deadlocks,
         pg_stat_get_db_checksum_failures(d.oid) AS checksum_failures,
         pg_stat_get_db_checksum_last_failure(d.oid) AS checksum_last_failure, pg_stat_get_db_blk_read_time(d.oid) AS blk_read_time,
         pg_stat_get_db_blk_write_time(d.oid) AS blk_write_time, pg_stat_get_db_session_time(d.oid) AS session_time,
         pg_stat_get_db_active_time(d.oid) AS active_time, pg_stat_get_db_idle_in_transaction_time(d.oid) AS idle_in_transaction_time,
         pg_stat_get_db_sessions(d.oid) AS sessions, pg_stat_get_db_sessions_abandoned(d.oid) AS sessions_abandoned,
         pg_stat_get_db_sessions_fatal(d.oid) AS sessions_fatal, pg_stat_get_db_sessions_killed(d.oid) AS sessions_killed,
         pg_stat_get_db_parallel_workers_to_launch(d.oid) AS parallel_workers_to_launch,
         pg_stat_get_db_parallel_workers_launched(d.oid) AS parallel_workers_launched,
         pg_stat_get_db_stat_reset_time(d.oid) AS stats_reset
  FROM (SELECT oid '0' AS oid, NULL::name AS datname UNION ALL SELECT oid, datname FROM pg_database) d;

CREATE VIEW pg_stat_database_conflicts AS
  SELECT d.oid AS datid, d.datname, pg_stat_get_db_conflict_tablespace(d.oid) AS confl_tablespace,
         pg_stat_get_db_conflict_lock(d.oid) AS confl_lock, pg_stat_get_db_conflict_snapshot(d.oid) AS confl_snapshot,
         pg_stat_get_db_conflict_bufferpin(d.oid) AS confl_bufferpin,
         pg_stat_get_db_conflict_startup_deadlock(d.oid) AS confl_deadlock,
         pg_stat_get_db_conflict_logicalslot(d.oid) AS confl_active_logicalslot
  FROM pg_database d;

CREATE VIEW pg_stat_bgwriter AS
  SELECT pg_stat_get_bgwriter_buf_written_clean() AS buffers_clean, pg_stat_get_bgwriter_maxwritten_clean() AS maxwritten_clean,
         pg_stat_get_buf_alloc() AS buffers_alloc, pg_stat_get_bgwriter_stat_reset_time() AS stats_reset;

CREATE VIEW pg_stat_checkpointer AS
  SELECT pg_stat_get_checkpointer_num_timed() AS num_timed, pg_stat_get_checkpointer_num_requested() AS num_requested,
         pg_stat_get_checkpointer_num_performed() AS num_done, pg_stat_get_checkpointer_restartpoints_timed() AS restartpoints_timed,
         pg_stat_get_checkpointer_restartpoints_requested() AS restartpoints_req,
         pg_stat_get_checkpointer_restartpoints_performed() AS restartpoints_done, pg_stat_get_checkpointer_write_time() AS write_time,
         pg_stat_get_checkpointer_sync_time() AS sync_time, pg_stat_get_checkpointer_buffers_written() AS buffers_written,
         pg_stat_get_checkpointer_slru_written() AS slru_written, pg_stat_get_checkpointer_stat_reset_time() AS stats_reset;

CREATE VIEW pg_stat_archiver AS
  SELECT s.archived_count, s.last_archived_wal, s.last_archived_time, s.failed_count, s.last_failed_wal, s.last_failed_time,
         s.stats_reset
  FROM pg_stat_get_archiver() s;

CREATE VIEW pg_stat_slru AS
  SELECT s.name, s.blks_zeroed, s.blks_hit, s.blks_read, s.blks_written, s.blks_exists, s.flushes, s.truncates, s.stats_reset
  FROM pg_stat_get_slru() s;

CREATE VIEW pg_stat_wal AS
  SELECT s.wal_records, s.wal_fpi, s.wal_bytes, s.wal_buffers_full, s.stats_reset
  FROM pg_stat_get_wal() s;

CREATE VIEW pg_stat_recovery_prefetch AS
  SELECT s.stats_reset, s.prefetch, s.hit, s.skip_init, s.skip_new, s.skip_fpw, s.skip_rep, s.wal_distance,
         s.block_distance, s.io_depth
  FROM pg_stat_get_recovery_prefetch() s;

CREATE VIEW pg_stat_io AS
  SELECT s.backend_type, s.object, s.context, s.reads, s.read_bytes, s.read_time, s.writes, s.write_bytes, s.write_time,
         s.writebacks, s.writeback_time, s.extends, s.extend_bytes, s.extend_time, s.hits, s.evictions, s.reuses, s.fsyncs,
         s.fsync_time, s.stats_reset
  FROM pg_stat_get_io() s;

CREATE VIEW pg_stat_wal_receiver AS
  SELECT s.pid, s.status, s.receive_start_lsn, s.receive_start_tli, s.written_lsn, s.flushed_lsn, s.received_tli,
         s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_lsn, s.latest_end_time, s.slot_name, s.sender_host,
         s.sender_port, s.conninfo
  FROM pg_stat_get_wal_receiver() s
  WHERE s.pid IS NOT NULL;

-- Replication

CREATE VIEW pg_replication_slots AS
  SELECT l.slot_name, l.plugin, l.slot_type, l.datoid, d.datname AS database, l.temporary, l.active, l.active_pid, l.xmin,
         l.catalog_xmin, l.restart_lsn, l.confirmed_flush_lsn, l.wal_status, l.safe_wal_size, l.two_phase, l.two_phase_at,
         l.inactive_since, l.conflicting, l.invalidation_reason, l.failover, l.synced
  FROM pg_get_replication_slots() l LEFT JOIN pg_database d ON d.oid = l.datoid;

CREATE VIEW pg_stat_replication_slots AS
  SELECT s.slot_name, s.spill_txns, s.spill_count, s.spill_bytes, s.stream_txns, s.stream_count, s.stream_bytes, s.total_txns,
         s.total_bytes, s.stats_reset
  FROM pg_replication_slots r CROSS JOIN LATERAL pg_stat_get_replication_slot(r.slot_name) s
  WHERE r.datoid IS NOT NULL;

CREATE VIEW pg_stat_subscription AS
  SELECT su.oid AS subid, su.subname, st.worker_type, st.pid, st.leader_pid, st.relid, st.received_lsn, st.last_msg_send_time,
         st.last_msg_receipt_time, st.latest_end_lsn, st.latest_end_time
  FROM pg_subscription su LEFT JOIN pg_stat_get_subscription(NULL) st ON st.subid = su.oid;

CREATE VIEW pg_stat_subscription_stats AS
  SELECT ss.subid, su.subname, ss.apply_error_count, ss.sync_error_count, ss.confl_insert_exists, ss.confl_update_origin_differs,
         ss.confl_update_exists, ss.confl_update_missing, ss.confl_delete_origin_differs, ss.confl_delete_missing,
         ss.confl_multiple_unique_conflicts, ss.stats_reset
  FROM pg_subscription su CROSS JOIN LATERAL pg_stat_get_subscription_stats(su.oid) ss;

-- Progress of commands: numbered parameters, told in words.

CREATE VIEW pg_stat_progress_analyze AS
  SELECT s.pid, s.datid, d.datname, s.relid,
         CASE s.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'acquiring sample rows' WHEN 2 THEN 'acquiring inherited sample rows'
                       WHEN 3 THEN 'computing statistics' WHEN 4 THEN 'computing extended statistics'
                       WHEN 5 THEN 'finalizing analyze' END AS phase,
         s.param2 AS sample_blks_total, s.param3 AS sample_blks_scanned, s.param4 AS ext_stats_total, s.param5 AS ext_stats_computed,
         s.param6 AS child_tables_total, s.param7 AS child_tables_done, s.param8::oid AS current_child_table_relid,
         s.param9 / 1e6::double precision AS delay_time
  FROM pg_stat_get_progress_info('ANALYZE') s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_stat_progress_vacuum AS
  SELECT s.pid, s.datid, d.datname, s.relid,
         CASE s.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'scanning heap' WHEN 2 THEN 'vacuuming indexes'
                       WHEN 3 THEN 'vacuuming heap' WHEN 4 THEN 'cleaning up indexes' WHEN 5 THEN 'truncating heap'
                       WHEN 6 THEN 'performing final cleanup' END AS phase,
         s.param2 AS heap_blks_total, s.param3 AS heap_blks_scanned, s.param4 AS heap_blks_vacuumed, s.param5 AS index_vacuum_count,
         s.param6 AS max_dead_tuple_bytes, s.param7 AS dead_tuple_bytes, s.param8 AS num_dead_item_ids, s.param9 AS indexes_total,
         s.param10 AS indexes_processed, s.param11 / 1e6::double precision AS delay_time
  FROM pg_stat_get_progress_info('VACUUM') s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_stat_progress_cluster AS
  SELECT s.pid, s.datid, d.datname, s.relid, CASE s.param1 WHEN 1 THEN 'CLUSTER' WHEN 2 THEN 'VACUUM FULL' END AS command,
         CASE s.param2 WHEN 0 THEN 'initializing' WHEN 1 THEN 'seq scanning heap' WHEN 2 THEN 'index scanning heap'
                       WHEN 3 THEN 'sorting tuples' WHEN 4 THEN 'writing new heap' WHEN 5 THEN 'swapping relation files'
                       WHEN 6 THEN 'rebuilding index' WHEN 7 THEN 'performing final cleanup' END AS phase,
         s.param3::oid AS cluster_index_relid, s.param4 AS heap_tuples_scanned, s.param5 AS heap_tuples_written,
         s.param6 AS heap_blks_total, s.param7 AS heap_blks_scanned, s.param8 AS index_rebuild_count
  FROM pg_stat_get_progress_info('CLUSTER') s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_stat_progress_create_index AS
  SELECT s.pid, s.datid, d.datname, s.relid, s.param7::oid AS index_relid,
         CASE s.param1 WHEN 1 THEN 'CREATE INDEX' WHEN 2 THEN 'CREATE INDEX CONCURRENTLY' WHEN 3 THEN 'REINDEX'
                       WHEN 4 THEN 'REINDEX CONCURRENTLY' END AS command,
         CASE s.param10 WHEN 0 THEN 'initializing' WHEN 1 THEN 'waiting for writers before build'
                        WHEN 2 THEN concat('building index', ': ' || pg_indexam_progress_phasename(s.param9::oid, s.param11))
                        WHEN 3 THEN 'waiting for writers before validation' WHEN 4 THEN 'index validation: scanning index'
                        WHEN 5 THEN 'index validation: sorting tuples' WHEN 6 THEN 'index validation: scanning table'
                        WHEN 7 THEN 'waiting for old snapshots' WHEN 8 THEN 'waiting for readers before marking dead'
                        WHEN 9 THEN 'waiting for readers before dropping' END AS phase,
         s.param4 AS lockers_total, s.param5 AS lockers_done, s.param6 AS current_locker_pid, s.param16 AS blocks_total,
         s.param17 AS blocks_done, s.param12 AS tuples_total, s.param13 AS tuples_done, s.param14 AS partitions_total,
         s.param15 AS partitions_done
  FROM pg_stat_get_progress_info('CREATE INDEX') s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_stat_progress_basebackup AS
  SELECT s.pid,
         CASE s.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'waiting for checkpoint to finish' WHEN 2 THEN 'estimating backup size'
                       WHEN 3 THEN 'streaming database files' WHEN 4 THEN 'waiting for wal archiving to finish'
                       WHEN 5 THEN 'transferring wal files' END AS phase,
         nullif(s.param2, -1) AS backup_total, s.param3 AS backup_streamed, s.param4 AS tablespaces_total, s.param5 AS tablespaces_streamed
  FROM pg_stat_get_progress_info('BASEBACKUP') s;

CREATE VIEW pg_stat_progress_copy AS
  SELECT s.pid, s.datid, d.datname, s.relid, CASE s.param5 WHEN 1 THEN 'COPY FROM' WHEN 2 THEN 'COPY TO' END AS command,
         CASE s.param6 WHEN 1 THEN 'FILE' WHEN 2 THEN 'PROGRAM' WHEN 3 THEN 'PIPE' WHEN 4 THEN 'CALLBACK' END AS type,
         s.param1 AS bytes_processed, s.param2 AS bytes_total, s.param3 AS tuples_processed, s.param4 AS tuples_excluded,
         s.param7 AS tuples_skipped
  FROM pg_stat_get_progress_info('COPY') s LEFT JOIN pg_database d ON d.oid = s.datid;

-- Privileges: everybody may read, with a few exceptions. What is set here is what the system came with.

UPDATE pg_class SET relacl = CASE
    WHEN relname IN ('pg_shadow', 'pg_file_settings', 'pg_hba_file_rules', 'pg_ident_file_mappings', 'pg_config',
                     'pg_replication_origin_status')
      THEN acldefault('r', 10)
    WHEN relname IN ('pg_shmem_allocations', 'pg_shmem_allocations_numa', 'pg_backend_memory_contexts', 'pg_aios')
      THEN acldefault('r', 10) || makeaclitem('pg_read_all_stats'::regrole, 10, 'SELECT', false)
    WHEN relname = 'pg_settings' THEN acldefault('r', 10) || makeaclitem(0, 10, 'SELECT, UPDATE', false)
    ELSE acldefault('r', 10) || makeaclitem(0, 10, 'SELECT', false) END
  WHERE relkind = 'v' AND relnamespace = 11;

INSERT INTO pg_init_privs (objoid, classoid, objsubid, privtype, initprivs)
  SELECT c.oid, 1259, 0, 'i', c.relacl FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 11;
