#!/usr/bin/env python3
"""What a careful pandas script of today does with a report and an export of the org: the changed rows, only the changed cells filled.

  changes.py ORG.csv REPORT.csv CHANGED.csv
"""
import sys

import pandas as pd

FIELDS = {"Title": "Job", "First_Login__c": "First Login", "Last_Login__c": "Last Login", "Logins__c": "# Logins", "Renewal__c": "Renewal"}
MOMENTS = ("First_Login__c", "Last_Login__c")


def comparable(name, column):
    if name in MOMENTS:
        return pd.to_datetime(column, utc=True, format="ISO8601")
    return pd.to_numeric(column) if name == "Logins__c" else column


def changes(org, report):
    """Data frames of texts in, one out: Id and the five fields, empty where nothing is to be written."""
    org = org.assign(key=org["Email"].str.lower())
    report = report.assign(key=report["User ID"].str.lower())
    both = org.merge(report, on="key", how="inner", validate="one_to_one")
    out = pd.DataFrame({"Id": both["Id"]})
    for name, column in FIELDS.items():
        before, after = comparable(name, both[name]), comparable(name, both[column])
        same = (before == after) | after.isna()
        written = after.dt.strftime("%Y-%m-%dT%H:%M:%S.000Z") if name in MOMENTS else both[column]
        out[name] = written.mask(same, "")
    return out[(out[list(FIELDS)] != "").any(axis=1)]


if __name__ == "__main__":
    org, report, changed = sys.argv[1:]
    read = lambda path: pd.read_csv(path, dtype=str, keep_default_na=False)
    changes(read(org), read(report)).to_csv(changed, index=False, lineterminator="\n")
