"""Kills everything at random and counts what became of the work, from the agents' own log."""
