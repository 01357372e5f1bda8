"""What orders say in sum: the metrics of domain.md 3.6, and price statistics that name nobody (T4)."""
