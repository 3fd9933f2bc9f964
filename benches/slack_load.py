"""Requests as Slack sends them, and a client that sends them: signed beforehand, so that it costs little itself."""

import collections
import hashlib
import hmac
import itertools
import json
import selectors
import socket
import time
import urllib.parse

SECRET = b"a signing secret of the bench"
USER, TEAM, CHANNEL = "U012ABCDEF", "T0123456789", "C0123456789"
# Somebody whom Slack takes long to look up.
UNKNOWN_USER = "U0UNKNOWN"
CLICK_BYTES = 30_000
PATIENCE = 30

numbers = itertools.count(1)


def request(path, body):
    at = str(int(time.time())).encode()
    signature = hmac.new(SECRET, b"v0:" + at + b":" + body, hashlib.sha256).hexdigest().encode()
    return (
        b"POST %s HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        b"x-slack-request-timestamp: %s\r\nx-slack-signature: v0=%s\r\ncontent-length: %d\r\n\r\n"
        % (path, at, signature, len(body))
    ) + body


def command(text, reply_to=None, user=USER):
    fields = {
        "token": "x", "team_id": TEAM, "team_domain": "acme", "channel_id": CHANNEL, "channel_name": "ops",
        "user_id": user, "user_name": "anna", "command": "/ops", "text": text, "api_app_id": "A0123456789",
        "is_enterprise_install": "false", "trigger_id": f"{next(numbers)}.{time.time_ns()}.bench",
    }
    if reply_to:
        fields["response_url"] = reply_to
    return request(b"/slack/commands", urllib.parse.urlencode(fields).encode())


def click_payload(name, item, reply_to, ts, user, blocks):
    payload = {
        "type": "block_actions", "user": {"id": user, "username": "anna", "name": "anna", "team_id": TEAM},
        "api_app_id": "A0123456789", "token": "x",
        "container": {"type": "message", "message_ts": ts, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": "TRIGGER", "team": {"id": TEAM, "domain": "acme"}, "enterprise": None,
        "is_enterprise_install": False, "channel": {"id": CHANNEL, "name": "ops"},
        "message": {"type": "message", "user": "U0BOT", "ts": ts, "bot_id": "B1", "text": "Daily Ops", "blocks": blocks},
        "state": {"values": {}},
        "actions": [{
            "type": "button", "action_id": name, "block_id": "b1", "value": item, "action_ts": "ACTION_TS",
            "text": {"type": "plain_text", "text": "Resolve", "emoji": True},
        }],
    }
    if reply_to:
        payload["response_url"] = reply_to
    return json.dumps(payload)


def clicks(name, item, reply_to=None, ts="1763800000.000100", user=USER):
    """Makes clicks that differ in their times alone, each with a message that brings the body to its size."""
    blocks, encoded = [], ""
    while len(encoded) < CLICK_BYTES:
        number = len(blocks)
        text = f"*errors:{4500 + number}* `TypeError: undefined is not a function (at checkout.ts:{number})`\nhigh · 214 events, 31 users in 24 h"
        blocks.append({"type": "section", "block_id": f"s{number}", "text": {"type": "mrkdwn", "text": text, "verbatim": False}})
        encoded = urllib.parse.urlencode({"payload": click_payload(name, item, reply_to, ts, user, blocks)})
    while True:
        unique = f"{next(numbers)}.{time.time_ns()}"
        body = encoded.replace("TRIGGER", unique).replace("ACTION_TS", unique)
        yield request(b"/slack/interactions", body.encode())


class Answers:
    """What came back: seconds of each ack, and statuses other than 200."""

    def __init__(self):
        self.seconds, self.at, self.bad = [], [], 0

    def quantile(self, share):
        return quantile(self.seconds, share)


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), PATIENCE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def send(port, requests, connections, rate=None):
    """Sends all requests, as fast as they are answered, or at a rate: then each is timed from when it was due."""
    answers, selector = Answers(), selectors.EpollSelector()
    # In turns: a connection that nothing comes over is closed.
    free = collections.deque(connect(port) for _ in range(connections))
    for client in free:
        selector.register(client, selectors.EVENT_READ, [b"", 0.0])
    todo, sent, done, began = iter(requests), 0, 0, time.monotonic()
    following = next(todo, None)
    while following is not None or done < sent:
        now = time.monotonic()
        while following is not None and free and (rate is None or began + sent / rate <= now):
            client = free.popleft()
            selector.get_key(client).data[:] = [b"", now if rate is None else began + sent / rate]
            client.sendall(following)
            sent += 1
            following = next(todo, None)
        wait = max(0, began + sent / rate - now) if rate and following is not None and free else PATIENCE
        events = selector.select(wait)
        if not events and wait == PATIENCE:
            raise TimeoutError(f"{sent - done} requests were not answered in {PATIENCE} s")
        for key, _ in events:
            key.data[0] += key.fileobj.recv(65536)
            if not key.data[0]:
                raise ConnectionError("the server closed a connection")
            if not is_whole(key.data[0]):
                continue
            now = time.monotonic()
            answers.seconds.append(now - key.data[1])
            answers.at.append(now)
            answers.bad += not key.data[0].startswith(b"HTTP/1.1 200 ")
            done += 1
            free.append(key.fileobj)
    took = time.monotonic() - began
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return answers, took


def is_whole(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    head = head.lower()
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length or 0)
