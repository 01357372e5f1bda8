"""Companies that register themselves, with the first person who acts for them."""
