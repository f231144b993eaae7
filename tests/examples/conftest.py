"""The examples are copied, not installed: they find each other by their folder alone."""

import sys

from embedded.folders import BASE_DIR

sys.path.append(str(BASE_DIR / "examples"))
