"""Guards of what is installed."""

from __future__ import annotations

from bench import audited
from cw.services import verified
from tests.mutants import Mutant


def lock_without_force() -> None:
    """The lock's hashes are not required."""
    install = verified.install

    def any_file(*given: object) -> tuple[str, ...]:
        return tuple(one for one in install(*given) if one != "--require-hashes")  # type: ignore[arg-type]

    verified.install = any_file  # type: ignore[assignment]


def silence_is_clean() -> None:
    """Packages that nobody could be asked about count as audited."""
    judge = audited.judge

    def trusting(answer: str, words: str) -> tuple[int, list[str]]:
        return 0, judge(answer, words)[1]

    audited.judge = trusting


MUTANTS = {
    "lock-without-force": Mutant(
        "tests/unit/test_supply.py::test_lock_is_what_pip_is_told_to_require", lock_without_force
    ),
    "silence-is-clean": Mutant(
        "tests/unit/test_supply.py::test_part_that_was_not_audited_is_red", silence_is_clean
    ),
}
