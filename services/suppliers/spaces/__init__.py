"""How far each supplier's offers reach: the spaces of the contractor groups that admitted it (domain.md 3.2)."""
