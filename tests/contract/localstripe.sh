#!/bin/bash
# Has a real declined invoice found and paid again: localstripe (PyPI, a tool of its own, not linked to) makes it, and
# localstripe_front.py speaks the newer version of the API before it. Needs python3 with venv.
# usage: tests/contract/localstripe.sh [path of the daily-ops binary]; LOCALSTRIPE_FOLDER keeps what it installs
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${1:-"$here/../../target/debug/daily-ops"}")
scratch=${LOCALSTRIPE_FOLDER:-$(mktemp -d)}
state=$(mktemp -d)
running=()
stop() {
    for one in "${running[@]}"; do kill "$one" 2>/dev/null || true; wait "$one" 2>/dev/null || true; done
    rm -rf "$state"
    [ -n "${LOCALSTRIPE_FOLDER:-}" ] || rm -rf "$scratch"
}
trap stop EXIT
fail() { echo "localstripe.sh: $1" >&2; exit 1; }

python=$scratch/venv/bin/python
[ -x "$python" ] || python3 -m venv "$scratch/venv"
"$python" -c 'import localstripe' 2>/dev/null ||
    "$python" -m pip install --quiet --disable-pip-version-check localstripe==1.15.10

free() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free)
front=$(free)
(
    cd "$state"
    # Its own command listens on every address; and it keeps its state in a file of the temporary folder.
    TMPDIR=$state exec "$python" -c "from aiohttp import web; from localstripe.server import app; web.run_app(app, host='127.0.0.1', port=$port, print=None)"
) >"$state/localstripe.log" 2>&1 &
running+=($!)
"$python" "$here/localstripe_front.py" "$front" "$port" >"$state/front.log" 2>&1 &
running+=($!)
key=sk_test_12345
for one in "$port" "$front"; do
    tries=0
    until curl -sf -u "$key:" "http://127.0.0.1:$one/v1/balance" >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || { cat "$state"/*.log >&2; fail "no answer on port $one within a minute"; }
        sleep 0.5
    done
done

ask() { local path=$1; shift; curl -sf -u "$key:" "http://127.0.0.1:$port/v1/$path" "$@" || fail "localstripe refused $path"; }
field() { "$python" -c "import json, sys; print(json.load(sys.stdin)$1)"; }
card() {
    local method
    method=$(ask payment_methods -d type=card -d "card[number]=$1" -d "card[exp_month]=12" -d "card[exp_year]=2034" -d "card[cvc]=123" | field '["id"]')
    ask "payment_methods/$method/attach" -d "customer=$customer" >/dev/null
    ask "customers/$customer" -d "invoice_settings[default_payment_method]=$method" >/dev/null
}

product=$(ask products -d name=Team -d type=service | field '["id"]')
plan=$(ask plans -d id=team -d "product=$product" -d amount=2500 -d currency=eur -d interval=month | field '["id"]')
customer=$(ask customers -d name=Beta -d email=ops@beta.example | field '["id"]')
card 4000000000000341
ask subscriptions -d "customer=$customer" -d "items[0][plan]=$plan" >/dev/null
invoice=$(ask invoices | field '["data"][0]["id"]')
[ "$(ask "invoices/$invoice" | field '["status"]')" = open ] || fail "the invoice was to be declined"

cat >"$state/daily-ops.toml" <<TOML
[database]
url = "sqlite:$state/ops.db"
[ops_log]
path = "$state/ops-log.md"
[checks.payments]
mode = "test"
url = "http://127.0.0.1:$front"
TOML
daily_ops() {
    local code=0
    env -i STRIPE_API_KEY="$key" USER=anna DAILY_OPS_CONFIG="$state/daily-ops.toml" "$bin" "$@" >"$state/said" 2>&1 || code=$?
    cat "$state/said"
    return "$code"
}
expect() { grep -qF -- "$1" "$state/said" || fail "\`$1\` is not in what it said"; }
charges() { ask charges | field '["data"].__len__()'; }

found=payments:invoice/$invoice
# It is low, as localstripe means to try it again by itself.
daily_ops check payments --all || fail "the check was to look"
expect "$found"
expect "€25.00"

before=$(charges)
daily_ops triage pay "$found" --dry-run || true
expect "POST /v1/invoices/$invoice/pay"
[ "$(charges)" -eq "$before" ] || fail "a dry run has charged"

daily_ops triage pay "$found" --yes && fail "the card was to be declined once more"
expect "declined: card_declined"
[ "$(charges)" -eq $((before + 1)) ] || fail "one charge was to be tried"
[ "$(ask "invoices/$invoice" | field '["status"]')" = open ] || fail "a declined invoice stays open"

card 4242424242424242
daily_ops triage pay "$found" --yes || fail "the invoice was to be paid"
expect "paid: €25.00"
[ "$(ask "invoices/$invoice" | field '["status"]')" = paid ] || fail "localstripe does not show it as paid"
[ "$(charges)" -eq $((before + 2)) ] || fail "it was charged more than once"

daily_ops check payments --all || fail "the check was to look"
expect "nothing failed"
echo "localstripe.sh: a declined invoice was found, declined once more, and paid once"
