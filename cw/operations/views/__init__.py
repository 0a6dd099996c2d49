"""What people are shown, as data: who does what, what waits and why, what was."""
