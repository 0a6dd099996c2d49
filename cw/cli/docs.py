"""`python -m cw.cli.docs [FOLDER]` writes docs/commands.md, docs/settings.md and docs/schemas."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import click

from cw.cli.commands.config import settings_markdown
from cw.cli.main import group
from cw.cli.schemas import schemas

_HEAD = """# Commands

Made by `python -m cw.cli.docs` from the help texts; do not edit.
"""


def commands_markdown() -> str:
    """Built from the parameters, not from click's layout, which differs between its versions."""
    top = click.Context(group, info_name="cw")
    parts = [_HEAD, _paragraphs(group.help)]
    for name in group.list_commands(top):
        found = group.get_command(top, name)
        if found:
            ctx = click.Context(found, info_name=name, parent=top)
            parts.append(_section(found, ctx))
            if isinstance(found, click.Group):
                parts += [
                    _section(one, click.Context(one, info_name=inner, parent=ctx))
                    for inner, one in found.commands.items()
                ]
    return "\n".join(parts)


def _section(command: click.Command, ctx: click.Context) -> str:
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    lines = [f"## {ctx.command_path}", "", "```", usage, "```", "", _paragraphs(command.help)]
    options = [one for one in command.params if isinstance(one, click.Option)]
    options = [one for one in options if not one.hidden]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [_option(one) for one in options]
        lines.append("")
    return "\n".join(lines)


def _option(one: click.Option) -> str:
    metavar = "" if one.is_flag else f" {one.metavar or (one.name or '').upper()}"
    names = ", ".join(f"`{name}`" for name in one.opts)
    default = f" Default: {one.default}." if one.show_default else ""
    needed = " Required." if one.required else ""
    return f"| {names}{metavar} | {one.help or ''}{needed}{default} |"


def _paragraphs(text: str | None) -> str:
    return inspect.cleandoc(text or "").strip() + "\n"


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(commands_markdown(), encoding="utf-8")
    (folder / "settings.md").write_text(settings_markdown(), encoding="utf-8")
    (folder / "schemas").mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / "schemas" / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 2 or sys.argv[-1].startswith("-"):
        sys.exit("python -m cw.cli.docs [FOLDER]: writes commands, settings and schemas to docs")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
