#!/usr/bin/env bash
# SFDMU: a CSV file of the report's own columns, renamed to fields, updates leads by e-mail address.   URL TOKEN REPORT.csv FOLDER
# It compares by itself, sends whole records, and has no notion of "only the changed cells".
set -euo pipefail
url=$1 token=$2 report=$3 folder=$4
export HOME=$folder/home SF_AUTOUPDATE_DISABLE=true SF_DISABLE_TELEMETRY=true SF_USE_GENERIC_UNIX_KEYCHAIN=true SF_SKIP_NEW_VERSION_CHECK=true SF_ORG_API_VERSION=68.0
PATH=$(dirname "$SF"):$PATH
# It asks the CLI for the session, which newer ones hide.
export SF_TEMP_SHOW_SECRETS=true
mkdir -p "$HOME" "$folder/data"
SF_ACCESS_TOKEN=$token "$SF" org login access-token --instance-url "$url" --alias emulator --no-prompt >/dev/null
"$SF" plugins link "$NODE_MODULES/node_modules/sfdmu" --no-install >/dev/null
{ echo 'Email,Title,First_Login__c,Last_Login__c,Logins__c,Renewal__c'; tail -n +2 "$report" | sed 's/^\([^,]*\)/\L\1/'; } >"$folder/data/Lead.csv"
cat >"$folder/data/export.json" <<'JSON'
{ "apiVersion": "68.0", "bulkApiVersion": "2.0", "objects": [ { "query": "SELECT Email, Title, First_Login__c, Last_Login__c, Logins__c, Renewal__c FROM Lead", "operation": "Update", "externalId": "Email" } ] }
JSON
"$SF" sfdmu run --sourceusername csvfile --targetusername emulator --path "$folder/data" --noprompt >"$folder/sfdmu.log" 2>&1 || { tail -n 20 "$folder/sfdmu.log" >&2; exit 1; }
"$SF" plugins | grep -i sfdmu
