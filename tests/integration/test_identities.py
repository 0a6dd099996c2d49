"""Claims and records go by GitHub's id of a repository, in passes over GitHub as in dispatches;
those of the version before, which had none, are read.
"""

from __future__ import annotations

import pytest

from cw.errors import ClaimedError
from cw.github.client import GitHub
from cw.github.expected import ROWS
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.repos import github_repo
from cw.states import OutcomeKind
from cw.store.store import Store
from tests.integration.assigning import TOKEN, Office
from tests.integration.conftest import REPO
from tests.making import make_spec
from tests.standins.github import GitHubStandIn

NEW = "globex/site"


@pytest.fixture
def office(hub: GitHubStandIn, store: Store) -> Office:
    opened = Office.open(hub, store, [REPO])
    opened.staff("01", "02")
    return opened


def move(hub: GitHubStandIn, old: str = REPO, new: str = NEW) -> None:
    hub.rename_repo(old, new)
    hub.set_permission(new, "bot", "write")


def of_before(office: Office, issue: int, worker: str = "01") -> str:
    """A task as the version before recorded it."""
    now = office.store.tasks.now()
    spec = make_spec(repo=REPO, issue=issue, wanted_worker=worker, created_at=now)
    office.store.tasks.create(spec, "")
    return spec.id


def typed(office: Office, repo: str, issue: int) -> str:
    request = Request(
        repo=github_repo(repo, "http://github.localhost"),
        issue=issue,
        worker="02",
        prompt="",
        model="sonnet",
    )
    ways = office.ways()
    return dispatch(request, ways.store, ways.github, ways.hint).task.id


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        (REPO, False),
        (REPO.upper(), False),
        (REPO, True),
        (REPO.upper(), True),
        (NEW, True),
        (NEW.upper(), True),
    ],
)
def test_task_of_before_keeps_its_issue_from_a_second_one(
    office: Office, hub: GitHubStandIn, name: str, moved: bool
) -> None:
    issue = hub.add_issue(REPO, "Mine")
    task = of_before(office, issue)
    if moved:
        move(hub)

    with pytest.raises(ClaimedError, match=task):
        typed(office, name, issue)


@pytest.mark.parametrize("listed", [(REPO,), (NEW,), (REPO, NEW), (NEW.upper(), REPO, REPO)])
def test_pass_knows_the_task_whatever_is_configured(
    office: Office, hub: GitHubStandIn, listed: tuple[str, ...]
) -> None:
    mine, old = hub.add_issue(REPO, "Mine"), hub.add_issue(REPO, "Of before")
    task = typed(office, REPO, mine)
    of_before(office, old)
    move(hub)

    assert office.verdicts(assign_repos=listed) == {
        f"{NEW}#{mine}": "taken",
        f"{NEW}#{old}": "taken",
    }
    done = office.reconcile(assign_repos=listed)
    assert [(one.issue, one.action.value) for one in done.rows] == [(old, "relabel")]
    assert office.store.tasks.get(task) is not None
    assert hub.issue(NEW, mine).labels == ("worker:02",)


@pytest.mark.parametrize("before", [False, True], ids=["by id", "by name, of before"])
def test_finished_issue_is_known_after_a_rename(
    office: Office, hub: GitHubStandIn, before: bool
) -> None:
    issue = hub.add_issue(REPO, "Mine")
    task = of_before(office, issue) if before else typed(office, REPO, issue)
    record = office.store.tasks.get(task)
    assert record
    office.finish(record, OutcomeKind.SUCCEEDED)
    office.hub.unlabel_issue(REPO, issue, "worker:02")

    assert office.verdicts() == {f"{REPO}#{issue}": "finished"}
    if not before:
        move(hub)
        assert office.verdicts(assign_repos=(NEW,)) == {f"{NEW}#{issue}": "finished"}


def test_issue_of_a_repository_that_took_the_name_is_another_one(
    office: Office, hub: GitHubStandIn
) -> None:
    issue = hub.add_issue(REPO, "Mine")
    first = typed(office, REPO, issue)
    move(hub)
    hub.add_repo(REPO)
    hub.set_permission(REPO, "bot", "write")
    assert hub.add_issue(REPO, "Another's") == issue

    second = typed(office, REPO, issue)

    assert first != second
    assert hub.issue(NEW, issue).labels == hub.issue(REPO, issue).labels == ("worker:02",)
    assert office.reconcile().rows == ()


def test_row_that_cannot_be_read_leaves_the_others_alone(
    office: Office, hub: GitHubStandIn
) -> None:
    hub.add_issue(REPO, "Fine")
    github = GitHub(hub.api_url, TOKEN, pace=0)
    rows = github.ask("issues", REPO, "GET", f"/repos/{REPO}/issues", expected=ROWS).data
    odd = [{}, None, 7, rows[0] | {"number": 9, "labels": None}, rows[0] | {"created_at": "soon"}]
    hub.fault(path_regex=f"^/repos/{REPO}/issues$", status=200, body=[*odd, rows[0]], times=None)

    done = office.assign()

    assert [one.issue for one in done.dispatched] == [1]
    assert done.warnings == (f"{REPO}: 5 of 6 rows of its list cannot be read",)


@pytest.mark.parametrize("body", [b"<html>", b"null", b"7", b'{"message": "?"}', b'"words"'])
def test_list_of_odd_shape_leaves_other_repositories_alone(
    office: Office, hub: GitHubStandIn, body: bytes
) -> None:
    hub.add_repo("acme/odd")
    hub.set_permission("acme/odd", "bot", "write")
    hub.add_issue(REPO, "Fine")
    hub.fault(path_regex="^/repos/acme/odd/issues$", status=200, body=body, times=None)

    done = office.assign(assign_repos=("acme/odd", REPO))
    again = office.reconcile(assign_repos=("acme/odd", REPO))

    assert [one.repo for one in done.dispatched] == [REPO]
    assert (done.stopped, again.stopped) == ("", "")
    assert [one.split(":")[0] for one in (*done.warnings, *again.warnings)] == ["acme/odd"] * 2
