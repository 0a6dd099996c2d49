"""Agent programs as a host runs them: what each has to answer, in typed values."""
