"""The records in Redis. Nothing outside this package knows a key."""
