"""A page that talks ASGI to the app, without a server between."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Page:
    """Sends requests; every header is a browser's, unless given."""

    def __init__(self, app, peer: str = "203.0.113.7") -> None:
        self.app, self.peer = app, peer

    async def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> Got:
        return await self.send("GET", path, [b""], headers or {}, query)

    async def post(
        self, path: str, body: Any, headers: dict[str, str] | None = None, **query: str
    ) -> Got:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send("POST", path, [raw], headers or {}, query)

    async def send(self, method, path, chunks, headers, query) -> Got:
        sent: list[dict[str, Any]] = []
        waiting = list(chunks)

        async def receive() -> dict[str, Any]:
            chunk = waiting.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": urlencode(query).encode(),
            "headers": [
                (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
            ],
            "client": (self.peer, 50000),
        }
        await self.app(scope, receive, send)
        start, end = sent
        found = {key.decode(): value.decode() for key, value in start["headers"]}
        return Got(start["status"], found, end["body"])
