"""What `cw up` runs on this machine: broker, host, beat and Flower, and who watches them."""
