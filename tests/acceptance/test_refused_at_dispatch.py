"""What would keep work from being delivered is said before it is paid for, in words of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.acceptance.conftest import running_fleet
from tests.acceptance.fleet import REHEARSAL, TOKEN, Fleet
from tests.standins.github import GitHubStandIn
from tests.waiting import wait_until

REPO = "acme/app"
FINE = "github_pat_0123456789abcdefghijklmn"
ALL = {"contents": "write", "issues": "write", "pull_requests": "write"}
NUMBERS = itertools.count(1)
PAGE = b"<!doctype html><title>Sign in to the hotel's network</title>"
HTML = {"Content-Type": "text/html"}
SSO = "https://github.com/orgs/acme/sso?authorization_request=AbC"


def fault(**what: object) -> Callable[[GitHubStandIn, str], object]:
    def order(hub: GitHubStandIn, repo: str) -> object:
        return hub.fault(**{"path_regex": f"^/repos/{repo}$", "times": None, **what})  # type: ignore[arg-type]

    return order


def of_token(**grants: str) -> Callable[[GitHubStandIn, str], object]:
    return lambda hub, _repo: hub.add_token("bot", FINE, grants=ALL | grants)


@dataclass(frozen=True)
class Sample:
    """`spoil`: what is done to the repository, or the token, before the dispatch."""

    spoil: Callable[[GitHubStandIn, str], object]
    said: str
    code: int = 2
    token: str = TOKEN


SAMPLES = {
    "archived": Sample(lambda hub, repo: hub.set_archived(repo), "is archived"),
    "disabled by GitHub": Sample(
        lambda hub, repo: setattr(hub.state.repo(repo), "disabled", True), "has disabled"
    ),
    "issues turned off": Sample(
        lambda hub, repo: hub.set_issues(repo, on=False), "issues are turned off"
    ),
    "only triage": Sample(
        lambda hub, repo: hub.set_permission(repo, "bot", "triage"), "may only triage"
    ),
    "only read": Sample(lambda hub, repo: hub.set_permission(repo, "bot", "read"), "may only read"),
    "token without contents": Sample(of_token(contents="read"), "lacks contents: write", 2, FINE),
    "token without issues": Sample(of_token(issues="read"), "lacks issues: write", 2, FINE),
    "token without pull requests": Sample(
        of_token(pull_requests="read"), "lacks pull requests: write", 2, FINE
    ),
    "token without any": Sample(
        of_token(contents="read", issues="read", pull_requests="read"),
        "lacks contents: write, issues: write, pull requests: write",
        2,
        FINE,
    ),
    "classic token without scopes": Sample(
        lambda hub, _repo: hub.add_token("bot", FINE, scopes=["gist"]), "lacks scope repo", 2, FINE
    ),
    "single sign-on": Sample(
        fault(
            status=403,
            headers={"X-GitHub-SSO": f"required; url={SSO}"},
            body={"message": "Resource protected by organization SAML enforcement."},
        ),
        SSO,
    ),
    "a page with 200": Sample(fault(status=200, body=PAGE, headers=HTML), "a web page", 4),
    "a page with 403": Sample(fault(status=403, body=PAGE, headers=HTML), "a web page", 4),
    "a page with 404": Sample(fault(status=404, body=PAGE, headers=HTML), "a web page", 4),
    "a page with 502": Sample(fault(status=502, body=PAGE, headers=HTML), "GitHub", 4),
    "words with 200": Sample(fault(status=200, body=b"It works!"), "no JSON", 4),
    "nothing with 200": Sample(fault(status=200, body=b""), "did not answer as expected", 4),
    "a list with 200": Sample(fault(status=200, body=[1]), "did not answer as expected", 4),
    "null with 200": Sample(fault(status=200, body=b"null"), "did not answer as expected", 4),
    "an object without its fields": Sample(
        fault(status=200, body={"ok": True}), "did not answer as expected", 4
    ),
    "sent to another machine": Sample(
        fault(status=301, headers={"Location": "https://elsewhere.invalid/x"}), "CW_GITHUB_API_URL"
    ),
    "sent round in circles": Sample(
        lambda hub, repo: fault(status=307, headers={"Location": f"/api/v3/repos/{repo}"})(
            hub, repo
        ),
        "in circles",
        4,
    ),
    "blocked for legal reasons": Sample(
        fault(status=451, body={"message": "Repository access blocked"}), "451 Repository access"
    ),
}


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with running_fleet(REHEARSAL, https=True) as one:
        yield one


@pytest.fixture
def repo(fleet: Fleet) -> Iterator[str]:
    name = f"acme/spoilt{next(NUMBERS)}"
    fleet.github.add_repo(name)
    fleet.github.set_permission(name, "bot", "write")
    yield name
    fleet.github.clear_faults()


def typed(fleet: Fleet, *args: str, token: str = TOKEN) -> tuple[int, str]:
    done = fleet.cw("dispatch", *args, "-w", "01", more={"GH_TOKEN": token})
    return done.returncode, done.stderr


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_dispatch_says_in_one_line_what_is_in_the_way(
    fleet: Fleet, repo: str, sample: Sample
) -> None:
    number = fleet.github.add_issue(repo, "Change it")
    sample.spoil(fleet.github, repo)

    code, said = typed(fleet, "-r", repo, "-i", str(number), token=sample.token)

    assert (code, said.count("\n")) == (sample.code, 1), said
    assert sample.said in said
    assert [one for one in fleet.json("queue") if one["about"]["repo"] == repo] == []
    fleet.github.clear_faults()
    assert fleet.github.issue(repo, number).labels == ()


def test_empty_repository_is_refused(fleet: Fleet) -> None:
    fleet.github.add_repo("acme/empty", empty=True)
    fleet.github.set_permission("acme/empty", "bot", "write")

    code, said = typed(fleet, "-r", "acme/empty", "-p", "Begin")

    assert (code, said.count("\n")) == (2, 1)
    assert "acme/empty is empty" in said


def test_repository_without_issues_takes_prompts(fleet: Fleet, repo: str) -> None:
    fleet.github.set_issues(repo, on=False)

    code, said = typed(fleet, "-r", repo, "-p", "rehearse: no-change", "--mode", "read")

    assert (code, said) == (0, "")


def test_token_that_may_is_tried_once_a_day(fleet: Fleet, repo: str) -> None:
    fleet.github.add_token("bot", FINE, grants=ALL)
    fleet.github.requests.clear()

    for _ in range(2):
        number = fleet.github.add_issue(repo, "Change it", "rehearse: no-change")
        assert typed(fleet, "-r", repo, "-i", str(number), token=FINE)[0] == 0

    tried = fleet.github.requests.matching("POST", f"^/repos/{repo}/(git/refs|labels|pulls)$")
    assert [one.status for one in tried].count(422) == 3


def test_doctor_names_what_a_token_lacks_before_anything_is_dispatched(
    fleet: Fleet, repo: str
) -> None:
    fleet.github.add_token("bot", FINE, grants=ALL | {"issues": "read"})
    more = {"GH_TOKEN": FINE, "CW_ASSIGN_REPOS": f"{repo} acme/nowhere"}

    done = fleet.cw("doctor", more=more)

    assert done.returncode == 1
    assert f"github token, {repo}: the token lacks issues: write" in done.stdout
    assert "github token, acme/nowhere: GitHub knows no repository acme/nowhere" in done.stdout
    assert done.stderr == ""


def test_plan_without_drafts_is_noted_once_it_is_known(fleet: Fleet) -> None:
    words = "Draft pull requests are not supported in this repository."
    hub = fleet.github
    hub.add_repo("acme/plain")
    hub.set_permission("acme/plain", "bot", "write")
    body = {"errors": [{"type": "UNPROCESSABLE", "message": words}]}
    hub.fault(operation="Draft", status=200, body=body, times=None)
    refused = {"message": "Validation Failed", "errors": [{"message": words}]}
    hub.fault(method="POST", path_regex="^/repos/acme/plain/pulls$", status=422, body=refused)
    flow = ".github/workflows/x.yml"
    agent = (
        f"rehearse: do mkdir -p .github/workflows; echo x >{flow}; git add -A; git commit -qm x\n"
    )
    number = hub.add_issue("acme/plain", "Change it", f"{agent}rehearse: commit-only")
    told = fleet.json("dispatch", "-r", "acme/plain", "-i", str(number), "-w", "01")
    fleet.finished(told["task"])
    again = hub.add_issue("acme/plain", "And this")

    wait_until(lambda: [one for one in hub.pulls("acme/plain") if one.comments], what="the comment")
    code, said = typed(fleet, "-r", "acme/plain", "-i", str(again))

    assert (code, said.count("\n")) == (0, 1)
    assert "has no drafts" in said
    assert fleet.json("outbox") == []
