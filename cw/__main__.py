"""`python -m cw`, for a checkout that is not installed."""

from cw.cli.main import main

main()
