"""What stands around an agent: bubblewrap, claude's own sandbox, and the one way to the network."""
