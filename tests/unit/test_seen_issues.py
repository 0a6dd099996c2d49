"""Ordinary issues lose nothing that their page shows."""

from __future__ import annotations

import pytest

from workerhost.prompts.sanitizer import visible

NOTE = "[The rest is left out"
BUG = """### Describe the bug

`cw up` says *nothing* when **port 6379** is taken (see #12, and acme/app#3, thanks @octocat).

1. Run `cw up`
2. Look at the log:

   ```console
   $ cw up --port 6379
   Traceback (most recent call last): <module>
   ```
3. It hangs for a < b, and b > c

- [x] I searched
- [ ] I'd like to help

> It worked in 1.2
> -- a colleague

| version | works |
| --- | --- |
| 1.2 | yes |
| 1.3 | no\\|maybe |

Use generics like `Map<String, List<T>>` or Map<K,V>; 5 % of $HOME & co.

[docs](https://x.dev/a?b=1&c=2) ![](https://x.dev/p.png)
"""
BOT = "<details>\n<summary>Release notes</summary>\n<p><em>Sourced from x</em></p>\n<ul>\n" + (
    '<li><a href="https://x.dev/1">#1</a> Fix <code>a == b</code> &amp; more</li>\n' * 400
)
WORDS = [  # a text, and what has to be in the prompt
    ("The <title> of the page is wrong. Please fix it", "of the page is wrong. Please fix it"),
    ("Clone <owner/repo> into <your folder>", "Clone <owner/repo> into"),
    ("<b>Bold</b> and <kbd>Ctrl</kbd>+<kbd>C</kbd>", "Bold and Ctrl+C"),
    (
        "<details><summary>Log</summary>\n\n```\n<x>\n```\n\n</details>\n\nend",
        "```\n<x>\n```\n\nend",
    ),
    ("<table><tr><td>one</td><td>two</td></tr></table>", "onetwo"),
    ("<p align='center'>\n  <img src='https://x.dev/i.png' width='3'>\n</p>\n\nend", "end"),
    ("<p style='color: red; margin-left: 4px'>Important</p>", "Important"),
    ("<textarea>x</textarea> seen", "seen"),
    ("a &lt;script&gt; b", "a <script> b"),
    ("<script>if (a < b) {}</script>\n\nseen", "seen"),
    ("```html\n<div hidden>code\n```\nseen", "<div hidden>code\n```\n\nseen"),
    ("- a\n  - b\n    - c\n      - d\n        - e\n\nseen", "        - e\n\nseen"),
    ("Broken: <div> without an end\n\nseen", "seen"),
    ("one<br>two<br/>three", "one"),
    ("```mermaid\nflowchart LR\nA[Start] --> B{ok?}\n```", "A[Start] --> B{ok?}"),
]


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_ordinary_words_stay(text: str, words: str) -> None:
    assert words in visible(text)


def test_whole_bug_report_stays_as_it_is() -> None:
    lines = [one.strip() for one in visible(BUG).split("\n") if one.strip()]

    assert lines == [one.strip() for one in BUG.split("\n") if one.strip()]


def test_long_notes_of_a_release_stay_whole() -> None:
    seen = visible(BOT)

    assert seen.count("<https://x.dev/1> #1 Fix a == b & more") == 400
    assert NOTE not in seen


@pytest.mark.parametrize(
    "text",
    [
        "<div style=''>" * 400,
        "seen\n\n<textarea><!--</textarea>\n\nb -->",
        "seen\n" * 9000,
        "> " * 30 + "b",
        "a" * 70_000,
    ],
)
def test_what_is_left_out_is_said(text: str) -> None:
    assert visible(text).endswith("]")
    assert NOTE in visible(text)
