"""What is posted: ids nobody has seen, known to whoever posted them."""

import json
import re
from pathlib import Path
from uuid import UUID

from benchmarks import payloads, wrk
from benchmarks.payloads import PLACE, Run, Visitor
from saleor_nudges.events.identity import is_uuid7, moment_of

VISITORS = [Visitor("token-a"), Visitor("token-b", "c" * 64)]


def body(template: bytes, counter: int) -> dict[str, object]:
    head, _, rest = template.replace(PLACE, b"%012x" % counter).partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    assert int(length[1]) == len(rest)
    found: dict[str, object] = json.loads(rest)
    return found


def test_every_request_and_place_has_ids_of_its_own():
    # given
    run = Run()
    templates = payloads.posts(VISITORS, run, path="/v1/events", size=20, count=2)
    # when
    sent = [
        UUID(event["id"])  # type: ignore[index]
        for counter in (1, 2, 3)
        for event in body(templates[counter % 2], counter)["events"]  # type: ignore[attr-defined]
    ]
    # then
    assert len(set(sent)) == 60
    assert sent == [run.id(place, counter) for counter in (1, 2, 3) for place in range(20)]
    assert all(is_uuid7(one) for one in sent)
    assert {round(moment_of(one).timestamp() * 1000) for one in sent} == {run.moment}


def test_checkout_is_sent_where_there_is_one():
    templates = payloads.posts(VISITORS, Run(), path="/v1/events", count=2)
    assert "checkout" not in body(templates[0], 1)
    assert body(templates[1], 1)["checkout"] == "c" * 64


def test_same_seed_same_products():
    run = Run()
    both = [payloads.posts(VISITORS, run, path="/", count=50) for _ in range(2)]
    products = [[body(one, 1)["events"][0]["product"] for one in half] for half in both]  # type: ignore[index]
    assert products[0] == products[1]
    assert len(set(products[0])) > 5


def test_lua_gets_the_bytes_around_the_counter(tmp_path: Path):
    file = payloads.as_lua([b'a"\\\r\n' + PLACE + b"b" + PLACE, b"whole"], tmp_path / "r.lua")
    assert file.read_text() == 'return {\n{"a\\"\\\\\\r\\n", "b", ""},\n{"whole"},\n}'


def test_result_of_wrk_is_read():
    said = (
        "Running 2s test\n  10 requests\n\n"
        'RESULT {"requests": 10, "seconds": 2.0, "p50": 0.001, "p99": 0.002, "max": 0.003,'
        ' "refused": 1, "broken": 0}\n'
    )
    load = wrk.read(said)
    assert load is not None
    assert (load.rate, load.refused, load.p99) == (5.0, 1, 0.002)
    assert wrk.read("unable to connect") is None
