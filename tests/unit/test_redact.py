"""No secret leaves HOME, in whatever dress."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cw.redaction.redact import Redactor, redactor

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCD"
KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA\n-----END OPENSSH PRIVATE KEY-----"
)


@pytest.mark.parametrize(
    "secret",
    [
        *(f"gh{one}_{LETTERS}" for one in "pousr"),
        f"github_pat_11ABCDEFG0{LETTERS}_{LETTERS}",
        f"sk-ant-api03-{LETTERS}-x_{LETTERS}",
        f"sk-ant-oat01-{LETTERS}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{LETTERS}.{LETTERS}",
        "AKIAIOSFODNN7EXAMPLE",
        f"xoxb-2345678901-{LETTERS}",
        KEY,
        KEY.replace("OPENSSH ", "RSA "),
        KEY.rpartition("\n")[0],  # cut off
    ],
)
def test_known_shapes_are_blotted_out_wherever_they_come_from(secret: str) -> None:
    text = Redactor()(f"before {secret}")

    assert text == "before [redacted]"


@pytest.mark.parametrize("text", ["ghp_short", "a sketch-ant", "eyJ.a.b", "issue #22", "BEGIN"])
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.parametrize(
    "name", ["GH_TOKEN", "ANTHROPIC_API_KEY", "MY_SECRET", "db_password", "PRIVATE_THING"]
)
def test_value_of_a_secret_variable_is_blotted_out_whatever_its_shape(name: str) -> None:
    redact = redactor({name: "correct-horse-battery", "HOME": "/home/somebody"})

    text = redact("pw=correct-horse-battery in /home/somebody")

    assert text == "pw=[redacted] in /home/somebody"


def test_value_that_nobody_made_up_is_a_secret_whatever_its_name() -> None:
    value = "eyJ0eXAi0iJKV1QiLCJhb.7dK2mQ9x"
    redact = redactor({"SESSION": value, "NODE_ENV": "production", "HERE": "/tmp/cwT-9xAb12/home"})

    assert redact(f"{value} in production at /tmp/cwT-9xAb12/home") == (
        "[redacted] in production at /tmp/cwT-9xAb12/home"
    )


def test_short_value_does_not_blot_out_words() -> None:
    assert redactor({"X_TOKEN": "main"})("on main") == "on main"


def test_longest_value_goes_first() -> None:
    redact = redactor({"A_TOKEN": "abcdefgh", "B_TOKEN": "abcdefgh-and-more"})

    assert redact("abcdefgh-and-more") == "[redacted]"


@given(st.text(max_size=20), st.text("abcXYZ019-_é", min_size=12, max_size=40), st.text(max_size=9))
def test_secret_in_base64_is_found_wherever_it_begins(head: str, secret: str, tail: str) -> None:
    """As in an Authorization header: base64 of `user:token`."""
    encoded = base64.b64encode(f"{head}{secret}{tail}".encode()).decode()

    shown = redactor({"GH_TOKEN": secret})(encoded)

    assert "[redacted]" in shown
    rest = base64.b64encode(f"{head}{tail}".encode())
    assert len(shown.replace("[redacted]", "")) <= len(rest) + 6  # two ends at most


def test_every_text_of_a_json_value_is_cleaned() -> None:
    token = f"ghp_{LETTERS}"
    value = {"a": [token, 1, None, {"b": f"x {token}"}], token: True}

    cleaned = Redactor().deep(value)

    assert token not in json.dumps(cleaned)
    assert cleaned["a"][1:3] == [1, None]


TOKEN = "ghp_7dK2mQ9xV4tB1nR8wZ5cH3jL6pS0yF2gA4eU"
CHOPPED = [TOKEN[at : at + 7] for at in range(0, len(TOKEN), 7)]
DRESSES = {
    "url": lambda: quote(f"{TOKEN}/+ä", safe=""),
    "hex": lambda: TOKEN.encode().hex(),
    "HEX": lambda: TOKEN.encode().hex().upper(),
    "spaced": lambda: " ".join(TOKEN),
    "dashed": lambda: "-".join(CHOPPED),
    "threes": lambda: " ".join(TOKEN[at : at + 3] for at in range(0, len(TOKEN), 3)),
    "concatenated": lambda: json.dumps('"+"'.join(CHOPPED)),
    "numbered": lambda: "\n".join(f"part {n}: {one};" for n, one in enumerate(CHOPPED)),
    "told backwards": lambda: "\n".join(f"part {n}: {one};" for n, one in enumerate(CHOPPED[::-1])),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_known_secret_is_found_in_every_dress(dress: str) -> None:
    text = DRESSES[dress]()

    shown = redactor({"GH_TOKEN": TOKEN})(text)

    longest = max(
        n for n in range(len(TOKEN)) for at in range(len(TOKEN) - n) if TOKEN[at : at + n] in shown
    )
    assert "[redacted]" in shown
    assert longest <= len("ghp_") + 3  # what everybody knows, and less than a piece
    assert TOKEN.encode().hex()[8:20] not in shown.lower()


def dump(line: Callable[[int, bytes], str]) -> Callable[[bytes], str]:
    """Sixteen bytes a line."""
    return lambda raw: "\n".join(line(at, raw[at : at + 16]) for at in range(0, len(raw), 16))


def seen(raw: bytes) -> str:
    return "".join(chr(one) if 32 <= one < 127 else "." for one in raw)


PRINTED: dict[str, Callable[[bytes], str]] = {  # by common tools, with their line breaks
    "base64": lambda raw: base64.encodebytes(raw).decode(),
    "base64 -w 20": lambda raw: "\n".join(textwrap.wrap(base64.b64encode(raw).decode(), 20)),
    "xxd -p": lambda raw: "\n".join(textwrap.wrap(raw.hex(), 60)),
    "xxd -p -u": lambda raw: "\n".join(textwrap.wrap(raw.hex().upper(), 60)),
    "xxd": dump(lambda at, raw: f"{at:08x}: {raw.hex(' ', -2):40} {seen(raw)}"),
    "od -An -tx1": dump(lambda _, raw: f" {raw.hex(' ')}"),
    "od -tx1": dump(lambda at, raw: f"{at:07o} {raw.hex(' ')}"),
    "od -Ax -tx1z": dump(lambda at, raw: f"{at:06x} {raw.hex(' '):49} >{seen(raw)}<"),
    "hexdump -C": dump(
        lambda at, raw: f"{at:08x}  {raw[:8].hex(' ')}  {raw[8:].hex(' '):24}|{seen(raw)}|"
    ),
    "python": lambda raw: "".join(f"\\x{one:02x}" for one in raw),
    "URL": lambda raw: "".join(f"%{one:02X}" for one in raw),
}


@pytest.mark.parametrize("before", range(0, 80, 7))
@pytest.mark.parametrize("tool", PRINTED)
def test_known_secret_is_found_in_what_common_tools_print(tool: str, before: int) -> None:
    redact = redactor({"GH_TOKEN": TOKEN, "DB_PASSWORD": "hunter22x"})
    raw = b"x" * before + f"GH_TOKEN={TOKEN}\nDB_PASSWORD=hunter22x\nLANG=C.UTF-8\n".encode()
    text = PRINTED[tool](raw)

    for whole in (text, json.dumps({"text": text})):
        shown = redact(whole)
        log = redact.same_length(whole.encode()).decode()

        for left in (shown, log):
            assert not windows(TOKEN) & parts(left), left
            assert not windows("hunter22x") & parts(left), left
        assert (redact.knows(whole), len(log)) == (True, len(whole))
    assert json.loads(log)


def windows(secret: str) -> set[str]:
    """Five bytes of it in hexadecimal digits, and what base64 makes of eight."""
    raw = secret.encode()
    digits = {raw[at : at + 5].hex() for at in range(len(raw) - 4)}
    return digits | {
        base64.b64encode(raw[at : at + 8])[1:9].decode().lower() for at in range(len(raw) - 7)
    }


def parts(text: str) -> set[str]:
    """Its letters and digits, line by line, cut as the windows are."""
    lines = [re.sub(r"[^0-9a-z]", "", one.lower()) for one in re.split(r"\n|\\n", text)]
    return {one[at : at + n] for one in lines for n in (8, 10) for at in range(len(one) - n + 1)}


@pytest.mark.parametrize(
    "text",
    [
        "one correct horse and another battery, a staple-gun",
        "commit 4f2c1e9b7a3d5c6e8f0a1b2c3d4e5f6a7b8c9d0e",
        "see tests/unit/test_redact.py and github_pat_ or sk-ant-api03-",
    ],
)
def test_chopping_does_not_blot_out_ordinary_words(text: str) -> None:
    secrets = {"A_PASSWORD": "correct-horse-battery-staple", "B_TOKEN": TOKEN}

    assert redactor(secrets)(text) == text


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_log_keeps_its_length_and_what_is_around_a_secret(head: bytes, tail: bytes) -> None:
    secret = "pässword-7dK2mQ9x"
    redact = redactor({"X_TOKEN": secret})
    middle = redact.same_length(secret.encode())

    shown = redact.same_length(head + b" " + secret.encode() + b" " + tail)

    assert len(shown) == len(head) + len(tail) + 2 + len(secret.encode())
    assert middle in shown
    assert secret.encode() not in shown


def test_user_and_password_of_a_url_are_blotted_out_and_its_place_stays() -> None:
    shown = Redactor()("remote: https://me:hunter2@example.invalid/x.git refused")

    assert shown == "remote: https://[redacted]@example.invalid/x.git refused"


def test_shapes_are_not_known_values() -> None:
    redact = redactor({"GH_TOKEN": TOKEN})

    assert redact.knows(f"+x = {TOKEN!r}")
    assert redact.knows("\n+".join(CHOPPED))
    assert not redact.knows(f"+x = 'ghp_{LETTERS}'")
