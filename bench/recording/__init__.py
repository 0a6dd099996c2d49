"""Runs of script/demo and of cw review on a terminal, as animated pictures."""
