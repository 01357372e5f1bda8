"""What this service does about events of others: nothing yet. `suppliers` follows this service's feed.

A new reaction stands here as `source: {event type: function}` and is run by `worker.py`.
"""

from collections.abc import Mapping

from shared.follower import Reaction

REACTIONS: Mapping[str, Mapping[str, Reaction]] = {}
