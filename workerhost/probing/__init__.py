"""Whether the walls hold: asked of the real claude before a worker's first run."""
