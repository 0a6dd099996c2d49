"""What a shell offers after TAB, from the store or GitHub: quickly or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from cw.settings import Settings
    from cw.store.store import Store

_PATIENCE_SECONDS = 0.5
_WIDEST = 72  # of what stands beside an offer
_FINISHED = 50  # of the newest finished tasks

Offer = tuple[str, str]  # what is typed, and what it is
Find = Callable[["Store", "Settings"], Iterable[Offer]]


def _completer(find: Find) -> Callable[..., list[CompletionItem]]:
    """A click callback. Whatever goes wrong, nothing is offered and nothing is said: somebody is in
    the middle of typing.
    """

    def complete(
        _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            offers = dict(_found(find))
        except Exception:  # noqa: BLE001  see above
            return []
        return fitting(offers, incomplete)

    return complete


def fitting(offers: dict[str, str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from cw.cli.views.render import one_line

    typed = incomplete.lower()
    return [
        CompletionItem(word, help=one_line(about)[:_WIDEST])
        for word, about in offers.items()
        if word.lower().startswith(typed)
    ]


def complete_models(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from cw.cli.context import load_cli
    from cw.errors import CwError

    try:
        words = load_cli(os.environ).program.models
    except CwError:
        return []
    return fitting(dict.fromkeys(words, ""), incomplete)


def complete_issues(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Open ones of the repository that -r names, as GitHub has them now, the newest first."""
    from cw.forges.known import forge_of
    from cw.repos import parse_repo
    from cw.settings import load_settings

    try:
        settings = load_settings(os.environ)[0]
        where = parse_repo(ctx.params["repo"], github_url=settings.github_url, cwd=Path.cwd())
        found = forge_of(settings).titles(settings, where.name) if where.github else {}
    except Exception:  # noqa: BLE001  as in `_completer`
        return []
    return fitting({str(number): title for number, title in found.items()}, incomplete)


def _found(find: Find) -> Iterable[Offer]:
    from cw.broker.address import broker_url
    from cw.settings import load_settings
    from cw.store.store import open_store

    settings = load_settings(os.environ)[0]
    return list(find(open_store(broker_url(settings), patience=_PATIENCE_SECONDS), settings))


def _workers(store: Store, _: Settings) -> list[Offer]:
    return [(worker.id, f"worker on {worker.host}") for worker in store.fleet.workers()]


def _tasks(store: Store, _: Settings) -> list[Offer]:
    tasks = [*store.tasks.open_tasks(), *store.tasks.done_tasks(_FINISHED)]
    by_id = [
        (task.spec.id, f"{task.spec.label} {task.state.value}: {task.spec.headline}")
        for task in tasks
    ]
    newest = {task.spec.label: task for task in tasks if task.spec.issue is not None}
    by_issue = [(label, f"{task.state.value}: {task.spec.title}") for label, task in newest.items()]
    return [*by_id, *by_issue]


def _hosts(store: Store, _: Settings) -> list[Offer]:
    return [(host.name, f"host with {host.workers} workers") for host in store.fleet.hosts()]


def _accounts(store: Store, _: Settings) -> list[Offer]:
    known = store.accounts.read(worker.account for worker in store.fleet.workers())
    return [(account.name, f"account, {account.kind}") for account in known.values()]


def _ids(store: Store, settings: Settings) -> list[Offer]:
    return [*_workers(store, settings), *_tasks(store, settings)]


def _repos(store: Store, settings: Settings) -> list[Offer]:
    tasks = [*store.tasks.open_tasks(), *store.tasks.done_tasks(_FINISHED)]
    names = {task.spec.repo for task in tasks} | set(settings.assign_repos)
    return [(repo, "") for repo in sorted(names)]


def _resumable(store: Store, settings: Settings) -> list[Offer]:
    held = store.breakers.holds()
    return [*_workers(store, settings), *((hold.name, "repository, held") for hold in held)]


def _pulls(store: Store, _: Settings) -> list[Offer]:
    return [(record.name, f"{record.state.value}: {record.title}") for record in store.pulls.open()]


complete_workers = _completer(_workers)
complete_resumable = _completer(_resumable)
complete_tasks = _completer(_tasks)
complete_ids = _completer(_ids)
complete_hosts = _completer(_hosts)
complete_accounts = _completer(_accounts)
complete_repos = _completer(_repos)
complete_pulls = _completer(_pulls)
