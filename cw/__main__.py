"""`python -m cw`, for a checkout that is not installed."""

import sys

from cw.cli.main import main

sys.exit(main())
