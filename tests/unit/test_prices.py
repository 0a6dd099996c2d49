"""What claude has not priced yet, by its tokens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.test_events import progress_of
from workerhost.claude.prices import Unpriced, given_usd, price


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        ("claude-sonnet-4-5-20250929", 3, 15),
        ("claude-sonnet-5-5", 2, 10),
        ("claude-opus-5-5", 4, 20),
        ("claude-opus-4-8", 5, 25),
        ("claude-haiku-4-5", 1, 5),
        ("claude-3-5-haiku-latest", 0.8, 4),
        ("nobody-knows-it", 10, 50),
        ("", 10, 50),
    ],
)
def test_model_has_its_price(model: str, given: float, said: float) -> None:
    assert (price(model).given, price(model).said) == (given, said)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"input_tokens": 1_000_000}, 3.0),
        ({"cache_read_input_tokens": 1_000_000}, 0.3),
        ({"cache_creation_input_tokens": 1_000_000}, 3.75),
        (
            {
                "cache_creation_input_tokens": 1_000_000,
                "cache_creation": {"ephemeral_1h_input_tokens": 1_000_000},
            },
            6.0,
        ),
        ({"input_tokens": -5, "cache_read_input_tokens": "many"}, 0.0),
        ({"input_tokens": float("nan")}, 0.0),
        ({"input_tokens": 1e300}, 3000.0),
        ({"cache_creation": 3}, 0.0),
    ],
)
def test_what_was_sent_is_priced_by_its_tokens(usage: dict[str, Any], usd: float) -> None:
    assert given_usd("sonnet", usage) == pytest.approx(usd)


def line(identity: str, text: str = "", **usage: int) -> dict[str, Any]:
    block = {"type": "text", "text": text}
    return {"id": identity, "model": "sonnet", "usage": usage, "content": [block]}


def test_message_of_several_lines_is_sent_once_and_said_in_each() -> None:
    unpriced = Unpriced()
    for text in ("a" * 4000, "b" * 4000):
        unpriced.add(line("m1", text, input_tokens=1000))

    assert unpriced.usd == pytest.approx(0.003 + 2 * 0.015)


def test_last_line_s_own_price_replaces_the_estimate() -> None:
    said = {"type": "assistant", "message": line("m1", "x" * 400, input_tokens=10_000)}
    sub = {"type": "assistant", "parent_tool_use_id": "t", "message": line("m2", input_tokens=100)}

    running = progress_of(said, sub)
    ended = progress_of(said, sub, {"type": "result", "num_turns": 1, "total_cost_usd": 0.5})

    assert running.turns == 1
    assert running.spent_usd == running.unpriced_usd == pytest.approx(0.03 + 0.0015 + 0.0003)
    assert (ended.spent_usd, ended.unpriced_usd) == (0.5, 0.0)


@pytest.mark.parametrize("message", [None, 3, {"usage": 3}, {"content": "x"}, {"content": [3]}])
def test_line_that_is_not_as_claude_writes_it_costs_nothing(message: Any) -> None:
    assert progress_of({"type": "assistant", "message": message}).spent_usd == 0


@pytest.mark.parametrize(
    ("subtype", "over"),
    [("error_max_turns", "turns"), ("error_max_budget_usd", "usd"), ("error_during_execution", "")],
)
def test_limit_that_it_ended_for_is_named(subtype: str, over: str) -> None:
    result = progress_of({"type": "result", "subtype": subtype, "is_error": True}).result

    assert result
    assert result.over == over
