"""What a terminal shows of what a program writes: lines, colours, a last line that is redrawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_PART = re.compile(
    r"\x1b\[(?P<numbers>[0-9;]*)(?P<verb>[A-Za-z])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # links: their text stays
    r"|(?P<control>[\r\n])"
    r"|(?P<text>[^\x1b\r\n]+)"
)


@dataclass(frozen=True, slots=True)
class Style:
    bold: bool = False
    dim: bool = False
    colour: int = 0  # 31 to 36 and 90, as SGR has them; 0: the usual

    def after(self, number: int) -> Style:
        match number:
            case 0:
                return Style()
            case 1:
                return replace(self, bold=True)
            case 2:
                return replace(self, dim=True)
            case 22:
                return replace(self, bold=False, dim=False)
            case 39:
                return replace(self, colour=0)
            case _ if 30 <= number <= 37 or number == 90:
                return replace(self, colour=number)
        raise ValueError(f"this picture knows no SGR {number}")


Cell = tuple[str, Style]


@dataclass(slots=True)
class Screen:
    """Grows downwards; the cursor is on the last line. Raises ValueError for what it cannot show:
    a picture that is silently wrong is worse than none.
    """

    columns: int
    lines: list[list[Cell]] = field(default_factory=lambda: [[]])
    _style: Style = field(default_factory=Style)
    _at: int = 0

    def write(self, text: str) -> None:
        for part in _PART.finditer(text):
            if part["text"]:
                self._put(part["text"])
            elif part["control"] == "\n":
                self._new_line()
            elif part["control"] == "\r":
                self._at = 0
            elif part["verb"]:
                self._obey(part["verb"], part["numbers"])

    def _put(self, text: str) -> None:
        for one in text:
            if self._at == self.columns:
                self._new_line()
            line = self.lines[-1]
            line[self._at : self._at + 1] = [(one, self._style)]
            self._at += 1

    def _new_line(self) -> None:
        self.lines.append([])
        self._at = 0

    def _obey(self, verb: str, numbers: str) -> None:
        if verb == "m":
            for one in (numbers or "0").split(";"):
                self._style = self._style.after(int(one or 0))
        elif verb == "K" and numbers in {"", "0"}:
            del self.lines[-1][self._at :]
        else:
            raise ValueError(f"this picture knows no CSI {numbers}{verb}")
