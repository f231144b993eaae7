"""The limit on what any visitor sends, whichever room answers. The rooms keep their own limits in their `limits.py`."""

from kit.rate_limit import Limit

# Every body over MAX_BODY of config/edge/bodies.py, of whatever page: reading it costs, even if it is refused.
LARGE_BODY_PER_NETWORK = Limit("large-body", "30/10m")
