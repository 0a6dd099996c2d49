"""Forges, as all of cw knows them: what is asked of one, in which values, and which there are."""
