"""Stock by supplier, item and stock point."""
