"""Which issue goes to which idle worker, without anybody dispatching it."""
