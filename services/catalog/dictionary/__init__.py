"""How the dictionary changes: proposals, review by a second person, versions, and what differs between two."""
