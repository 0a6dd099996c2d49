"""claude's stream-json as it is kept: lines, events, to-dos."""
