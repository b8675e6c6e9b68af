"""The same work in DuckDB, in its fastest form: declared types, a join on the folded key, only what differs. FOLDER [MEMORY_LIMIT|-] [TIMES] [changes|plan]

`changes`: ids and changed cells, in any order; nothing of rows without a record, of several rows of one key, of what the org had.
`plan`: what a plan says, too: each row that is not simply as the org has it, by its number and in the report's order, its outcome, before and after."""
import sys
import time

import duckdb

folder, limit, times = sys.argv[1], (sys.argv[2:] or ["-"])[0], int((sys.argv[3:] or ["3"])[0])
plan = (sys.argv[4:] or ["changes"])[0] == "plan"
db = duckdb.connect()
# The number of a row is its place in the file only where order is kept.
db.execute(f"SET threads=2; SET preserve_insertion_order={'true' if plan else 'false'}")
if limit != "-":
    db.execute(f"SET memory_limit='{limit}'; SET temp_directory='{folder}/duckdb-tmp'")

FIELDS = {"first_login": "First_Login__c", "last_login": "Last_Login__c", "logins": "Logins__c", "nps": "NPS__c", "completed": "Completed__c"}
TYPES = {"first_login": "TIMESTAMP", "last_login": "TIMESTAMP"}


def columns(names):
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in names) + "}"


def text(side, column, name):
    return f"strftime({side}.{name}, '%Y-%m-%dT%H:%M:%SZ')" if column in TYPES else f"{side}.{name}::VARCHAR"


def read(name, names):
    return f"read_csv('{folder}/{name}', header=true, auto_detect=false, delim=',', quote='\"', columns={columns(names)})"


report = read("report.csv", [("email", "VARCHAR")] + [(c, TYPES.get(c, "DOUBLE")) for c in FIELDS])
org = read("org.csv", [("Id", "VARCHAR"), ("Email", "VARCHAR")] + [(f, TYPES.get(c, "DOUBLE")) for c, f in FIELDS.items()])
differs = {c: f"r.{c} IS DISTINCT FROM o.{f}" for c, f in FIELDS.items()}
after = {c: f"CASE WHEN {differs[c]} THEN coalesce({text('r', c, c)}, '#N/A') END" for c in FIELDS}
before = {c: f"CASE WHEN {differs[c]} THEN coalesce({text('o', c, f)}, '#N/A') END" for c, f in FIELDS.items()}
changes = f"""COPY (SELECT o.Id, {', '.join(after.values())} FROM {org} o JOIN {report} r ON lower(r.email) = lower(o.Email)
              WHERE {' OR '.join(differs.values())}) TO '{folder}/duckdb-update.csv' (HEADER false)"""
# Of the ways tried (windows, tables that are not kept), the fastest to know of several rows or records of one key.
whole = f"""COPY (WITH r AS MATERIALIZED (SELECT *, lower(email) AS k, row_number() OVER () AS n FROM {report}),
                 o AS MATERIALIZED (SELECT *, lower(Email) AS k FROM {org}),
                 rows AS (SELECT k FROM r GROUP BY k HAVING count(*) > 1),
                 records AS (SELECT k FROM o GROUP BY k HAVING count(*) > 1)
            SELECT r.n, r.email,
                CASE WHEN rows.k IS NOT NULL THEN 'duplicate_key' WHEN records.k IS NOT NULL THEN 'several_records'
                     WHEN o.Id IS NULL THEN 'no_record' ELSE 'planned' END,
                o.Id, {', '.join(f'{before[c]}, {after[c]}' for c in FIELDS)}
            FROM r LEFT JOIN o ON r.k = o.k LEFT JOIN rows ON rows.k = r.k LEFT JOIN records ON records.k = r.k
            WHERE rows.k IS NOT NULL OR records.k IS NOT NULL OR o.Id IS NULL OR {' OR '.join(differs.values())}
            ORDER BY r.n) TO '{folder}/duckdb-plan.csv' (HEADER false)"""
for _ in range(times):
    started, cpu = time.time(), time.process_time()
    db.execute(whole if plan else changes)
    peak = next(line.split(":")[1].strip() for line in open("/proc/self/status") if line.startswith("VmHWM"))
    what = "DuckDB's plan" if plan else "DuckDB"
    print(f"{what} {duckdb.__version__}: {time.time() - started:.3f} s, {time.process_time() - cpu:.2f} s CPU, peak {peak}")
