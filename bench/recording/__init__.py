"""A run of script/demo on a terminal, as an animated picture."""
