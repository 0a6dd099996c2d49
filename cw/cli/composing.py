"""A text that somebody writes in their editor, to be sent in their name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cw.cli.editing import open_editor
from cw.cli.views.render import note
from cw.errors import BadInputError, CwError

LONGEST = 65_536  # characters that GitHub takes


@dataclass(frozen=True, slots=True)
class Draft:
    """`path`: where it lies until it is sent; None: it was typed beside the command."""

    text: str
    path: Path | None = None

    def sent(self) -> None:
        if self.path:
            self.path.unlink(missing_ok=True)

    def kept(self) -> None:
        """Say where it is."""
        if self.path:
            note(f"your text is in {self.path}")


def fitting(text: str) -> str:
    """Raises BadInputError for what cannot be sent."""
    said = text.strip()
    if not said:
        raise BadInputError("there is no text", hint="Say what has to change")
    if len(said) > LONGEST:
        raise BadInputError(f"the text has {len(said)} characters", hint=f"GitHub takes {LONGEST}")
    return said


def compose(environ: Mapping[str, str], about: str) -> Draft | None:
    """`about`: one line for whoever writes, which is taken out. None: nothing was written. Raises
    CwError.
    """
    handle, name = tempfile.mkstemp(prefix="cw-review-", suffix=".md")
    path, head = Path(name), f"<!-- {about} -->"
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"\n\n{head}\n")
    try:
        open_editor(environ, path)
        text = path.read_text("utf-8", errors="replace").replace(head, "").strip()
        if text:
            return Draft(fitting(text), path)
    except FileNotFoundError:
        return None
    except CwError as error:
        error.hint = f"{error.hint}. What was written is in {path}".removeprefix(". ")
        raise
    path.unlink()
    return None
