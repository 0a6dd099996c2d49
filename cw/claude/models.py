"""Which models claude is asked for, by word or by name."""

from __future__ import annotations

import re

from cw.errors import BadInputError

MODEL_WORDS = ("sonnet", "opus", "haiku", "sonnet[1m]", "opus[1m]")
_MODEL = re.compile(r"(?:[a-z]{2}\.)?(?:anthropic\.)?claude-[a-z0-9][a-z0-9.-]{1,60}(?:\[1m\])?")


def model_name(text: str) -> str:
    """A model word or a full model name. Raises BadInputError."""
    if text in MODEL_WORDS or _MODEL.fullmatch(text):
        return text
    raise BadInputError(
        f"{text!r} is not a model",
        hint=f"Use {', '.join(MODEL_WORDS)} or a full name such as claude-sonnet-5",
    )
