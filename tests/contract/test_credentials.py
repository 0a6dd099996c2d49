"""Which of two credentials is used."""

from tests.contract.room import Room
from tests.standins.messages import text


def test_key_wins_over_token(room: Room) -> None:
    ended = room.run(text("Done."), env={"CLAUDE_CODE_OAUTH_TOKEN": "dummy-token"})
    headers = ended.requests[0].headers

    assert ended.init["apiKeySource"] == "ANTHROPIC_API_KEY"
    assert headers["x-api-key"] == "sk-ant-dummy"
    assert "authorization" not in headers


def test_empty_key_counts_as_none(room: Room) -> None:
    env = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "dummy-token"}
    ended = room.run(text("Done."), env=env)
    headers = ended.requests[0].headers

    assert ended.init["apiKeySource"] == "none"
    assert headers["authorization"] == "Bearer dummy-token"
    assert "x-api-key" not in headers
