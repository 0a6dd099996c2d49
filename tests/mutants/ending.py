"""Guards at how a run ends, is recorded and is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cw.homes import journal
from cw.homes.journal import Journal
from cw.homes.layout import Home
from cw.operations.rest import end
from cw.redaction.redact import Redactor
from cw.store import keys
from cw.store.leases import Leases
from tests.mutants import Mutant, rewrite
from workerhost import shim
from workerhost.runs import orphaned, recording
from workerhost.runs.account_listener import AccountListener
from workerhost.runs.lease_renewal import Lease


def _no_hold() -> None:
    AccountListener._refused = lambda *_: None  # type: ignore[method-assign]


def _cleared_first() -> None:
    archive, clear = journal.archive, journal.clear

    def early(home: Home, journal: Journal, clean: Redactor) -> Path:
        clear(home)
        return archive(home, journal, clean)

    journal.archive = early


def _never_known() -> None:
    recording.is_recorded = lambda *_: False


def _restore_takes_the_issue() -> None:
    restore = Leases.restore

    def greedy(self: Leases, spec: Any, run: Any, ttl: float) -> bool:
        if spec.issue is not None:
            self._db.client.delete(keys.claim(spec.repo, spec.issue))
        return restore(self, spec, run, ttl)

    Leases.restore = greedy  # type: ignore[method-assign]


def _orphaned_lease_is_left() -> None:
    orphaned.write_journals = lambda *_: None


def _run_is_not_told() -> None:
    Lease._lose = lambda self: self.lost.set()  # type: ignore[method-assign]


def _follower_is_not_told() -> None:
    def lose(self: Lease) -> None:
        self.on_lost()

    Lease._lose = lose  # type: ignore[method-assign]


def _no_room_kept() -> None:
    rewrite(shim, "        keep_room(spec", "        max(spec")


def _sweep_tells_nobody() -> None:
    end.on_outcome = lambda *_: []  # type: ignore[attr-defined]


MUTANTS = {
    "what the sweep gives up is told to nobody": Mutant(
        "tests/integration/test_given_up.py::test_issue_is_told_and_blocked", _sweep_tells_nobody
    ),
    "orphaned lease is waited for": Mutant(
        "tests/integration/test_adoption.py"
        "::test_task_that_a_host_had_just_taken_when_it_was_killed_is_run_by_the_next",
        _orphaned_lease_is_left,
    ),
    "no pause after a refused credential": Mutant(
        "tests/integration/test_account_holds.py"
        "::test_refused_credential_costs_one_request_and_its_tasks_go_on_when_it_is_mended",
        _no_hold,
    ),
    "journal is cleared before its archive is written": Mutant(
        "tests/unit/test_journal.py::test_journal_stays_until_its_archive_is_written",
        _cleared_first,
    ),
    "recorded end is not known again": Mutant(
        "tests/integration/test_recording.py"
        "::test_end_whose_answer_was_lost_is_known_to_be_recorded",
        _never_known,
    ),
    "restored run takes another's issue": Mutant(
        "tests/integration/test_rebuild.py"
        "::test_restored_run_does_not_take_an_issue_that_somebody_else_has",
        _restore_takes_the_issue,
    ),
    "run is not told that its lease is lost": Mutant(
        "tests/unit/test_lease.py::test_lost_lease_is_told_to_its_run_and_to_whoever_follows_it",
        _run_is_not_told,
    ),
    "follower is not told that the lease is lost": Mutant(
        "tests/unit/test_lease.py::test_lost_lease_is_told_to_its_run_and_to_whoever_follows_it",
        _follower_is_not_told,
    ),
    "no room is kept for the end of a run": Mutant(
        "tests/integration/test_limits.py"
        "::test_end_on_a_disk_without_a_free_byte_is_recorded_as_that_and_is_no_loss",
        _no_room_kept,
    ),
}
