"""What people type and see: where a login goes, what is shown of it, and until when."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.request import HTTPRedirectHandler

from cw import no_redirects
from cw.cli import configuring, editing
from cw.cli.arguments import settings
from cw.cli.commands import logs
from cw.github.connection import Connection
from cw.homes import home, refreshing
from cw.operations.control import restart
from cw.operations.fleet import references
from cw.operations.rest import writes
from cw.operations.views import unseen
from cw.settings import load_settings
from cw.store.tasks import TaskStore
from tests.mutants import Mutant
from tests.mutants.words import put
from workerhost.claude import stream

_STATUS = "tests/integration/test_status_first.py::"
_OWN = "tests/integration/test_own_templates.py::"
_CONFIG = "tests/integration/test_cli_config.py::"


def _anybodys_issues() -> None:
    graphql = Connection.graphql

    def ours(*args: Any, **more: Any) -> Any:
        answer = graphql(*args, **more)
        for one in answer.get("repository", {}).values():
            if isinstance(one, dict) and "viewerDidAuthor" in one:
                one["viewerDidAuthor"] = True
        return answer

    put(Connection, "graphql", ours)()


def _any_delay(milliseconds: object) -> timedelta:
    return timedelta(milliseconds=float(str(milliseconds)))


MUTANTS = {
    "a login follows where it is led": Mutant(
        "tests/integration/test_doctor.py::test_login_is_not_led_elsewhere",
        put(no_redirects, "_Stay", HTTPRedirectHandler),
    ),
    "logs show what agents saw": Mutant(
        "tests/integration/test_cli_logs.py::test_logs_as_json_are_one_event_a_line_without_secrets",
        put(logs, "clean_of", lambda *_: SimpleNamespace(deep=lambda data: data)),
    ),
    "templates lie where the host keeps its own": Mutant(
        f"{_OWN}test_where_the_host_keeps_its_own_nothing_is_laid",
        put(home, "_NOT_YOURS", frozenset[str]()),
    ),
    "a template's file is copied over": Mutant(
        f"{_OWN}test_files_for_all_and_for_one_are_laid_over_ours",
        put(home, "_write_new", refreshing._put),
    ),
    "what was seen is shown": Mutant(
        f"{_STATUS}test_failure_and_question_stay_until_they_were_seen",
        put(TaskStore, "mark_seen", lambda *_: True),
    ),
    "what waits with its account is restarted": Mutant(
        "tests/integration/test_many_at_once.py"
        "::test_what_waits_with_its_account_is_restarted_before_only_for_who_says_now",
        put(restart, "limited", lambda *_: False),
    ),
    "ids are printed whole": Mutant(
        "tests/integration/test_references.py"
        "::test_what_a_person_is_told_to_type_has_short_ids_and_programs_get_whole_ones",
        put(references, "shorten", lambda _, text: text),
    ),
    "an issue that is linked is one that was created": Mutant(
        "tests/integration/test_created.py"
        "::test_issue_of_somebody_else_does_not_count_though_the_log_links_it",
        _anybodys_issues,
    ),
    "failures are shown for ever": Mutant(
        f"{_STATUS}test_a_day_takes_a_failure_off",
        put(unseen, "SHOWN_FOR", timedelta(days=9999)),
    ),
    "each attempt says that it is put off": Mutant(
        "tests/unit/test_deliver.py::test_task_put_off_again_for_the_same_cause_says_so_once",
        put(writes, "_once", lambda _, attempt: str(attempt)),
    ),
    "a log says how long nothing starts": Mutant(
        "tests/unit/test_verdict.py::test_what_the_api_asks_to_wait_is_obeyed_up_to_a_day",
        put(stream, "_delay", _any_delay),
    ),
    "a secret is taken from what was typed": Mutant(
        f"{_CONFIG}test_what_does_not_fit_is_not_set",
        put(settings, "holds_secret", lambda _: False),
    ),
    "a secret is written for all to read": Mutant(
        f"{_CONFIG}test_secret_comes_by_stdin_and_makes_the_file_private",
        put(configuring, "mode_for", lambda *_: 0o644),
    ),
    "a setting is written without a look at the others": Mutant(
        f"{_CONFIG}test_what_does_not_fit_is_not_set",
        put(configuring, "load_settings", lambda environ, *_, **__: load_settings(environ)),
    ),
    "a file that was edited is not looked at": Mutant(
        "tests/integration/test_cli_config_edit.py::test_what_does_not_fit_is_kept_and_named",
        put(editing, "load_settings", lambda *_, **__: None),
    ),
}
