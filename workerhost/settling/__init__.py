"""What came out of a run: evidence, breaches, pull requests, the outcome."""
