"""How the dictionary changes: proposals, review by a second person, published versions, and what differs between two."""
