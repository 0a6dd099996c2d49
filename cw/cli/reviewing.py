"""A person works off pull requests at a terminal, one by one, with one key each."""

from __future__ import annotations

import shutil
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from cw.cli.composing import Draft, compose
from cw.cli.keys import read_key, yes
from cw.cli.views.paging import page
from cw.cli.views.render import note, say
from cw.cli.views.sheets import outcome_line, sheet_text, summary
from cw.errors import BrokerUnavailableError, CwError
from cw.forges.reviewing import OwnPullError
from cw.operations.pulls.review_plan import Entry, read
from cw.operations.views.reviews import Act, ReviewRow, Sheet, review_row

if TYPE_CHECKING:
    from cw.operations.pulls.review import Desk

_KEYS = {
    "d": ("diff", "all of it again: what it is for, and the diff"),
    "a": ("approve", "a review that approves this head"),
    "m": ("merge", "as cw merge does: refused when it is not ready, or its head moved"),
    "c": ("changes", "ask for changes: your editor opens, and your text becomes a review"),
    "x": ("close", "without merging it; asks once"),
    "o": ("open", "in a browser"),
    "s": ("skip", "leave it as it is, and go on"),
    "q": ("quit", "leave this and all others as they are"),
    "?": ("", "this"),
}
_QUITS = frozenset({"q", ""})  # and when the terminal is gone
_OWN = (
    "GitHub lets nobody ask for changes at their own pull request, and this token's account opened"
    " it. Start a thread about its first file instead, which counts as such until it is resolved?"
)
_SAY = "What has to change in {}? This line is taken out; without a text nothing is sent."


@dataclass(kw_only=True)
class Sitting:
    """`message`: what is asked for where that is the same each time. `audit`: called with what was
    done. `rows`: what became of what, so far.
    """

    desk: Desk
    environ: Mapping[str, str]
    message: str
    audit: Callable[[ReviewRow], None]
    rows: list[ReviewRow] = field(default_factory=list)

    def work(self, entries: Sequence[Entry]) -> None:
        """Until all are through, or somebody quits. Raises BrokerUnavailableError, and
        KeyboardInterrupt.
        """
        for at, entry in enumerate(entries):
            if at:
                click.echo()
            if not self._one(entry, f"{at + 1} of {len(entries)}"):
                return

    def _one(self, entry: Entry, place: str) -> bool:
        """Whether to go on with the next one."""
        key = "d"
        while key == "d":  # anew, as somebody may have pushed since
            found = self._read(entry)
            if isinstance(found, str):
                self._note(review_row(entry.record, Act.SKIP).left(found))
                return True
            entry, sheet = found
            page(sheet_text(sheet, self.desk.merger.ways.store.tasks.now(), place))
            key = self._keys(entry, sheet)
        return key not in _QUITS

    def _read(self, entry: Entry) -> tuple[Entry, Sheet] | str:
        try:
            return read(self.desk.merger, entry)
        except BrokerUnavailableError:
            raise
        except CwError as error:
            return error.line()

    def _keys(self, entry: Entry, sheet: Sheet) -> str:
        """The key that ended it: to see it again, to quit, or what was done."""
        while True:
            key = self._ask(sheet)
            if key == "d" or key in _QUITS:
                return key
            if key == "o":
                _open(sheet.pull.url)
            elif key == "?":
                _help(sheet)
            elif self._do(key, entry):
                return key

    def _ask(self, sheet: Sheet) -> str:
        """A key that means something."""
        click.echo()
        click.secho(summary(sheet), bold=True)
        while True:
            key = read_key(_line())
            if not key or key in _KEYS:
                click.echo(_KEYS[key][0] if key else "quit")
                return key
            click.echo(f"{key!r} is no key here")

    def _do(self, key: str, entry: Entry) -> bool:
        """Whether that was all for this one."""
        if key == "s":
            self.rows.append(skipped(entry))
            return True
        row = self._done(key, entry)
        if row:
            self._note(row)
        return bool(row and row.done and row.act is not Act.APPROVE)  # what is approved is merged

    def _done(self, key: str, entry: Entry) -> ReviewRow | None:
        """None: somebody thought better of it."""
        if key == "m":
            return self.desk.merge(entry)
        if key == "a":
            return self.desk.approve(entry)
        if key == "x":
            sure = yes(f"Close {entry.record.name} without merging it?", default=False)
            return self.desk.close(entry) if sure else None
        try:
            return self._changes(entry)
        except BrokerUnavailableError:
            raise
        except CwError as error:
            note(error.line())
            return None

    def _changes(self, entry: Entry) -> ReviewRow | None:
        name = entry.record.name
        draft = Draft(self.message) if self.message else compose(self.environ, _SAY.format(name))
        if draft is None:
            say("no text, so nothing is sent")
            return None
        row = None
        try:
            row = self.desk.ask_for_changes(entry, draft.text)
        except OwnPullError:
            if yes(_OWN, default=True):
                row = self.desk.ask_in_thread(entry, draft.text)
        finally:
            if row and row.done:
                draft.sent()
            else:
                draft.kept()
        return row

    def _note(self, row: ReviewRow) -> None:
        self.rows.append(row)
        if row.done:
            self.audit(row)
            click.secho(outcome_line(row), fg="green")
        else:
            note(outcome_line(row))


def skipped(entry: Entry) -> ReviewRow:
    """Left as it was."""
    row = review_row(entry.record, Act.SKIP)
    return row.model_copy(update={"next": f"cw review {row.name}"})


def _line() -> str:
    """The keys on one line."""
    words = "  ".join(f"{key} {word}".strip() for key, (word, _) in _KEYS.items())
    fits = len(words) + 2 < shutil.get_terminal_size().columns
    return f"{words if fits else ' '.join(_KEYS)}: "


def _help(sheet: Sheet) -> None:
    for key, (_, meaning) in _KEYS.items():
        how = f" ({sheet.method})" if key == "m" else ""
        click.echo(f"  {key}  {meaning}{how}")


def _open(url: str) -> None:
    """Where there is no browser, as over SSH, its address has to do."""
    opened = False
    try:
        opened = webbrowser.open(url)
    except (webbrowser.Error, OSError):
        opened = False
    sys.stdout.flush()
    say(url if opened else f"there is no browser here; it is at {url}")
