"""Three machines in network namespaces, a broker with TLS and users on one of them."""
