"""Others' words as they leave under our name: nothing in them acts at GitHub."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cw.github.publishable import (
    BODY,
    TITLE,
    block,
    publishable,
    publishable_title,
    publishable_words,
    span,
)
from cw.glyphs import shown

# As GitHub's pages tell it, apart from the product's own patterns.
MENTION = re.compile(r"(?:^|[^A-Za-z0-9_])@[a-z0-9]", re.IGNORECASE)
REFERENCE = re.compile(
    r"#\d|\bGH-\d+\b|(?:^|[\s*_~(])https?://\S+/(?:issues|pull|pulls|discussions|commit)/",
    re.IGNORECASE,
)
CLOSES = re.compile(
    r"\b(?:close|closes|closed|fix|fixes|fixed|resolve|resolves|resolved)\b:?\s+"
    r"(?:[\w.-]+/[\w.-]+)?#\d+",
    re.IGNORECASE,
)
PIECES = [
    *("Fixes #9", "closes: acme/other#9", "Resolved GH-9", "#9", "acme/app#3", "GH-12"),
    *("@octocat", "@acme/team", "cc @a-b.", "a@b.dev", "@", "#", "9", "user", "Fixes ", "acme/app"),
    *("https://github.com/a/b/issues/9", "https://x.dev/a_b", "www.x.dev", "https://x.dev/@u#9"),
    *(
        "<b>",
        "</b>",
        "<!--",
        "-->",
        "<!-- cw:1 -->",
        "<img src=x>",
        "<div>",
        "<!-- x -->",
        "</p x>",
    ),
    *("![a](http://e.dev/p.png)", "[here](http://e.dev)", "[#9](/a/b/issues/9)", "[", "](", ")"),
    *(
        "```",
        "~~~",
        "`",
        "``",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "1. ",
        "# ",
        "---",
        "===",
        "|",
    ),
    *(
        "\\",
        "*",
        "**",
        "_",
        "~~",
        "&lt;",
        "&#35;9",
        "&#64;you",
        "&",
        "$x$",
        ":",
        "\u200b",
        "\u202e",
    ),
    *(
        "```mermaid\n",
        "$$",
        "[^1]",
        "[^1]: ",
        "[a]: http://e.dev '@b'",
        "[a]",
        "+ ",
        "=",
        "word ",
        "é",
    ),
    *(
        "abcdef1234",
        "a | b\n--|--\n",
        "Fixes\n#9",
        "\x00",
        "\x1b[31m",
        "!",
        "<https://e.dev>",
        "<a@b.c>",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map("".join)


def tokens(text: str) -> list[Token]:
    """As a page has them; markdown-it-py is not asked to be what the product asks it to be."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [one for block_ in parser.parse(text) for one in (block_, *(block_.children or ()))]


def check(text: str) -> None:
    """Nothing acts."""
    found = tokens(text)

    assert not [one for one in found if one.type.startswith(("html", "image"))], text
    assert all(one.markup == "autolink" for one in found if one.type == "link_open"), text
    words = [
        "".join(one.content if one.type == "text" else " " for one in inline.children or ())
        for inline in found
        if inline.type == "inline"
    ]
    for line in words:
        assert not MENTION.search(line), text
        assert not REFERENCE.search(line), text
    assert not CLOSES.search(text), text
    assert not re.search(r"<!-+\s?cw:", text), text
    assert shown(text) == text


@given(TEXTS)
@example("@<!-- x -->you and #<b></b>9")
@example("@[you](http://e.dev)")
@example("```\nFixes #9\n")
def test_whatever_goes_in_nothing_acts(text: str) -> None:
    made = publishable(text)

    check(made)
    check(publishable_words(text))
    check(span(text))
    check(block(text))


@given(TEXTS)
def test_what_follows_is_not_swallowed(text: str) -> None:
    """Whatever is left open."""
    last = tokens(f"{publishable(text)}\n\n---\nOurs")

    assert [one.type for one in last if one.type == "hr"]
    assert [one.content for one in last if one.type == "text"][-1] == "Ours"
    assert last[-1].level == 0 or last[-1].type in {"text", "inline"} or last[-1].level == 1


@given(TEXTS)
def test_title_is_one_plain_line(text: str) -> None:
    title = publishable_title(text)

    assert "\n" not in title
    assert len(title) <= TITLE
    assert not MENTION.search(title)
    assert not CLOSES.search(title)
    assert not re.search(r"#\d|\bGH-\d+\b|https?://", title, re.IGNORECASE)


@pytest.mark.parametrize("word", ["close", "closes", "closed", "fix", "fixes", "fixed"])
@pytest.mark.parametrize("more", ["{} #9", "{}: #9", "{} a/b#9", "{} GH-9", "{}\n#9"])
@pytest.mark.parametrize(
    "form", ["{}", "`{}`", "```\n{}\n```", "**{}**", "- {}", "> {}", "<b>{}</b>"]
)
def test_no_keyword_closes(word: str, more: str, form: str) -> None:
    text = form.format(more.format(word.capitalize()))

    check(publishable(text))
    assert not CLOSES.search(publishable_title(text))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Fixes #9, cc @you", "Fixes `#9`, cc `@you`"),
        ("see [the docs](https://x.dev/a)", "see the docs (<https://x.dev/a>)"),
        ("![log](http://e.dev/p.png)", "(image: `http://e.dev/p.png`)"),
        ("use the <title> tag", "use the `<title>` tag"),
        ("a<!-- hidden -->b", "ab"),
        ("mail a@b.dev", "mail a@b.dev"),
        ("snake_case and 2 * 3 < 7", "snake_case and 2 \\* 3 \\< 7"),
        ("```python\nx = '@you #9'\n```", "```python\nx = '@you #9'\n```"),
        ("```mermaid\ngraph\n```", "```\ngraph\n```"),
        ("- one\n- two\n\n| a | b |\n| --- | --- |\n| 1 | 2 |", None),
        ("# Head\n\nA *b* **c**.\n\n> quote\n\n1. one\n2. two", None),
    ],
)
def test_what_is_written_stays_readable(text: str, made: str | None) -> None:
    assert publishable(text).replace("\n\n", "\n") == (made or text).replace("\n\n", "\n")


@pytest.mark.parametrize("text", ["a" * 100_000, "*" * 100_000, "`\n" * 50_000, "@a " * 30_000])
def test_length_is_what_github_takes(text: str) -> None:
    made = publishable(text)

    assert 0 < len(made) <= BODY
    assert made.endswith("(The rest is left out.)")
