"""The peer of audit.rs: a CSV file and Stripe's invoices, compared with Python's standard library.

Prints the seconds that it took and the most memory that it held, in MiB.
"""

import csv
import http.client
import json
import resource
import sys
import time
from urllib.parse import urlencode, urlsplit


def pages(address):
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    query = {"limit": 100}
    while True:
        connection.request("GET", "/v1/invoices?" + urlencode(query))
        page = json.loads(connection.getresponse().read())
        yield page["data"]
        if not page["has_more"]:
            return
        query["starting_after"] = page["data"][-1]["id"]


def main():
    began = time.monotonic()
    with open(sys.argv[2], newline="") as file:
        ours = {row["id"]: (int(row["amount"]), row["currency"], row["status"]) for row in csv.DictReader(file)}
    missing, different, seen = [], [], set()
    for page in pages(sys.argv[1]):
        for invoice in page:
            key = invoice["id"]
            mine = ours.get(key)
            if mine is None:
                missing.append(key)
                continue
            seen.add(key)
            if mine != (invoice["total"], invoice["currency"], invoice["status"]):
                different.append(key)
    unknown = [key for key in ours if key not in seen]
    assert len(missing) == len(different) and not unknown, (missing, different, unknown[:3])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{time.monotonic() - began:.2f} {memory}")


main()
