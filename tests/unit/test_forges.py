"""Another forge than GitHub, registered by a package beside cw: what is done there, end to end."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from cw.cli.arguments.completion import complete_issues
from cw.cli.context import load_cli
from cw.errors import BadInputError, CwError
from cw.fleet_models import Host, Worker
from cw.forges.known import forge_of
from cw.operations.assignment.assign import assign
from cw.operations.passes.context import PassContext
from cw.operations.reconciliation.reconcile import reconcile
from cw.settings import Settings
from cw.store.outbox import Effect
from cw.store.store import Store
from tests.standins.memory_forge.forge import MemoryForge
from tests.standins.memory_forge.shelf import Kept, Shelf
from workerhost.github.clients import Clients
from workerhost.github.delivered_writes import Delivered
from workerhost.github.outbox_delivery import Deliverer
from workerhost.github.token_access import open_access

REPO = "acme/app"


def register(site: Path, name: str, value: str) -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[cw.forges]\n{name} = {value}\n", "utf-8")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    register(tmp_path, "memory", "tests.standins.memory_forge.forge:MEMORY")
    monkeypatch.syspath_prepend(tmp_path)
    return Settings(
        forge="memory",
        github_api_url=f"https://memory.test{tmp_path}",
        github_token="any",
        host_name="here",
        assign_repos=(REPO,),
        reconcile_grace=0.0,
    )


@pytest.fixture
def shelf(settings: Settings) -> Shelf:
    """What lies there: an issue of somebody who may write, and one of a stranger."""
    forge = forge_of(settings)
    assert isinstance(forge, MemoryForge)
    shelf = forge.shelves[settings.github_api_url]
    shelf.writers.add("ann")
    shelf.issues[REPO, 1] = Kept("By a stranger", "bob")
    shelf.issues[REPO, 2] = Kept("The build fails", "ann")
    return shelf


@pytest.fixture
def ways(settings: Settings, store: Store) -> PassContext:
    store.fleet.register_worker(Worker(id="01", host="here", home="/nowhere/01"))
    store.fleet.beat(Host(name="here"), store.tasks.now())
    github = forge_of(settings).open(settings)
    return PassContext(
        settings=settings, store=store, github=github, hint=lambda _: None, by="test"
    )


def test_issue_of_another_forge_is_assigned_and_labelled(ways: PassContext, shelf: Shelf) -> None:
    done = assign(ways)

    assert {row.issue: row.verdict.value for row in done.rows} == {1: "untrusted", 2: "assign"}
    (task,) = ways.store.tasks.open_tasks()
    assert (task.spec.label, task.spec.wanted_worker, task.spec.repo_id) == ("acme/app#2", "01", 1)
    assert shelf.issues[REPO, 2].labels == ["worker:01"]
    assert done.asked == 1


def test_task_whose_issue_was_closed_there_ends(ways: PassContext, shelf: Shelf) -> None:
    assign(ways)
    shelf.issues[REPO, 2].open = False

    done = reconcile(ways)

    assert [row.action.value for row in done.rows if row.done] == ["close", "unlabel"]
    assert ways.store.tasks.open_tasks() == []
    assert shelf.issues[REPO, 2].labels == []


def test_outbox_is_carried_out_there(
    settings: Settings, store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    effects = [
        Effect(kind="label", repo=REPO, issue=2, worker="01", text="worker:01"),
        Effect(kind="comment", repo=REPO, issue=2, worker="01", text="It failed", mark="m"),
        Effect(kind="comment", repo=REPO, issue=2, worker="01", text="It failed", mark="m"),
        Effect(kind="draft", repo=REPO, repo_id=1, issue=3, worker="01", text=""),
        Effect(kind="comment", repo=REPO, issue=9, worker="01", text="Lost", mark="n"),
    ]
    store.outbox.add("here", effects)
    without_drafts: list[int] = []
    deliverer = Deliverer(
        store.outbox,
        "here",
        Delivered(tmp_path / "delivered"),
        Clients(settings, open_access(settings), {}).of,
        no_drafts=without_drafts.append,
    )

    assert deliverer.deliver() == len(effects)

    issue = shelf.issues[REPO, 2]
    assert issue.labels == ["worker:01"]
    assert [text for _, text in issue.comments] == ["It failed"]
    assert without_drafts == [1]
    (aside,) = store.outbox.aside("here")
    assert aside.reason == "there is no issue acme/app#9"


def test_shell_offers_its_issues(
    settings: Settings, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CW_FORGE", settings.forge)
    monkeypatch.setenv("CW_GITHUB_API_URL", settings.github_api_url)
    context = click.Context(click.Command("dispatch"))
    context.params = {"repo": REPO}

    offered = complete_issues(context, click.Argument(["issue"]), "2")

    assert [(one.value, one.help) for one in offered] == [("2", "The build fails")]


def test_github_is_the_forge_when_nobody_says_otherwise() -> None:
    assert forge_of(Settings()).name == "github"


def test_unknown_forge_is_refused_with_those_that_are_known(settings: Settings) -> None:
    with pytest.raises(BadInputError, match="'nowhere' is no forge here") as refused:
        forge_of(Settings(forge="nowhere"))

    assert refused.value.hint == "Known: github, memory"


def test_command_says_at_once_that_its_forge_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="'nowhere' is no forge here"):
        load_cli({"HOME": str(tmp_path), "CW_FORGE": "nowhere"})


def test_forge_whose_package_is_broken_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(tmp_path, "broken", "no_such_package:X")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(CwError, match="the forge broken cannot be loaded"):
        forge_of(Settings(forge="broken"))
