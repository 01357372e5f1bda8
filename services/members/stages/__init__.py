"""Stages: how far each contractor group has opened each category, and the documents by which that changes."""
