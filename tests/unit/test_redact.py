"""No secret leaves HOME, in whatever dress."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workerhost.redact import Redactor, redactor

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
