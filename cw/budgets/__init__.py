"""Budgets: what tasks, workers, accounts and the fleet may spend, and until when that counts."""
