"""One worker and a beat that is quick: what happens when nobody types anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet, remove, short_folder
from tests.needs import need
from tests.standins.github import GitHubStandIn
from tests.standins.messages import MessagesStandIn

REPO = "acme/app"


@contextmanager
def beating(settings: dict[str, str]) -> Iterator[Fleet]:
    need("git")
    home = short_folder()
    with GitHubStandIn(home / "hub") as hub, MessagesStandIn() as api:
        hub.add_repo(REPO, files={"README.md": "# App\n"})
        hub.add_user("bot", TOKEN, {REPO: "write"})
        made = Fleet(home, hub, api, REHEARSAL, {"CW_ASSIGN_REPOS": REPO, **settings})
        (home / ".gitconfig").write_text("[user]\n\tname = Bot\n\temail = bot@acme.invalid\n")
        try:
            made.ok("init", "01")
            made.up()
            yield made
            assert hub.leaks == []
        finally:
            made.down()
            remove(home)
