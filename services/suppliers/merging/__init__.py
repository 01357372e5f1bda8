"""One company under two records: what records are known by, pairs that may be one, and merges that can be undone."""
