"""The progress of a long command, shown on stderr."""

import time
from datetime import timedelta
from typing import Any

WIDTH = 20  # characters of the bar
EVERY = 0.1  # seconds between two changes of the line
LINE_EVERY = 1000  # rows between two lines, where there is no terminal


class Progress:
    """The progress of a command: on a terminal one line that renews itself; elsewhere, with -v 2, some lines.

    With -v 0, or with a --format other than text, a terminal shows none.
    """

    def __init__(self, stream: Any, doing: str, total: int | None, options: dict[str, Any]) -> None:
        """Starts the clock for the pace, and shows nothing yet.

        The lines go to `stream`, and each begins with `doing`. `total` is the number of rows to come, None if unknown;
        `options` are those of the command, with "verbosity" and "format".
        """
        self.stream, self.doing, self.total = stream, doing, total
        self.renews = is_watched(stream, options)
        self.lines = not stream.isatty() and options["verbosity"] >= 2
        self.started, self.shown_at, self.told = time.monotonic(), 0.0, 0

    def update(self, rows: int, failed: int) -> None:
        """Shows that `rows` rows are done so far and that `failed` have failed.

        It skips this if the last line is too recent: EVERY seconds on a terminal, LINE_EVERY rows elsewhere.
        """
        now = time.monotonic()
        if self.renews and now - self.shown_at >= EVERY:
            self.shown_at = now
            self.stream.write(f"\r\x1b[K{self.line(rows, failed)}", ending="")
            self.stream.flush()
        elif self.lines and rows // LINE_EVERY > self.told:
            self.told = rows // LINE_EVERY
            self.stream.write(self.line(rows, failed))

    def end(self) -> None:
        """Clears the line that renews itself, to make room for the result."""
        if self.renews and self.shown_at:
            self.stream.write("\r\x1b[K", ending="")
            self.stream.flush()

    def line(self, rows: int, failed: int) -> str:
        """Returns the progress in words: rows, pace and, if there are any, failures.

        If the total is known, also a bar, the share that is done, and the time left.
        """
        pace = rows / max(time.monotonic() - self.started, 0.001)
        parts = [f"{self.doing}  {rows:,}", f"{pace:,.1f}/s"]
        if self.total:
            share = min(rows / self.total, 1)
            bar = "█" * int(share * WIDTH)
            left = timedelta(seconds=round(max(self.total - rows, 0) / max(pace, 0.001)))
            parts = [f"{parts[0]}/{self.total:,} {bar:░<{WIDTH}}", f"{share:.0%}", parts[1], f"{left} left"]
        return "  ".join([*parts, f"failed {failed}"] if failed else parts)


def is_watched(stream: Any, options: dict[str, Any]) -> bool:
    """Returns whether to show a line that renews itself: on a terminal, with --format text, and not with -v 0."""
    return bool(stream.isatty() and options["verbosity"] >= 1 and options["format"] == "text")
