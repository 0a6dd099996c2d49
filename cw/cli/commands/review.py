"""`cw review`: read pull requests of tasks and decide on them, one after the other."""

from __future__ import annotations

import re
import sys

import click

from cw.cli.arguments.completion import complete_pulls
from cw.cli.arguments.params import json_option
from cw.cli.arguments.prompt import ASK_STDIN
from cw.cli.context import Cli, with_cli
from cw.errors import BadInputError

_METHODS = ["squash", "merge", "rebase"]
_SHA = re.compile(r"[0-9a-f]{7,64}")
_OTHERS = (
    "For programs: cw review --json, and cw review PR with --approve, --merge, --close or"
    " --changes TEXT"
)


@click.command()
@click.argument("pulls", metavar="[PR]...", nargs=-1, shell_complete=complete_pulls)
@click.option("--approve", is_flag=True, help="Approve the one that is named, and ask nothing.")
@click.option("--merge", "merges", is_flag=True, help="Merge it.")
@click.option("--close", is_flag=True, help="Close it without merging it.")
@click.option("--changes", metavar="TEXT", help="Ask for changes; `-` reads standard input.")
@click.option("--head", metavar="SHA", help="Only if this is its head.")
@click.option("--method", type=click.Choice(_METHODS), help="Not the repository's preferred one.")
@click.option("--ask", is_flag=True, help="Have other workers read them first, and only that.")
@click.option("--message", metavar="TEXT", help="What the key c sends, instead of an editor's.")
@json_option
@with_cli
def command(  # noqa: PLR0913  each is an option
    cli: Cli,
    *,
    pulls: tuple[str, ...],
    approve: bool,
    merges: bool,
    close: bool,
    changes: str | None,
    head: str | None,
    method: str | None,
    ask: bool,
    message: str | None,
    as_json: bool,
) -> None:
    """Read pull requests of tasks and decide on them, one after the other, with one key each.

    Without PR all that wait for a person's look, those first that conflict least. PR is
    owner/repo#12, its URL, or its number where no other repository has it. What they are for, what
    the agent said, checks, costs and the diff are shown in your pager; then d, a, m, c, x, o, s and
    q show the diff again, approve, merge, ask for changes, close, open a browser, skip and quit.
    All of it is done in your name (GH_TOKEN, else cw's token), and refused when the head is not the
    one that was shown.

    --ask has a worker that did not write it read each against its issue, as a task that changes
    nothing; what it says stands above the diff then. --json prints what there is to review, with
    the diffs, and does nothing. Exit status 1: what was wanted was not done; 2: it could not be, as
    it is now.
    """
    from cw.cli.asking import ask_workers
    from cw.cli.deciding import Order, decide, print_sheets, sit
    from cw.cli.keys import at_terminal
    from cw.forges.pulls import MergeMethod
    from cw.operations.views.reviews import Act

    acts = {"--approve": approve, "--merge": merges, "--close": close, "--changes": changes}
    wanted = [name for name, given in acts.items() if given not in {False, None}]
    if ask and (wanted or head or method or message):
        raise BadInputError("--ask goes with nothing but pull requests")
    _check(wanted, pulls, head, method, message)
    text = _text(changes if changes is not None else message)
    chosen = MergeMethod(method) if method else None
    if ask:
        ask_workers(cli, pulls, as_json=as_json)
    elif wanted:
        act = Act(wanted[0].removeprefix("--"))
        order = Order(pull=pulls[0], act=act, head=head or "", method=chosen, text=text)
        decide(cli, order, as_json=as_json)
    elif as_json:
        print_sheets(cli, pulls, chosen)
    elif at_terminal():
        sit(cli, pulls, chosen, text)
    else:
        raise BadInputError("cw review reads keys from a terminal, and there is none", hint=_OTHERS)


def _check(
    wanted: list[str],
    pulls: tuple[str, ...],
    head: str | None,
    method: str | None,
    message: str | None,
) -> None:
    """Raises BadInputError for what does not go together."""
    if len(wanted) > 1:
        raise BadInputError(f"{' and '.join(wanted)} were both given", hint="Give one of them")
    if wanted and len(pulls) != 1:
        raise BadInputError(f"{wanted[0]} wants one pull request", hint="For example: acme/app#12")
    if head is not None and not wanted:
        raise BadInputError("--head goes with --approve, --merge, --close or --changes")
    if head is not None and not _SHA.fullmatch(head):
        raise BadInputError(f"{head!r} is no commit", hint="Give its SHA, of 7 characters or more")
    if method and wanted not in ([], ["--merge"]):
        raise BadInputError(f"--method does not go with {wanted[0]}")
    if message is not None and wanted:
        raise BadInputError(f"--message does not go with {wanted[0]}")


def _text(given: str | None) -> str:
    """Raises BadInputError for one that cannot be sent."""
    from cw.cli.composing import LONGEST, fitting

    if given is None:
        return ""
    if given != ASK_STDIN:
        return fitting(given)
    raw = sys.stdin.buffer.read(4 * LONGEST + 1) if sys.stdin else b""
    return fitting(raw.decode("utf-8", "replace"))
