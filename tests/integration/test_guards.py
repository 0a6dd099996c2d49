"""What a library's next version could switch off: each host asks, and starts nothing without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kombu.transport import redis

from cw import wire
from cw.broker import make_app
from cw.keyring import load_keyring
from cw.settings import Settings
from cw.store.store import Store
from tests.integration.hosting import machine
from tests.making import give_key
from tests.mutants import VARIABLE
from tests.waiting import wait_until
from workerhost.guards import libraries, messages
from workerhost.guards.guarded import Guarded, weak_guard
from workerhost.inbox.admission import admit

Keys = Callable[[], set[str]]


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        broker_url=redis_url,
        state_dir=tmp_path,
        host_name="here",
        signing_key_file=Path(give_key(tmp_path)),
    )


def test_guards_hold_and_leave_nothing_behind(settings: Settings, store: Store) -> None:
    assert weak_guard(make_app(settings, admit), settings) == ""
    assert list(store.connection.client.scan_iter("*")) == []


def test_every_forgery_is_one_and_the_good_message_arrives(settings: Settings) -> None:
    """Without the look at what comes in, all of them would have reached Celery."""
    app = make_app(settings)  # no `admit`, and its transport is told to believe everything

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wire.Transport, "believes", lambda *_, **__: True)
        said = messages.believed(app, load_keyring(settings), "here")

    for name in (
        "changed",
        "expired",
        "of an unknown task",
        "pickled",
        "unsigned",
        "with unknown arguments",
        "wrongly addressed",
    ):
        assert name in said


def test_method_that_kombu_calls_by_another_name_is_noticed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(wire.Transport, "_deliver")  # as if nobody called it any more

    said = weak_guard(make_app(settings, admit), settings)

    assert said.startswith("messages are believed that must not be")


def test_method_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(redis.Channel, "_deliver_fanout_message")

    assert "Channel._deliver_fanout_message" in messages.unknown_to_kombu()


def test_app_that_reads_pickle_is_noticed(settings: Settings) -> None:
    app = make_app(settings, admit)
    app.conf.accept_content = ["json", "pickle"]

    assert weak_guard(app, settings) == "Celery would read json, pickle"


def test_broker_whose_certificate_is_not_checked_is_noticed(settings: Settings) -> None:
    from dataclasses import replace

    app = make_app(settings, admit)
    far = replace(settings, broker_url="rediss://:secret@broker.example.org:6379/0")

    assert "certificate" in libraries.verified_tls(app, far)
    assert libraries.verified_tls(make_app(far, admit), far) == ""


def test_broker_that_is_away_is_no_proof(settings: Settings, tmp_path: Path) -> None:
    from dataclasses import replace

    away = replace(settings, broker_url=f"unix://{tmp_path}/nobody")
    guarded = Guarded(make_app(away, admit), away)

    guarded.look()

    assert guarded.unfit.startswith("its guards could not be looked at")


def test_host_without_its_guards_starts_nothing_and_says_why(
    git_repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "messages-unbound")
    with machine(git_repo) as here:
        spec = here.record("rehearse: slow 0\n")
        here.start()
        here.hint(spec)
        here.sweep()
        wait_until(lambda: here.store().fleet.hosts()[0].unfit, what=here.log)

        (host,) = here.store().fleet.hosts()

        assert host.unfit.startswith("messages are believed that must not be")
        assert here.agents() == []
