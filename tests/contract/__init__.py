"""What we rely on claude for, each fact a test against the real binary."""
