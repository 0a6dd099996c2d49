"""`cw review`, from what was typed to what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from cw.cli.context import Cli
from cw.cli.merging import merger_of
from cw.cli.reviewing import Sitting, skipped
from cw.cli.views.render import json_out, note, say, table
from cw.cli.views.sheets import COLUMNS, failed, outcome_cells, outcome_line
from cw.errors import BrokerUnavailableError, CwError
from cw.forges.reviewing import OwnPullError
from cw.operations.pulls.review import MOVED, Desk
from cw.operations.pulls.review_plan import Entry, entries, read
from cw.operations.views.reviews import Act, ReviewRow, Sheet, review_row
from cw.pulls.merging import refusal
from cw.token_names import github_login

if TYPE_CHECKING:
    from cw.forges.client import Client
    from cw.forges.pulls import MergeMethod

_LEFT, _UNFIT = 1, 2  # exit statuses, as of cw merge


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be done with one. `head`: the beginning of the only one that is meant; empty: that
    of now.
    """

    pull: str
    act: Act
    head: str
    method: MergeMethod | None
    text: str  # with which changes are asked for


def desk_of(cli: Cli) -> Desk:
    """Which looks with cw's token, and acts with that of whoever types."""
    hand = _hand(cli)
    return Desk(merger=replace(merger_of(cli, wait=False), hand=hand), hand=hand)


def _hand(cli: Cli) -> Client:
    from cw.forges.known import forge_of

    own = github_login(cli.environ)
    return forge_of(cli.settings).client(cli.settings, own) if own else cli.github


def print_sheets(cli: Cli, pulls: Sequence[str], method: MergeMethod | None) -> None:
    """As JSON. Those that cannot be read are said on standard error."""
    desk = desk_of(cli)
    planned, left = entries(desk.merger, pulls, method)
    sheets: list[Sheet] = []
    for entry in planned:
        found = _read(entry, desk)
        if isinstance(found, Sheet):
            sheets.append(found)
        else:
            left.append(found)
    json_out([sheet.model_dump(mode="json") for sheet in sheets])
    for row in left:
        note(f"{row.name}: {row.why}")
    if pulls and left:
        raise click.exceptions.Exit(_LEFT if sheets else _UNFIT)


def _read(entry: Entry, desk: Desk) -> Sheet | ReviewRow:
    try:
        found = read(desk.merger, entry)
    except BrokerUnavailableError:
        raise
    except CwError as error:
        found = error.line()
    return review_row(entry.record, Act.SKIP).left(found) if isinstance(found, str) else found[1]


def decide(cli: Cli, order: Order, *, as_json: bool) -> None:
    desk = desk_of(cli)
    planned, left = entries(desk.merger, [order.pull], order.method)
    unfit = left[0] if left else _unfit(planned[0], order)
    row = unfit or _do(desk, planned[0], order)
    if row.done:
        note_down(cli, row)
    if as_json:
        json_out(row.model_dump(mode="json"))
    elif row.done:
        say(outcome_line(row))
    if not row.done:
        note(outcome_line(row))
        raise click.exceptions.Exit(_UNFIT if unfit else _LEFT)


def _unfit(entry: Entry, order: Order) -> ReviewRow | None:
    here = entry.record.head.startswith(order.head)
    why = refusal(entry.record) if order.act is Act.MERGE and here else ""
    return review_row(entry.record, order.act).left(why) if why else None


def _do(desk: Desk, entry: Entry, order: Order) -> ReviewRow:
    if not entry.record.head.startswith(order.head):
        return review_row(entry.record, order.act).left(MOVED)
    if order.act is Act.MERGE:
        return desk.merge(entry)
    if order.act is Act.APPROVE:
        return desk.approve(entry)
    if order.act is Act.CLOSE:
        return desk.close(entry)
    try:
        return desk.ask_for_changes(entry, order.text)
    except OwnPullError:
        return desk.ask_in_thread(entry, order.text)


def note_down(cli: Cli, row: ReviewRow) -> None:
    """In the audit log, as it could have been typed; without what was said."""
    facts = {"target": row.name, str(row.act): "yes", "head": row.head}
    more = {"method": row.how} if row.act is Act.MERGE else {}
    cli.audit.add("review", cli.whoami, **facts, **more, commit=row.commit)


def sit(cli: Cli, pulls: Sequence[str], method: MergeMethod | None, text: str) -> None:
    """One after the other at the terminal, and at the end what became of all."""
    desk = desk_of(cli)
    planned, left = entries(desk.merger, pulls, method)
    if not planned and not left:
        say("nothing is ready for you. What the others wait for: cw prs")
        return
    sitting = Sitting(
        desk=desk, environ=cli.environ, message=text, audit=lambda row: note_down(cli, row)
    )
    try:
        sitting.work(planned)
    finally:  # also for somebody who has enough
        click.echo()
        table(COLUMNS, outcome_cells([*sitting.rows, *_untouched(planned, sitting.rows), *left]))
    if not planned:
        raise click.exceptions.Exit(_UNFIT)
    if left or failed(sitting.rows):
        raise click.exceptions.Exit(_LEFT)


def _untouched(planned: Sequence[Entry], rows: Sequence[ReviewRow]) -> list[ReviewRow]:
    known = {row.name for row in rows}
    return [skipped(entry) for entry in planned if entry.record.name not in known]
