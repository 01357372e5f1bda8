"""Circles: named federations of contractor groups, and who stands in them since when."""
