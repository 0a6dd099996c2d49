"""Labels and names compare as GitHub compares them, and standard error is for our one line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.fleet import Fleet

REPO = "acme/app"


@pytest.fixture(autouse=True)
def quiet(fleet: Fleet) -> Iterator[None]:
    """Nothing starts; a test looks at what was dispatched."""
    fleet.ok("pause", "01", "02")
    yield
    fleet.github.clear_faults()
    for one in fleet.json("queue"):
        fleet.ok("cancel", one["about"]["task"])
    fleet.ok("resume", "01", "02")


LABELS = {
    "Blocked": (2, "is labelled blocked"),
    "BLOCKED": (2, "is labelled blocked"),
    "blocked": (2, "is labelled blocked"),
    "Worker:01": (3, "carries Worker:01"),
    "WORKER:02": (3, "carries WORKER:02"),
    "worker:elsewhere": (3, "carries worker:elsewhere"),
}


@pytest.mark.parametrize("label", LABELS)
def test_label_keeps_an_issue_from_dispatch_in_whatever_case(fleet: Fleet, label: str) -> None:
    code, said = LABELS[label]
    repo = f"acme/labels-{label.lower().replace(':', '-')}-{label[0]}"
    fleet.github.add_repo(repo)
    fleet.github.set_permission(repo, "bot", "write")
    number = fleet.github.add_issue(repo, "Change it", labels=[label])

    done = fleet.cw("dispatch", "-r", repo, "-i", str(number), "-w", "01")

    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert said in done.stderr


@pytest.mark.parametrize("label", ["blocker", "not-blocked", "coworker:01", "workers:01"])
def test_label_that_only_looks_alike_keeps_nothing(fleet: Fleet, label: str) -> None:
    number = fleet.github.add_issue(REPO, "Change it", labels=[label])

    fleet.ok("dispatch", "-r", REPO, "-i", str(number), "-w", "01")


def test_worker_s_label_that_was_made_in_capitals_is_its_own(fleet: Fleet) -> None:
    """GitHub puts on the label that is there, in the case in which somebody made it."""
    fleet.github.add_repo("acme/capitals")
    fleet.github.set_permission("acme/capitals", "bot", "write")
    fleet.github.add_label("acme/capitals", "Worker:01")
    number = fleet.github.add_issue("acme/capitals", "Change it")

    fleet.ok("dispatch", "-r", "acme/capitals", "-i", str(number), "-w", "01")

    assert fleet.github.issue("acme/capitals", number).labels == ("Worker:01",)


NAMES = (
    "ACME/App",
    "acme/app.git",
    "acme/app/",
    "github.localhost/acme/app",
    "http://github.localhost/acme/app",
    "https://github.localhost/acme/app.git/",
    "https://user@GitHub.localhost/acme/app/",
    "http://www.github.localhost/acme/app",
    "ssh://git@github.localhost/acme/app.git",
    "ssh://git@ssh.github.localhost:443/acme/app.git",
    "git+ssh://git@github.localhost/acme/app",
    "git://github.localhost/acme/app.git",
    "git@github.localhost:acme/app",
    "git@github.localhost:/acme/app.git/",
    "GitHub.localhost:acme/app.git",
    "https://github.localhost/acme/app#readme",
)


@pytest.mark.parametrize("name", NAMES)
def test_repository_is_the_same_however_it_is_written(fleet: Fleet, name: str) -> None:
    number = fleet.github.add_issue(REPO, "Change it")

    told = fleet.json("dispatch", "-r", name, "-i", str(number), "-w", "01")

    again = fleet.cw("dispatch", "-r", REPO, "-i", str(number), "-w", "02")
    assert (told["repo"], again.returncode) == (REPO, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("https://github.localhost/acme/app/issues/1", "Use acme/app"),
        ("https://github.localhost/acme/app/tree/main", "Use acme/app"),
        ("https://github.localhost/acme", "Use owner/repo"),
        ("https://me:hunter2@github.localhost/acme/app", "carries a credential"),
        ("https://ghp_0123456789@github.localhost/acme/app.git", "carries a credential"),
    ],
)
def test_page_or_login_on_github_is_no_repository(fleet: Fleet, name: str, said: str) -> None:
    done = fleet.cw("dispatch", "-r", name, "-p", "Do it")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert "hunter2" not in done.stderr


LOUD = {
    "GitHub says 403": {"status": 403, "body": {"message": "Forbidden"}},
    "GitHub says 401": {"status": 401, "body": {"message": "Bad credentials"}},
    "GitHub says 503 each time": {"status": 503},
    "GitHub hangs up each time": {"drop": True},
    "GitHub asks to wait": {"status": 429, "headers": {"Retry-After": "600"}},
    "a limit that is reached": {"status": 403, "body": {"message": "API rate limit exceeded"}},
}


@pytest.mark.parametrize("trouble", LOUD.values(), ids=LOUD.keys())
@pytest.mark.parametrize("command", ["dispatch", "assign", "reconcile"])
def test_no_library_speaks_beside_our_line(
    fleet: Fleet, trouble: dict[str, object], command: str
) -> None:
    number = fleet.github.add_issue(REPO, "Change it")
    fleet.github.fault(path_regex="^/(repos|graphql)", times=None, **trouble)  # type: ignore[arg-type]
    args = ("-r", REPO, "-i", str(number)) if command == "dispatch" else ()

    done = fleet.cw(command, *args, more={"CW_ASSIGN_REPOS": REPO})

    assert all(one.startswith(("cw: ", "warning: ")) for one in done.stderr.splitlines())
    assert done.returncode in {0, 1, 2, 4}


@pytest.mark.parametrize(
    ("broker", "command"),
    [
        ("redis://127.0.0.1:9/0", "status"),
        ("redis://127.0.0.1:9/0", "dispatch"),
        ("unix:///nonexistent/socket", "dispatch"),
    ],
)
def test_broker_that_is_away_is_one_line(fleet: Fleet, broker: str, command: str) -> None:
    args = ("-r", REPO, "-p", "Do it") if command == "dispatch" else ()

    done = fleet.cw(command, *args, more={"CW_BROKER_URL": broker, "CW_BROKER_INSECURE": "1"})

    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
