"""What a new installation begins with: the taxonomy, and a demonstration world to try it in."""
