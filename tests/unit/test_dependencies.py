"""What an issue's text says it waits for."""

import pytest

from cw.github.dependencies import dependencies


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("See #12, fixes #3", []),
        ("Blocked by #12", ["acme/app#12"]),
        ("blocked by: #1, #2 and #3.", ["acme/app#1", "acme/app#2", "acme/app#3"]),
        ("Depends on Owner/Repo#3", ["owner/repo#3"]),
        ("depends on https://github.com/owner/repo/issues/4", ["owner/repo#4"]),
        ("Waiting for #5; also depends on #5", ["acme/app#5"]),
        ("Depends on:\n- [ ] #7\n- acme/lib#8\n\nText #9", ["acme/app#7", "acme/lib#8"]),
        ("It depends on the weather #12", []),
        ("```\nBlocked by #12\n```", []),
        ("<!-- Blocked by #12 -->", []),
        ("Blocked by #0", []),
        ("Blocked by #12x", []),
    ],
)
def test_dependencies_are_found_where_they_are_said(body: str, expected: list[str]) -> None:
    assert list(dependencies(body, "acme/app")) == expected


def test_long_text_is_read_quickly_and_in_part() -> None:
    body = "Blocked by " + ", ".join(f"#{one}" for one in range(1, 5000)) + "<!--" * 5000

    assert len(dependencies(body, "acme/app")) == 20
