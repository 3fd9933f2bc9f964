"""Slack's requests: `daily-ops serve` beside Bolt for JavaScript, and what the service must reach.

Both answer the same signed requests on loopback, over kept connections, and keep one row in SQLite (WAL,
synchronous=FULL) before each ack: `daily-ops` as it is, Bolt with its HTTPReceiver and better-sqlite3
(slack_bolt.js). Slack and Sentry are a process of their own (slack_sides.py), and the client signs beforehand
(slack_load.py), so that only a server's own time is counted: user and system time of its process. There are three
loads of each kind:

- accepted: what is done before the ack, and nothing after it. `daily-ops` waits for Slack to say who it is that asks,
  with 64 requests at a time; the others wait for those. Counted until the last ack.
- kept: requests without a `response_url`. Bolt keeps the row, and is done: no goal, as `daily-ops` also deals with
  each request (`/ops help`; a click on a message that it does not know, for which it asks its database), answers by
  `chat.postEphemeral`, and marks it as done in a second durable write. Counted, as the next one, until the process
  rests again.
- answered: both also answer the person by `response_url`.

Then the acks at 200 requests/s (commands and clicks in turn, timed from when each was due) beside the machine's own
fsync; start, memory and size; 1,000 slow connections; and how soon after its ack a click reaches Sentry.

    cargo build --release
    python3 benches/slack.py --bolt FOLDER      # FOLDER: npm install @slack/bolt better-sqlite3

Exits with 1 if a goal is missed or a request is not answered with 200.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import re
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import slack_load as load
import slack_sides as sides

HERE = pathlib.Path(__file__).resolve().parent
UNKNOWN_ITEM = "0123456789abcdef.0.0"
TICKS = os.sysconf("SC_CLK_TCK")
missed = []


def goal(what, figure, limit, unit, at_least=False):
    met = figure >= limit if at_least else figure < limit
    if not met:
        missed.append(what)
    sign, verdict = "at least" if at_least else "under", "met" if met else "MISSED"
    print(f"{what}: {figure:.1f} {unit} (goal: {sign} {limit} {unit}; {verdict})", flush=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Server:
    """A process that listens on `port`."""

    def __init__(self, command, environment, folder, ready):
        self.log = open(pathlib.Path(folder, "log"), "ab")
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, cwd=folder, stdout=self.log, stderr=self.log)
        while not ready():
            if self.process.poll() is not None:
                sys.exit(f"{command[0]} ended: {pathlib.Path(folder, 'log').read_text()[-2000:]}")
            time.sleep(0.001)
        self.started_in = time.monotonic() - self.began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024

    def rest(self):
        """Waits until it does nothing any more; gives its CPU seconds."""
        before = self.cpu()
        while True:
            time.sleep(1)
            now = self.cpu()
            if now - before <= 0.02:
                return now
            before = now


def is_ready(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def is_listening(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def daily_ops(options, folder, other):
    folder = pathlib.Path(folder, "daily-ops")
    folder.mkdir(exist_ok=True)
    port, admin = free_port(), free_port()
    pathlib.Path(folder, "daily-ops.toml").write_text(
        f'[database]\nurl = "sqlite:{folder}/bench.db"\n[ops_log]\npath = "{folder}/ops-log.md"\n'
        f'[slack]\ntransport = "http"\nchannel = "{load.CHANNEL}"\napi_url = "http://127.0.0.1:{other}/api"\n'
        f'[server]\nlisten = "127.0.0.1:{port}"\nadmin_listen = "127.0.0.1:{admin}"\n[permissions]\ntriage = ["{load.USER}", "{load.UNKNOWN_USER}"]\n'
        f'[checks.errors]\norganization = "acme"\nprojects = ["web"]\nurl = "http://127.0.0.1:{other}/sentry"\nnotes = false\n'
    )
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": load.SECRET.decode(), "SENTRY_AUTH_TOKEN": "bench",
        "RUST_LOG": "warn",
    }
    server = Server([options.binary, "serve"], environment, folder, lambda: is_ready(admin))
    server.port = port
    return server


def bolt(options, folder, other):
    folder = pathlib.Path(folder, "bolt")
    folder.mkdir(exist_ok=True)
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"], "NODE_ENV": "production", "SLACK_SIGNING_SECRET": load.SECRET.decode(),
        "NODE_PATH": str(pathlib.Path(options.bolt, "node_modules").resolve()),
    }
    command = ["node", str(HERE / "slack_bolt.js"), str(port), "bench.db"]
    server = Server(command, environment, folder, lambda: is_listening(port))
    server.port = port
    return server


def requests(kind, number, reply_to=None, user=load.USER):
    if kind == "commands":
        text = "help" if user == load.USER else "status"
        return [load.command(text, reply_to, user) for _ in range(number)]
    clicks = load.clicks("acknowledge", UNKNOWN_ITEM, reply_to, user=user)
    return [next(clicks) for _ in range(number)]


def saturate_once(options, start, other, kind, number, how):
    user = load.UNKNOWN_USER if how == "accepted" else load.USER
    reply_to = f"http://127.0.0.1:{other}/response/1" if how == "answered" else None
    with tempfile.TemporaryDirectory(dir=HERE.parent / "target") as folder, start(options, pathlib.Path(folder).resolve(), other) as server:
        load.send(server.port, requests(kind, 1000, reply_to), options.connections)
        sent = requests(kind, number, reply_to, user)
        before = server.rest()
        answers, took = load.send(server.port, sent, options.connections)
        if how == "accepted":
            cpu, peak = server.cpu() - before, server.memory("VmHWM")
            server.process.kill()
        else:
            cpu, peak = server.rest() - before, server.memory("VmHWM")
    return answers, (number / took, number / cpu, answers.quantile(0.5) * 1000, answers.quantile(0.99) * 1000, peak)


def saturate(options, _, other):
    """Requests per CPU second of both, in turns."""
    contestants = {"daily-ops": daily_ops, "Bolt": bolt}
    for how in ("accepted", "kept", "answered"):
        for kind, times in (("commands", 8), ("clicks", 5)):
            seen = {name: [] for name in contestants}
            print(f"\n{kind + ', ' + how:20} {'req/s':>8} {'per CPU s':>10} {'p50 ms':>8} {'p99 ms':>8} {'peak MiB':>9}")
            for _ in range(options.rounds):
                for name, start in contestants.items():
                    number = options.requests // (1 if kind == "commands" else 3) // (1 if name == "daily-ops" else 4)
                    answers, row = saturate_once(options, start, other, kind, number, how)
                    seen[name].append(row)
                    check(answers, f"{name}, {kind}")
                    show(name, row)
            medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in seen.items()}
            for name, row in medians.items():
                show(f"median, {name}", row)
            ours, theirs = medians.values()
            what, ratio = f"{kind}, {how}: requests per CPU second against Bolt's", ours[1] / theirs[1]
            if how == "kept":
                print(f"{what}: {ratio:.1f} times", flush=True)
            else:
                goal(what, ratio, times, "times", at_least=True)


def show(name, row):
    print(f"{name:20} {row[0]:8,.0f} {row[1]:10,.0f} {row[2]:8.1f} {row[3]:8.1f} {row[4]:9.1f}", flush=True)


def check(answers, what):
    if answers.bad:
        missed.append(what)
        print(f"{what}: {answers.bad} requests were not answered with 200")


def fsyncs(folder, number):
    """Milliseconds that the machine needs to append a page durably."""
    seen = []
    with open(pathlib.Path(folder, "fsync"), "ab", buffering=0) as file:
        for _ in range(number):
            file.write(bytes(4096))
            began = time.monotonic()
            os.fdatasync(file.fileno())
            seen.append((time.monotonic() - began) * 1000)
            time.sleep(0.01)
    return seen


def pace(options, folder, other):
    print(f"\n200 requests/s for {options.seconds} s, commands and clicks in turn")
    reply_to = f"http://127.0.0.1:{other}/response/1"
    for name, start in (("daily-ops", daily_ops), ("Bolt", bolt)):
        before = fsyncs(folder, 400)
        with start(options, folder, other) as server:
            number = options.seconds * 100
            pairs = zip(requests("commands", number, reply_to), requests("clicks", number, reply_to))
            answers, _ = load.send(server.port, [one for pair in pairs for one in pair], 64, rate=200)
        all_of_them = before + fsyncs(folder, 400)
        check(answers, f"{name} at 200/s")
        print(f"{name}: p50 {answers.quantile(0.5) * 1000:.1f} ms, p99 {answers.quantile(0.99) * 1000:.1f} ms")
        print(f"the machine's fsync, before and after: p50 {load.quantile(all_of_them, 0.5):.1f} ms, p99 {load.quantile(all_of_them, 0.99):.1f} ms")
        if name == "daily-ops":
            goal("ack at 200/s, p99", answers.quantile(0.99) * 1000, 50, "ms")


def start_and_rest(options, folder, other):
    print()
    began, theirs, idle, their_idle = [], [], [], []
    for turn in range(options.starts + 1):
        for start, times, memory in ((daily_ops, began, idle), (bolt, theirs, their_idle)):
            with start(options, folder, other) as server:
                if turn:  # The first one makes the database.
                    times.append(server.started_in * 1000)
                    time.sleep(3)
                    memory.append(server.memory("VmRSS"))
    goal("start until /readyz answers 200, median", statistics.median(began), 300, "ms")
    goal("resident and idle, median", statistics.median(idle), 30, "MiB")
    print(f"Bolt: listens after {statistics.median(theirs):.0f} ms, {statistics.median(their_idle):.0f} MiB")
    print(f"size of the binary: {pathlib.Path(options.binary).stat().st_size / 2**20:.1f} MiB")


class Slow(threading.Thread):
    """Keeps a number of connections open that never end their headers or bodies; one that is cut comes again."""

    HALVES = (
        b"POST /slack/interactions HTTP/1.1\r\nhost: bench\r\ncontent-",
        b"POST /slack/interactions HTTP/1.1\r\nhost: bench\r\ncontent-length: 30000\r\n\r\npayload=%7B",
    )

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.port, self.number, self.cut, self.lived, self.refused, self.over = port, number, 0, [], 0, False

    def run(self):
        selector, due = selectors.EpollSelector(), [0.0] * self.number
        while not self.over:
            now = time.monotonic()
            waiting = []
            for when in due:
                if when > now:
                    waiting.append(when)
                    continue
                try:
                    client = load.connect(self.port)
                    client.sendall(self.HALVES[(self.cut + len(selector.get_map())) % 2])
                    selector.register(client, selectors.EVENT_READ, time.monotonic())
                except OSError:
                    self.refused += 1
                    waiting.append(now + 1)
            due = waiting
            for key, _ in selector.select(0.05):
                try:
                    answer = key.fileobj.recv(4096)
                except OSError:
                    answer = b""
                if not answer:
                    self.cut += 1
                    self.lived.append(time.monotonic() - key.data)
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    due.append(time.monotonic() + 1)


def hold_up(options, folder, other):
    print(f"\n{options.slow} slow connections for {options.slow_seconds} s, 20 clicks/s on a connection each")
    clicks = load.clicks("acknowledge", UNKNOWN_ITEM, f"http://127.0.0.1:{other}/response/1")
    with daily_ops(options, folder, other) as server:
        slow = Slow(server.port, options.slow)
        slow.start()
        time.sleep(1)
        seconds, bad, until = [], 0, time.monotonic() + options.slow_seconds
        due = time.monotonic()
        while due < until:
            time.sleep(max(0, due - time.monotonic()))
            request = next(clicks)
            began = time.monotonic()
            try:
                answers, _ = load.send(server.port, [request], 1)
                bad += answers.bad
            except OSError:
                bad += 1
            seconds.append(time.monotonic() - began)
            due += 0.05
        peak = server.memory("VmHWM")
        slow.over = True
        slow.join()
    print(f"slow ones cut: {slow.cut} (longest life {max(slow.lived, default=0):.1f} s); refused: {slow.refused}; clicks: {len(seconds)}, not acked: {bad}")
    if bad or not slow.cut:
        missed.append("slow connections")
    goal("click among slow connections, p99", load.quantile(seconds, 0.99) * 1000, 500, "ms")
    goal("memory among slow connections, peak", peak, 128, "MiB")


def seen(other):
    connection = http.client.HTTPConnection("127.0.0.1", other)
    connection.request("GET", "/seen")
    return json.loads(connection.getresponse().read())


def take_effect(options, folder, other):
    print("\na click on Resolve, from its ack until Sentry is asked")
    with daily_ops(options, folder, other) as server:
        load.send(server.port, [load.command("daily")], 1)
        for _ in range(300):
            time.sleep(0.1)
            found = [(ts, re.search(r"([0-9a-f]{16})\.\d+\.0\b", text)) for ts, text in seen(other)["messages"].items()]
            found = [(ts, item[1]) for ts, item in found if item]
            if found:
                break
        else:
            sys.exit("no message with buttons was posted")
        ts, message = found[-1]
        time.sleep(3)
        first = len(seen(other)["calls"])
        acked = []
        for place in range(sides.ISSUES):
            request = next(load.clicks("resolve", f"{message}.{place}.0", f"http://127.0.0.1:{other}/response/1", ts))
            answers, _ = load.send(server.port, [request], 1)
            check(answers, "a click on Resolve")
            acked += answers.at
            time.sleep(0.2)
        time.sleep(2)
    firsts = {}
    for method, path, at in seen(other)["calls"][first:]:
        if re.search(r"/issues/\d+/$", path):
            firsts.setdefault((method, path), at)
    for method, what in (("GET", "the issue is read"), ("PUT", "it is resolved")):
        came = sorted(at for (called, _), at in firsts.items() if called == method)
        if len(came) != len(acked):
            missed.append(what)
            print(f"{what}: {len(came)} times for {len(acked)} clicks")
            continue
        delays = [(at - ack) * 1000 for ack, at in zip(acked, came)]
        print(f"until {what}: p50 {load.quantile(delays, 0.5):.1f} ms, p95 {load.quantile(delays, 0.95):.1f} ms")
        if method == "GET":
            goal("from the ack to the first byte of the effect, p95", load.quantile(delays, 0.95), 100, "ms")


PARTS = {"saturate": saturate, "pace": pace, "start": start_and_rest, "slow": hold_up, "effect": take_effect}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(HERE.parent / "target/release/daily-ops"))
    parser.add_argument("--bolt", default=".", help="the folder whose node_modules hold @slack/bolt and better-sqlite3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=24_000, help="commands in one round; a third of it are clicks, a quarter goes to Bolt")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--slow-seconds", type=int, default=60)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this; several may be named")
    return parser.parse_args()


def main():
    options = arguments()
    ours, theirs = multiprocessing.Pipe()
    other = multiprocessing.Process(target=sides.serve, args=(theirs,), daemon=True)
    other.start()
    port = ours.recv()
    for name in options.part or PARTS:
        with tempfile.TemporaryDirectory(dir=HERE.parent / "target") as folder:
            PARTS[name](options, pathlib.Path(folder).resolve(), port)
    other.terminate()
    print("\nmissed: " + ", ".join(missed) if missed else "\nevery goal is met")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
