#!/usr/bin/env python3
"""Fills in the results of test cases: reads lines of calls (fields separated by tabs) and writes them with what
PostgreSQL answers. Usage: expect.py 'psql connection options' < calls > cases.txt"""
import subprocess, sys

def quote(s):
    return "'" + s.replace("'", "''") + "'"

def sql(line):
    name, types = line[0].rstrip(")").split("(")
    types = [t for t in types.split(",") if t]
    args = []
    for t, a in zip(types, line[1:]):
        a = a.replace("\\n", "\n").replace("\\\\", "\\")
        t = '"char"' if t == "char" else t
        args.append("NULL::" + t if a == "\\N" else quote(a) + "::" + t)
    call = args[0] if name == "in" else "pg_catalog." + name + "(" + ", ".join(args) + ")"
    row = "" if name == "in" else " AS r(x)"
    inner = f"SELECT {call}" if name == "in" else f"SELECT x FROM {call}{row}"
    return f"SELECT coalesce(string_agg(CASE WHEN x IS NOT DISTINCT FROM NULL THEN '\\N' ELSE format('%s', x) END, ' ; '), '') FROM ({inner}) AS q(x);"

calls = [l.rstrip("\n").split("\t") for l in sys.stdin if l.strip() and not l.startswith("#")]
script = ["\\set VERBOSITY verbose", "set timezone = 'America/New_York';"]
for i, c in enumerate(calls):
    script += [f"\\echo @@{i}", sql(c)]
p = subprocess.run("psql -X -q -At " + sys.argv[1] + " 2>&1", shell=True, input="\n".join(script), stdout=subprocess.PIPE, text=True)
parts = p.stdout.split("@@")[1:]
for part in parts:
    i, _, body = part.partition("\n")
    body = body[:-1] if body.endswith("\n") else body
    if body.startswith("ERROR:"):
        first = body.split("\n")[0]
        body = "ERROR " + first[len("ERROR:  "):]
    else:
        body = body.replace("\\", "\\\\").replace("\\\\N", "\\N").replace("\n", "\\n")
    if body.startswith("ERROR"):
        body = body.replace("\\", "\\\\").replace("\n", "\\n")
    print("\t".join(calls[int(i)] + [body]))
