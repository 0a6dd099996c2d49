"""What version 0.1.0 signs and how, written down here a second time: texts are signed anew when
they are restored, and a version that reads signatures another way finds them bad.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

# Of a record what has no default is always signed; of the rest what is none.
_ALWAYS = frozenset({"id", "repo", "repo_url", "repo_folder", "github", "model", "created_at"})
_DEFAULTS: tuple[object, ...] = ("", 0, None, {}, "free")


def of_record(key: str, spec: dict[str, Any]) -> str:
    rest = {name: value for name, value in spec.items() if name != "signature"}
    given = {
        name: value for name, value in rest.items() if name in _ALWAYS or value not in _DEFAULTS
    }
    return _mac(key, "task", given)


def of_message(key: str, message: dict[str, Any]) -> str:
    whole = json.loads(json.dumps(message))
    del whole["headers"]["cw"]["mac"]
    whole["properties"]["delivery_info"].pop("redelivered", None)
    return _mac(key, "message", whole)


def sealed(key: str, kind: str, data: Any) -> str:
    return json.dumps({"data": data, "mac": _mac(key, kind, data)})


def chained(lines: list[str]) -> list[str]:
    """An audit file's, each with the hash of the one before."""
    before, rows = "0" * 64, []
    for line in lines:
        row = json.loads(line) | {"before": before}
        del row["hash"]
        text = json.dumps(row, sort_keys=True, separators=(",", ":"))
        before = hashlib.sha256(text.encode()).hexdigest()
        rows.append(json.dumps(row | {"hash": before}))
    return rows


def prompt_sha256(prompt: str) -> str:
    return hashlib.sha256(prompt.encode()).hexdigest()


def _mac(key: str, kind: str, data: Any) -> str:
    text = json.dumps([kind, data], sort_keys=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
