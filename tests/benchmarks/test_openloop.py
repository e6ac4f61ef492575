"""The open-loop generator against a server of a few lines: nothing is left out, delays count."""

import asyncio

import pytest

from benchmarks.openloop import Connection, Generator, Outcome, Spec, read
from benchmarks.payloads import PLACE

REQUEST = b"GET /" + PLACE + b" HTTP/1.1\r\nHost: x\r\n\r\n"


def answer(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def play(rate: float, seconds: float, *, stall: float = 0.0) -> tuple[Outcome, list[str]]:
    """Send to a server that refuses each fifth request and stalls once at the start."""
    seen: list[str] = []
    handlers: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.append(task)
        while line := await reader.readline():
            if line.startswith(b"GET"):
                seen.append(line.split()[1].decode())
                if len(seen) == 1 and stall:
                    await asyncio.sleep(stall)
                writer.write(answer(429 if len(seen) % 5 == 0 else 202))
        writer.close()
        await writer.wait_closed()

    async def run() -> Outcome:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        outcome = await Generator(Spec(port, rate, seconds, [REQUEST], connections=1)).run()
        server.close()
        async with asyncio.timeout(5):
            await server.wait_closed()
            await asyncio.gather(*handlers)
        return outcome

    return asyncio.run(run()), seen


def test_sends_all_once_and_on_time():
    outcome, seen = play(500, 0.2)
    assert outcome.sent == 100
    assert sorted(seen) == [f"/{number:012x}" for number in range(1, 101)]
    assert {status: outcome.count(status) for status in (202, 429)} == {202: 80, 429: 20}
    assert outcome.unanswered == outcome.broken == 0
    assert outcome.seconds == pytest.approx(0.2, abs=0.1)


def test_stall_is_felt_by_whoever_came_meanwhile():
    outcome, _ = play(200, 0.3, stall=0.25)
    # A closed loop would have seen one slow answer: here all that were due meanwhile are slow.
    slow = [one for one in outcome.latencies[""][202] if one > 0.1]
    assert len(slow) >= 15


def test_answers_in_pieces_are_matched_in_order():
    # given
    noted: list[tuple[int, int]] = []
    connection = Connection(lambda request, status: noted.append((request[1], status)))
    connection.waiting.extend([(0.0, 1, ""), (0.0, 2, ""), (0.0, 3, "")])
    stream = answer(202, b"x" * 30) + answer(429, b"") + answer(503)
    # when
    for start in range(0, len(stream), 7):
        connection.data_received(stream[start : start + 7])
    # then
    assert noted == [(1, 202), (2, 429), (3, 503)]


def test_outcome_survives_json():
    outcome = read({"sent": 1, "latencies": {"a": {"202": [0.5]}}, "answered": {"202": [7]}})
    assert outcome.latencies == {"a": {202: [0.5]}}
    assert outcome.answered == {202: [7]}
