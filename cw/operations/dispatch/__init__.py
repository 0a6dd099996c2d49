"""From an issue to a task in a queue: all of it or nothing."""
