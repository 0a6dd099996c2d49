"""Records, labels, issues and archives made to agree again."""
