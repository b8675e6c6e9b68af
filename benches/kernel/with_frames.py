"""The same work in Polars (lazy, 2 threads) or pandas. FOLDER polars|pandas [TIMES]"""
import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "2"
folder, library, times = sys.argv[1], sys.argv[2], int((sys.argv[3:] or ["3"])[0])
FIELDS = {"first_login": "First_Login__c", "last_login": "Last_Login__c", "logins": "Logins__c", "nps": "NPS__c", "completed": "Completed__c"}
MOMENTS = ["first_login", "last_login"]


def polars():
    import polars as pl

    def typed(frame, names):
        moments = [pl.col(n).str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S") for n in names[:2]]
        # A bulk export has null as an empty cell in quotes.
        numbers = [pl.col(n).replace("", None).cast(pl.Float64) for n in names[2:]]
        return frame.with_columns(moments + numbers)

    report = typed(pl.scan_csv(f"{folder}/report.csv", infer_schema=False), list(FIELDS))
    org = typed(pl.scan_csv(f"{folder}/org.csv", infer_schema=False), list(FIELDS.values()))
    both = org.with_columns(key=pl.col("Email").str.to_lowercase()).join(
        report.with_columns(key=pl.col("email").str.to_lowercase()), on="key"
    )
    differs = {c: pl.col(c).ne_missing(pl.col(f)) for c, f in FIELDS.items()}

    def cell(c):
        text = pl.col(c).dt.strftime("%Y-%m-%dT%H:%M:%SZ") if c in MOMENTS else pl.col(c).cast(pl.String)
        return pl.when(differs[c]).then(text.fill_null("#N/A")).alias(c)

    both.filter(pl.any_horizontal(*differs.values())).select("Id", *[cell(c) for c in FIELDS]).sink_csv(
        f"{folder}/polars-update.csv", include_header=False
    )
    return pl.__version__


def pandas():
    import pandas as pd

    report = pd.read_csv(f"{folder}/report.csv", parse_dates=MOMENTS)
    org = pd.read_csv(f"{folder}/org.csv", parse_dates=[FIELDS[m] for m in MOMENTS])
    both = org.assign(key=org.Email.str.lower()).merge(report.assign(key=report.email.str.lower()), on="key")
    differs = {c: (both[c] != both[f]) & ~(both[c].isna() & both[f].isna()) for c, f in FIELDS.items()}
    out = both[["Id"]].copy()
    for c in FIELDS:
        text = both[c].dt.strftime("%Y-%m-%dT%H:%M:%SZ") if c in MOMENTS else both[c].map(lambda v: v, na_action="ignore").astype("string")
        out[c] = text.fillna("#N/A").where(differs[c])
    out[pd.DataFrame(differs).any(axis=1)].to_csv(f"{folder}/pandas-update.csv", header=False, index=False)
    return pd.__version__


for _ in range(times):
    started, cpu = time.time(), time.process_time()
    version = {"polars": polars, "pandas": pandas}[library]()
    peak = next(line.split(":")[1].strip() for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(f"{library} {version}: {time.time() - started:.3f} s, {time.process_time() - cpu:.2f} s CPU, peak {peak}")
