#!/bin/sh
# Holds the check `errors` against Sentry's API document, served by Prism (needs node 20 and npm).
# usage: tests/contract/sentry.sh OPENAPI.json [SCRATCH_FOLDER]
set -eu
document=$(realpath "${1:?usage: tests/contract/sentry.sh OPENAPI.json [SCRATCH_FOLDER]}")
scratch=${2:-$(mktemp -d)}
port=${PRISM_PORT:-4010}
cd "$(dirname "$0")/../.."
mkdir -p "$scratch"
prism=$scratch/node_modules/@stoplight/prism-cli/dist/index.js
[ -f "$prism" ] || npm install --prefix "$scratch" --no-audit --no-fund @stoplight/prism-cli@5.14.2
: >"$scratch/prism.log"
node "$prism" mock --host 127.0.0.1 --port "$port" "$document" >"$scratch/prism.log" 2>&1 &
mock=$!
trap 'kill "$mock" 2>/dev/null || true; wait "$mock" 2>/dev/null || true' EXIT
tries=0
until grep -q "is listening" "$scratch/prism.log"; do
    kill -0 "$mock" || { cat "$scratch/prism.log"; exit 1; }
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "Prism did not start within 2 minutes" >&2; exit 1; }
    sleep 1
done
SENTRY_CONTRACT_URL=http://127.0.0.1:$port cargo test --test it sentry_contract -- --nocapture
