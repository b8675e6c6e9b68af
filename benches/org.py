#!/usr/bin/env python3
"""An emulated org for a measurement, and what can be said of it afterwards. Python's own library only.

  org.py start WORK LEADS      starts `footbridge emulator`, waits until it answers, writes WORK/org.json
  org.py stop WORK             ends it
  org.py forget WORK           forgets the calls so far, and notes the emulator's CPU seconds
  org.py calls WORK            calls by kind, cells and records sent, the emulator's own CPU since `forget`
  org.py check WORK REPORT     the org now holds exactly what the report says, cell by cell (read by a bulk query); exit 1 if not
"""
import csv, io, json, os, re, signal, subprocess, sys, time, urllib.request
from datetime import datetime, timezone
from decimal import Decimal

FIELDS = {"Title": "Job", "First_Login__c": "First Login", "Last_Login__c": "Last Login", "Logins__c": "# Logins", "Renewal__c": "Renewal"}


def org(work):
    with open(os.path.join(work, "org.json")) as file:
        return json.load(file)


def call(o, path, method="GET", body=None):
    headers = {"Authorization": "Bearer " + o["token"], "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(o["url"] + path, data=data, method=method, headers=headers)
    return urllib.request.urlopen(request)


def cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(work, leads):
    binary = os.environ["FOOTBRIDGE"]
    log = os.path.join(work, "emulator.log")
    began = time.time()
    with open(log, "w") as out:
        process = subprocess.Popen([binary, "emulator", "--seed", leads, "--port", "0"], stdout=out, stderr=out, start_new_session=True)
    while "export EMULATOR_TOKEN" not in (text := open(log).read()):
        if process.poll() is not None:
            sys.exit(f"the emulator ended:\n{text}")
        time.sleep(0.05)
    found = lambda pattern: re.search(pattern, text).group(1)
    o = {"pid": process.pid, "url": found(r"domain: (\S+)"), "org_id": found(r"org_id: (\S+)"), "token": found(r"EMULATOR_TOKEN='([^']+)'")}
    o["cpu"] = cpu(process.pid)
    with open(os.path.join(work, "org.json"), "w") as file:
        json.dump(o, file)
    print(f"{time.time() - began:.1f} s to load")


def stop(work):
    try:
        os.kill(org(work)["pid"], signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        pass


def forget(work):
    o = org(work)
    call(o, "/__emulator/calls", "DELETE")
    o["jobs"] = len(json.load(call(o, "/__emulator/jobs")))
    o["cpu"] = cpu(o["pid"])
    with open(os.path.join(work, "org.json"), "w") as file:
        json.dump(o, file)


def kind(c):
    path, method = c["path"], c["method"]
    if "/jobs/" in path:
        if re.search(r"/jobs/(ingest|query)/[^/]+/?$", path) and method == "GET":
            return "polls"
        return "job calls"
    if "/composite/sobjects" in path:
        return "writes" if method == "PATCH" else "re-reads"
    if "/query" in path:
        return "queries"
    return "writes" if method == "PATCH" else "other"


def sent(o, calls):
    """Records and cells that were sent to be written."""
    records = cells = 0
    for job in json.load(call(o, "/__emulator/jobs"))[o.get("jobs", 0):]:
        if job["family"] != "ingest" or not job["upload"]:
            continue
        rows = csv.reader(io.StringIO(job["upload"]))
        header = [name.lower() for name in next(rows)]
        for row in rows:
            records += 1
            cells += sum(1 for name, cell in zip(header, row) if name != "id" and cell != "")
    for c in calls:
        if c["method"] == "PATCH" and "/composite/sobjects" in c["path"]:
            for record in json.loads(c["request_body"])["records"]:
                records += 1
                cells += sum(1 for key in record if key.lower() not in ("id", "attributes"))
    return records, cells


def calls(work):
    o = org(work)
    used = cpu(o["pid"]) - o["cpu"]
    made = json.load(call(o, "/__emulator/calls"))
    kinds = {}
    for c in made:
        kinds[kind(c)] = kinds.get(kind(c), 0) + 1
    records, cells = sent(o, made)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items(), key=lambda k: -k[1]))
    print(f"{len(made)} calls ({listed}); {records} records, {cells} cells sent; emulator {used:.2f} s CPU")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def wanted(name, text):
    if name in ("First_Login__c", "Last_Login__c"):
        return moment(text)
    return Decimal(text) if name == "Logins__c" else text


def records(o):
    body = {"operation": "query", "query": "SELECT Email, " + ", ".join(FIELDS) + " FROM Lead", "contentType": "CSV"}
    base = "/services/data/v68.0/jobs/query"
    job = json.load(call(o, base, "POST", body))["id"]
    while json.load(call(o, f"{base}/{job}"))["state"] != "JobComplete":
        time.sleep(0.05)
    locator = ""
    while locator != "null":
        reply = call(o, f"{base}/{job}/results" + (f"?locator={locator}" if locator else ""))
        locator = reply.headers["Sforce-Locator"]
        yield from csv.DictReader(io.TextIOWrapper(reply, encoding="utf-8", newline=""))


def check(work, report):
    o = org(work)
    with open(report, newline="") as file:
        people = {row["User ID"].lower(): row for row in csv.DictReader(file)}
    wrong = 0
    for record in records(o):
        row = people.pop(record["Email"].lower())
        for name, column in FIELDS.items():
            if wanted(name, record[name]) != wanted(name, row[column]):
                wrong += 1
    if wrong or people:
        sys.exit(f"WRONG: {wrong} cells differ from the report, {len(people)} people are missing")
    print("the org holds what the report says")


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    {"start": start, "stop": stop, "forget": forget, "calls": calls, "check": check}[command](*rest)
