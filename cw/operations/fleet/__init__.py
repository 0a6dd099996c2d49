"""The machines of the fleet, and what only one of them can answer."""
