"""Reservations: goods held for a basket until an order takes them, or until they go back."""
