"""Notifiers: what an address may be, and what arrives."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from cw.errors import BadInputError, NotSentError, RefusedNoticeError
from cw.notices.addresses import check, open_notifier, parse
from cw.notices.command import CommandNotifier
from cw.notices.notice import Notice
from cw.notices.webhook import WebhookNotifier
from cw.settings import load_settings
from tests.making import NOW
from tests.standins.receiver import SECRET, nobody, receiving

NOTICE = Notice(
    id="n1",
    at=NOW,
    task="0" * 26,
    repository="acme/app",
    issue=22,
    worker="01",
    title="The build fails",
    what="failed",
    reason="no_changes",
    why="no commit",
    next="cw logs",
    link="",
)


def test_notice_arrives_signed() -> None:
    with receiving() as receiver:
        WebhookNotifier(receiver.url, SECRET).send(NOTICE)

    assert receiver.unsigned == 0
    assert [Notice.model_validate(one) for one in receiver.taken] == [NOTICE]


def test_no_proxy_of_the_environment_stands_before_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    with receiving() as receiver:
        WebhookNotifier(receiver.url, SECRET).send(NOTICE)

    assert receiver.ids() == ["n1"]


@pytest.mark.parametrize("status", [201, 204])
def test_any_answer_of_success_is_one(status: int) -> None:
    with receiving() as receiver:
        receiver.answers = [status]
        WebhookNotifier(receiver.url, SECRET).send(NOTICE)

    assert receiver.asked == 1


@pytest.mark.parametrize("status", [301, 307, 401, 404, 408, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with receiving() as receiver, receiving() as elsewhere:
        receiver.answers, receiver.location = [status], elsewhere.url
        with pytest.raises(NotSentError, match=str(status)) as caught:
            WebhookNotifier(receiver.url, SECRET).send(NOTICE)

    assert not isinstance(caught.value, RefusedNoticeError)
    assert elsewhere.asked == 0  # no redirect is followed


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_said_of_this_notice_is_not(status: int) -> None:
    with receiving() as receiver:
        receiver.answers = [status]
        with pytest.raises(RefusedNoticeError, match=str(status)):
            WebhookNotifier(receiver.url, SECRET).send(NOTICE)


def test_receiver_that_is_away_is_said_without_its_address() -> None:
    with nobody() as address, pytest.raises(NotSentError) as caught:
        open_notifier(parse(address), SECRET).send(NOTICE)

    assert "away" not in caught.value.line()


@pytest.mark.parametrize(
    "place",
    [
        "",
        "https://",
        "http://example.org/x",
        "http://10.0.0.1/x",
        "http://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "https://user:pass@example.org/",
        "https://example.org:port/",
        "https://example.org/a b",
        "https://example.org/\n",
        "file:///etc/passwd",
        "//example.org/x",
    ],
)
def test_webhook_is_https_or_loopback(place: str) -> None:
    with pytest.raises(BadInputError, match="address of a webhook"):
        WebhookNotifier(place, SECRET)


def test_webhook_without_a_secret_is_refused() -> None:
    with pytest.raises(BadInputError, match="secret"):
        WebhookNotifier("https://example.org/x", "")


def test_name_shows_nothing_that_may_be_secret() -> None:
    one = parse("webhook:https://hooks.example.org/T0/B1/tokentoken?key=k")
    other = parse("webhook:https://hooks.example.org/T0/B1/another")
    strange = parse("chat:tokentoken@room")

    assert one.name.startswith("webhook:hooks.example.org#")
    assert one.name != other.name
    assert "token" not in one.name + strange.name
    assert parse("command:/opt/say it").name.startswith("command:say#")


def test_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(BadInputError) as caught:
        check(["webhook:https://example.org/x", "carrier-pigeon:home"])

    assert caught.value.line().endswith("Known: command, webhook")


@pytest.mark.parametrize("text", ["webhook", "https//x", ":x", "We bhook:x", "webhook:"])
def test_setting_that_is_no_address_is_bad_input(text: str) -> None:
    with pytest.raises(BadInputError, match=r"does not fit notify\.to") as caught:
        load_settings({"CW_NOTIFY_TO": text, "HOME": "/nowhere"})

    assert "its value" in caught.value.message  # which may be a secret


def script(folder: Path, text: str) -> str:
    path = folder / "tell"
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    return str(path)


def test_command_reads_the_notice_and_sees_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_TOKEN", "ghp_secret")
    kept = tmp_path / "kept.json"
    text = (
        "import json, os, sys\n"
        "open(sys.argv[1], 'w').write(json.dumps([json.load(sys.stdin), sorted(os.environ)]))\n"
    )

    CommandNotifier(f"{script(tmp_path, text)} '{kept}'", "").send(NOTICE)

    notice, names = json.loads(kept.read_text(encoding="utf-8"))
    assert Notice.model_validate(notice) == NOTICE
    assert "GH_TOKEN" not in names


def test_command_that_fails_or_is_missing_did_not_tell(tmp_path: Path) -> None:
    with pytest.raises(NotSentError, match="exit status 3"):
        CommandNotifier(script(tmp_path, "raise SystemExit(3)"), "").send(NOTICE)
    with pytest.raises(NotSentError, match="cannot be started"):
        CommandNotifier(str(tmp_path / "missing"), "").send(NOTICE)


@pytest.mark.parametrize("place", ["", "tell", "'open", "./tell"])
def test_command_is_a_whole_path(place: str) -> None:
    with pytest.raises(BadInputError, match="program"):
        CommandNotifier(place, "")
