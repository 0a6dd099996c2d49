"""What examples/ has people copy and type is real."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cw.cli.main import COMMANDS
from cw.cli.views.config_schema import config_schema
from cw.settings import TABLE, Settings, load_settings
from tests.needs import require

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CONFIGS = sorted(EXAMPLES.glob("*/config.toml"))
PAGES = sorted(EXAMPLES.glob("*/README.md"))
COMPOSES = sorted(EXAMPLES.glob("*/*compose*.yml"))
SCREEN = 60  # lines


def in_folder(path: Path) -> str:
    return path.parent.name


def read_yaml(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        yaml = None
    require(yaml, "PyYAML")
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def _keys(data: dict[str, dict[str, object]]) -> list[tuple[str, str]]:
    return [(section, key) for section, inner in data.items() for key in inner]


def typed(page: Path) -> list[list[str]]:
    """The words of each line that is to be typed."""
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def test_there_are_three_of_them() -> None:
    assert {in_folder(one) for one in PAGES} == {"laptop", "vps", "two-hosts"}
    assert {in_folder(one) for one in CONFIGS} == {"laptop", "vps", "two-hosts"}


@pytest.mark.parametrize("path", CONFIGS, ids=in_folder)
def test_every_setting_is_read_as_it_was_meant(path: Path, tmp_path: Path) -> None:
    text = path.read_text("utf-8")
    by_dotted = {row.dotted: row.name for row in TABLE}
    given = {by_dotted[f"{section}.{key}"] for section, key in _keys(tomllib.loads(text))}
    Draft202012Validator(config_schema()).validate(tomllib.loads(text))
    copied = tmp_path / "config.toml"
    copied.write_text(text, "utf-8")

    settings, origin = load_settings({"CW_CONFIG": str(copied), "HOME": str(tmp_path)})

    assert {name for name, source in origin.items() if source == str(copied)} == given
    changed = [name for name in given if getattr(settings, name) != getattr(Settings(), name)]
    assert given - set(changed) <= {"model"}, "an example that changes nothing explains nothing"


def test_variables_of_containers_are_those_that_compose_reads() -> None:
    known = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    text = (EXAMPLES / "vps" / "env").read_text("utf-8")
    given = dict(re.findall(r"^([A-Z_]+)=(.+)$", text, re.MULTILINE))

    assert given.keys() <= set(known)
    settings = {name: value for name, value in given.items() if name.startswith("CW_ASSIGN")}
    found, _ = load_settings({"CW_CONFIG": "/nonexistent", **settings})
    assert found.assign_repos == ("acme/shop", "acme/site")


@pytest.mark.parametrize("path", COMPOSES, ids=lambda path: path.name)
def test_compose_file_names_services_and_files_that_are_there_or_made(path: Path) -> None:
    compose = read_yaml(path)
    page = (path.parent / "README.md").read_text("utf-8")

    if "override" in path.name:
        assert (
            compose["services"].keys() <= read_yaml(ROOT / "docker-compose.yml")["services"].keys()
        )
    for secret in compose.get("secrets", {}).values():
        assert Path(secret["file"]).name in page
    for service in compose["services"].values():
        mounted = [one.split(":")[0] for one in service["volumes"] if one.startswith("./")]
        assert all((path.parent / one).is_file() for one in mounted)


def test_what_the_override_mounts_is_what_agents_may_read() -> None:
    (mount,) = read_yaml(COMPOSES[-1])["services"]["workerhost"]["volumes"]
    config = tomllib.loads((EXAMPLES / "vps" / "config.toml").read_text("utf-8"))

    assert mount.split(":")[1:] == [*config["sandbox"]["read"], "ro"]


@pytest.mark.parametrize("page", PAGES, ids=in_folder)
def test_page_is_a_screen_and_types_commands_that_are(page: Path) -> None:
    words = typed(page)
    commands = [
        line[at + 1]
        for line in words
        for at, word in enumerate(line[:-1])
        if word in {"cw", "deploy/cw"}
        and (at == 0 or line[at - 1] in {"&&", "url"} or "=" in line[at - 1])
    ]

    assert len(page.read_text("utf-8").splitlines()) <= SCREEN
    assert commands
    assert set(commands) <= COMMANDS.keys()


@pytest.mark.parametrize("page", [EXAMPLES / "README.md", *PAGES], ids=in_folder)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)", page.read_text("utf-8"))

    assert [one for one in links if not (page.parent / one).exists()] == []
