#!/bin/sh
# Holds the manifests that `daily-ops manifest` prints, and manifest.yml, against Slack's own schema; needs python3 with
# venv. The schema is https://github.com/slackapi/manifest-schema (its licence lies beside it).
# usage: tests/contract/slack_manifest.sh [path of the daily-ops binary]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=${1:-"$here/../../target/debug/daily-ops"}
scratch=${SLACK_MANIFEST_FOLDER:-$(mktemp -d)}
[ -n "${SLACK_MANIFEST_FOLDER:-}" ] || trap 'rm -rf "$scratch"' EXIT
python=$scratch/venv/bin/python
[ -x "$python" ] || python3 -m venv "$scratch/venv"
"$python" -c "import jsonschema, yaml" 2>/dev/null || "$scratch/venv/bin/pip" install --quiet jsonschema==4.25.1 PyYAML==6.0.3

printed=$scratch/manifests
mkdir -p "$printed"
"$bin" manifest --transport socket >"$printed/socket.yml"
"$bin" manifest --transport socket --user-groups >"$printed/socket-groups.yml"
"$bin" manifest --transport http --url https://ops.example.com >"$printed/http.yml"
"$bin" manifest --transport http --url https://ops.example.com/bot --user-groups >"$printed/http-groups.yml"
cmp "$printed/socket.yml" "$here/../../manifest.yml"

"$python" - "$here/slack_manifest/manifest.schema.1.0.0.json" "$printed"/*.yml <<'PYTHON'
import copy, json, sys
import jsonschema, yaml

schema = json.load(open(sys.argv[1]))
validator = jsonschema.Draft7Validator(schema)


def faults(manifest):
    return [error.message for error in validator.iter_errors(manifest)]


for path in sys.argv[2:]:
    manifest = yaml.safe_load(open(path))
    found = faults(manifest)
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    socket = manifest["settings"]["socket_mode_enabled"]
    if len(scopes) > 4:
        found.append(f"{len(scopes)} scopes")
    if socket == ("request_url" in manifest["settings"]["interactivity"]):
        found.append("an address and Socket Mode exclude each other")
    # A control: the schema must notice what is wrong.
    wrong = copy.deepcopy(manifest)
    wrong["features"]["slash_commands"][0]["command"] = "ops"
    if not faults(wrong):
        found.append("the schema lets a command without its slash pass")
    if found:
        sys.exit(f"{path}: " + "; ".join(found))
print(f"{len(sys.argv) - 2} manifests pass Slack's schema")
PYTHON
