"""What `cw doctor` looks at, by subject."""
