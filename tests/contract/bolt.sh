#!/bin/sh
# Runs a command with Slack's own frameworks for apps at hand: Bolt for JavaScript and Bolt for Python.
# usage: tests/contract/bolt.sh cargo test --test it bolt; BOLT_FOLDER keeps what it installs
set -eu
scratch=${BOLT_FOLDER:-$(mktemp -d)}
[ -n "${BOLT_FOLDER:-}" ] || trap 'rm -rf "$scratch"' EXIT
[ -d "$scratch/node_modules/@slack/bolt" ] ||
    npm install --silent --prefix "$scratch" --no-audit --no-fund @slack/bolt@5.1.0
python=$scratch/venv/bin/python
[ -x "$python" ] || python3 -m venv "$scratch/venv"
"$python" -c 'import slack_bolt' 2>/dev/null ||
    "$python" -m pip install --quiet --disable-pip-version-check slack_bolt==1.30.0 slack_sdk==3.47.0
BOLT_FOLDER=$scratch "$@"
