"""The other sides of benches/slack.py, in a process of their own: a Slack, and a Sentry with issues to resolve."""

import asyncio
import json
import re
import time
import urllib.parse

from slack_load import TEAM, UNKNOWN_USER

ISSUES = 100


class Sides:
    def __init__(self):
        self.answered = 0  # by response_url
        self.calls = []  # (method, path, when its first byte came)
        self.messages = {}
        self.resolved = set()

    def slack(self, path, body):
        method = path.removeprefix("/api/")
        if method == "auth.test":
            return {"ok": True, "url": "https://acme.slack.com/", "team": "Acme", "user": "ops", "team_id": TEAM, "user_id": "U0BOT", "bot_id": "B1"}
        if method == "users.info":
            return {"ok": True, "user": {"id": "U012ABCDEF", "team_id": TEAM, "deleted": False, "is_bot": False, "profile": {}}}
        if method in ("chat.postMessage", "chat.update"):
            message = json.loads(body)
            ts = message.get("ts") or f"{time.time():.6f}"
            self.messages[ts] = body.decode()
            return {"ok": True, "channel": message["channel"], "ts": ts}
        if method == "conversations.history":
            return {"ok": True, "messages": []}
        return {"ok": False, "error": "unknown_method"}

    def sentry(self, method, path, body):
        path = path.removeprefix("/sentry/api/0/organizations/acme/")
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3600))

        def issue(number):
            hour = int(now // 3600) * 3600
            return {
                "id": str(number), "shortId": f"WEB-{number}", "title": f"TypeError {number}", "culprit": "checkout",
                "permalink": f"https://acme.sentry.io/issues/{number}/", "level": "error", "priority": "high",
                "status": "resolved" if number in self.resolved else "unresolved", "substatus": "ongoing",
                "isUnhandled": True, "project": {"id": "11", "slug": "web", "name": "web"}, "assignedTo": None,
                "metadata": {}, "firstSeen": stamp, "lastSeen": stamp, "count": "24", "userCount": 7, "filtered": None,
                "lifetime": {"count": "24", "userCount": 7},
                "stats": {
                    "24h": [[hour - 3600 * back, 1] for back in reversed(range(24))],
                    "14d": [[hour // 86400 * 86400 - 86400 * back, 24] for back in reversed(range(14))],
                },
            }

        if path.startswith("projects/"):
            return [{"id": "11", "slug": "web", "name": "web", "hasAccess": True}]
        if path.startswith("stats_v2/"):
            return {"start": stamp, "end": stamp, "intervals": [], "groups": []}
        if found := re.match(r"issues/(\d+)/", path):
            if method == "PUT" and json.loads(body).get("status") == "resolved":
                self.resolved.add(int(found[1]))
            return issue(int(found[1]))
        if path.startswith("issues/"):
            return [row for row in map(issue, range(1000, 1000 + ISSUES)) if row["status"] == "unresolved"]
        return {"detail": "The requested resource does not exist"}

    def answer(self, method, target, body, began):
        path = urllib.parse.urlsplit(target).path
        if path.startswith("/response/"):
            self.answered += 1
            return b'{"ok":true}'
        if path == "/seen":
            return json.dumps({"answered": self.answered, "calls": self.calls, "messages": self.messages}).encode()
        self.calls.append((method, path, began))
        if path.startswith("/sentry/"):
            return json.dumps(self.sentry(method, path, body)).encode()
        return json.dumps(self.slack(path, body)).encode()


class Wire(asyncio.Protocol):
    def __init__(self, sides):
        self.sides, self.received, self.began = sides, b"", 0.0

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if not self.received:
            self.began = time.monotonic()
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        length = int(length[1]) if length else 0
        if len(body) < length:
            return
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if target.endswith(f"users.info?user={UNKNOWN_USER}"):
            return  # Left without an answer.
        answer = self.sides.answer(method, target, body[:length], self.began)
        self.received = body[length:]
        more = b'link: <http://127.0.0.1/>; rel="previous"; results="false"; cursor="0:0:1", <http://127.0.0.1/>; rel="next"; results="false"; cursor="0:100:0"\r\nx-hits: %d\r\nx-max-hits: 1000\r\n' % ISSUES
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
            % (more if "/sentry/" in target else b"", len(answer), answer)
        )


def serve(ports):
    async def run():
        sides = Sides()
        server = await asyncio.get_running_loop().create_server(lambda: Wire(sides), "127.0.0.1", 0, backlog=1024)
        ports.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())
