"""Each reason that the evidence of a run can give is explained where people look for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from workerhost.runs.recording import HOST_DIED, INTERRUPTED
from workerhost.settling import breaches, verdict

DOCS = Path(__file__).parents[2] / "docs" / "outcomes.md"
GIVING = {"_failed", "_later", "Breach"}  # called with the reason first


def given(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            reason = node.args[0] if node.func.id in GIVING and node.args else None
            if isinstance(reason, ast.Constant):
                yield str(reason.value)


def test_every_reason_is_explained() -> None:
    reasons = {one for module in (verdict, breaches) for one in given(Path(str(module.__file__)))}
    reasons |= {*verdict._LIMITS, *verdict._PERSON, HOST_DIED, INTERRUPTED}

    explained = set(re.findall(r"`([a-z_]+)`", DOCS.read_text("utf-8")))

    assert len(reasons) > 20
    assert reasons - explained == set()
