"""Pictures of the code, drawn from what CI enforces: they say nothing that does not hold."""
