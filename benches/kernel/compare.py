"""Are they the same? FILE OTHER: the changed cells, CSV with an id and five cells each. PLAN.jsonl OTHER: a plan's lines beside DuckDB's plan, row by row in order.
Numbers compare as numbers."""
import csv
import json
import sys
from itertools import zip_longest

FIELDS = ["First_Login__c", "Last_Login__c", "Logins__c", "NPS__c", "Completed__c"]


def cell(text):
    try:
        return float(text)
    except ValueError:
        return text


def records(path):
    with open(path, newline="") as file:
        return {row[0]: tuple(map(cell, row[1:])) for row in csv.reader(file)}


def plan_lines(path):
    with open(path) as file:
        for line in file:
            entry = json.loads(line)["entry"]
            cells = {c["field"]: ["#N/A" if c[side] is None else cell(c[side]) for side in ("before", "after")] for c in entry.get("cells", [])}
            values = [value for field in FIELDS for value in cells.get(field, ["", ""])]
            yield [str(entry["row"]), entry["key"], entry["outcome"], entry.get("record", ""), *values]


def plan_rows(path):
    with open(path, newline="") as file:
        for row in csv.reader(file):
            # What a row without a record would set is no change.
            yield row[:4] + ([""] * len(row[4:]) if row[2] == "no_record" else [cell(value) for value in row[4:]])


one, other = sys.argv[1:3]
if one.endswith(".jsonl"):
    rows = 0
    for ours, theirs in zip_longest(plan_lines(one), plan_rows(other)):
        rows += 1
        if ours != theirs:
            sys.exit(f"{one} and {other} differ at line {rows}: {ours} and {theirs}")
    print(f"the same {rows} rows, in the same order")
else:
    one_records, other_records = records(one), records(other)
    if one_records != other_records:
        sys.exit(f"{one} and {other} differ: {len(one_records)} and {len(other_records)} records")
    print(f"the same {len(one_records)} records and cells")
