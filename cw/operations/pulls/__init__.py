"""Pull requests of ours are followed from their task's end until they are merged or closed."""
