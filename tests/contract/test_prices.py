"""What the host estimates of a run's cost before claude has told it, against claude's own count."""

from dataclasses import replace

import pytest

from tests.contract.room import Room
from tests.standins.messages import Usage, text
from workerhost.claude.prices import given_usd, price

MILLION = 1_000_000
SENT = Usage(
    input_tokens=MILLION,
    output_tokens=MILLION,
    cache_read_input_tokens=MILLION,
    cache_creation_input_tokens=MILLION,
)


@pytest.mark.parametrize("model", ["sonnet", "opus", "haiku", "claude-sonnet-4-5"])
def test_tokens_are_priced_as_claude_prices_them(room: Room, model: str) -> None:
    ended = room.run(replace(text("Done."), usage=SENT), model=model)

    name, usage = ended.init["model"], ended.of("assistant")[0]["message"]["usage"]
    estimate = given_usd(name, usage) + price(name).said

    assert estimate == pytest.approx(ended.result["total_cost_usd"])
