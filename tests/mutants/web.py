"""What Flower's pages tell a browser."""

from __future__ import annotations

from unittest.mock import patch

from cw.services.flower import __main__ as flower
from cw.services.flower import headers
from tests.mutants import Mutant

_TESTS = "tests/integration/test_flower.py"


def _no_headers() -> None:
    patch.object(flower, "add_headers", lambda _: None).start()


def _any_script() -> None:
    patch.dict(headers._POLICY, {"script-src": "'self' 'unsafe-inline'"}).start()


MUTANTS = {
    "web-no-headers": Mutant(
        f"{_TESTS}::test_every_answer_tells_the_browser_what_it_may_do", _no_headers
    ),
    "web-any-script": Mutant(
        f"{_TESTS}::test_every_answer_tells_the_browser_what_it_may_do", _any_script
    ),
}
