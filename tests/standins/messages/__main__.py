"""`python -m tests.standins.messages`: prints its URL and serves until SIGTERM or Ctrl-C."""

import argparse
import signal
from pathlib import Path
from threading import Event

from tests.standins.messages.files import load
from tests.standins.messages.standin import MessagesStandIn
from tests.standins.messages.turns import text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standins.messages", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, help="JSON; without it every answer is 'Done.'")
    given = parser.parse_args()
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    with MessagesStandIn(given.port) as api:
        api.script(text("Done."))
        listed = load(given.script) if given.script else []
        for script in reversed(listed):  # the first that fits is taken
            api.scripts.add(script)
        print(api.url, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
