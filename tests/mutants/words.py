"""Without what keeps hidden words out of prompts, and others' words from acting under our name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from cw.github import comments, publishable
from cw.keyring import Keyring
from cw.operations.rest import writes
from tests.mutants import Mutant
from workerhost.clones import protected_changes
from workerhost.prompts import diagrams, markup

STATES = "tests/unit/test_hidden_states.py::test_what_no_page_draws_reaches_no_prompt"
OUTBOX = "tests/integration/test_outbox.py"
WORDS = "tests/unit/test_publishable.py"


def put(where: object, name: str, what: object) -> Callable[[], None]:
    """In the place of what is called so there."""
    return lambda: setattr(where, name, what)


def _anybodys(github: Any, repo: str, number: int) -> Iterator[str]:
    for one in github._at(repo).get_repo(repo).get_issue(number).get_comments():
        yield str(one.body)


def _without_key(_self: Keyring, kind: str, data: Any) -> tuple[str, ...]:
    return (hashlib.sha256(f"{kind}{data}".encode()).hexdigest(),)


_FEW = ("/.github/workflows", "claude.md", "agents.md", ".claude", ".mcp.json")
MUTANTS = {
    "hidden elements are drawn": Mutant(
        f"{STATES}[hidden 0-block]", put(markup, "_hides", lambda _name, _attributes: False)
    ),
    "raw text is read in one way only": Mutant(
        f"{STATES}[in one reading 0-block]", put(markup, "_ends_as_text", lambda _element: True)
    ),
    "styles hide nothing": Mutant(
        f"{STATES}[style 0-block]", put(markup, "unseen", lambda _style: False)
    ),
    "HTML is read without bounds": Mutant(
        "tests/unit/test_seen_issues.py::test_what_is_left_out_is_said",
        put(markup, "readable", lambda html: (html, True)),
    ),
    "sources of pictures stay": Mutant(
        "tests/unit/test_visible.py", put(diagrams, "_MODELS", frozenset())
    ),
    "names in diagrams stay": Mutant(
        "tests/unit/test_visible.py", put(diagrams, "drawn_by_mermaid", lambda source: source)
    ),
    "references act": Mutant(
        f"{WORDS}::test_what_is_written_stays_readable",
        put(publishable, "pieces", lambda text: [("text", text)]),
    ),
    "keywords in code close": Mutant(
        f"{WORDS}::test_no_keyword_closes", put(publishable, "without_closing", lambda code: code)
    ),
    "a report leaves as it is": Mutant(
        "tests/integration/test_settle.py::test_words_of_agent_and_issue_act_nowhere",
        put(publishable, "publishable", lambda text, *_: text),
    ),
    "a title leaves as it is": Mutant(
        "tests/integration/test_settle.py::test_words_of_agent_and_issue_act_nowhere",
        put(publishable, "publishable_title", lambda text: text),
    ),
    "a message leaves as it is": Mutant(
        "tests/unit/test_deliver.py::test_message_of_an_agent_acts_nowhere",
        put(writes, "publishable_words", lambda text: text),
    ),
    "marks of anybody count": Mutant(
        f"{OUTBOX}::test_mark_that_somebody_posts_first_holds_no_comment_back",
        put(comments, "_own", _anybodys),
    ),
    "marks need no key": Mutant(
        f"{OUTBOX}::test_mark_is_good_in_one_place_and_needs_the_key",
        put(Keyring, "signatures", _without_key),
    ),
    "few paths are protected": Mutant(
        "tests/unit/test_protected.py", put(protected_changes, "ALWAYS", _FEW)
    ),
}
