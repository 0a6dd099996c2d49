"""Nothing secret leaves HOME: known values and known shapes are blotted out."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{20,}"
    r"|sk-ant-[A-Za-z0-9_-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY|PRIVATE", re.IGNORECASE)
_SHORTEST = 8  # shorter values would blot out ordinary words
_BLOT = "[redacted]"


@dataclass(frozen=True, slots=True)
class Redactor:
    values: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        for value in self.values:
            text = text.replace(value, _BLOT)
        return _SHAPES.sub(_BLOT, text)

    def deep(self, value: Any) -> Any:
        """The same for every text in a JSON value."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.deep(one) for one in value]
        if isinstance(value, dict):
            return {self(str(key)): self.deep(one) for key, one in value.items()}
        return value


def redactor(env: Mapping[str, str]) -> Redactor:
    """For the secrets of one worker's environment, plain and in base64."""
    secrets = [v for k, v in env.items() if _NAMES.search(k) and len(v) >= _SHORTEST]
    encoded = [_base64(one.encode(), shift) for one in secrets for shift in range(3)]
    return Redactor(tuple(sorted({*secrets, *encoded}, key=len, reverse=True)))


def _base64(secret: bytes, shift: int) -> str:
    """What base64 makes of it wherever it begins, as in `user:token`; its ends are uncertain."""
    whole = base64.b64encode(bytes(shift) + secret).decode().rstrip("=")
    certain = (shift + len(secret)) * 8 // 6
    return whole[-(-shift * 8 // 6) : certain]
