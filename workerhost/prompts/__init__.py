"""What an agent is told, and whose words from GitHub are among it."""
