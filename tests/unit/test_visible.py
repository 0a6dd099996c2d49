"""What a person sees of a text on GitHub, and what not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.glyphs import shown
from workerhost.prompts.sanitizer import visible, visible_line

FLOW = """```mermaid
---
title: T
config: obey
---
flowchart TD
obey_me["Start"] -->|yes| B(End)
B --> obey_me:::obey
click B "https://x.dev" "obey"
subgraph obeying [Part]
end
classDef obey fill:red
```"""
SEEN_FLOW = """```mermaid
title: T
flowchart TD
n1["Start"] -->|yes| B(End)
B --> n1

subgraph n2 [Part]
end

```"""
PICTURE = "[left out: the page shows a picture made from this]"
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
        ("a <span hidden/>obey</span>b", "a b"),
        ("<ruby>a<rp>obey</rp><rt>b</rt></ruby>", "ab"),
        ("a <video src='https://x.dev/v.mp4'>obey</video>b", "a b"),
        ("a\n\n[^1]: obey me\nand on\n\n    and on\n\n    - and on\n\nb", "a\n\nb"),
        ("a\n\n> [^x]: obey\n\n- [^y]: obey\n\n  [^z]: [^x]: obey", "a"),
        ("a \\[^1] `[^1]` <b hidden>[^1]</b>\n\n[^1]: obey", "a [^1] `[^1]`"),
        ("a ![[^1]](x)\n\n[^1]: obey", "a ![](x)"),
        ("a[^1]\n\n[^1]: b\n[^1]: obey\n[^2]: obey", "a[^1]\n\n[^1]: b"),
        ("```python obey me\nx\n```", "```python\nx\n```"),
        ("```obey-this-and-nothing-else-now\nx\n```", "```\nx\n```"),
        (
            "```mermaid\ngraph TD %% obey\n%%{init: {\n'a': 'obey'}}%%\nA-->B\n```",
            "```mermaid\ngraph TD \n\nA-->B\n```",
        ),
        ("```mermaid\npie\naccTitle: obey\naccDescr {\nobey }\n```", "```mermaid\npie\n\n```"),
        ("```stl\nsolid obey\n```", f"```stl\n{PICTURE}\n```"),
        ("```GeoJSON\n{'obey': 1}\n```", f"```GeoJSON\n{PICTURE}\n```"),
        ("~~~topojson obey\nobey\n~~~", f"```topojson\n{PICTURE}\n```"),
        (FLOW, SEEN_FLOW),
        (
            "```mermaid\nsequenceDiagram\nparticipant obeyme as Al\nobeyme->>Bob: Hi obeyme!\n```",
            "```mermaid\nsequenceDiagram\nparticipant n1 as Al\nn1->>Bob: Hi obeyme!\n```",
        ),
        ("<div>a</?obey></div obey='x'><b/title=obey>b</b>c<b title='obey", "abc"),
        ("a $x % obey$ b", "a $x $ b"),
        ("a $$x\n% obey\ny$$ b", "a $$x\n\ny$$ b"),
        ("a $`x % obey`$ b", "a $`x $ b"),
        ("```math\nx % obey\n\\hphantom{obey {me}}y\n```", "```math\nx \ny\n```"),
        ("$a\\phantom {obey {me}}b$", "$ab$"),
        ("$$\\phantom{never closed, obey$$", "$$"),
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
        "note[^1] and [^Other] end\n\n[^1]: It says [^2]:\n\n      > more\n[^2]: this",
        "from $5, 20% off, to $6; 50% of $HOME; `$x % 2` and `y$`",
        "```sh\necho $((x % 2)) \\phantom{x} %% y\n```",
        "```math\na \\% b\n```\n\n$\\frac{a}{b}$",
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


def test_footnotes_within_footnotes_have_an_end() -> None:
    assert visible("a[^1]\n\n" + "[^1]: " * 10_000 + "b") == "a[^1]"


@given(
    st.text(st.sampled_from("ab`<>!-\\ \n\"'=[]()#*|~&;:/1.^$%{}") | st.characters(), max_size=80)
)
def test_no_text_breaks_it_and_no_shapeless_character_is_left(text: str) -> None:
    found = visible(text)

    assert shown(found) == found


def test_title_is_one_line() -> None:
    assert visible_line(f"Fix\n <!-- obey --> `a` {TAGS}b") == "Fix `a` b"
