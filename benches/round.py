"""What a round costs beside its slowest upstream, and how soon a cold start asks the first endpoint.

A server on loopback answers after a second, and another at once; each round is a new process of the release binary
on a database that exists already. Printed are the medians: wall time less the slowest upstream, and the time from
starting the process to the first connection.

    cargo build --release
    python3 benches/round.py --rounds 10

Exits with 1 if a median is over its goal (50 ms each).
"""

import argparse
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

GOAL_MS = 50
SLOWEST = 1.0
BINARY = pathlib.Path(__file__).resolve().parent.parent / "target/release/daily-ops"


def serve(delay, accepted):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def answer(client):
        client.recv(4096)
        time.sleep(delay)
        client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        client.close()

    def loop():
        while True:
            client, _ = listener.accept()
            accepted.append(time.perf_counter())
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    accepted = []
    ports = [serve(SLOWEST, accepted), serve(0, accepted)]
    with tempfile.TemporaryDirectory() as folder:
        endpoints = ",\n".join(
            f'{{ name = "e{port}", environment = "bench", url = "http://127.0.0.1:{port}/" }}' for port in ports
        )
        config = pathlib.Path(folder, "daily-ops.toml")
        config.write_text(f"[checks.health]\nendpoints = [\n{endpoints}\n]\n")
        overhead, cold = [], []
        for number in range(rounds + 1):
            accepted.clear()
            started = time.perf_counter()
            done = subprocess.run([BINARY, "daily"], cwd=folder, capture_output=True, check=False)
            took = time.perf_counter() - started
            if done.returncode != 0:
                sys.exit(done.stdout.decode() + done.stderr.decode())
            if number:  # The first one makes the database.
                overhead.append((took - SLOWEST) * 1000)
                cold.append((min(accepted) - started) * 1000)
    print(f"beside the slowest upstream: {statistics.median(overhead):.0f} ms (goal {GOAL_MS})")
    print(f"cold start to the first connection: {statistics.median(cold):.0f} ms (goal {GOAL_MS})")
    sys.exit(statistics.median(overhead) > GOAL_MS or statistics.median(cold) > GOAL_MS)


if __name__ == "__main__":
    main()
