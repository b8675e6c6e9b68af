"""Are the changed cells the same? FILE OTHER: CSV with an id and five cells each; numbers compare as numbers."""
import csv
import sys


def cell(text):
    try:
        return float(text)
    except ValueError:
        return text


def rows(path):
    with open(path, newline="") as file:
        return {row[0]: tuple(map(cell, row[1:])) for row in csv.reader(file)}


one, other = rows(sys.argv[1]), rows(sys.argv[2])
if one != other:
    sys.exit(f"{sys.argv[1]} and {sys.argv[2]} differ: {len(one)} and {len(other)} records")
print(f"the same {len(one)} records and cells")
