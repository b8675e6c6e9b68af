#!/usr/bin/env python3
"""simple-salesforce's Bulk 2.0 handler and pandas: read the org, compare, write what changed.   URL TOKEN REPORT.csv FOLDER"""
import io
import os
import sys
from importlib.metadata import version

import pandas as pd
from simple_salesforce import Salesforce

from changes import FIELDS, changes

url, token, report, folder = sys.argv[1:]
sf = Salesforce(instance_url=url, session_id=token, version="68.0")
# It always says https; the emulator speaks plain HTTP on loopback.
sf.base_url = f"{url}/services/data/v68.0/"
sf.bulk2_url = f"{url}/services/data/v68.0/jobs/"

query = "SELECT Id, Email, " + ", ".join(FIELDS) + " FROM Lead"
# Its own default is to wait five seconds before each first poll.
pages = sf.bulk2.Lead.query(query, wait=0.5)
read = lambda source: pd.read_csv(source, dtype=str, keep_default_na=False)
org = pd.concat([read(io.StringIO(page)) for page in pages], ignore_index=True)
changed = changes(org, read(report))
path = os.path.join(folder, "changed.csv")
changed.to_csv(path, index=False, lineterminator="\n")
for result in sf.bulk2.Lead.update(path, wait=0.5) if len(changed) else []:
    if int(result["numberRecordsFailed"]):
        sys.exit(f"failed: {result}")
print(f"simple-salesforce {version('simple-salesforce')}, pandas {version('pandas')}: {len(changed)} records")
