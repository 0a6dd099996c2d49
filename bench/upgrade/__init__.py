"""What an earlier version leaves behind, recorded for the test that this one goes on with it."""
