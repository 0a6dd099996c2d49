"""Flower without the guard that `CW_TEST_MUTANT` names. Started by tests in the place of
`cw.services.flower`.
"""

from __future__ import annotations

import sys

from cw.services.flower import __main__ as flower
from tests.mutants import take_out

if __name__ == "__main__":
    take_out()
    sys.exit(flower.main())
