"""What bounds the memory, time and descriptors that an agent can take of others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.mutants import Mutant

_LOG = "tests/integration/test_agents_log.py::"
_DOOR = "tests/integration/test_proxy.py::"
_UNIT = "tests/unit/test_bounds.py::"
_ENDLESS = "tests/integration/test_endless.py::"


def _any_file() -> None:
    from cw.homes import files

    files.stat.S_ISREG = lambda _: True  # type: ignore[attr-defined]


def _any_size() -> None:
    from cw.homes import files

    files.read_regular = lambda path, _=0: path.read_bytes()  # type: ignore[assignment]


def _any_line() -> None:
    from cw.claude import events

    events._MARKS = 1 << 60


def _every_id() -> None:
    from collections import deque

    from workerhost.claude import stream

    vars(stream)["deque"] = lambda **_: deque()


def _all_data() -> None:
    from cw.claude import events

    events._small = lambda extra: extra


def _no_holes() -> None:
    from cw.homes import journal

    def whole(file: int) -> Iterator[tuple[int, int]]:
        yield 0, os.fstat(file).st_size

    journal._data = whole


def _slow_tokens() -> None:
    from cw.redaction import redact

    redact._JWT = re.compile(
        r"(?=(eyJ[A-Za-z0-9_-]{10,})\.[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{10,}))"
    )


def _many_lines() -> None:
    from workerhost.walls import http_framing

    http_framing._HEAD_LINES = 1 << 60


def _silent_stay() -> None:
    from workerhost.walls.proxy_admission import Counter

    Counter._end_the_silent = lambda *_: None  # type: ignore[method-assign]


def _no_processes() -> None:
    from workerhost import confined

    confined._SHELL_LIMITS = 'exec "$@"'


def _removed() -> None:
    import shutil

    from workerhost.claude import policy

    class Removing(type(Path())):  # type: ignore[misc]
        def rename(self, target: object) -> None:
            shutil.rmtree(self)

    given = policy._state
    policy._state = lambda home: Removing(given(home))


MUTANTS = {
    "bounds-any-file": Mutant(_UNIT + "test_what_is_no_regular_file_is_not_read", _any_file),
    "bounds-any-size": Mutant(_UNIT + "test_file_that_is_too_large_is_no_json", _any_size),
    "bounds-any-line": Mutant(_UNIT + "test_line_of_very_many_objects_is_not_parsed", _any_line),
    "bounds-every-id": Mutant(_UNIT + "test_ids_of_many_messages_are_not_kept", _every_id),
    "bounds-all-data": Mutant(_UNIT + "test_to_do_of_any_size_is_not_sent", _all_data),
    "bounds-holes": Mutant(_UNIT + "test_holes_of_a_log_are_kept", _no_holes),
    "bounds-tokens": Mutant(
        _ENDLESS + "test_token_that_never_comes_is_soon_given_up", _slow_tokens
    ),
    "bounds-head": Mutant(_DOOR + "test_head_of_very_many_lines_is_no_request", _many_lines),
    "bounds-silent": Mutant(_DOOR + "test_whoever_does_not_finish_asking_is_ended", _silent_stay),
    "bounds-processes": Mutant(
        _LOG + "test_limit_of_processes_holds_for_each_namespace_alone", _no_processes
    ),
    "bounds-deep": Mutant(_ENDLESS + "test_very_deep_folder_is_out_of_the_way_at_once", _removed),
}
