"""Workers of other rooms, which the process that tells webhooks keeps at work beside its own."""

from kit.worker_loop import Worker

WORKERS: list[type[Worker]] = []


def add_worker(worker: type[Worker]) -> None:
    """Has deliver_webhooks keep such a worker at work, in a thread of its own. To be called once, at start."""
    WORKERS.append(worker)
