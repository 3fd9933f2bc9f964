"""Stands before localstripe, which keeps the state, and speaks the newer version of Stripe's API that the check asks for.

What is localstripe's own: customers, means of payment, subscriptions, invoices, charges, what a card does, and what has
come of paying. What is added here: the filters and the order of lists, the newer shape of an invoice, 402 for a card
that was declined (localstripe answers 200), and `Idempotency-Key`. What neither has: undelivered events, endpoints for
them, and disputes; these lists are empty.

usage: localstripe_front.py PORT OF_LOCALSTRIPE
"""

import json
import sys

from aiohttp import ClientSession, web

PORT, UPSTREAM = int(sys.argv[1]), f"http://127.0.0.1:{sys.argv[2]}"
NEVER_THERE = {"webhook_endpoints", "disputes"}
answers = {}


async def ask(request, method, path, data=None):
    headers = {"Authorization": request.headers.get("Authorization", "")}
    async with request.app["client"].request(method, UPSTREAM + path, headers=headers, data=data) as answer:
        return answer.status, json.loads(await answer.text())


async def all_of(request, what):
    rows, after = [], ""
    while True:
        status, page = await ask(request, "GET", f"/v1/{what}?limit=100{after}")
        if status != 200:
            raise web.HTTPBadGateway(text=json.dumps(page), content_type="application/json")
        rows += page["data"]
        if not page["has_more"]:
            return sorted(rows, key=lambda row: -row["created"])
        after = f"&starting_after={page['data'][-1]['id']}"


async def newer_invoice(request, invoice):
    intent = invoice.pop("payment_intent", None)
    invoice.pop("charge", None)
    invoice.pop("paid", None)
    due = invoice["amount_due"]
    paid = due if invoice["status"] == "paid" else 0
    invoice |= {"amount_paid": paid, "amount_remaining": due - paid, "livemode": False}
    invoice["collection_method"] = "charge_automatically"
    invoice["auto_advance"] = invoice["status"] == "open"
    details = {"subscription": invoice.pop("subscription", None), "metadata": {}}
    invoice["parent"] = {"type": "subscription_details", "subscription_details": details}
    invoice["payments"] = {"object": "list", "has_more": False, "data": []}
    if intent:
        _, whole = await ask(request, "GET", f"/v1/payment_intents/{intent}")
        payment = {"type": "payment_intent", "payment_intent": whole}
        invoice["payments"]["data"] = [{"id": "inpay_1", "is_default": True, "status": "open", "payment": payment}]
    return invoice


def fits(row, query):
    created = row["created"]
    return (
        created >= int(query.get("created[gte]", 0))
        and created <= int(query.get("created[lte]", 1 << 40))
        and all(query[name] == row.get(name) for name in ("status", "payment_intent", "type") if name in query)
        and ("types[]" not in query or row["type"] in query.getall("types[]"))
    )


async def listed(request):
    what, query = request.match_info["what"], request.query
    rows = []
    if what not in NEVER_THERE and query.get("delivery_success") != "false":
        rows = [row for row in await all_of(request, what) if fits(row, query)]
    if what == "invoices":
        rows = [await newer_invoice(request, row) for row in rows]
    for row in rows:
        row |= {"livemode": False, "pending_webhooks": 0} if what == "events" else {"livemode": False}
    ids = [row["id"] for row in rows]
    start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
    size = int(query.get("limit", 10))
    return web.json_response({"object": "list", "data": rows[start : start + size], "has_more": len(rows) > start + size})


async def balance(request):
    status, body = await ask(request, "GET", "/v1/balance")
    if status == 200:
        # There is one of each, and not a list for the currencies.
        parts = {part: [body[part]] for part in ("available", "pending")}
        body = {"object": "balance", "livemode": False} | parts
    return web.json_response(body, status=status)


async def invoice(request):
    status, body = await ask(request, "GET", f"/v1/invoices/{request.match_info['id']}")
    if status == 404:
        body["error"]["code"] = "resource_missing"
    elif status == 200:
        body = await newer_invoice(request, body)
    return web.json_response(body, status=status)


async def pay(request):
    key = request.headers["Idempotency-Key"]
    if key not in answers:
        answers[key] = await paid(request)
        return web.json_response(answers[key][1], status=answers[key][0])
    status, body = answers[key]
    return web.json_response(body, status=status, headers={"Idempotent-Replayed": "true"})


async def paid(request):
    status, body = await ask(request, "POST", f"/v1/invoices/{request.match_info['id']}/pay")
    if status != 200 or body["status"] == "paid":
        return status, await newer_invoice(request, body) if status == 200 else body
    _, intent = await ask(request, "GET", f"/v1/payment_intents/{body['payment_intent']}")
    charges = [row for row in await all_of(request, "charges") if row["payment_intent"] == intent["id"]]
    charge = charges[0]
    error = {"type": "card_error", "code": charge["failure_code"], "message": charge["failure_message"], "charge": charge["id"]}
    return 402, {"error": error}


async def client(app):
    async with ClientSession() as session:
        app["client"] = session
        yield


app = web.Application()
app.cleanup_ctx.append(client)
app.router.add_get("/v1/balance", balance)
app.router.add_get("/v1/invoices/{id}", invoice)
app.router.add_post("/v1/invoices/{id}/pay", pay)
app.router.add_get("/v1/{what}", listed)
web.run_app(app, host="127.0.0.1", port=PORT, print=None)
