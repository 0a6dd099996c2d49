"""A worker's HOME: where things lie, how it is made, what it keeps of its runs."""
