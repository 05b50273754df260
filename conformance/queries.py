#!/usr/bin/env python3
"""Random queries, answered by Tusk and by PostgreSQL 18: the rows must be the same, as multisets.

  queries.py TUSK_PORT PG_PORT [--seed=N] [--count=N] [--off=hashjoin,nestloop,..] [--sweep] [--show=N]

Both servers run already, with superuser postgres. A small schema with nulls and duplicates is made in a new database of each;
queries join up to six tables in all ways, aggregate, window, nest and combine them. --off switches planner methods off;
--sweep runs the seeds once with each method off. Numbers are compared as printed, errors by SQLSTATE.
PG18_BIN: folder of PostgreSQL's programs (psql); without it everything is skipped.
"""
import os, random, re, subprocess, sys

BIN = os.environ.get('PG18_BIN')
if not BIN or not os.access(os.path.join(BIN, 'psql'), os.X_OK):
    print("skipped: set PG18_BIN to the folder of PostgreSQL 18's programs")
    sys.exit(0)
flags = dict((a[2:].split('=', 1) + ['1'])[:2] for a in sys.argv[1:] if a.startswith('--'))
ports = [a for a in sys.argv[1:] if not a.startswith('--')]
if len(ports) != 2:
    sys.exit(__doc__)
DB = 'random_queries_%d' % os.getpid()
METHODS = 'bitmapscan hashagg hashjoin incremental_sort indexonlyscan indexscan material memoize mergejoin nestloop seqscan sort'.split()

SCHEMA = """
create table a (id int primary key, x int, y int, t text);
create table b (id int primary key, a_id int, x int, n numeric, t text);
create table c (x int, y int, d date);
create table d (k int, v text, w float8, p boolean);
create table e (id int, x bigint, unique (id));
create table f (a int, b int, c int);
insert into a select i, nullif(i % 7, 3), i % 5, 't' || i % 4 from generate_series(1, 40) i;
insert into b select i, nullif(i % 13, 0), i % 6, i % 9 / 2.0, case i % 3 when 0 then null else 't' || i % 5 end from generate_series(1, 60) i;
insert into c select nullif(i % 8, 2), nullif(i % 3, 1), date '2024-01-01' + i % 5 from generate_series(1, 30) i;
insert into d select nullif(i % 6, 4), 't' || i % 6, i % 4 / 4.0, nullif(i % 3, 2) = 1 from generate_series(1, 25) i;
insert into e select nullif(i, 9), i % 4 from generate_series(1, 20) i;
create index on b (a_id, x);
create index on c (x);
create index on d (k) where k > 1;
create index on a (y desc, x);
analyze a; analyze b; analyze c; analyze d; analyze e;
"""
TABLES = {
    'a': {'int': ['id', 'x', 'y'], 'text': ['t']},
    'b': {'int': ['id', 'a_id', 'x'], 'num': ['n'], 'text': ['t']},
    'c': {'int': ['x', 'y'], 'date': ['d']},
    'd': {'int': ['k'], 'text': ['v'], 'float': ['w'], 'bool': ['p']},
    'e': {'int': ['id', 'x']},
    'f': {'int': ['a', 'b', 'c']},
}


class Query:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.n = 0

    def name(self):
        self.n += 1
        return 'r%d' % self.n

    def pick(self, scope, kind):
        found = ['%s.%s' % (alias, c) for alias, cols in scope for c in cols.get(kind, [])]
        return self.r.choice(found) if found else None

    def integer(self, scope, depth=0):
        r = self.r
        k = r.random()
        col = self.pick(scope, 'int')
        if col and (k < 0.6 or depth > 2):
            return col
        if k < 0.7 or depth > 2:
            return str(r.randint(-2, 9))
        if k < 0.8:
            return '(%s %s %s)' % (self.integer(scope, depth + 1), r.choice('+-*'), self.integer(scope, depth + 1))
        if k < 0.86:
            return 'coalesce(%s, %s)' % (self.integer(scope, depth + 1), self.integer(scope, depth + 1))
        if k < 0.92:
            return 'case when %s then %s else %s end' % (self.condition(scope, depth + 1), self.integer(scope, depth + 1), self.integer(scope, depth + 1))
        if k < 0.97 and depth < 2:
            return '(%s)' % self.scalar(scope, depth + 1)
        return 'nullif(%s, %s)' % (self.integer(scope, depth + 1), self.integer(scope, depth + 1))

    def value(self, scope):
        kind = self.r.choice(['int'] * 4 + ['text', 'num', 'date', 'bool', 'float'])
        if kind == 'int':
            return self.integer(scope)
        return self.pick(scope, kind) or self.integer(scope)

    def condition(self, scope, depth=0):
        r = self.r
        k = r.random()
        if depth < 2 and k < 0.2:
            return '(%s %s %s)' % (self.condition(scope, depth + 1), r.choice(['and', 'or']), self.condition(scope, depth + 1))
        if depth < 2 and k < 0.26:
            return 'not (%s)' % self.condition(scope, depth + 1)
        if k < 0.36:
            col = self.pick(scope, r.choice(['int', 'text', 'num', 'bool'])) or self.integer(scope, 3)
            return '%s is %snull' % (col, r.choice(['', 'not ']))
        if k < 0.42:
            return '%s in (%s)' % (self.integer(scope, depth + 1), ', '.join(str(r.randint(0, 8)) for _ in range(r.randint(1, 4))))
        if k < 0.48:
            return '%s between %s and %s' % (self.integer(scope, depth + 1), r.randint(0, 3), r.randint(2, 8))
        if k < 0.53:
            col, other = self.pick(scope, 'text'), self.pick(scope, 'text')
            if col:
                return '%s %s %s' % (col, r.choice(['=', '<', '>=', '<>', 'like']), r.choice([other, "'t%d'" % r.randint(0, 5)]))
        if k < 0.58:
            return '%s is distinct from %s' % (self.integer(scope, depth + 1), self.integer(scope, depth + 1))
        if depth < 2 and k < 0.68:
            return self.sublink(scope, depth + 1)
        return '%s %s %s' % (self.integer(scope, depth + 1), r.choice(['=', '=', '=', '<', '<=', '>', '<>']), self.integer(scope, depth + 1))

    def source(self, scope, depth):
        """FROM item: (text, own columns)"""
        r = self.r
        alias = self.name()
        if depth < 2 and r.random() < 0.2:
            text, cols = self.derived(scope if r.random() < 0.4 else None, depth + 1)
            return '%s(%s) %s' % ('lateral ' if 'lateral' in cols else '', text, alias), (alias, {k: v for k, v in cols.items() if k != 'lateral'})
        if r.random() < 0.08:
            rows = ', '.join('(%s, %s)' % (r.choice(['null', str(r.randint(0, 6))]), r.randint(0, 3)) for _ in range(r.randint(1, 4)))
            return '(values %s) %s (p, q)' % (rows, alias), (alias, {'int': ['p', 'q']})
        if r.random() < 0.05:
            return 'generate_series(%d, %d) %s (g)' % (r.randint(0, 2), r.randint(2, 6), alias), (alias, {'int': ['g']})
        table = r.choice(list(TABLES) + ['a', 'b'])
        return '%s %s' % (table, alias), (alias, TABLES[table])

    def from_clause(self, outer, depth):
        r = self.r
        n = r.choice([1, 1, 2, 2, 3, 3, 4, 5, 6]) if depth == 0 else r.choice([1, 1, 1, 2, 2])
        text, own = self.source([], depth)
        scope = [own]
        for _ in range(n - 1):
            kind = r.choice(['join'] * 4 + ['left join'] * 4 + ['right join', 'full join', ',', 'cross join'])
            # Only these may look to their left.
            lateral = scope if kind in ('join', 'left join', ',', 'cross join') and ',' not in text else []
            item, own = self.source(lateral, depth)
            if kind == ',' or kind == 'cross join':
                if kind == 'cross join':
                    text = '%s cross join %s' % (text, item)
                else:
                    text = '%s join %s on true' % (text, item)
            else:
                left, right = self.pick(scope, 'int'), self.pick([own], 'int')
                on = '%s = %s' % (left, right) if left and right else 'true'
                if kind != 'full join' and r.random() < 0.4:
                    on = '%s and %s' % (on, self.condition(scope + [own], 2)) if r.random() < 0.7 else self.condition(scope + [own], 2)
                if r.random() < 0.2 and ' ' in text and kind in ('join', 'left join'):
                    pass
                text = '%s %s %s on %s' % (text, kind, item, on)
            scope.append(own)
        return text, scope

    def where(self, scope):
        return ' where %s' % self.condition(scope) if self.r.random() < 0.6 else ''

    def scalar(self, outer, depth):
        text, scope = self.from_clause(outer, depth + 1)
        agg = self.r.choice(['max', 'min', 'sum', 'count'])
        return 'select %s(%s)::int from %s%s' % (agg, self.integer(scope, 2), text, self.where(scope + outer))

    def sublink(self, outer, depth):
        text, scope = self.from_clause(outer, depth + 1)
        k = self.r.random()
        both = scope + outer
        if k < 0.45:
            return '%sexists (select 1 from %s where %s)' % (self.r.choice(['', 'not ']), text, self.condition(both, depth))
        op = self.r.choice(['in', 'in', 'not in', '= any', '< all', '> any', '<> all'])
        return '%s %s (select %s from %s%s)' % (self.integer(outer, 2), op, self.integer(scope, 2), text, self.where(both))

    def aggregate(self, scope):
        r = self.r
        k = r.choice(['count(*)', 'count', 'count', 'sum', 'min', 'max', 'bool_or', 'distinct', 'filter', 'string_agg', 'avg'])
        if k == 'count(*)':
            return k
        if k == 'bool_or':
            return 'bool_or(%s)' % self.condition(scope, 2)
        if k == 'distinct':
            return '%s(distinct %s)' % (r.choice(['count', 'sum']), self.integer(scope, 2))
        if k == 'filter':
            return 'sum(%s) filter (where %s)' % (self.integer(scope, 2), self.condition(scope, 2))
        if k == 'string_agg':
            col = self.pick(scope, 'text')
            return "string_agg(%s, ',' order by %s)" % (col, col) if col else 'count(*)'
        return '%s(%s)' % (k, self.integer(scope, 2))

    def derived(self, outer, depth):
        """A subquery for FROM: (text, columns by kind)"""
        r = self.r
        text, scope = self.from_clause([], depth)
        use = outer or []
        both = scope + use
        lateral = {'lateral': []} if use else {}
        k = r.random()
        if k < 0.3:
            keys = [self.integer(scope, 2) for _ in range(r.randint(1, 2))]
            cols = ['%s as k%d' % (x, i) for i, x in enumerate(keys)] + ['count(*)::int as n', 'max(%s)::int as m' % self.integer(scope, 2)]
            group = ', '.join(str(i + 1) for i in range(len(keys)))
            having = ' having count(*) > %d' % r.randint(0, 3) if r.random() < 0.3 else ''
            return 'select %s from %s%s group by %s%s' % (', '.join(cols), text, self.where(both), group, having), dict({'int': ['k%d' % i for i in range(len(keys))] + ['n', 'm']}, **lateral)
        if k < 0.45:
            return 'select distinct %s as u, %s as v from %s%s' % (self.integer(scope, 2), self.integer(both, 2), text, self.where(both)), dict({'int': ['u', 'v']}, **lateral)
        if k < 0.6:
            a = 'select %s as u, %s as v from %s%s' % (self.integer(scope, 2), self.integer(both, 2), text, self.where(both))
            text2, scope2 = self.from_clause([], depth)
            b = 'select %s, %s from %s%s' % (self.integer(scope2, 2), self.integer(scope2, 2), text2, self.where(scope2))
            op = r.choice(['union', 'union all', 'union all', 'intersect', 'except', 'except all', 'intersect all'])
            return '%s %s %s' % (a, op, b), dict({'int': ['u', 'v']}, **lateral)
        if k < 0.7:
            x, y = self.integer(scope, 3), self.integer(scope, 3)
            return 'select %s as u, (row_number() over (partition by %s order by %s, %s))::int as v, (sum(%s) over (partition by %s))::int as s from %s%s' % (x, x, y, self.everything(scope), y, x, text, self.where(both)), dict({'int': ['u', 's']}, **lateral)
        return 'select %s as u, %s as v from %s%s' % (self.integer(both, 1), self.integer(scope, 2), text, self.where(both)), dict({'int': ['u', 'v']}, **lateral)

    def everything(self, scope):
        """An order without ties that matter."""
        cols = ['%s.%s' % (a, c) for a, ks in scope for v in ks.values() for c in v]
        return ', '.join(cols)

    def top(self):
        r = self.r
        text, scope = self.from_clause([], 0)
        k = r.random()
        if k < 0.25:
            keys = [self.value(scope) for _ in range(r.randint(1, 2))]
            keys = [x for x in keys if not re.fullmatch(r'-?\d+', x)] or [self.everything(scope).split(', ')[0]]
            aggs = [self.aggregate(scope) for _ in range(r.randint(1, 3))]
            group = ', '.join(keys)
            kind = r.random()
            if kind < 0.12 and len(keys) > 1:
                group = r.choice(['rollup(%s)', 'cube(%s)', 'grouping sets((%s), ())']) % group
            having = ' having %s' % self.r.choice(['count(*) > 2', 'max(%s) > 3' % self.integer(scope, 2)]) if r.random() < 0.25 else ''
            return 'select %s from %s%s group by %s%s' % (', '.join(keys + aggs), text, self.where(scope), group, having)
        if k < 0.35:
            return 'select %s from %s%s' % (', '.join(self.aggregate(scope) for _ in range(r.randint(1, 3))), text, self.where(scope))
        if k < 0.45:
            part, arg = self.integer(scope, 2), self.integer(scope, 2)
            order = self.everything(scope)
            frame = r.choice(['', '', ' rows between 1 preceding and 1 following', ' rows unbounded preceding'])
            calls = ['sum(%s) over (partition by %s order by %s%s)' % (arg, part, order, frame), r.choice(['count(*)', 'max(%s)' % arg]) + ' over (partition by %s)' % part,
                     r.choice(['rank()', 'dense_rank()']) + ' over (order by %s)' % self.integer(scope, 3)]
            return 'select %s, %s from %s%s' % (self.value(scope), ', '.join(r.sample(calls, r.randint(1, 3))), text, self.where(scope))
        if k < 0.53:
            q, cols = self.derived(None, 1)
            if r.random() < 0.5:
                return 'with w as %s(%s) select * from w x join w y on x.%s = y.%s' % (r.choice(['', 'materialized ', 'not materialized ']), q, cols['int'][0], cols['int'][-1])
            return q
        distinct = 'distinct ' if r.random() < 0.15 else ''
        out = ', '.join(self.value(scope) for _ in range(r.randint(1, 4)))
        tail = ''
        if not distinct and r.random() < 0.2:
            out = self.everything(scope)
            tail = ' order by %s limit %d%s' % (out, r.randint(0, 12), r.choice(['', ' offset 3']))
        return 'select %s%s from %s%s%s' % (distinct, out, text, self.where(scope), tail)


def psql(port, db, text):
    p = subprocess.run([os.path.join(BIN, 'psql'), '-h', '127.0.0.1', '-p', port, '-U', 'postgres', '-d', db, '-XAtq'],
                       input=text, capture_output=True, text=True)
    return p.stdout + (p.stderr if 'FATAL' in p.stderr or 'server closed' in p.stderr else '')


def answers(port, queries, setting):
    head = "\\set VERBOSITY sqlstate\n\\pset null NULL\nset statement_timeout = '20s';\nset extra_float_digits = 0;\n" + setting
    body = ''.join('\\echo @@%d\n%s;\n\\echo :SQLSTATE\n' % q for q in queries)
    out = psql(port, DB, head + body)
    found = {}
    for part in out.split('@@')[1:]:
        number, _, rows = part.partition('\n')
        rows = rows.rstrip('\n').split('\n')
        found[int(number)] = (rows[-1], sorted(rows[:-1]))
    return found


def close(a, b):
    """The same but for the last digits of floats."""
    if a == b:
        return True
    if a[0] != b[0] or len(a[1]) != len(b[1]):
        return False
    for x, y in zip(a[1], b[1]):
        for u, v in zip(x.split('|'), y.split('|')):
            if u != v:
                try:
                    if abs(float(u) - float(v)) > 1e-9 * max(1.0, abs(float(u))):
                        return False
                except ValueError:
                    return False
    return True


def main():
    seed, count = int(flags.get('seed', 1)), int(flags.get('count', 500))
    shown, different, timeouts, errors = 0, 0, 0, 0
    for p in ports:
        psql(p, 'postgres', 'create database %s' % DB)
        psql(p, DB, SCHEMA)
    try:
        rounds = [[m] for m in METHODS] if 'sweep' in flags else [flags.get('off', '').split(',')]
        for off in rounds:
            setting = ''.join('set enable_%s = off;\n' % m for m in off if m)
            for start in range(seed, seed + count, 100):
                batch = [(i, Query(i).top()) for i in range(start, min(start + 100, seed + count))]
                tusk, pg = (answers(p, batch, setting) for p in ports)
                for i, q in batch:
                    a, b = tusk.get(i, ('lost', [])), pg.get(i, ('lost', []))
                    if b[0] == '57014':
                        timeouts += 1
                        continue
                    errors += b[0] != '00000'
                    if not close(a, b):
                        different += 1
                        if shown < int(flags.get('show', 10)):
                            shown += 1
                            only = [x for x in a[1] if x not in b[1]][:3], [x for x in b[1] if x not in a[1]][:3]
                            print('-- seed %d%s: %s, %d rows against %s, %d rows; only here %s, only there %s\n%s;\n'
                                  % (i, ' off ' + ','.join(off) if setting else '', a[0], len(a[1]), b[0], len(b[1]), only[0], only[1], q))
            print('off %s: %d queries' % (','.join(off) or 'none', count), flush=True)
    finally:
        for p in ports:
            psql(p, 'postgres', 'drop database if exists %s' % DB)
    print('%d different, %d errors on both, %d timeouts skipped' % (different, errors, timeouts))
    sys.exit(different > 0)


main()
