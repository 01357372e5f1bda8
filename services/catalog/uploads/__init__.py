"""Files that operators upload, and what became of their rows."""
