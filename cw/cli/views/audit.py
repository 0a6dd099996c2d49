"""A line of the audit file as a sentence. Lines that older versions wrote are read as well."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from cw.audit import Entry
from cw.cli.views.render import money

_LEAST_SHOWN = 12  # characters of a hash that tell it from others
_IDS = ("ids", "target", "tasks", "worker", "workers")  # arguments, whose names nobody types

_NO = frozenset({"", "no"})


def words(entry: Entry) -> str:
    """Who did what."""
    known = {"dispatched": _dispatched, "started": _started, "ended": _ended}.get(entry.what)
    facts = {name: _plain(value) for name, value in entry.facts.items()}
    return f"{entry.by} {known(facts) if known else _command(entry.what, facts)}"


def _dispatched(facts: Mapping[str, str]) -> str:
    to = f"worker {facts['worker']}" if facts.get("worker") else "the first free worker"
    return f"dispatched {_what(facts)} to {to}{_with(facts)}"


def _started(facts: Mapping[str, str]) -> str:
    stands = f"; {facts['approved_by']} stands for the issue" if facts.get("approved_by") else ""
    walls = f", walls: {facts['isolation']}" if facts.get("isolation") else ""
    return f"has {_what(facts)} run{_on(facts)}{_with(facts)}{walls}{stands}"


def _ended(facts: Mapping[str, str]) -> str:
    parts = [f"{facts.get('outcome', 'ended')} ({facts.get('reason', 'unknown')})"]
    if facts.get("commits", "0") != "0":
        pushed = "pushed" if facts.get("pushed") == "yes" else "not pushed"
        parts.append(
            f"{facts['commits']} commits on {facts.get('branch') or 'no branch'}, {pushed}"
        )
    parts += [facts["pr"]] if facts.get("pr") else []
    parts += [money(float(facts["cost_usd"]))] if _is_number(facts.get("cost_usd", "")) else []
    if facts.get("recorded") == "no":
        parts.append("not recorded: somebody else had the task")
    return f"had {_what(facts)} run{_on(facts)}, which ended: {'; '.join(parts)}"


def _command(what: str, facts: Mapping[str, str]) -> str:
    ids = [facts[name] for name in _IDS if facts.get(name)]
    rest = {name: value for name, value in facts.items() if value not in _NO and name not in _IDS}
    failed = f", which failed ({rest.pop('error')})" if "error" in rest else ""
    options = [_option(name, value) for name, value in rest.items()]
    return f"typed: {' '.join(('cw', what, *ids, *options))}{failed}"


def _option(name: str, value: str) -> str:
    flag = {"everyone": "all", "everything": "all", "with_git": "git", "text": "note"}.get(
        name, name
    )
    flag = f"--{flag.replace('_', '-')}"
    return flag if value == "yes" else f"{flag} {value}"


def _what(facts: Mapping[str, str]) -> str:
    task = f"task {facts.get('task', 'unknown')}"
    return f"{facts['issue']} ({task})" if facts.get("issue") else task


def _on(facts: Mapping[str, str]) -> str:
    attempt = f", attempt {facts['attempt']}" if facts.get("attempt") else ""
    return f" on worker {facts.get('worker') or 'unknown'}{attempt}"


def _with(facts: Mapping[str, str]) -> str:
    prompt = facts.get("prompt_sha256", "")
    said = f", prompt {prompt[:_LEAST_SHOWN]}" if prompt else ""
    return f", model {facts['model']}{said}" if facts.get("model") else said


def _plain(value: Any) -> str:
    """Without Python's own writing, which lines of before have."""
    if isinstance(value, str) and value.startswith(("(", "[")):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return str(value)
    if value is None or value == "None":
        return ""
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return {"True": "yes", "False": "no"}.get(str(value), str(value))


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
