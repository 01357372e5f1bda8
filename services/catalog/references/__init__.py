"""Dictionaries of others (bSDD import models): kept whole beside ours, browsed, and linked to our types."""
