#!/usr/bin/env bash
# Measures the program as a whole and prints a table: start-up, `validate`, plan and apply of 100,000 rows against an emulated org in another process.
#
#   cargo build --release && benches/figures.sh [--build]
#
# --build also measures a cold release build, in a folder of its own (minutes). Needs: hyperfine, GNU time, curl (Debian: apt-get install hyperfine time curl).
# FOOTBRIDGE names another binary, ROWS and CHANGED another size. Everything is generated, the same each time.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD
binary=${FOOTBRIDGE:-${CARGO_TARGET_DIR:-$top/target}/release/footbridge}
rows=${ROWS:-100000}
changed=${CHANGED:-10000}
for tool in hyperfine curl /usr/bin/time; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install hyperfine time curl" >&2; exit 1; }
done
[ -x "$binary" ] || { echo "no $binary: cargo build --release" >&2; exit 1; }

work=$(mktemp -d)
emulator=
stop() { if [ -n "$emulator" ]; then kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; fi; rm -rf "$work"; }
trap stop EXIT

table=()
# what, figure, goal
line() { table+=("$1|$2|$3"); printf '  %s: %s\n' "$1" "$2" >&2; }
milliseconds() { # of a command: mean ± deviation
  hyperfine -N --warmup 3 --min-runs 20 --export-csv "$work/times.csv" "$@" >/dev/null 2>&1
  awk -F, 'NR==2 { printf "%.1f ms ± %.1f", $2*1000, $3*1000 }' "$work/times.csv"
}
timed() { # runs a command in the repository; its use stands in $work/use
  ( cd "$work/team" && /usr/bin/time -o "$work/use" -f '%U %S %M %e' "$@" >"$work/out" 2>"$work/err" ) || {
    echo "failed: $*" >&2; cat "$work/err" >&2; exit 1
  }
}
use() { awk '{ printf "%.2f s CPU (%.2f user, %.2f system), peak %.0f MB, %.1f s in all", $1+$2, $1, $2, $3/1024, $4 }' "$work/use"; }

echo "preparing $rows rows, $changed changed" >&2
mkdir -p "$work/many/integrations/reports" "$work/team/integrations/reports" "$work/team/exports"

# 200 integrations of one report, as one team might have them.
report() { printf 'footbridge: 1\nkind: report\nname: Activity\nkey: User ID\nsource: exports/activity.csv\n'; }
report >"$work/many/integrations/reports/activity.yaml"
cat >"$work/many/integrations/orgs.yaml" <<'YAML'
footbridge: 1
kind: orgs
acme:
  sandbox:
    domain: acme--uat.sandbox.my.salesforce.com
    org_id: 00DEm0000000042
    auth: { flow: access_token, token: "${ACME_TOKEN}" }
YAML
for i in $(seq 1 200); do
  cat >"$work/many/integrations/activity-$i.yaml" <<YAML
# Activity of team $i, for its own fields.
footbridge: 1
kind: integration
name: activity-$i
goal: Show team $i who uses the product
org: acme
report: Activity
object: Lead
match:
  column: User ID
  field: Email
fields:
  First_Login_${i}__c: First Login
  Last_Login_${i}__c:
    column: Last Login
    write: if_greater
  Logins_${i}__c: "# Logins"
guards:
  max_overwrites: 30%
environments:
  sandbox: {}
YAML
done

# The org, and a report of the same people in another order, written as exports are: other offsets, no trailing zeros, other case in the keys.
awk -v n="$rows" 'BEGIN {
  print "\"LastName\",\"Company\",\"Email\",\"Title\",\"First_Login__c\",\"Last_Login__c\",\"Logins__c\",\"Renewal__c\"" > leads
  print "User ID,Job,First Login,Last Login,# Logins,Renewal" > report
  for (i = 0; i < n; i++) {
    day = sprintf("%02d-%02d", 1 + i % 12, 1 + i % 28)
    time = sprintf("%02d:%02d", i % 60, (i * 7) % 60)
    printf "\"Person %d\",\"Company %d\",\"person.%d@team%d.example.com\",\"Engineer %d\",\"2025-%sT%02d:%s.000Z\",\"2026-%sT%02d:%s.000Z\",\"%d.0\",\"2027-%s\"\n", \
      i, i % 977, i, i % 977, i % 50, day, 1 + i % 20, time, day, 1 + i % 19, time, i % 300, day > leads
  }
  for (i = 0; i < n; i++) {
    j = (i * 7919) % n
    day = sprintf("%02d-%02d", 1 + j % 12, 1 + j % 28)
    time = sprintf("%02d:%02d", j % 60, (j * 7) % 60)
    moved = j < changed
    printf "Person.%d@Team%d.example.com,Engineer %d,2025-%sT%02d:%s+02:00,2026-%sT%02d:%s-01:00,%d,2027-%s\n", \
      j, j % 977, j % 50, day, j % 20 + 3, time, day, j % 19, time, j % 300 + moved, day > report
  }
}' changed="$changed" leads="$work/leads.csv" report="$work/team/exports/activity.csv" </dev/null
report >"$work/team/integrations/reports/activity.yaml"
cat >"$work/team/integrations/activity.yaml" <<'YAML'
footbridge: 1
kind: integration
name: activity
org: acme
report: Activity
object: Lead
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

line "\`--version\`" "$(milliseconds "$binary" --version)" "< 10 ms"
line "\`validate\` of 200 integrations" "$(cd "$work/many" && milliseconds "$binary" validate)" "< 200 ms"

"$binary" emulator --seed "$work/leads.csv" --port 0 >"$work/emulator" 2>&1 &
emulator=$!
tries=0
until grep -q "export EMULATOR_TOKEN" "$work/emulator"; do
  kill -0 "$emulator" 2>/dev/null && [ "$((tries += 1))" -lt 1200 ] || { cat "$work/emulator" >&2; exit 1; }
  sleep 0.1
done
url=$(sed -n 's/^ *domain: //p' "$work/emulator")
org=$(sed -n 's/^ *org_id: //p' "$work/emulator")
EMULATOR_TOKEN=$(sed -n "s/.*export EMULATOR_TOKEN='\(.*\)'.*/\1/p" "$work/emulator")
export EMULATOR_TOKEN
cat >"$work/team/integrations/orgs.yaml" <<YAML
footbridge: 1
kind: orgs
acme:
  sandbox:
    domain: $url
    org_id: $org
    auth: { flow: access_token, token: "\${EMULATOR_TOKEN}" }
YAML

forget() { curl -sf -X DELETE "$url/__emulator/calls" >/dev/null; }
calls() { # how many, by method and path
  curl -sf "$url/__emulator/calls" >"$work/calls"
  local all; all=$(grep -o '"method":"' "$work/calls" | wc -l)
  local writes; writes=$(grep -o '"method":"PATCH"' "$work/calls" | wc -l)
  local rereads; rereads=$(grep -o '"method":"POST"' "$work/calls" | wc -l)
  printf '%d calls: %d writes, %d re-reads' "$all" "$writes" "$rereads"
}

forget
timed "$binary" plan activity
grep -q "$(printf '%d' "$changed" | sed ':a;s/\B[0-9]\{3\}\>/,&/;ta')" "$work/out" || { echo "the plan does not say $changed changes" >&2; head -20 "$work/out" >&2; exit 1; }
line "plan of $rows rows, $changed changed" "$(use); $(calls)" "< 1.5 s CPU, < 200 MB"
timed "$binary" plan activity
line "the same again" "$(use)" "< 1.5 s CPU, < 200 MB"
forget
timed "$binary" apply activity --env sandbox --yes
line "apply of $changed records (plans anew)" "$(use); $(calls)" "$(( (changed + 199) / 200 )) writes"
forget
timed "$binary" apply activity --env sandbox --yes
line "apply with nothing changed" "$(use); $(calls)" "0 writes"
timed "$binary" plan activity
line "plan with nothing changed" "$(use)" ""

if [ "${1:-}" = --build ]; then
  /usr/bin/time -o "$work/use" -f '%U %S %M %e' env CARGO_TARGET_DIR="$work/build" cargo build --release --locked --timings 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
  line "cold release build" "$(awk '{ printf "%d min %02d s (%d s CPU)", $4/60, $4%60, $1+$2 }' "$work/use")" "< 6 min"
fi
line "size of the binary" "$(awk -v b="$(wc -c <"$binary")" 'BEGIN { printf "%.1f MB", b/1e6 }')" ""

printf '\n%s, %s cores, %s\n\n' "$("$binary" --version)" "$(nproc)" "$(rustc --version)"
{ printf 'what|figure|goal\n'; printf '%s\n' "${table[@]}"; } | sed 's/|/ | /g; s/^/| /; s/$/ |/' | sed '1a | --- | --- | --- |'
