"""git in a worker's clones: before a run, after it, and at the remote."""
