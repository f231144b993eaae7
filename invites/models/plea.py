"""What somebody says who asks to join."""

import json
from typing import NamedTuple, Self


class Plea(NamedTuple):
    """The form of somebody who asks to join. Until their address is proven, their link alone keeps it."""

    name: str = ""
    words: str = ""
    network: str = ""  # from which they ask, as visitor.network() returns it

    def pack(self) -> str:
        """Returns it as MagicLink.details stores it."""
        return json.dumps(self._asdict())

    @classmethod
    def unpack(cls, stored: str) -> Self:
        """Returns what pack() has stored; an empty plea for ""."""
        return cls(**json.loads(stored)) if stored else cls()
