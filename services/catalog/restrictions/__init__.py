"""Goods that may not be listed or ordered: by type and property values, region and day, each with its document."""
