"""claude as a host runs it: its binary, its call, its own sandbox, its stream, its words."""
