"""What at least two services need: protocols, not business. See docs/decisions/0001 for what may live here."""
