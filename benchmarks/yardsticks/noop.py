"""What Celery takes for a task that does nothing: fetched from Redis, run, acknowledged."""

import importlib
import os
import sys
from typing import Final

from celery import Celery

QUEUE: Final = "yardstick-noop"

app = Celery("yardstick", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(task_ignore_result=True, task_default_queue=QUEUE)


@app.task
def nothing() -> None:
    """Do nothing."""


def fill(count: int) -> None:
    """Put so many tasks into the queue."""
    with app.producer_pool.acquire() as producer:
        for _ in range(count):
            nothing.apply_async(producer=producer)


if __name__ == "__main__":
    # By its full name, which is what a worker knows its tasks by.
    importlib.import_module("benchmarks.yardsticks.noop").fill(int(sys.argv[1]))
