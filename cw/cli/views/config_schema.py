"""The JSON Schema of config.toml, for editors that check and complete TOML."""

from __future__ import annotations

from dataclasses import MISSING
from itertools import groupby
from typing import Any

from cw import values
from cw.sections.setting import SECTIONS, Setting, in_toml
from cw.settings import TABLE

_TEXTS = {"type": ["array", "string"], "items": {"type": "string"}}
_KINDS: dict[Any, dict[str, Any]] = {
    values.amount: {"type": "number", "minimum": 0},
    values.count: {"type": "integer", "minimum": 0},
    values.switch: {"type": "boolean"},
    values.url: {"type": "string", "pattern": "^https?://"},
}


def config_schema() -> dict[str, Any]:
    """The same on every machine. The names of before there were sections are none of it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config.toml of cw",
        "description": "What cw config changes and shows.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            section: {
                "description": SECTIONS[section],
                "type": "object",
                "additionalProperties": False,
                "properties": {row.key: _property(row) for row in rows},
            }
            for section, rows in groupby(TABLE, key=lambda row: row.section)
        },
    }


def _property(row: Setting) -> dict[str, Any]:
    kind = {"enum": list(row.words)} if row.words else _KINDS.get(row.read, {"type": "string"})
    found = {"description": row.doc, **(_TEXTS if row.many else kind)}
    differs = row.field.default_factory is not MISSING or row.default is None  # by machine
    return found if differs else {**found, "default": in_toml(row.default)}
