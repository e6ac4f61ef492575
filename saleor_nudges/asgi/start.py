"""How the process of the hot requests starts: Django's settings, without any of its stack."""

import os

import django

from saleor_nudges.asgi.types import App


def application() -> App:
    """Return the ASGI app, in whatever Django there is; on its own it brings settings along."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saleor_nudges.asgi.settings")
    django.setup()
    from saleor_nudges import conf
    from saleor_nudges.asgi.hot import HotRequests

    # A wrong setting stops the start, and not the first request.
    conf.get()
    return HotRequests()
