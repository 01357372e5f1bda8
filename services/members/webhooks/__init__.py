"""Webhooks: companies are told of what concerns them at an address of their own (Standard Webhooks)."""
