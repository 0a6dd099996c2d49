"""A host with one of its guards taken out, to see whether the counts notice: `CW_CHAOS_MUTANT`.

Started by the driver in the place of `workerhost`; product code has no such switch.
"""

from __future__ import annotations

import os
import sys

from bench.chaos.mutants import mutate

if __name__ == "__main__":
    from workerhost.__main__ import main

    mutate(os.environ["CW_CHAOS_MUTANT"])
    sys.exit(main())
