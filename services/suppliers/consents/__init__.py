"""Consents: what a supplier lets others read of its record, to whom and until when (T5), and the profile they open."""
