# What worker {{worker}} logs in with. Only NAME=value lines are read; nothing here is executed by cw.
# Change a value here and it counts from the next run on. Keep this file to yourself (mode 0600).
# ANTHROPIC_API_KEY wins over CLAUDE_CODE_OAUTH_TOKEN: for a subscription, leave the key out.
{{tokens}}
