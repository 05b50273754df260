#!/bin/sh
# Lists the contents of a fresh PostgreSQL 18 database's system catalogs into data/<catalog>.tsv, one row a line.
#
#   export.sh 'host=.. port=.. user=postgres dbname=postgres'
#
# The server must be freshly initialised, with `postgres` as its superuser. psql is taken from $PG18_BIN, or from PATH.
# The format is COPY's text format with a header line; rows are ordered by their key, so that a new minor version diffs well.
#
# - `regproc` and its like are written as numbers. Columns that only VACUUM or ANALYZE fill are reset.
# - Left out: views and their rules, information_schema (both come from sql/*.sql), statistics, the collations of the host.
# - Node trees are left out too. A function's argument defaults are written as SQL (all are constants, of which initdb makes
#   the node text); SQL bodies stand in data/sql_functions.tsv, which is written by hand.
set -eu
conn=${1:?connection string}
psql="${PG18_BIN:+$PG18_BIN/}psql"
here=$(cd "$(dirname "$0")/.." && pwd)
out=$here/data
run() { "$psql" -X -q -v ON_ERROR_STOP=1 -d "$conn" "$@"; }

# Which rows of a catalog are published. Objects up to 11999 are PostgreSQL's own and have fixed ids; beyond that only text
# search and plpgsql are wanted. `pub(classid, objid)` stands for "that object is exported".
filter() {
  case $1 in
    pg_class|pg_type|pg_constraint|pg_collation) echo "oid < 12000";;
    pg_attribute) echo "attrelid < 12000";;
    pg_index) echo "indexrelid < 12000";;
    pg_proc) echo "pronamespace = 11";;
    pg_namespace) echo "oid < 12000";;
    pg_database) echo "oid = 1";;
    pg_rewrite|pg_statistic|pg_attrdef) echo "false";;
    pg_depend) echo "pg_temp.published(classid, objid)";;
    pg_description) echo "pg_temp.published(classoid, objoid)";;
    pg_init_privs) echo "pg_temp.published(classoid, objoid)";;
    *) echo "true";;
  esac
}

# A column as it is exported, when not as it is.
column() {
  case $1.$2 in
    pg_class.relpages|pg_class.relallvisible|pg_class.relallfrozen) echo "0 AS $2";;
    pg_class.reltuples) echo "-1 AS $2";;
    pg_class.relfrozenxid) echo "CASE WHEN relkind IN ('r','t') THEN 3 ELSE 0 END AS $2";;
    pg_class.relminmxid) echo "CASE WHEN relkind IN ('r','t') THEN 1 ELSE 0 END AS $2";;
    pg_class.relhasrules|pg_class.relhastriggers) echo "$2";;
    pg_database.datfrozenxid) echo "3 AS $2";;
    pg_database.datminmxid) echo "1 AS $2";;
    pg_database.datlocprovider) echo "'b' AS $2";;
    pg_database.datlocale) echo "'C.UTF-8' AS $2";;
    pg_database.datcollate|pg_database.datctype) echo "'C' AS $2";;
    pg_database.datcollversion) echo "'1' AS $2";;
    pg_collation.collversion) echo "CASE WHEN collprovider = 'b' THEN '1' END AS $2";;
    pg_authid.rolpassword) echo "NULL AS $2";;
    pg_proc.proargdefaults) echo "pg_get_expr(proargdefaults, 0) AS $2";;
    pg_proc.prosqlbody) echo "NULL AS $2";;
    *) case $3 in regproc) echo "$2::oid AS $2";; pg_node_tree) echo "NULL AS $2";; *) echo "$2";; esac;;
  esac
}

mkdir -p "$out"
prelude="SET extra_float_digits = 1; CREATE FUNCTION pg_temp.published(class oid, obj oid) RETURNS bool LANGUAGE sql AS
  \$\$ SELECT CASE WHEN class IN (1259, 1247, 2606, 3456, 2618) THEN obj < 12000
         WHEN class = 1255 THEN EXISTS (SELECT FROM pg_proc WHERE oid = obj AND pronamespace = 11)
         WHEN class = 2615 THEN obj < 12000 ELSE true END \$\$;"

run -At -F ' ' -c "SELECT c.relname, string_agg(a.attname || '/' || a.atttypid::regtype, ' ' ORDER BY attnum),
    coalesce((SELECT string_agg(ka.attname::text, ',' ORDER BY k.n) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(att, n), pg_attribute ka
      WHERE i.indrelid = c.oid AND ka.attrelid = c.oid AND ka.attnum = k.att AND i.indexrelid =
        (SELECT p.indexrelid FROM pg_index p WHERE p.indrelid = c.oid ORDER BY p.indisprimary DESC, p.indisunique DESC, p.indexrelid LIMIT 1)), '')
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
  WHERE relkind = 'r' AND relnamespace = 11 GROUP BY c.oid, relname ORDER BY relname" |
sed 's/double precision/double_precision/g; s/timestamp with time zone/timestamptz/g' |
while read -r line; do
  set -- $line
  cat=$1; shift
  cols= order=
  for c in "$@"; do
    case $c in
      */*) cols="$cols${cols:+, }$(column "$cat" "${c%%/*}" "${c#*/}")";;
      *) order=$c;;
    esac
  done
  case $cat in pg_depend) order='classid,objid,objsubid,refclassid,refobjid,refobjsubid';; esac
  order=$(echo "$order" | sed "s/[^,]*/$cat.&/g")
  f="$out/$cat.tsv"
  run -c "$prelude" -c "COPY (SELECT $cols FROM $cat WHERE $(filter "$cat") ${order:+ORDER BY $order}) TO STDOUT WITH (HEADER)" > "$f" </dev/null
done
# The superuser's own name is initdb's business: the row says `postgres`.
wc -l "$out"/*.tsv | tail -1
