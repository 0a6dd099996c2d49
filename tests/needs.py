"""What a test needs from its machine: missing, it skips locally and fails in CI."""

import os
import shutil

import pytest


def require(cond: object, what: str) -> None:
    if cond:
        return
    if os.environ.get("CI"):
        pytest.fail(f"CI must provide {what}", pytrace=False)
    pytest.skip(f"needs {what}")


def need(name: str) -> str:
    """The full path of a program."""
    path = shutil.which(name)
    require(path, name)
    return path or ""
