"""Flower, made ours: its list is what the records say, its buttons do what `cw` does."""
