"""Substitutes between variants that somebody proposed and a second person approved: shown, never applied."""
