"""What lies at the broker and steers is signed: whoever can only write there steers nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cw.errors import ForgedError
from cw.keyring import make_keyring
from cw.models import TaskSpec
from cw.store import keys
from cw.store.outbox import Effect
from cw.store.signing import prompt_sha256
from cw.store.store import Store, open_store
from tests.making import KEYRING, make_spec

PROMPT = "do this\r\n"
STRANGER = make_keyring(["somebody else's key, 32 characters"])
EFFECT = Effect(kind="comment", repo="acme/app", issue=1, worker="01", text="hello", mark="m")


def dispatched(store: Store, **changed: Any) -> TaskSpec:
    spec = make_spec(issue=None, wanted_worker="01", prompt_sha256=prompt_sha256(PROMPT), **changed)
    store.tasks.create(spec, PROMPT)
    return spec


def rewrite(store: Store, spec: TaskSpec, **changed: Any) -> None:
    """As somebody does who can write at the broker and has no key."""
    client = store.connection.client
    row = json.loads(client.hget(keys.task(spec.id), "spec"))
    client.hset(keys.task(spec.id), "spec", json.dumps(row | changed))


def test_record_is_taken_as_it_was_dispatched(store: Store) -> None:
    spec = dispatched(store)

    found = store.tasks.genuine(spec.id, "01")

    assert found
    assert (found[0].spec.id, found[1]) == (spec.id, PROMPT)
    assert store.tasks.genuine(make_spec().id, "01") is None


def test_record_of_the_previous_key_is_taken_while_that_is_in_the_file(store: Store) -> None:
    spec = dispatched(store)
    turned = make_keyring(["the next key, which is long enough.", KEYRING.keys[0].decode()])
    without = make_keyring([turned.keys[0].decode()])
    url = store.connection.url

    assert open_store(url, turned).tasks.genuine(spec.id, "01")
    with pytest.raises(ForgedError, match="not signed with the key of this host"):
        open_store(url, without).tasks.genuine(spec.id, "01")


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "opus"},
        {"mode": "issue"},
        {"repo": "acme/other"},
        {"repo_url": "https://evil.example/app.git"},
        {"repo_path": "/etc"},
        {"repo_folder": "../../etc"},
        {"issue": 7},
        {"wanted_worker": "02"},
        {"prompt_sha256": prompt_sha256("other")},
        {"created_by": "root@here"},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "ü"},
    ],
    ids=str,
)
def test_changed_record_is_refused(store: Store, changed: dict[str, Any]) -> None:
    spec = dispatched(store)
    rewrite(store, spec, **changed)

    for worker in ("01", "02"):
        with pytest.raises(ForgedError):
            store.tasks.genuine(spec.id, worker)


def test_changed_prompt_is_refused(store: Store) -> None:
    spec = dispatched(store)

    for prompt in ("do that", "", PROMPT.strip()):
        store.connection.client.set(keys.prompt(spec.id), prompt)
        with pytest.raises(ForgedError):
            store.tasks.genuine(spec.id, "01")


def test_genuine_record_is_good_for_its_own_id_and_worker_only(store: Store) -> None:
    spec, client = dispatched(store), store.connection.client
    copy = make_spec().id
    client.hset(keys.task(copy), mapping=client.hgetall(keys.task(spec.id)))
    client.set(keys.prompt(copy), PROMPT)

    with pytest.raises(ForgedError, match="another task or worker"):
        store.tasks.genuine(copy, "01")
    with pytest.raises(ForgedError, match="another task or worker"):
        store.tasks.genuine(spec.id, "02")


def test_record_that_is_none_is_passed_over(store: Store) -> None:
    spec, broken = dispatched(store), dispatched(store)
    store.connection.client.hset(keys.task(broken.id), "spec", "[" * 5000)

    assert [one.spec.id for one in store.tasks.open_tasks()] == [spec.id]
    assert store.tasks.get(broken.id) is None
    assert store.tasks.genuine(broken.id, "01") is None


def test_only_what_we_said_is_told_to_github(store: Store) -> None:
    client, key = store.connection.client, keys.outbox("here")
    store.outbox.add("here", [EFFECT])
    genuine = json.loads(client.lpop(key))["data"]
    forged = [
        EFFECT.model_dump_json(),
        STRANGER.seal("effect", genuine),
        KEYRING.seal("github fact", genuine),
        KEYRING.seal("effect", EFFECT.model_dump(mode="json")),  # for no host, for ever
        "[" * 5000,
        "null",
    ]
    client.rpush(key, *forged)
    store.outbox.add("here", [EFFECT])

    found = next(iter(store.outbox.pending("here")), None)
    assert found
    assert found.effect == EFFECT
    assert store.outbox.length("here") == 1


def _raised(text: str) -> str:
    row = json.loads(text)
    row["data"]["value"] = "yes"
    return json.dumps(row)


@pytest.mark.parametrize("change", [_raised, lambda _: "yes", lambda _: STRANGER.seal("x", "yes")])
def test_only_what_we_heard_of_github_is_believed(
    store: Store, change: Callable[[str], str]
) -> None:
    store.github.keep_fact("may write: mallory", "no", timedelta(hours=1))
    store.github.keep_page("issues", "etag", "body")
    client, name = store.connection.client, keys.github_fact("may write: mallory")

    assert store.github.fact("may write: mallory") == "no"
    assert store.github.page("issues") == ("etag", "body")
    client.set(name, change(client.get(name)))
    client.hset(keys.github_page("issues"), "body", "forged")

    assert store.github.fact("may write: mallory") is None
    assert store.github.page("issues") is None


def test_fact_is_good_under_its_own_name_only(store: Store) -> None:
    store.github.keep_fact("may write: alice", "yes", timedelta(hours=1))
    client = store.connection.client
    client.rename(keys.github_fact("may write: alice"), keys.github_fact("may write: mallory"))

    assert store.github.fact("may write: mallory") is None


def test_nonce_is_new_once(store: Store) -> None:
    assert store.locks.burn("n", 60)
    assert not store.locks.burn("n", 60)
    assert 0 < store.connection.client.pttl(keys.nonce("n")) <= 60_000
