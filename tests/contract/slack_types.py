"""Writes golden messages and views as TypeScript that compiles only if Slack's own types take them."""

import json
import pathlib
import sys

print('import type { KnownBlock, View } from "@slack/types";')
for number, path in enumerate(sorted(pathlib.Path(sys.argv[1]).glob("*.json"))):
    given = json.loads(path.read_text(encoding="utf-8"))
    if given.get("type") == "modal":
        kind, shown = "View", given
    else:
        kind, shown = "KnownBlock[]", given["blocks"]
    print(f"// {path.name}\nexport const shown{number}: {kind} = {json.dumps(shown)};")
