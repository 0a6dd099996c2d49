"""Pull requests of ours, from their task's end until they are merged or closed: rules, no deeds."""
