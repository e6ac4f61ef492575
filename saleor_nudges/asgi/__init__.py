"""The hot requests, served by themselves: `uvicorn saleor_nudges.asgi:application`."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Made when a server asks for it: the functions behind it are also used where Django serves.
    if name == "application":
        from saleor_nudges.asgi import start

        return start.application()
    raise AttributeError(name)
