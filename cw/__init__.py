"""Claude Workers: the control side and the shared core."""

__version__ = "0.1.0"
