"""Hostile issues take little time and memory, whatever of them is shown."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

LONGEST = 65_536
HOSTILE = {
    "less-than signs": "<" * LONGEST,
    "brackets": "[" * LONGEST,
    "images": "![" * (LONGEST // 2),
    "images that end": "![" * 8000 + "](x)" * 8000,
    "links": "[a](" * (LONGEST // 4),
    "stars": "*a_" * (LONGEST // 3),
    "ticks": "".join("`" * length + " " for length in range(1, 360)),
    "comments": "a <!--" * (LONGEST // 6),
    "CDATA": "a <![CDATA[" * (LONGEST // 11),
    "blocks": "<div>" * (LONGEST // 5),
    "tables": "<table><td>" * (LONGEST // 11),
    "templates": "<template>" * 2900 + "<td>" * 3000,
    "lists": "<ul><li>" * (LONGEST // 8),
    "attributes": "<div " + " ".join(f"a{number}" for number in range(9000)) + ">",
    "elements opened again": "<div><p>"
    + "".join(f"<b a={number}>" for number in range(1500))
    + "</p>"
    + "<div>x</div>" * 4000,
    "elements opened again, few": "<div><p>" + "<b><i><u><em>" * 3 + "</p><div>x</div>" * 4000,
    "elements adopted": "<div>" + "<b><i><u>" * 300 + "<div>" * 2000 + "</b></i></u>" * 900,
    "counted otherwise": '<div><z =="><!--">' + "<b a=1><b a=2><b a=3>" * 500 + "<p>x</p>" * 4000,
    "scripts within": "<div><script>" + "<style>" * 9000,
    "quotes": "> " * (LONGEST // 2),
    "footnotes": "".join(f"[^{one}] [^{one}]: <div>\n\n" for one in range(3000)),
    "rows": "|a\n|-\n" + "|\n" * 30_000,
    "headings": "# a\n" * (LONGEST // 4),
    "styles": f"<p style='{'font:' + ' ' * 1900}'>" * 30,
    "phantoms": "$\\phantom{" * (LONGEST // 10),
    "diagram": "```mermaid\nflowchart\n" + "abcdef[" * 9000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_within_bounds(name: str) -> None:
    """Seconds of the processor and bytes that the kernel allows: no clock is read here."""
    code = "import sys; from workerhost.prompts.sanitizer import visible; visible(sys.stdin.read())"

    done = subprocess.run(
        [sys.executable, "-c", code],
        input=HOSTILE[name][:LONGEST],
        text=True,
        capture_output=True,
        preexec_fn=_bound,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-300:]


def _bound() -> None:
    """A few times what the worst of them needs, start of Python included."""
    resource.setrlimit(resource.RLIMIT_CPU, (8, 8))
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
