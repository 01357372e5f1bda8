"""A contractor group's evaluations and blacklist from its legacy platform: read, matched, staged for their steps."""
