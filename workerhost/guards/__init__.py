"""What a library's next version could switch off without a word, looked at before a host starts."""
