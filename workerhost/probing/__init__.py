"""Whether the walls hold: tried behind them before a worker's first run."""
