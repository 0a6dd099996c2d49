"""What a person is told outside of GitHub, and the notifiers that take it there."""
