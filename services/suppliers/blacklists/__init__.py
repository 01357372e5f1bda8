"""Who may not be invited, ordered from or may not deliver: for one contractor group, or officially for all."""
