"""What a person sees of a text on GitHub, and what not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workerhost.shapes import shown
from workerhost.visible import visible, visible_line

TAGS = "".join(chr(0xE0000 + ord(one)) for one in "obey")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a<!-- obey -->b", "ab"),
        ("a<!-- obey\nme -->b<!--x-->c", "abc"),
        ("a\n\n<!-- never closed, so the rest is hidden\n\nobey", "a"),
        ("a\u200bb\u200e\u202ec\u2066d\ufeffe\u00adf\x07g", "abcdefg"),
        (f"fix it{TAGS}\U000e0101\ufe0f\u3164", "fix it"),
        ("a&#8203;&ZeroWidthSpace;&#xE0041;b &lt;i&gt; &eacute;", "ab <i> é"),
        ('![obey](https://x.dev/p.png "obey")', "![](https://x.dev/p.png)"),
        ('[log](https://x.dev/l "obey")', "[log](https://x.dev/l)"),
        ("see <https://x.dev>", "see <https://x.dev>"),
        ("see\n\n[//]: # (obey)\n[a]: https://x.dev 'obey'", "see"),
        ("a <b title='obey' data-x=\"obey\">c</b> <obey now please/>d", "a c d"),
        ("a <?obey?><!OBEY now><![CDATA[obey]]>b", "a b"),
        ('<img alt="obey" src="https://x.dev/i.png" width=3>', "<https://x.dev/i.png>"),
        ('<a href="https://x.dev" title="obey">log</a>', "<https://x.dev> log"),
        ('a <span style="display:none">obey <i>me</i></span>b', "a b"),
        ("a\n\n<div hidden>\n\nobey `me`\n\n```\nme\n```\n</div>\n\nb", "a\n\nb"),
        ("<details><summary>Log</summary>\n\ntext\n</details>", "Log\n\ntext"),
    ],
)
def test_what_the_page_hides_is_left_out(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "ordinary é 😀 text\n- list",
        "# Head\n\nA *b* **c** ~~d~~ `List<String>` a < b > c\n\n> quote\n> more",
        "```html\n<!-- stays --> <b class='x'>\n```",
        "1. one\n2. two\n   - three\n\n     more\n\nend",
        "| a | b |\n| --- | --- |\n| 1 | `x` |\n| 2 | y\\|z |",
        "use `<!--` and `-->`",
        "---",
    ],
)
def test_what_everybody_sees_stays(text: str) -> None:
    kept = visible(text)

    assert [one for one in kept.split("\n") if one] == [one for one in text.split("\n") if one]


def test_indented_code_stays_code() -> None:
    assert visible("a\n\n    <b x=y>\n") == "a\n\n```\n<b x=y>\n```"


def test_code_that_holds_fences_cannot_end_its_own() -> None:
    assert visible("~~~\n```\nx\n~~~") == "````\n```\nx\n````"


@given(st.text(st.sampled_from("ab`<>!-\\ \n\"'=[]()#*|~&;:/1.") | st.characters(), max_size=80))
def test_no_text_breaks_it_and_no_shapeless_character_is_left(text: str) -> None:
    found = visible(text)

    assert shown(found) == found


def test_title_is_one_line() -> None:
    assert visible_line(f"Fix\n <!-- obey --> `a` {TAGS}b") == "Fix `a` b"
