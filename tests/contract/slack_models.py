"""Reads golden messages and views with the models of Slack's own SDK: what these refuse, or don't give back as it was,
Slack would not take as it is meant."""

import json
import logging
import pathlib
import sys

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View


class Complaints(logging.Handler):
    """The SDK warns of what it doesn't know, and goes on."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def blocks(given):
    models = Block.parse_all(given)
    for model in models:
        model.validate_json()
    return [model.to_dict() for model in models]


def differences(path):
    given = json.loads(path.read_text(encoding="utf-8"))
    if given.get("type") == "modal":
        view = View(**given)
        view.validate_json()
        yield given, view.to_dict()
    yield given["blocks"], blocks(given["blocks"])


def main(folder):
    complaints = Complaints()
    logging.getLogger("slack_sdk").addHandler(complaints)
    logging.getLogger().addHandler(complaints)
    paths = sorted(pathlib.Path(folder).glob("*.json"))
    wrong = 0 if paths else 1
    for path in paths:
        complaints.said.clear()
        try:
            for given, read in differences(path):
                if given != read:
                    complaints.said.append(f"it reads\n{json.dumps(read)}\nfor\n{json.dumps(given)}")
        except Exception as error:
            complaints.said.append(f"{type(error).__name__}: {error}")
        for said in complaints.said:
            wrong += 1
            print(f"{path.name}: {said}", file=sys.stderr)
    print(f"{len(paths)} messages and views read by slack_sdk, {wrong} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
