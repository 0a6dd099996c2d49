"""What every pass over GitHub shares: its scope, its budget, how it ends early."""
