#!/bin/sh
# The kernel beside the floor, DuckDB, Polars and pandas, on generated files: benches/kernel/run.sh [ROWS] [TIMES]
# Needs a folder for files and Python packages (KERNEL_FOLDER, outside the repository), python3 with venv, and the network once.
set -eu
rows=${1:-1000000}
times=${2:-5}
folder=${KERNEL_FOLDER:-${TMPDIR:-/tmp}/footbridge-kernel}
here=$(dirname "$0")
data=$folder/$rows
mkdir -p "$data"
python=$folder/venv/bin/python
if [ ! -x "$python" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" -q install duckdb polars pandas
fi
kernel() { cargo bench -q -p footbridge-engine --bench kernel -- "$@"; }
[ -f "$data/org.csv" ] || kernel generate "$data" "$rows"
kernel floor "$data" --repeat "$times"
kernel run "$data" --repeat "$times"
kernel run "$data" --repeat "$times" --threads 1
kernel run "$data" --repeat "$times" --memory 32
kernel run "$data" --repeat 2 --memory 256
"$python" "$here/with_duckdb.py" "$data" - "$times"
"$python" "$here/with_duckdb.py" "$data" - "$times" plan
"$python" "$here/with_duckdb.py" "$data" 1GB 2
kernel run "$data" --update "$data/update.csv"
"$python" "$here/compare.py" "$data/update.csv" "$data/duckdb-update.csv"
"$python" "$here/compare.py" "$data/plan-lines.jsonl" "$data/duckdb-plan.csv"
# Of ten million rows these want more memory than most machines have.
if [ "$rows" -le 2000000 ]; then
    "$python" "$here/with_frames.py" "$data" polars "$times"
    "$python" "$here/with_frames.py" "$data" pandas 2
fi
