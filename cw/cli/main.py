"""`cw`: finds the command, runs it, and turns what goes wrong into one line."""

from __future__ import annotations

import io
import os
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cw import __version__
from cw.cli.arguments.repeated import refuse_repeated
from cw.cli.quiet import hush
from cw.cli.views.render import one_line
from cw.errors import BrokerUnavailableError, CwError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Short help stands here so that `cw --help` loads no command.
COMMANDS = {
    "up": "Start what this machine needs: broker, host, Flower.",
    "down": "Stop what `cw up` started here.",
    "init": "Make workers: each a HOME with its own settings and tokens.",
    "dispatch": "Give work to a worker, or to whichever is free.",
    "assign": "Give open issues to idle workers.",
    "reconcile": "Make labels, tasks and issues agree again.",
    "status": "What every worker does, and what waits and why.",
    "queue": "What waits, where and why.",
    "watch": "Follow one worker or task live, from any machine.",
    "inspect": "The last lines of what an agent said and did.",
    "todos": "What agents plan to do, and how far they are.",
    "show": "Everything about one task.",
    "diff": "What a worker has changed so far.",
    "logs": "Read what an agent said and did.",
    "outbox": "What GitHub or a receiver of notices did not take.",
    "notify": "Try whether notices arrive.",
    "history": "Finished tasks, newest first.",
    "cost": "What agents have cost, by worker, repository, day and more.",
    "prs": "Pull requests of tasks, until they are merged.",
    "review": "Read pull requests of tasks and decide on them, one by one.",
    "merge": "Merge pull requests of tasks that are ready.",
    "stats": "How tasks went: success, time, runs and dollars, by repository, model and more.",
    "seen": "Take failed tasks and questions off cw status.",
    "stop": "End runs now; their tasks stay for restart or reset.",
    "restart": "Let a stopped, crashed or held task go on.",
    "reset": "End a worker's task without success; the worker is free again.",
    "cancel": "Take back tasks that wait, are held, stopped or crashed.",
    "pause": "Workers finish what they run and take nothing new.",
    "resume": "Paused workers take work again.",
    "drain": "Let workers come to rest.",
    "refresh": "Give workers the templates and this shell's tokens again.",
    "remove": "Take a worker out of the fleet; nothing it did is deleted.",
    "accounts": "The accounts agents work on, and why one waits.",
    "hosts": "The machines of the fleet.",
    "host": "This machine joins a fleet or leaves it; a lost one is forgotten.",
    "update": "Get a newer cw, and give it to everything here.",
    "audit": "What was done in somebody's name on this machine.",
    "doctor": "Check this machine and say how to get what is missing.",
    "config": "Settings: shown with where each came from, and changed.",
    "completion": "What lets a shell complete commands and ids.",
}

_SAME = dict.fromkeys(("ls", "list", "ps"), "status")
_ALIKE = 4  # letters that two commands begin with: either may be meant
_EXIT_INTERRUPTED = 130  # as shells count: 128 + SIGINT
_EXIT_PIPE = 141  # 128 + SIGPIPE


class LazyGroup(click.Group):
    """Loads the module of a command when it is called, and none for help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's face
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"cw.cli.commands.{cmd_name}").command
        if not isinstance(found, click.Command):
            raise TypeError(cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        args = _as_meant(args)
        found = self.get_command(ctx, args[0])
        if found is None and ctx.resilient_parsing:  # a shell asks; nothing is wrong yet
            return None, None, args
        if found is None:
            ctx.fail(f"there is no command {args[0]!r}{_nearest(args[0])}")
        if not ctx.resilient_parsing:
            refuse_repeated(found, ctx, args[1:])
        return args[0], found, args[1:]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """From the table, as the help: a shell waits for it."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="cw %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Run many autonomous Claude Code agents on git repositories, one issue each.

    Exit status: 0 done, 1 failed, 2 what was typed or set cannot be used, 3 somebody already has
    the issue, 4 the broker or GitHub is away. Errors are one line on standard error.
    """
    if os.environ.get("NO_COLOR"):  # https://no-color.org: set, and not empty
        ctx.color = False
    if ctx.invoked_subcommand is None:
        from cw.cli.views.greeting import greet

        greet()
        click.echo(ctx.get_help())


def main() -> int:
    """The entry point. Returns the exit status and shows no traceback, ever."""
    hush()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # agents say things no terminal can show
    try:
        code = _run(sys.argv[1:])
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has enough. Python would complain about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_PIPE
    return code


def _run(args: list[str]) -> int:
    args = [f"--{args[0]}"] if args in (["help"], ["version"]) else args
    try:
        if "_CW_COMPLETE" in os.environ:  # a shell asks what could be typed next
            group.main(args, prog_name="cw")
        with group.make_context("cw", args) as ctx:
            group.invoke(ctx)
    except BrokerUnavailableError as error:
        return _fail(_why_away(error), error.exit_code)
    except CwError as error:
        return _fail(error.line(), error.exit_code)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else _command(args)
        return _fail(f"{error.format_message().rstrip('.?')}. See: {where} --help", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  the outermost loop
        return _fail(_unexpected(error), 1)
    return 0


def _why_away(error: BrokerUnavailableError) -> str:
    """With what this machine's own broker said, if it has one that does not run."""
    from cw.services import trouble
    from cw.settings import load_settings

    settings, _ = load_settings(os.environ)
    why = "" if settings.broker_url else trouble.read(settings).get("broker", "")
    if not why:
        return error.line()
    return f"{error.message}: {why}" if "cw up" in why else f"{error.message}: {why}. {error.hint}"


def _as_meant(args: list[str]) -> list[str]:
    """What people type who know other programs."""
    first, *rest = args
    if first == "help":  # of a command; alone it is an option, see `_run`
        return [*rest, "--help"]
    return [_SAME.get(first, first), *rest]


def _command(args: list[str]) -> str:
    """What was typed, when click's parser of options does not say it."""
    return f"cw {args[0]}" if args and args[0] in COMMANDS else "cw"


def _fail(text: str, code: int) -> int:
    click.echo(f"cw: {one_line(text)}", err=True)
    return code


def _unexpected(error: Exception) -> str:
    """Only the kind of error is shown: its text may carry a password."""
    try:
        where = f"the details are in {_keep(error)}"
    except (OSError, CwError):
        where = "the details could not be written to CW_STATE_DIR"
    return f"unexpected {type(error).__name__}; {where}"


def _keep(error: Exception) -> Path:
    """Write the traceback to a private file."""
    from cw.settings import load_settings

    settings, _ = load_settings(os.environ)
    folder = settings.state_dir / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(traceback.format_exception(error)))
    return path


def _nearest(typed: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(typed, COMMANDS, n=2, cutoff=0.5)
    near = near[: 1 + (len(near) > 1 and near[0][:_ALIKE] == near[1][:_ALIKE])]
    return f". Did you mean: {' or '.join(f'cw {one}' for one in near)}" if near else ""


if __name__ == "__main__":
    sys.exit(main())
