"""What a line of claude's stream says of its work, and what its tools are for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cw.claude.events import MALFORMED, blocks, point
from workerhost.programs.acts import Act, Answer, Call

_ASIDE = frozenset({"description", "timeout"})  # of a call, that make no other one of it
_CHARS = 2000  # of a command
_WAITING = frozenset({"BashOutput", "Monitor", "ScheduleWakeup", "Sleep", "TaskOutput"})
_LOOKING = frozenset(
    {
        "Glob",
        "Grep",
        "LS",
        "NotebookRead",
        "Read",
        "Skill",
        "TaskCreate",
        "TaskGet",
        "TaskList",
        "TaskUpdate",
        "TodoWrite",
        "ToolSearch",
        "WebFetch",
        "WebSearch",
        *_WAITING,
    }
)
_WAITS = re.compile(r"\b(sleep|wait|watch|until|while|gh\s+pr\s+checks|gh\s+run\s+\w+)\b")
_LOOKS = re.compile(
    r"(\[|#|awk|basename|cat|cd|column|cut|date|df|diff|dirname|du|echo|false|file|grep|egrep"
    r"|fgrep|head|hexdump|id|jq|less|ls|nl|od|printenv|printf|ps|pwd|readlink|realpath|rg|sort|stat"
    r"|sed\s+-n|tail|test|tr|tree|true|type|uniq|wc|whereis|which|whoami|xxd"
    r"|find(?!.*\s-(delete|exec|ok|fprint))"
    r"|git(\s+-C\s+\S+|\s+--no-pager)*\s+(blame|cat-file|describe|diff|grep|log|ls-files|ls-tree"
    r"|reflog|rev-list|rev-parse|shortlog|show|status)"
    r"|gh\s+\w+\s+(checks|diff|list|status|view))(\s|$)"
)
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_TO_NOWHERE = re.compile(r"[0-9&]?>+\s*(/dev/null|&[0-9])")
_BETWEEN = re.compile(r"[|;&\n]+")


def acts(data: dict[str, Any]) -> Sequence[Act]:
    """Of a line that was read. Of one that is not as claude writes it: none."""
    try:
        if data.get("type") == "assistant":
            return list(_calls(data))
        return list(_answers(data)) if data.get("type") == "user" else ()
    except (*MALFORMED, RecursionError):
        return ()


def _calls(data: dict[str, Any]) -> Iterator[Call]:
    for block in blocks(data):
        if block.get("type") != "tool_use":
            continue
        name, given = str(block.get("name", "?")), block.get("input") or {}
        command = str(given.get("command", "")) if name == "Bash" else ""
        about = point(given)
        yield Call(
            id=str(block.get("id")),
            turn=str(data["message"].get("id")),
            thread=str(data.get("parent_tool_use_id") or ""),
            key=hash((name, _key({key: given[key] for key in given if key not in _ASIDE}))),
            said=f"{name}: {about}" if about else name,
            waits=_waits(name, given, command),
            changes=not _looks(command) if command else name not in _LOOKING,
            whole=not command,
        )


def _answers(data: dict[str, Any]) -> Iterator[Answer]:
    for block in blocks(data):
        if block.get("type") == "tool_result":
            failed, text = bool(block.get("is_error")), _text(block.get("content"))
            yield Answer(id=str(block.get("tool_use_id")), text=text, failed=failed)


def _key(value: Any) -> int:
    if isinstance(value, dict):
        return hash(frozenset((key, _key(one)) for key, one in value.items()))
    return hash(tuple(map(_key, value))) if isinstance(value, list) else hash(value)


def _text(content: Any) -> str:
    """A picture stands for itself."""
    if not isinstance(content, list):
        return str(content or "")
    return " ".join(
        str(one["text"]) if isinstance(one, dict) and "text" in one else f"[{_key(one)}]"
        for one in content
    )


def _waits(name: str, given: dict[str, Any], command: str) -> bool:
    if command:
        return _WAITS.search(command[:_CHARS]) is not None
    return name in _WAITING and given.get("block") is not False


def _looks(command: str) -> bool:
    """Whether each of its programs only reads, for all that is known of them."""
    if len(command) > _CHARS or not _LOOKS.match(command) or "$(" in command or "`" in command:
        return False
    bare = _TO_NOWHERE.sub("", _QUOTED.sub("Q", command))
    parts = [part.strip() for part in _BETWEEN.split(bare)]
    return ">" not in bare and all(_LOOKS.match(part) for part in parts if part)
