"""A forge without GitHub, as another package would bring one: it is in this process."""
