"""Embodied carbon per component type, each number with its source."""
