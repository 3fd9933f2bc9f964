"""Many endpoints: `daily-ops check health` beside a Python client on aiohttp.

Both ask the same targets on loopback, a new connection for each, and as many at a time. The targets are served by a
process of their own, so that only the clients' time is counted. The clients take turns in every round. What is
printed for each: probes per second, probes per CPU second (user and system time of the client's process, its start
included), and the peak of its resident memory; then the ratio of the medians.

    cargo build --release
    python3 -m venv venv && venv/bin/pip install aiohttp
    venv/bin/python benches/health.py --rounds 5

Exits with 1 if a client did not find every target well.
"""

import argparse
import asyncio
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# So that no run is short of local ports, which rest for a minute after each connection.
LISTENERS = 20
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b'content-length: 17\r\nconnection: close\r\n\r\n{"status":"pass"}'
)


class Target(asyncio.Protocol):
    """Answers well once the request's headers are complete."""

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""

    def data_received(self, data):
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self.transport.write(ANSWER)
            self.transport.close()


def serve(ports):
    async def run():
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(Target, "127.0.0.1", 0, backlog=4096)
            for _ in range(LISTENERS)
        ]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(run())


def ask_with_aiohttp(urls, concurrency):
    """The client to compare with: the same promise as a probe, without its certificates, second tries and report."""
    import aiohttp

    async def run():
        limit = asyncio.Semaphore(concurrency)
        connector = aiohttp.TCPConnector(limit=concurrency, force_close=True)
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

            async def ask(url):
                async with limit, session.get(url, allow_redirects=False) as answer:
                    await answer.content.read(64 * 1024)
                    return answer.status == 200

            return sum(await asyncio.gather(*map(ask, urls)))

    return asyncio.run(run())


def configuration(urls, concurrency, folder):
    endpoints = "".join(
        f'  {{ name = "t{i}", environment = "bench", url = "{url}" }},\n' for i, url in enumerate(urls)
    )
    text = (
        f'[database]\nurl = "sqlite:{folder}/bench.db"\n\n'
        f'[ops_log]\npath = "{folder}/ops-log.md"\n\n'
        f"[checks.health]\nconcurrency = {concurrency}\nendpoints = [\n{endpoints}]\n"
    )
    path = pathlib.Path(folder, "daily-ops.toml")
    path.write_text(text)
    return path


def measure(command):
    """Seconds, CPU seconds, peak MiB and success of one run of a client."""
    began = time.monotonic()
    client = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(client.pid, 0)
    client.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, client.returncode == 0


def compare(clients, probes, rounds):
    seen = {name: [] for name in clients}
    print(f"{'':24} {'probes/s':>10} {'per CPU s':>10} {'peak MiB':>10}")
    for turn in range(rounds):
        for name, command in clients.items():
            took, cpu, peak, well = measure(command)
            if not well:
                sys.exit(f"{name} did not find every target well")
            seen[name].append((probes / took, probes / cpu, peak))
            show(f"round {turn + 1}, {name}", seen[name][-1])
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in seen.items()}
    for name, row in medians.items():
        show(f"median, {name}", row)
    ours, theirs = medians.values()
    print(f"\n{ours[1] / theirs[1]:.1f} times as many probes per CPU second, {ours[0] / theirs[0]:.1f} times as many per second")


def show(name, row):
    print(f"{name:24} {row[0]:10,.0f} {row[1]:10,.0f} {row[2]:10.1f}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="target/release/daily-ops")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--aiohttp", metavar="FILE", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    if options.aiohttp:
        urls = pathlib.Path(options.aiohttp).read_text().split()
        sys.exit(ask_with_aiohttp(urls, options.concurrency) != len(urls))
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    ports = ours.recv()
    urls = [f"http://127.0.0.1:{ports[i % LISTENERS]}/t/{i}" for i in range(options.targets)]
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(urls, options.concurrency, folder)
        listed = pathlib.Path(folder, "urls")
        listed.write_text("\n".join(urls))
        aiohttp = [sys.executable, __file__, "--concurrency", str(options.concurrency), "--aiohttp", str(listed)]
        clients = {
            "daily-ops": [options.binary, "--config", str(config), "check", "health"],
            "aiohttp": aiohttp,
        }
        compare(clients, options.targets, options.rounds)
    server.terminate()


if __name__ == "__main__":
    main()
