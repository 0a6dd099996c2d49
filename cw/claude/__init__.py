"""What both sides know of claude: its name, its logins, its models, and its stream as events."""
