"""What the docs say is what the program does, and no setting that is shown gives a secret away."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from cw.cli.docs import commands_markdown
from cw.cli.main import COMMANDS, group
from cw.cli.views.schemas import schemas
from cw.cli.views.settings import settings_markdown, shown
from cw.settings import TABLE

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = schemas()
AGAIN = "run: python -m cw.cli.docs"


def test_docs_of_the_commands_are_up_to_date() -> None:
    assert (DOCS / "commands.md").read_text("utf-8") == commands_markdown(), AGAIN


def test_docs_of_the_settings_are_up_to_date() -> None:
    assert (DOCS / "settings.md").read_text("utf-8") == settings_markdown(), AGAIN


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_up_to_date_and_schemas(name: str) -> None:
    made = json.loads(SCHEMAS[name])

    Draft202012Validator.check_schema(made)
    assert json.loads((DOCS / "schemas" / f"{name}.json").read_text("utf-8")) == made, AGAIN


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    command = group.get_command(click.Context(group), name)

    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


def options(within: click.Group = group) -> Iterator[tuple[str, click.Option]]:
    """Of all commands, those of their groups as well."""
    context = click.Context(within)
    for name in within.list_commands(context):
        command = within.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from options(command)
        for one in command.params:
            if isinstance(one, click.Option):
                yield name, one


def letters(*, hidden: bool) -> dict[str, set[str]]:
    """What each letter stands for in some command."""
    found: dict[str, set[str]] = {}
    for _, option in options():
        for name in option.opts:
            if len(name) == 2 and option.hidden is hidden:
                found.setdefault(name, set()).add(max(option.opts, key=len))
    return found


def test_a_letter_means_the_same_in_every_command() -> None:
    assert letters(hidden=False) == {
        "-F": {"--follow"},
        "-d": {"--detach"},
        "-f": {"--force"},
        "-i": {"--issue"},
        "-m": {"--model"},
        "-n": {"--limit"},
        "-p": {"--prompt"},
        "-r": {"--repo"},
        "-t": {"--tag"},
        "-w": {"--worker"},
    }
    assert letters(hidden=True) == {"-f": {"-f"}}  # read by two commands for one more version


def test_what_has_a_letter_has_it_in_every_command() -> None:
    with_letter = {max(one.opts, key=len) for _, one in options() if min(map(len, one.opts)) == 2}

    without = [
        (name, one.opts)
        for name, one in options()
        if min(map(len, one.opts)) > 2 and max(one.opts, key=len) in with_letter
    ]

    assert without == []


def test_value_that_config_shows_can_be_typed_again() -> None:
    lists = {
        "allowed_domains": ("*.com", "*.io"),
        "assign_priority_labels": ("good first issue", "P1"),
        "host_tags": ("gpu", "big"),
        "sandbox_read": (Path("/opt/a b"), Path("/opt/c")),
    }
    read = {row.name: row.read for row in TABLE}

    assert {name: read[name](shown(name, value)) for name, value in lists.items()} == lists


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", ""),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("unix://:pw@/run/x?db=0", "unix://********@/run/x?********"),
        ("pw@h", "********"),
        ("redis://[", "********"),
    ],
)
def test_address_of_the_broker_is_shown_without_what_could_be_a_password(
    url: str, text: str
) -> None:
    assert shown("broker_url", url) == text
