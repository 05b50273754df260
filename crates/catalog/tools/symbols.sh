#!/bin/sh
# Lists PostgreSQL's names for object ids (from the generated headers of an installed PostgreSQL 18) into data/oid_symbols.tsv.
#
#   symbols.sh /usr/include/postgresql/18/server
#
# Names are respelled: `ClassOidIndexId` is CLASS_OID_INDEX. Type ids and function ids are left out: they follow from
# pg_type.tsv and pg_proc.tsv.
set -eu
inc=${1:?include folder}
here=$(cd "$(dirname "$0")/.." && pwd)
{
  printf 'name\toid\n'
  for f in "$inc"/catalog/*_d.h; do
    case $f in */pg_type_d.h|*/pg_statistic_d.h) pattern='RelationId|IndexId';; *) pattern='.';; esac
    awk '$1 == "#define" && NF == 3 && $3 ~ /^[0-9]+$/ && $2 !~ /^((Anum|Natts)_|TRIGGER_TYPE_)/ { print $2, $3 }' "$f" | grep -E "$pattern" || true
  done |
  while read -r name oid; do
    case $name in
      *[a-z]*) name=$(echo "$name" | sed -E 's/^INTERNALlanguageId/InternalLanguage/; s/^ClanguageId/c_Language/; s/^SQLlanguageId/SqlLanguage/;
        s/_Rowtype_Id$/Rowtype/; s/^(.*)Id$/\1/; s/DbOid$/Db/; s/LOidPN/LoidPn/; s/^TS/Ts/; s/^TID/Tid/; s/([a-z0-9])([A-Z])/\1_\2/g' | tr a-z A-Z);;
    esac
    printf '%s\t%s\n' "$name" "$oid"
  done | LC_ALL=C sort -t "$(printf '\t')" -k2,2n -k1,1
} > "$here/data/oid_symbols.tsv"

# The system caches in PostgreSQL's order: their numbers are part of the write-ahead log (invalidation messages).
{
  printf 'id\tname\tindex\n'
  awk '/^enum SysCacheIdentifier/ { on = 1; next } /^}/ { on = 0 } on && /^\t[A-Z0-9]+,/ { gsub(/[\t,]/, ""); print n++, $1 }' "$inc/catalog/syscache_ids.h" |
  while read -r id name; do
    index=$(sed -n "s/^MAKE_SYSCACHE($name, *\([a-z0-9_]*\),.*/\1/p" "$inc"/catalog/pg_*.h)
    printf '%s\t%s\t%s\n' "$id" "$name" "$index"
  done
} > "$here/data/syscaches.tsv"
