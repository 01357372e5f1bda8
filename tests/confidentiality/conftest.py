"""The platform whose walls are tried."""

from tests.platform import story

__all__ = ["story"]
