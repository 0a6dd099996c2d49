"""What a newcomer's run of the tests says at its end."""

from tests.nottried import not_tried


def test_what_a_machine_lacks_is_counted_with_what_brings_it() -> None:
    walls = "Skipped: needs bubblewrap and socat that work"

    said = not_tried([walls, walls, "Skipped: needs cc", "Skipped: only root gives files away"])

    assert said.startswith(
        "Not tried: 4 tests, for want of bubblewrap and socat that work (2); cc (1);"
        " only root gives files away (1)."
    )
    assert "apt-get install bubblewrap gcc libc6-dev socat, then script/test as root" in said


def test_machine_that_has_everything_is_told_nothing() -> None:
    assert not_tried([]) == ""
