"""Python itself runs this as it starts: without the guard that `CW_TEST_MUTANT` names are then also
programs that a test starts as they are installed.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))

from tests.mutants import take_out

take_out()
