"""Logins and secrets: what an agent is given of them, what it must not see, what is known."""
