"""The host side: owns the identities of one machine and runs their agents."""
