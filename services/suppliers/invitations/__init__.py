"""Invitations of contractors to suppliers: made one by one or from a file, opened, accepted, and their funnel."""
