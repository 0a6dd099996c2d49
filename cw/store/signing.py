"""The signature of a task's record: what was dispatched, by somebody who has the key."""

from __future__ import annotations

import hashlib
from typing import Any

from cw.keyring import Keyring
from cw.models import TaskSpec

_KIND = "task"


def sign(keyring: Keyring, spec: TaskSpec) -> TaskSpec:
    """The same with its signature, in the place of any that it had."""
    return spec.model_copy(update={"signature": keyring.sign(_KIND, _content(spec))})


def is_genuine(keyring: Keyring, spec: TaskSpec, prompt: str) -> bool:
    """Whether it was signed as it is, and the prompt is the one it was signed with."""
    same = prompt_sha256(prompt) == spec.prompt_sha256
    return same and keyring.signed(_KIND, _content(spec), spec.signature)


def prompt_sha256(prompt: str) -> str:
    """As a spec has it: empty when there is no prompt."""
    return hashlib.sha256(prompt.encode()).hexdigest() if prompt else ""


def _content(spec: TaskSpec) -> dict[str, Any]:
    """Without what has its default: a field that a later version adds changes no old record."""
    return spec.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
