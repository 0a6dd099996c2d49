"""What an agent wrote, whichever program: the lines of its log, its to-do list."""
