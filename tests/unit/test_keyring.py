"""The signing key: private, made once, turned without a break."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cw.errors import BadInputError
from cw.keyring import load_keyring, make_keyring
from cw.settings import Settings

OLD, NEW = "the-old-key,-which-is-long-enough-to-be-one", "the-new-key,-which-is-long-enough-too"
PEM = f"-----BEGIN CERTIFICATE-----\n{'M' * 64}\n-----END CERTIFICATE-----\n"


def test_key_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(load_keyring, [settings] * 16))

    path = tmp_path / "state" / "signing.key"
    assert len({one.keys for one in found}) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["signing.key"]
    assert found[0].keys[0].decode() not in repr(found[0])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.key"
    path.write_text(OLD, "ascii")
    path.chmod(mode)

    with pytest.raises(BadInputError, match="others may use") as caught:
        load_keyring(Settings(state_dir=tmp_path))
    assert f"chmod 600 {path}" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment\n",
        "short\n",
        f"{OLD}\nshort\n",
        "ü",
        PEM,
        f"ssh-ed25519 {'A' * 60} me",
    ],
)
def test_file_without_a_good_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signing.key"
    path.touch(0o600)
    path.write_text(text, "utf-8")

    with pytest.raises(BadInputError):
        load_keyring(Settings(state_dir=tmp_path))


def test_named_file_is_never_made(tmp_path: Path) -> None:
    """A key of one's own would be refused by all other machines."""
    path = tmp_path / "typo.key"

    with pytest.raises(BadInputError, match="there is no signing key"):
        load_keyring(Settings(signing_key_file=path))
    assert not path.exists()


def test_old_key_is_accepted_until_it_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    path.touch(0o600)
    path.write_text(f"# since May\n{NEW}\n{OLD}\n", "ascii")
    old, turned = make_keyring([OLD]), load_keyring(Settings(signing_key_file=path))

    mac = old.sign("task", {"a": 1})

    assert turned.signed("task", {"a": 1}, mac)
    assert turned.sign("task", {"a": 1}) != mac
    assert not old.signed("task", {"a": 1}, turned.sign("task", {"a": 1}))
    assert old.id != turned.id == make_keyring([NEW]).id


def test_signature_is_of_one_kind_and_one_content() -> None:
    ring = make_keyring([OLD])
    mac = ring.sign("task", {"a": 1, "b": [2]})

    assert ring.signed("task", {"b": [2], "a": 1}, mac)
    assert not ring.signed("effect", {"a": 1, "b": [2]}, mac)
    assert not ring.signed("task", {"a": 1, "b": [3]}, mac)
    assert not any(
        ring.signed("task", {"a": 1, "b": [2]}, one) for one in (None, 1, "", "ü", mac[:-1])
    )


def test_sealed_text_is_opened_unchanged_only() -> None:
    ring = make_keyring([OLD])
    text = ring.seal("fact", {"value": "yes"})

    assert ring.unseal("fact", text) == {"value": "yes"}
    for other in (text.replace("yes", "no"), "{}", "[]", "", "null", "[" * 5000, '{"data": 1}'):
        assert ring.unseal("fact", other) is None
