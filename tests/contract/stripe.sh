#!/bin/sh
# Runs a command while Prism serves Stripe's description of its API (the routes that we ask); needs node 18.20 and npm.
# usage: tests/contract/stripe.sh cargo test
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=${PRISM_FOLDER:-$(mktemp -d)}
port=${PRISM_STRIPE_PORT:-4012}
prism=$scratch/node_modules/@stoplight/prism-cli/dist/index.js
[ -f "$prism" ] || npm install --silent --prefix "$scratch" --no-audit --no-fund @stoplight/prism-cli@5.14.2
node "$prism" mock --host 127.0.0.1 --port "$port" "$here/stripe.openapi.json" >"$scratch/prism-stripe.log" 2>&1 &
mock=$!
trap 'kill "$mock" 2>/dev/null || true; wait "$mock" 2>/dev/null || true' EXIT
tries=0
until grep -q "is listening" "$scratch/prism-stripe.log"; do
    kill -0 "$mock" || { cat "$scratch/prism-stripe.log" >&2; exit 1; }
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "Prism did not start within 2 minutes" >&2; exit 1; }
    sleep 1
done
STRIPE_CONTRACT_URL=http://127.0.0.1:$port "$@"
