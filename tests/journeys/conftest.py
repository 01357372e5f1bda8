"""The platform whose stories are told."""

from tests.platform import story

__all__ = ["story"]
