"""Listings: a supplier's items and the offers made for them."""
