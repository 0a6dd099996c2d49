"""`python -m cw.cli.docs [FOLDER]` writes docs/commands.md, docs/settings.md, docs/schemas and
the table of reasons in docs/outcomes.md.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import click

from cw.cli.main import group
from cw.cli.views.schemas import schemas
from cw.cli.views.settings import settings_markdown
from cw.reasons import RULES, Blame, Label, Reason, Rule
from cw.states import OutcomeKind

_HEAD = """# Commands

Made by `python -m cw.cli.docs` from the help texts; do not edit.
"""
_BEGIN, _END = "<!-- made by python -m cw.cli.docs -->", "<!-- end -->"


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
                    _section(nested, click.Context(nested, info_name=inner, parent=ctx))
                    for inner, nested in found.commands.items()
                ]
    return "\n".join(parts)


def _section(command: click.Command, ctx: click.Context) -> str:
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    lines = [f"## {ctx.command_path}", "", "```", usage, "```", "", _paragraphs(command.help)]
    options = [option for option in command.params if isinstance(option, click.Option)]
    options = [option for option in options if not option.hidden]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [_option(option) for option in options]
        lines.append("")
    return "\n".join(lines)


def _option(option: click.Option) -> str:
    metavar = "" if option.is_flag else f" {option.metavar or (option.name or '').upper()}"
    names = ", ".join(f"`{name}`" for name in option.opts)
    default = f" Default: {option.default}." if option.show_default else ""
    needed = " Required." if option.required else ""
    return f"| {names}{metavar} | {option.help or ''}{needed}{default} |"


def _paragraphs(text: str | None) -> str:
    return inspect.cleandoc(text or "").strip() + "\n"


def reasons_markdown() -> str:
    """What follows from each reason, for docs/outcomes.md."""
    head = [
        "| reason | kind | label `worker:NN` | charged | goes on | type | may be to blame |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_reason(reason, RULES[reason]) for reason in Reason)])


def _reason(reason: Reason, rule: Rule) -> str:
    goes_on = "when a person acts" if rule.person else "by itself"
    if rule.kind is OutcomeKind.SUCCEEDED or (rule.label is Label.OFF and not rule.person):
        goes_on = "is over"
    typed = f"`{rule.next}`" if rule.next else ""
    blame = "" if rule.blame is Blame.TASK else rule.blame
    cells = (f"`{reason}`", rule.kind, rule.label, rule.charge, goes_on, typed, blame)
    return f"| {' | '.join(cells)} |"


def with_reasons(text: str) -> str:
    """docs/outcomes.md with the table between its marks made anew."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{reasons_markdown()}\n{_END}{after}"


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(commands_markdown(), encoding="utf-8")
    (folder / "settings.md").write_text(settings_markdown(), encoding="utf-8")
    outcomes = folder / "outcomes.md"
    if outcomes.exists():
        outcomes.write_text(with_reasons(outcomes.read_text("utf-8")), encoding="utf-8")
    (folder / "schemas").mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / "schemas" / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 2 or sys.argv[-1].startswith("-"):
        sys.exit("python -m cw.cli.docs [FOLDER]: writes commands, settings and schemas to docs")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
