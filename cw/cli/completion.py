"""What a shell offers after TAB: ids and repositories from the store, quickly or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from cw.settings import Settings
    from cw.store.store import Store

_PATIENCE_SECONDS = 0.5
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
        from click.shell_completion import CompletionItem

        try:
            offers = dict(_found(find))
        except Exception:  # noqa: BLE001  see above
            return []
        typed = incomplete.lower()
        return [
            CompletionItem(one, help=about)
            for one, about in offers.items()
            if one.lower().startswith(typed)
        ]

    return complete


def _found(find: Find) -> Iterable[Offer]:
    from cw.address import broker_url
    from cw.settings import load_settings
    from cw.store.store import open_store

    settings = load_settings(os.environ)[0]
    return list(find(open_store(broker_url(settings), patience=_PATIENCE_SECONDS), settings))


def _workers(store: Store, _: Settings) -> list[Offer]:
    return [(one.id, f"worker on {one.host}") for one in store.fleet.workers()]


def _tasks(store: Store, _: Settings) -> list[Offer]:
    tasks = [*store.tasks.open_tasks(), *store.tasks.done_tasks(_FINISHED)]
    return [(one.spec.id, f"{one.spec.label} {one.state.value}") for one in tasks]


def _ids(store: Store, settings: Settings) -> list[Offer]:
    return [*_workers(store, settings), *_tasks(store, settings)]


def _repos(store: Store, settings: Settings) -> list[Offer]:
    tasks = [*store.tasks.open_tasks(), *store.tasks.done_tasks(_FINISHED)]
    names = {one.spec.repo for one in tasks} | set(settings.assign_repos)
    return [(one, "") for one in sorted(names)]


complete_workers = _completer(_workers)
complete_tasks = _completer(_tasks)
complete_ids = _completer(_ids)
complete_repos = _completer(_repos)
