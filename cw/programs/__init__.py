"""Agent programs, as both sides know them: which there are, and how their logs are read."""
