"""Accounts: credentials for a model's API, what they have used up, and until when they wait."""
