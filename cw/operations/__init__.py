"""The verbs, each in its file."""
