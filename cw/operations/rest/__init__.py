"""A task comes to rest: its record's end, and what GitHub is told of it, whoever ends it."""
