"""`cw completion`: the script that lets a shell complete what is typed."""

from __future__ import annotations

import click

_VARIABLE = "_CW_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what lets bash, zsh or fish complete cw's commands, options and ids.

    bash: put `eval "$(cw completion bash)"` into ~/.bashrc. zsh: `eval "$(cw completion zsh)"` into
    ~/.zshrc, after compinit. fish: cw completion fish > ~/.config/fish/completions/cw.fish. Ids of
    workers and tasks and repositories are asked of the broker, for half a second at most.
    """
    from click.shell_completion import get_completion_class

    from cw.cli.main import group

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(made(group, {}, "cw", _VARIABLE).source())
