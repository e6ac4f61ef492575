"""From a hook's arguments to the stream: one INSERT, under Saleor's permission to write."""

import logging
from typing import Any

from saleor_nudges import events, telemetry
from saleor_nudges.capture import capture
from saleor_nudges.plugin import facts
from saleor_nudges.plugin.host import PluginHost, hearing_shop

# What mapping an object raises when a newer Saleor passes another one.
UNEXPECTED = (AttributeError, TypeError, ValueError)


def capture_hook(name: str, mapper: str, kind: str, args: tuple[Any, ...]) -> None:
    """Capture the facts a hook brings. Raises what went wrong; the hook logs it."""
    with PluginHost.writing():
        shop = hearing_shop()
        try:
            found = getattr(facts, mapper)(getattr(events, kind), shop, *args)
        except UNEXPECTED as error:
            # Without the values: they may be a shopper's.
            telemetry.log(
                telemetry.Log.HOOK_SKIPPED, logging.ERROR, hook=name, error=type(error).__name__
            )
            return
        capture(*found)
