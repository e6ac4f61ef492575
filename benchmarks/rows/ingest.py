"""The door of events, with all checks and a durable answer, beside apps that do nothing."""

from collections.abc import Sequence
from typing import Final

from benchmarks import payloads
from benchmarks.bench import Bench, Compared, compare
from benchmarks.report import Row

P99_BAR: Final = 3.0


def one_event(bench: Bench) -> list[Row]:
    """One event a request, acknowledged when Redis has it in its log."""
    found = _against(bench, "bare")
    met = found.rate.ratio >= 0.60 and found.p99.ratio <= P99_BAR
    return [_row("one-event", "requests/s, 1 event, to bare ASGI", found, 0.60, 0.75, met=met)]


def batch_20(bench: Bench) -> list[Row]:
    """Twenty events a request: events accepted, to the bare app's requests with one each."""
    found = _against(bench, "bare", size=20)
    ratio = found.rate.ratio * 20
    what = "events/s in batches of 20, to bare ASGI's requests/s"
    detail = found.detail() | {"bare_is_sent": "one event a request"}
    row = Row("batch-20", what, ratio, 5, 7, ratio >= 5, found.rate.spread, detail=detail)
    return [row]


def vs_django(bench: Bench) -> list[Row]:
    """The same payload through an async view of Django behind two middlewares."""
    found = _against(bench, "django_view")
    met = found.rate.ratio >= 12
    return [_row("vs-django", "requests/s, 1 event, to a Django view", found, 12, 20, met=met)]


def commerce_ack(bench: Bench) -> list[Row]:
    """The same door where an acknowledgement means a commit of Postgres, as facts have it."""
    found = _against(bench, "bare", stream="postgres")
    met = found.rate.ratio >= 0.40
    what = "requests/s acknowledged after the commit, to bare ASGI"
    return [_row("commerce-ack", what, found, 0.40, 0.55, met=met)]


def _against(bench: Bench, yardstick: str, *, size: int = 1, stream: str = "redis") -> Compared:
    stage = bench.stage

    def requests(events: int) -> Sequence[bytes]:
        run = payloads.Run()
        return payloads.posts(stage.visitors, run, path=stage.events_path, size=events)

    stage.fresh()
    with stage.hot(stream=stream) as ours, stage.yardstick(yardstick) as theirs:
        return compare(
            bench, ours, theirs, lambda: requests(size), their_requests=lambda: requests(1)
        )


def _row(name: str, what: str, found: Compared, bar: float, stretch: float, *, met: bool) -> Row:
    ratio, spread = found.rate.ratio, found.rate.spread
    return Row(name, what, ratio, bar, stretch, met, spread, detail=found.detail())
