"""What people type: options, references, ranges, prompts, and what a shell offers after TAB."""
