"""GitHub as a host has it: who gets which token; labels and comments, each once and in order."""
