"""Start by hand: `python -m tests.standins.github --root DIR`; it serves until a signal."""

import argparse
import signal
import threading
from pathlib import Path

from .standin import GitHubStandIn


def main() -> None:
    options = _options()
    stopped = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stopped.set())
    with GitHubStandIn(options.root, port=options.port) as hub:
        names = [_add_repo(hub, text) for text in options.repo]
        for number, token in enumerate(options.token):
            login = "bot" if number == 0 else f"bot-{number + 1}"
            hub.add_user(login, token, dict.fromkeys(names, "write"))
        print(hub.url, flush=True)
        stopped.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.standins.github")
    parser.add_argument("--root", type=Path, required=True, help="where repositories are kept")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--repo", action="append", default=[], metavar="OWNER/NAME[=SEED]")
    parser.add_argument("--token", action="append", default=[], help="a token with write access")
    return parser.parse_args()


def _add_repo(hub: GitHubStandIn, text: str) -> str:
    name, _, seed = text.partition("=")
    hub.add_repo(name, seed=Path(seed) if seed else None)
    return name


if __name__ == "__main__":
    main()
