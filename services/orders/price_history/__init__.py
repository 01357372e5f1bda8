"""What a contractor group paid on its legacy platform: statistics of its own, never a price of any offer."""
