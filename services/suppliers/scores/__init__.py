"""How suppliers fared, from facts: each contractor group, category and year by itself (domain.md 5.15)."""
