"""What this service does about events of others: nothing. It follows no feed; others follow its own.

A new reaction stands here as `source: {event type: function}` and is run by `worker.py`.
"""

from collections.abc import Mapping

from shared.follower import Reaction

REACTIONS: Mapping[str, Mapping[str, Reaction]] = {}
