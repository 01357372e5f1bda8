"""Regions by GB/T 2260: what lies in what. Pure."""

from collections.abc import Sequence


def region_heads(regions: Sequence[str]) -> list[str]:
    """The significant digits of each region: 110100 names the whole city 1101, 110000 the whole province 11."""
    heads = []
    for region in regions:
        head = region
        while len(head) > 2 and head.endswith("00"):
            head = head[:-2]
        heads.append(head)
    return heads


def regions_around(region: str) -> list[str]:
    """Every head under which a region is served: itself, its city, its province."""
    return [region[:length] for length in range(2, len(region) + 1, 2)]
