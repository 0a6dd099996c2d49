"""A host without the guard that `CW_TEST_MUTANT` names. Started by tests in the place of
`workerhost`.
"""

from __future__ import annotations

import sys

from tests.mutants import take_out
from workerhost.__main__ import main

if __name__ == "__main__":
    take_out()
    sys.exit(main())
