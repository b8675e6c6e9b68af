#!/usr/bin/env bash
# The Salesforce CLI's bulk commands, with a pandas script between them that finds the changes.   URL TOKEN REPORT.csv FOLDER
set -euo pipefail
url=$1 token=$2 report=$3 folder=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export HOME=$folder/home SF_AUTOUPDATE_DISABLE=true SF_DISABLE_TELEMETRY=true SF_USE_GENERIC_UNIX_KEYCHAIN=true SF_SKIP_NEW_VERSION_CHECK=true SF_ORG_API_VERSION=68.0
mkdir -p "$HOME"
SF_ACCESS_TOKEN=$token "$SF" org login access-token --instance-url "$url" --alias emulator --no-prompt >/dev/null
"$SF" data export bulk --target-org emulator --query "SELECT Id, Email, Title, First_Login__c, Last_Login__c, Logins__c, Renewal__c FROM Lead" \
  --output-file "$folder/org.csv" --result-format csv --wait 10 >/dev/null
"$PYTHON" "$here/changes.py" "$folder/org.csv" "$report" "$folder/changed.csv"
"$SF" data update bulk --target-org emulator --sobject Lead --file "$folder/changed.csv" --line-ending LF --column-delimiter COMMA --wait 10 >/dev/null
echo "$("$SF" --version)"
