"""What is drawn: the contracts of imports in pyproject.toml, and which programs `cw` starts."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layers:
    """Of one package: what stands higher may import what stands lower, never the other way round.
    Names without the package's own.
    """

    package: str
    rows: tuple[tuple[str, ...], ...]


def all_layers(root: Path) -> dict[str, Layers]:
    """By package."""
    found = (_layers(one) for one in _contracts(root) if one["type"] == "layers")
    return {one.package: one for one in found}


def other_rules(root: Path) -> list[str]:
    """The names of the contracts that are no layers."""
    return [str(one["name"]) for one in _contracts(root) if one["type"] != "layers"]


def started(root: Path) -> list[str]:
    """The programs of the host's side that `cw` names, to be started by `python -m`."""
    programs = {
        ".".join(path.parent.relative_to(root).parts)
        for path in (root / "workerhost").rglob("__main__.py")
    }
    named: set[str] = set()
    for path in (root / "cw").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named.update(str(one.value) for one in ast.walk(tree) if isinstance(one, ast.Constant))
    return sorted(programs & named)


def in_no_layer(root: Path) -> list[str]:
    """Modules and packages directly below `cw` that no layer names."""
    named = {one for row in all_layers(root)["cw"].rows for one in row}
    there = {
        path.stem
        for path in (root / "cw").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    return sorted(one for one in there - named if not one.startswith("__"))


def _contracts(root: Path) -> list[dict[str, object]]:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, object]] = project["tool"]["importlinter"]["contracts"]
    return found


def _layers(contract: dict[str, object]) -> Layers:
    raw, containers = contract["layers"], contract.get("containers")
    assert isinstance(raw, list)
    rows = [tuple(name.strip() for name in one.split("|")) for one in raw]
    if isinstance(containers, list):
        return Layers(str(containers[0]), tuple(rows))
    package = rows[0][0].partition(".")[0]
    return Layers(
        package, tuple(tuple(one.removeprefix(f"{package}.") for one in row) for row in rows)
    )
