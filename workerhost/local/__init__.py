"""What only the host's side can answer about this machine, asked by `cw` here: as lines of JSON."""
