"""What arrives at a host: what is let in, who takes it, what is answered."""
