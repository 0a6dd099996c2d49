"""One command a module; its click object is named `command`."""
