"""An app written with Bolt for Python, for tests/it/bolt.rs. Without PORT it uses Socket Mode."""

import os
import re
import sys

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.app.app import SlackAppDevelopmentServer
from slack_sdk import WebClient

client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
app = App(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])

PRODUCTS = ["apples", "apricots", "bread"]


def plain(text):
    return {"type": "plain_text", "text": text}


def order(text):
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {
            "type": "actions",
            "block_id": "decide",
            "elements": [
                {"type": "button", "action_id": "approve", "text": plain("Approve"), "style": "primary", "value": text},
                {"type": "button", "action_id": "details", "text": plain("Details")},
            ],
        },
    ]


FORM = {
    "type": "modal",
    "callback_id": "order_form",
    "notify_on_close": True,
    "title": plain("Order"),
    "submit": plain("Send"),
    "blocks": [
        {"type": "input", "block_id": "reason", "label": plain("Why?"), "element": {"type": "plain_text_input", "action_id": "reason"}},
        {
            "type": "input",
            "block_id": "product",
            "label": plain("What?"),
            "element": {"type": "external_select", "action_id": "product", "min_query_length": 1},
        },
    ],
}


@app.command("/order")
def on_order(ack, command, client):
    ack()
    text = f"Order: {command['text']}"
    client.chat_postMessage(channel=command["channel_id"], text=text, blocks=order(text))


@app.command("/quick")
def on_quick(ack):
    ack("Right away")


@app.command("/shout")
def on_shout(ack, command):
    ack(response_type="in_channel", text=command["text"].upper())


@app.action("approve")
def on_approve(ack, body, action, client, respond):
    ack()
    by = f"Approved by <@{body['user']['id']}>"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{by}: {action['value']}"}}]
    client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text=by, blocks=blocks)
    respond(text="Thank you", replace_original=False)


@app.action("details")
def on_details(ack, body, client):
    ack()
    client.views_open(trigger_id=body["trigger_id"], view={**FORM, "private_metadata": body["channel"]["id"]})


@app.options("product")
def on_product(ack, payload):
    found = [name for name in PRODUCTS if name.startswith(payload["value"])]
    ack(options=[{"text": plain(name), "value": name} for name in found])


@app.view("order_form")
def on_form(ack, view, client, body):
    values = view["state"]["values"]
    reason = values["reason"]["reason"]["value"]
    if not reason or len(reason) < 5:
        ack(response_action="errors", errors={"reason": "Say a little more"})
        return
    ack()
    product = values["product"]["product"]["selected_option"]["value"]
    client.chat_postMessage(channel=view["private_metadata"], text=f"<@{body['user']['id']}> wants {product}: {reason}")


@app.view_closed("order_form")
def on_closed(ack, view, client, body):
    ack()
    client.chat_postMessage(channel=view["private_metadata"] or body["user"]["id"], text="Never mind then")


@app.shortcut("new_order")
def on_new_order(ack, shortcut, client):
    ack()
    client.views_open(trigger_id=shortcut["trigger_id"], view=FORM)


@app.shortcut("quote")
def on_quote(ack, shortcut, respond):
    ack()
    respond(text=f"> {shortcut['message']['text']}")


@app.message(re.compile("^good morning"))
def on_good_morning(message, say):
    say(text=f"Good morning, <@{message['user']}>", thread_ts=message["ts"])


@app.event("app_mention")
def on_mention(event, say):
    say(f"You called, <@{event['user']}>?")


@app.event("reaction_added")
def on_reaction(event, client):
    client.chat_postMessage(channel=event["item"]["channel"], text=f":{event['reaction']}: noted")


@app.event("app_home_opened")
def on_home(event, client):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"Welcome, <@{event['user']}>"}}]
    client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


def ready():
    print("ready", flush=True)


if "PORT" in os.environ:
    # As `app.start` does, which says nothing between listening and serving.
    server = SlackAppDevelopmentServer(port=int(os.environ["PORT"]), path="/slack/events", app=app)
    ready()
    server.start()
else:
    # A dropped connection is noticed after five pings that fail.
    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], web_client=client, ping_interval=1).connect()
    ready()
    sys.stdin.read()
