"""The stream on Redis Streams, a few per shop; for storefront views."""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from zlib import crc32

from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from saleor_nudges import conf
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.stream.base import Entry, Pack, Stream, unpack

GROUP = "nudges"
# Into so many streams the channels of one shop are spread; a Redis Cluster spreads the streams.
BUCKETS = 16
# The names of all streams, so that a reader finds those of shops it has never heard of.
REGISTER = "nudges:{all}:streams"
# A batch takes milliseconds; what somebody has held for so long belongs to a dead worker.
ABANDONED_MILLISECONDS = 30_000

Held = list[tuple[str, bytes, list[Entry]]]


class RedisStream(Stream):
    """Entries acknowledged by Redis, read through a consumer group, deleted when counted."""

    def __init__(self, flow: Flow, *, abandoned_after: int = ABANDONED_MILLISECONDS) -> None:
        super().__init__(flow)
        self.client = _client(conf.get().REDIS_URL)
        self.abandoned_after = abandoned_after

    def append_packs(self, packs: Sequence[Pack]) -> None:
        pipe = self.client.pipeline(transaction=False)
        for name in {self._name(pack) for pack in packs}:
            pipe.sadd(REGISTER, name)
        for pack in packs:
            pipe.xadd(self._name(pack), {"entries": pack.entries})
        try:
            pipe.execute()
        except RedisError as error:
            raise StreamUnavailable from error

    @contextmanager
    def batch(self, size: int, wait: float = 0.0) -> Iterator[list[Entry]]:  # noqa: ARG002
        held: Held = []
        try:
            for name in sorted(self._names()):
                held += self._take(name, size - len(held))
        except RedisError as error:
            raise StreamUnavailable from error
        with transaction.atomic():
            yield [entry for _, _, entries in held for entry in entries]
        # Dying before this line hands the entries out again; the event table knows them by id.
        self._let_go(held)

    def pending(self) -> int:
        lengths: list[Any] = [self.client.xlen(name) for name in self._names()]
        return sum(lengths)

    def _name(self, pack: Pack) -> str:
        # A storefront may name any channel it likes; it must not make a stream of each.
        bucket = crc32(pack.channel.encode()) % BUCKETS
        return f"nudges:{{{pack.shop.hex}/{bucket}}}:{self.flow}"

    def _names(self) -> list[str]:
        members: Any = self.client.smembers(REGISTER)
        names = [member.decode() for member in members]
        return [name for name in names if name.endswith(f":{self.flow}")]

    def _take(self, name: str, count: int) -> Held:
        if count <= 0:
            return []
        self._ensure_group(name)
        answer: Any = self.client.xautoclaim(
            name, GROUP, _consumer(), self.abandoned_after, "0-0", count=count
        )
        claimed = answer[1]
        fresh: Any = []
        if len(claimed) < count:
            answer = self.client.xreadgroup(
                GROUP, _consumer(), {name: ">"}, count=count - len(claimed)
            )
            fresh = answer[0][1] if answer else []
        return [
            (name, key, unpack(fields[b"entries"])) for key, fields in [*claimed, *fresh] if fields
        ]

    def _ensure_group(self, name: str) -> None:
        try:
            self.client.xgroup_create(name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _let_go(self, held: Held) -> None:
        pipe = self.client.pipeline(transaction=False)
        for name, key, _ in held:
            pipe.xack(name, GROUP, key)
            pipe.xdel(name, key)
        pipe.execute()


@lru_cache(maxsize=4)
def _client(url: str) -> "Redis":
    return Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)


def _consumer() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
