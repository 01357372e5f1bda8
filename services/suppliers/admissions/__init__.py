"""Admission: which suppliers a contractor group buys from, by category (the second layer of domain.md 5.3)."""
