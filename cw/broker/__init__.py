"""Celery's broker: its address, the application, and messages that are signed on the way."""
