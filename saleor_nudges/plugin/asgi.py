"""Saleor with the hot requests in front: `uvicorn saleor_nudges.plugin.asgi:application`.

A convenience for small shops. A process of their own (`saleor_nudges.asgi:application`) is better:
it starts in a second, needs no Saleor, and is not started anew after so many requests.
"""

from typing import Final

from saleor.asgi import application as saleor

from saleor_nudges import telemetry
from saleor_nudges.asgi.types import App, Receive, Scope, Send

# Where Saleor keeps the doors of a plugin. What lies elsewhere, and every other door, is Saleor's.
PREFIX: Final = "/plugins/global/saleor-nudges/v1/"
HOT: Final = frozenset({"events", "nudges", "session", "device", "words"})


def with_nudges(behind: App, hot: App) -> App:
    """Return an ASGI app that answers the hot requests by `hot`, all others by `behind`."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_ours = scope["type"] == "http" and path.startswith(PREFIX)
        is_hot = is_ours and path[len(PREFIX) :] in HOT
        await (hot if is_hot else behind)(scope, receive, send)

    return application


def _application() -> App:
    try:
        from saleor_nudges.asgi import start

        return with_nudges(saleor, start.application())
    except Exception:
        # The shop comes first: the same functions answer as Django's views, more slowly.
        telemetry.trouble(telemetry.Log.HOT_REQUESTS_OFF)
        return saleor


application = _application()
