"""Runs from the lease to the record, and what becomes of them when hosts die."""
