"""Companies by tax id, their names, kinds and size, and the dated links that make groups and branches."""
