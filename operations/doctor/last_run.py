"""What `doctor` found when it last ran: kept for the desk's home, which must not wait for other hosts itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from kit.findings import Finding, State

KEY = "doctor"
KEPT = timedelta(days=1)  # what is older says little about today


@dataclass(frozen=True)
class Run:
    """The findings of a run, and when it was."""

    at: datetime
    findings: list[Finding]


def remember(findings: list[Finding]) -> None:
    """Keeps these findings as those of a run just now. Without Redis they are lost, and recall() returns None."""
    stored = {"at": timezone.now().isoformat(), "findings": [finding.as_dict() for finding in findings]}
    cache.set(KEY, stored, int(KEPT.total_seconds()))


def recall() -> Run | None:
    """Returns the last run within KEPT, or None."""
    try:
        return read(cache.get(KEY))
    except (TypeError, ValueError, LookupError, AttributeError):  # there is none, or nobody of ours has stored it
        return None


def read(stored: Any) -> Run:
    """Returns the run that was stored. Raises TypeError, ValueError, KeyError or AttributeError for anything else."""
    at = datetime.fromisoformat(stored["at"]).astimezone()
    return Run(at, [Finding(**finding | {"state": State(finding["state"])}) for finding in stored["findings"]])
