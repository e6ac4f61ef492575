"""A bare ASGI app: reads the body, answers 202. No app on this server can be faster."""

from typing import Any

START = {
    "type": "http.response.start",
    "status": 202,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
}
BODY = {"type": "http.response.body", "body": b"{}"}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer 202 once the whole body is there."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send(BODY)
