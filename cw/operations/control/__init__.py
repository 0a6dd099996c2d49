"""People's verbs over tasks and workers: pause, stop, restart, reset, remove."""
