"""A host begins only when what keeps strangers out holds with the libraries that are installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kombu.transport import redis as kombu_redis

from cw.broker import signed_transport
from cw.broker.app import make_app
from cw.keyring import load_keyring
from cw.settings import load_settings
from cw.store.store import Store
from tests.making import give_key
from workerhost import self_checks
from workerhost.inbox.admission import admit
from workerhost.inbox.replay_protection import ReplayProtection

Breaking = Callable[[pytest.MonkeyPatch], Any]


@pytest.fixture
def why(store: Store, cw_environ: dict[str, str], tmp_path: Path) -> Callable[[], str]:
    url = store.connection.url
    more = {"CW_BROKER_URL": url, "CW_SIGNING_KEY_FILE": give_key(tmp_path)}
    settings = load_settings(cw_environ | more)[0]

    def ask() -> str:
        with make_app(settings, admit) as app:
            return self_checks.broken(
                app, load_keyring(settings), ReplayProtection(store, "here"), "here"
            )

    return ask


def test_all_hold_and_nothing_is_left_behind(why: Callable[[], str], store: Store) -> None:
    assert why() == ""

    left = [one for one in store.connection.client.keys("*") if not one.startswith("cw:nonce:")]
    assert [one for one in left if not one.startswith("_kombu")] == []


BROKEN: dict[str, tuple[Breaking, str]] = {
    "kombu delivers another way": (
        lambda patch: patch.setattr(
            signed_transport.Transport, "_deliver", kombu_redis.Transport._deliver
        ),
        "believed that is not signed",
    ),
    "kombu hears broadcasts another way": (
        lambda patch: patch.setattr(
            signed_transport.Channel,
            "_deliver_fanout_message",
            lambda self, message, exchange: self.connection.hand_over(
                message, self._fanout_to_queue[exchange]
            ),
        ),
        "a broadcast is believed",
    ),
    "the address is not looked at": (
        lambda patch: patch.setattr(signed_transport, "refusal", _but("it was sent to ")),
        "believed that is sent to another",
    ),
    "the key is not looked at": (
        lambda patch: patch.setattr(signed_transport, "refusal", _but("its signature is not ")),
        "believed that is of another key",
    ),
    "the age is not looked at": (
        lambda patch: patch.setattr(signed_transport, "refusal", _but("it has expired")),
        "believed that is too old",
    ),
    "nonces are not remembered": (
        lambda patch: patch.setattr(ReplayProtection, "burn", lambda *_: True),
        "acted on twice",
    ),
    "a private name is gone": (
        lambda patch: patch.setitem(self_checks.RELIED_ON, kombu_redis.Channel, ("_put_all",)),
        "kombu has no _put_all",
    ),
}
REFUSAL = signed_transport.refusal


def _but(words: str) -> Callable[..., str | None]:
    def refusal(*args: Any, **more: Any) -> str | None:
        said = REFUSAL(*args, **more)
        return None if said and said.startswith(words) else said

    return refusal


@pytest.mark.parametrize("name", BROKEN)
def test_guard_that_a_library_switched_off_is_named(
    why: Callable[[], str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    break_it, words = BROKEN[name]
    break_it(monkeypatch)

    assert words in why()


def test_names_that_signing_hangs_on_are_there() -> None:
    """And each of them is what cw.broker.signed_transport puts its own in the place of."""
    for owner, names in self_checks.RELIED_ON.items():
        ours = getattr(signed_transport, owner.__name__)
        for name in names:
            assert getattr(ours, name) is not getattr(owner, name), name
