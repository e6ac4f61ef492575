"""A bare ASGI app that does one Redis GET of 4 KB for each request and answers it."""

import os
from typing import Any

from redis.asyncio import Redis

KEY = "yardstick"
SIZE = 4096

client = Redis.from_url(os.environ.get("NUDGES_REDIS_URL", "redis://"))


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer 200 with what the key holds."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = await client.get(KEY) or b""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
