"""Hidden in every state of the HTML standard's tokenizer, and of its tree builder: a word that no
page shows reaches no prompt. Inputs are given to the reader as they are, and as blocks of Markdown.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workerhost.prompts.sanitizer import visible

WORD = "canary"
# The standard's names (13.2.5, "Tokenization"), each with inputs in which the word is read in that
# state, or in what the state makes of it, and is not drawn.
STATES = {
    "tag open": ["<{}>", "<{}/>"],
    "end tag open": ["</{}>", "</{}/>", "</{} x>"],
    "tag name": ["<x{}>", "<x\n{}>", "<x{}/>", "<x{}\f>"],
    "before attribute name": ["<p {}>", "<p\n{}>", "<p\f{}>", "<p / {}>"],
    "attribute name": ["<p {}=x>", '<p "{}>', "<p '{}>", "<p <{}>", "<p ={}>", "<p =={}>"],
    "after attribute name": ["<p x {}>", "<p x = y {}>", "<p x / {}>"],
    "before attribute value": ["<p x= {}>", "<p x=\n'{}'>", '<p x=="{}">', "<p ==' > {}'>"],
    "attribute value (double-quoted)": ['<p x="{}">', '<p x="> {}">', '<p x="&quot;{}">'],
    "attribute value (single-quoted)": ["<p x='{}'>", "<p x='> {}'>", "<p x='<!--{}-->'>"],
    "attribute value (unquoted)": ["<p x={}>", "<p x={}/>", '<p x=a"{}>', "<p x=<{}>"],
    "after attribute value (quoted)": ["<p x='y'{}>", '<p x="y"{}="z">', "<p x=''/{}>"],
    "self-closing start tag": ["<p/{}>", "<br/{}>", "<p / {}='x'>", "<p x/{}/>"],
    "end tag with attributes": ["</p {}>", "</p x='> {}'>", "</p/{}>", "</p\n{}=y>"],
    "bogus comment": ["</?{}>", "<?{}>", "</ {}>", "</1{}>", "<!{}>", "<?x {}", "<!-x {}>"],
    "markup declaration open": ["<![CDATA[{}>", "<!ELEMENT {}>", "<![if {}]>", "<!-{}>"],
    "comment start": ["<!--{}-->", "<!-- {}--!>", "<!--{}"],
    "comment start dash": ["<!---{}-->", "<!--- {} -->"],
    "comment": ["<!-- <b>{}</b> -->", "<!--x\n\n{}\n-->", "<!-- -- {} -->"],
    "comment less-than sign": ["<!--<{}-->", "<!--<!{}-->", "<!--<!-{}-->", "<!--<!--{}-->"],
    "comment end dash": ["<!-- x -{}-->", "<!-- x - {} -->"],
    "comment end": ["<!-- x --{}-->", "<!-- x ---{}-->"],
    "comment end bang": ["<!-- x --!{}-->", "<!-- x --!-{}-->"],
    "DOCTYPE": ["<!DOCTYPE {}>", "<!doctype{}>", "<!DOCTYPE html {}>"],
    "DOCTYPE public identifier": ['<!DOCTYPE x PUBLIC "{}">', "<!DOCTYPE x PUBLIC '{}' ''>"],
    "DOCTYPE system identifier": ['<!DOCTYPE x SYSTEM "{}">', "<!DOCTYPE x SYSTEM '' {}>"],
    "RCDATA": ["<title>{}</title>", "<textarea>{}</textarea>", "<title>x</titl{}></title>"],
    "RAWTEXT": ["<style>{}</style>", "<xmp>{}</xmp>", "<iframe><b>{}</b></iframe>"],
    "RAWTEXT, other elements": ["<noembed>{}</noembed>", "<noframes>{}</noframes>"],
    "script data": ["<script>{}</script>", "<script></scrip{}</script>"],
    "script data escaped": ["<script><!-- {} --></script>", "<script><!-- </{} --></script>"],
    "script data double escaped": ["<script><!--<script>{}</script>--></script>"],
    "PLAINTEXT": ["<plaintext>{}"],
    "CDATA section": ["<svg><![CDATA[{}]]></svg>", "<math><mi><![CDATA[{}]]></mi></math>"],
    "character reference": ["<p x='&lt;{}'>", "<!-- &gt; {} -->", "<p x=&#62;{}>"],
    "end of file": ["<p {}", "<p x='{}", "<p x={}", "</p {}", "<!-- {}", "<{}", "</{}", "<p/{}"],
}
# Where it stands in the tree (13.2.6, "Tree construction").
PLACES = {
    "hidden": ["<div hidden>{}</div>", "<b hidden>{}</b>", "<p hidden>a<b>{}</b></p>"],
    "hidden, reopened": ["<div><b hidden>x</div>{}</b>", "<p><i hidden></p>{}</i>"],
    "hidden, not ended by": ["<span hidden><div></span>{}</div>", "<div hidden></p>{}</div>"],
    "hidden, crossed": ["<b hidden><p>x</b>y<b hidden>{}</p>", "<a hidden><div></a><a hidden>{}"],
    "foster parent": ["<table><b hidden>{}</b></table>", "<div hidden><table>{}</table></div>"],
    "template": ["<template>{}</template>", "<template><td>{}</td></template>"],
    "not drawn": ["<rp>{}</rp>", "<video>{}</video>", "<object>{}</object>", "<noscript>{}"],
    "only drawn by script": ["<dialog>{}</dialog>", "<canvas>{}</canvas>", "<p popover>{}</p>"],
    "foreign": ["<svg><desc>{}</desc></svg>", "<math><mi>{}</mi></math>", "<svg><style>{}"],
    "in one reading": ["<textarea><!--</textarea>{}-->", "<xmp><p x='</xmp>{}'>"],
    "in another reading": ["<style><!--</style>{}-->", "<iframe><div hidden></iframe>{}"],
    "style": ["<p style='display:none'>{}</p>", "<p style='d\\69splay : none'>{}</p>"],
    "style, other words": ["<p style='color:red;font-size:0px'>{}</p>", "<p style=opacity:.0>{}"],
    "style, with comments": ["<p style='visibility:/**/hidden'>{}</p>"],
}
ALL = [
    pytest.param(text, id=f"{name} {at}")
    for name, texts in (STATES | PLACES).items()
    for at, text in enumerate(texts)
]
# Each puts HTML where GitHub's Markdown takes it as it is.
AROUND = {
    "block": "<div>\n{}\n</div>",
    "own block": "before\n\n<div>{}",
    "in a list": "- before\n\n  <div>{}\n",
    "in a quote": "> <div>{}\n",
    "in a note": "before[^1]\n\n[^1]: <div>{}\n",
    "in a table of tags": "<table>\n<tr><td>{}</td></tr></table>",
}


INDENT = {"in a list": "  ", "in a quote": "> ", "in a note": "    "}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("text", ALL)
def test_what_no_page_draws_reaches_no_prompt(text: str, around: str) -> None:
    inner = text.replace("{}", WORD).replace("\n", "\n" + INDENT.get(around, ""))

    seen = visible(AROUND[around].replace("{}", inner))

    assert WORD not in seen


@pytest.mark.parametrize("text", ALL)
def test_what_stands_before_stays(text: str) -> None:
    seen = visible(f"*before* `x`\n\n<div>{text.replace('{}', WORD)}\n</div>")

    assert seen.startswith("*before* `x`")


ENDED = [
    text for texts in STATES.values() for text in texts if text.endswith(">") and "\n\n" not in text
]


@given(st.lists(st.sampled_from(ENDED), min_size=2, max_size=5))
def test_states_that_follow_each_other_hide_as_well(texts: list[str]) -> None:
    seen = visible("<div>" + "".join(texts).replace("{}", WORD) + "seen</div>")

    assert WORD not in seen


@pytest.mark.parametrize(
    ("before", "after"),
    list(product(["<!-- x -->", "<b/x>", "</b x='>'>", "<?x>", "</>", "<p =='>'>"], ["", "<i>"])),
)
def test_what_follows_is_seen(before: str, after: str) -> None:
    assert visible(f"<div>{before}{after}seen</div>\n\nand *this*") == "seen\n\nand *this*"
