"""What cw does, by subject: each a room of verbs, of their rules, and of what is shown."""
