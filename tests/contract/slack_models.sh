#!/bin/sh
# Reads the golden messages with Slack's own models: Python's slack_sdk, and the types of @slack/types.
# usage: tests/contract/slack_models.sh; SLACK_MODELS_FOLDER keeps what it installs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
golden=$here/../golden/slack

skip() {
    echo "slack_models.sh: $1" >&2
    [ "${CI:-}" != true ] || exit 1
    echo "slack_models.sh: SKIPPED, the messages were not checked against Slack's models" >&2
    exit 0
}

command -v python3 >/dev/null 2>&1 || skip "python3 is missing"
scratch=${SLACK_MODELS_FOLDER:-$(mktemp -d)}
[ -n "${SLACK_MODELS_FOLDER:-}" ] || trap 'rm -rf "$scratch"' EXIT
python=$scratch/venv/bin/python
[ -x "$python" ] || python3 -m venv "$scratch/venv" || skip "python3 can't make a virtual environment"
"$python" -c 'import slack_sdk' 2>/dev/null ||
    "$python" -m pip install --quiet --disable-pip-version-check slack_sdk==3.47.0 || skip "slack_sdk can't be installed"
"$python" "$here/slack_models.py" "$golden"

command -v npm >/dev/null 2>&1 || skip "npm is missing"
[ -d "$scratch/node_modules/@slack/types" ] ||
    npm install --silent --prefix "$scratch" --no-audit --no-fund @slack/types@3.2.0 typescript@5.9.3 ||
    skip "@slack/types can't be installed"
"$python" "$here/slack_types.py" "$golden" >"$scratch/golden.ts"
(cd "$scratch" && node node_modules/typescript/bin/tsc --noEmit --strict --skipLibCheck --module nodenext golden.ts)
echo "the types of @slack/types take them as well"
