#!/usr/bin/env bash
# Plan and apply end to end against an emulated org in another process, at several sizes, one record in ten changed.
#
#   cargo build --release && benches/whole.sh [ROWS...]        (10000 100000 1000000 when none are named)
#
# Prints for each step: Footbridge's own CPU, wall time, peak memory, the calls by kind, records and cells sent, and apart from that the
# emulator's CPU. After each apply the org is read and compared with the report, cell by cell, and a second apply must write nothing.
# Needs GNU time and Python 3. FOOTBRIDGE names another binary; READ and WRITE set `read:` and `write:` of the integration (auto).
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD
export FOOTBRIDGE=${FOOTBRIDGE:-${CARGO_TARGET_DIR:-$top/target}/release/footbridge}
[ -x "$FOOTBRIDGE" ] || { echo "no $FOOTBRIDGE: cargo build --release" >&2; exit 1; }
[ -x /usr/bin/time ] || { echo "GNU time is missing" >&2; exit 1; }

work=$(mktemp -d)
stop() { python3 "$top/benches/org.py" stop "$work" || true; rm -rf "$work"; }
trap stop EXIT
org() { python3 "$top/benches/org.py" "$@"; }

step() { # what, exit codes that are fine, then the command
  local what=$1 fine=$2; shift 2
  local code=0
  org forget "$work"
  ( cd "$work/team" && /usr/bin/time -q -o "$work/use" -f '%U %S %M %e' "$@" >"$work/out" 2>"$work/err" ) || code=$?
  case " $fine " in *" $code "*) ;; *) echo "failed ($code): $*" >&2; tail -n 30 "$work/out" "$work/err" >&2; exit 1 ;; esac
  awk -v what="$what" '{ printf "  %-28s %.2f s CPU, %.2f s wall, peak %.0f MB; ", what, $1+$2, $4, $3/1024 }' "$work/use"
  org calls "$work"
}

printf '%s, %s cores\n' "$("$FOOTBRIDGE" --version)" "$(nproc)"
[ $# -gt 0 ] || set -- 10000 100000 1000000
for rows in "$@"; do
  rm -rf "$work"; mkdir -p "$work/team/integrations/reports" "$work/team/exports"
  cells=$(awk -v n="$rows" -v leads="$work/leads.csv" -v report="$work/team/exports/activity.csv" -f benches/people.awk)
  printf '\n%s rows, %s cells changed: emulator %s\n' "$rows" "$cells" "$(org start "$work" "$work/leads.csv")"
  json() { python3 -c "import json,sys; print(json.load(open('$work/org.json'))['$1'])"; }
  EMULATOR_TOKEN=$(json token); export EMULATOR_TOKEN
  cat >"$work/team/integrations/orgs.yaml" <<YAML
footbridge: 1
kind: orgs
acme:
  sandbox:
    domain: $(json url)
    org_id: $(json org_id)
    auth: { flow: access_token, token: "\${EMULATOR_TOKEN}" }
YAML
  printf 'footbridge: 1\nkind: report\nname: Activity\nkey: User ID\nsource: exports/activity.csv\n' >"$work/team/integrations/reports/activity.yaml"
  cat >"$work/team/integrations/activity.yaml" <<YAML
footbridge: 1
kind: integration
name: activity
org: acme
report: Activity
object: Lead
read: ${READ:-auto}
write: ${WRITE:-auto}
match: { column: User ID, field: Email }
fields:
  Title: Job
  First_Login__c: First Login
  Last_Login__c: Last Login
  Logins__c: "# Logins"
  Renewal__c: Renewal
environments:
  sandbox: {}
YAML
  step "plan" 0 "$FOOTBRIDGE" plan activity
  step "apply (plans anew)" 0 "$FOOTBRIDGE" apply activity --env sandbox --yes
  org check "$work" "$work/team/exports/activity.csv" | sed 's/^/  /'
  step "apply, nothing changed" 0 "$FOOTBRIDGE" apply activity --env sandbox --yes
  step "plan, nothing changed" 0 "$FOOTBRIDGE" plan activity
  org stop "$work"
done
