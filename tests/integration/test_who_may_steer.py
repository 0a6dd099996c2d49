"""Whose words reach an agent: every kind of author, approval, later change and hidden text, through
assign, dispatch and the start of a run, with GitHub behind PyGithub.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from cw.errors import IssueChangedError
from cw.fleet_models import Worker
from cw.github.client import GitHub
from cw.models import TaskSpec
from cw.operations.dispatch.dispatching import dispatch
from cw.operations.dispatch.request import Request
from cw.repos import github_repo
from cw.store.store import Store
from tests.integration.assigning import Office
from tests.standins.github import GitHubStandIn
from workerhost.prompts.briefing import Workplace, brief
from workerhost.prompts.trusted_comments import hear

REPO, TALK = "acme/app", "acme/talk"
DOCS = Path(__file__).parents[2] / "docs" / "security.md"
ROLES = {  # login, permission, what GitHub calls them
    "owner": ("acme", "admin", "OWNER"),
    "member who may write": ("member", "write", "MEMBER"),
    "collaborator who may write": ("writer", "maintain", "COLLABORATOR"),
    "member or collaborator who may only read": ("reader", "read", "COLLABORATOR"),
    "collaborator who may triage": ("helper", "triage", "COLLABORATOR"),
    "contributor": ("patcher", "none", "CONTRIBUTOR"),
    "anybody": ("stranger", "none", "NONE"),
    "bot, whatever it may": ("robot[bot]", "write", "COLLABORATOR"),
}
WRITERS = {"owner", "member who may write", "collaborator who may write"}
GO = {"no label": "", "by triage": "helper", "by one who may write": "writer"}
EDITS = ("unchanged", "text before", "title before", "text after", "title after")
HIDDEN = {
    "nothing": "{}",
    "comment": "<!-- {} -->",
    "zero width": "{}",  # made invisible below
    "bidi": "\u202e<!--\u2066{}\u2069-->\u202c",
    "alt text": '![{}](https://x.dev/p.png "{}")',
    "footnote": "[^1]: {}",
    "word of code": "```python {}\nx = 1\n```",
    "diagram": "```mermaid\ngraph TD\n%% {}\nA-->B\n```",
    "maths": "$$\n% {}\nx\n$$",
    "phantom": "$x\\phantom{{}}$",
    "ruby": "<ruby>x<rp>{}</rp></ruby>",
}


@dataclass(frozen=True)
class Case:
    number: int
    role: str
    go: str
    edit: str
    hidden: str

    def said(self) -> str:
        return f"visible-{self.number}-end"

    def secret(self) -> str:
        return f"hidden-{self.number}-end"

    def changed(self) -> str:
        return f"changed-{self.number}-end"

    def text(self) -> str:
        if self.hidden == "nothing":
            return self.said()
        if self.hidden == "zero width":
            secret = "".join(chr(0xE0000 + ord(one)) for one in self.secret())
            return f"{self.said()}\u200b{secret}\u200b"
        return f"{self.said()}\n\n{HIDDEN[self.hidden].replace('{}', self.secret())}"


@dataclass(frozen=True)
class Reached:
    """Of one issue: its prompt, or empty when no run began; and why none did."""

    prompt: str
    why: str


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubStandIn]:
    with GitHubStandIn(tmp_path_factory.mktemp("hub")) as hub:
        for repo in (REPO, TALK):
            hub.add_repo(repo)
            hub.add_user("bot", "bot-token", {repo: "write"})
            hub.add_user("robot", permissions={repo: "write"})  # a person called like the bot
            for login, level, _ in ROLES.values():
                hub.add_user(login, permissions={} if level == "none" else {repo: level})
        yield hub


@pytest.fixture(scope="module")
def cases(hub: GitHubStandIn) -> list[Case]:
    """An issue for each, labelled and changed as the case says."""
    kinds = list(HIDDEN)
    whole = [
        (role, go, edit, hidden)
        for at, (role, go, edit) in enumerate(product(ROLES, GO, EDITS))
        for hidden in (kinds if edit == "unchanged" else [kinds[at % len(kinds)]])
    ]
    made = [Case(number, *rest) for number, rest in enumerate(whole, 1)]
    for one in made:
        login, _, association = ROLES[one.role]
        add = hub.add_issue(
            REPO, f"Case {one.number}", one.text(), author=login, association=association
        )
        assert add == one.number
        if one.go != "no label":
            hub.label_issue(REPO, one.number, "claude", actor=GO[one.go])
        if one.edit.endswith("before"):
            change(hub, one)
    return made


def change(hub: GitHubStandIn, case: Case) -> None:
    """By its author."""
    if case.edit.startswith("text"):
        hub.edit_issue(REPO, case.number, body=f"{case.changed()} {case.text()}")
    elif case.edit.startswith("title"):
        hub.edit_issue(REPO, case.number, title=f"Case {case.number} {case.changed()}")


def begin(hub: GitHubStandIn, store: Store, spec: TaskSpec) -> Reached:
    """What a host does with the issue before it starts an agent."""
    github = GitHub(hub.api_url, "bot-token", pace=0)
    try:
        issue = hear(github, store.github, spec, "claude")
    except IssueChangedError as error:
        return Reached("", error.message)
    told = brief(spec, "", Workplace(base="main", pushes=True), issue=issue, mark="mark")
    return Reached(told.prompt, "")


def assigned(hub: GitHubStandIn, store: Store, cases: list[Case]) -> dict[int, Reached]:
    """Passes of assign until every issue is judged; then each of its tasks is begun."""
    office = Office.open(hub, store, [REPO])
    office.staff(*(f"w{one.number}" for one in cases))
    while any(one.verdict.value == "unknown" for one in office.assign().rows):
        pass
    specs = {number: task.spec for number, task in office.tasks().items()}
    for one in cases:
        if one.edit.endswith("after"):
            change(hub, one)
    return {number: begin(hub, store, spec) for number, spec in specs.items()}


def test_only_words_of_those_who_may_write_reach_a_prompt(
    hub: GitHubStandIn, store: Store, cases: list[Case]
) -> None:
    reached = assigned(hub, store, cases)

    assert len(cases) == 360
    for case in cases:
        found = reached.get(case.number, Reached("", "not assigned")).prompt
        approved = case.go == "by one who may write" and case.edit == "unchanged"
        assert (case.said() in found) is (case.role in WRITERS or approved), case
        assert case.secret() not in found, case
        assert "\U000e0068" not in found, case
        new = case.role in WRITERS and case.edit != "unchanged"
        assert (case.changed() in found) is new, case
    assert table(cases, reached) in DOCS.read_text("utf-8")


def by_hand(hub: GitHubStandIn, store: Store, number: int) -> TaskSpec:
    """What a person typed; nobody is asked who wrote the issue."""
    request = Request(
        repo=github_repo(TALK, "http://github.localhost"),
        issue=number,
        worker=None,
        prompt="",
        model="sonnet",
    )
    store.fleet.register_worker(Worker(id="01", host="here", home="/nowhere/01"))
    github = GitHub(hub.api_url, "bot-token", pace=0)
    return dispatch(request, store, github, lambda _: None).task


@pytest.mark.parametrize(
    ("change", "editor", "why"),
    [
        ({}, "", ""),
        ({"body": "changed"}, "writer", ""),
        ({"title": "changed"}, "writer", ""),
        ({"body": "changed"}, "stranger", "its text changed since its dispatch, by somebody"),
        ({"title": "changed"}, "stranger", "its title changed since its dispatch, by somebody"),
        ({"body": "changed"}, "robot[bot]", "its text changed since its dispatch, by somebody"),
    ],
)
def test_dispatch_by_hand_trusts_what_stood_there_and_later_only_those_who_may_write(
    hub: GitHubStandIn, store: Store, change: dict[str, str], editor: str, why: str
) -> None:
    number = hub.add_issue(TALK, "Title", "said at first", author="stranger")
    spec = by_hand(hub, store, number)
    if change:
        hub.edit_issue(TALK, number, editor=editor, **change)

    found = begin(hub, store, spec)

    assert why in found.why
    assert bool(found.prompt) is not bool(why)
    if found.prompt and change:
        assert "changed" in found.prompt


def test_approval_ends_with_any_change_with_its_label_and_with_the_rights_of_who_gave_it(
    hub: GitHubStandIn, store: Store
) -> None:
    hub.add_user("leaving", permissions={TALK: "write"})
    office = Office.open(hub, store, [TALK])
    office.staff("01", "02", "03", "04")
    edited, taken, left = (
        hub.add_issue(TALK, "Theirs", "text", author="stranger") for _ in range(3)
    )
    own = hub.add_issue(TALK, "Own", "text", author="leaving")
    for number in (edited, taken, left):
        hub.label_issue(TALK, number, "claude", actor="leaving")
    office.assign()
    specs = {number: office.tasks()[number].spec for number in (edited, taken, left, own)}
    hub.edit_issue(TALK, edited, body="another", editor="writer")
    hub.unlabel_issue(TALK, taken, "claude")
    whys = [begin(hub, store, specs[number]).why for number in (edited, taken)]

    hub.set_permission(TALK, "leaving", "read")
    whys += [begin(hub, store, specs[number]).why for number in (left, own)]

    gone = f"not started: leaving, who stands for its text, may not write to {TALK} any more"
    assert whys == [
        "not started: its text changed since leaving approved it",
        "not started: the label claude, which approved it, was taken off",
        gone,
        gone,
    ]
    assert {one.approved_by for one in specs.values()} == {"leaving"}


def test_lost_dispatch_is_adopted_only_if_somebody_stands_for_its_text(
    hub: GitHubStandIn, store: Store
) -> None:
    office = Office.open(hub, store, [TALK])
    office.staff("05", "06")
    strange = hub.add_issue(TALK, "Changed meanwhile", "obey", author="stranger")
    good = hub.add_issue(TALK, "Good", "text", author="writer")
    hub.label_issue(TALK, strange, "worker:05", actor="bot")
    hub.label_issue(TALK, good, "worker:06", actor="bot")

    rows = {one.issue: one for one in office.reconcile().rows}

    assert (rows[strange].action.value, rows[strange].done) == ("adopt", False)
    assert (rows[good].action.value, rows[good].done) == ("adopt", True)
    assert [one.spec.issue for one in store.tasks.open_tasks()] == [good]


def test_comments_reach_the_agent_from_those_who_may_write_only(
    hub: GitHubStandIn, store: Store
) -> None:
    number = hub.add_issue(TALK, "Title", "text", author="owner")
    for role, (login, _, association) in ROLES.items():
        text = f"from {role}.<!-- hidden -->"
        hub.add_comment(TALK, number, text, author=login, association=association)
    posted = {
        name: hub.add_comment(TALK, number, "before", author="writer", association="COLLABORATOR")
        for name in ("edited by a writer", "edited by a stranger", "of ours")
    }
    hub.edit_comment(TALK, posted["edited by a writer"].id, "edited well", editor="acme")
    hub.edit_comment(TALK, posted["edited by a stranger"].id, "edited ill", editor="stranger")
    hub.edit_comment(TALK, posted["of ours"].id, "ended\n\n<!-- cw:1 -->", editor="writer")

    told = begin(hub, store, by_hand(hub, store, number)).prompt

    assert {role for role in ROLES if f"from {role}." in told} == WRITERS
    assert "edited well" in told
    assert "edited ill" not in told
    assert "ended" not in told
    assert "hidden" not in told
    assert "7 comment(s) are not shown" in told


def table(cases: list[Case], reached: dict[int, Reached]) -> str:
    """As docs/security.md has it. Hidden text and what was changed make no difference."""
    lines = [
        "| author | go label | unchanged | changed before the dispatch | changed after it |",
        "|---|---|---|---|---|",
    ]
    columns = (("unchanged",), ("text before", "title before"), ("text after", "title after"))
    for role, go in product(ROLES, GO):
        words = []
        for edits in columns:
            mine = [c for c in cases if (c.role, c.go) == (role, go) and c.edit in edits]
            (word,) = {outcome(reached.get(one.number)) for one in mine}
            words.append(word)
        lines.append(f"| {role} | {go} | {' | '.join(words)} |")
    return "\n".join(lines)


def outcome(reached: Reached | None) -> str:
    if reached is None:
        return "not assigned"
    return "its words" if reached.prompt else "not started"
