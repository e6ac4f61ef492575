"""Saleor's settings with ours on top: DJANGO_SETTINGS_MODULE=saleor_nudges.plugin.settings.

A shop with settings of its own copies the two assignments. HOST, the scalars and PUBLIC_URL need
none: `conf` knows them wherever Saleor's apps are installed.
"""

from saleor.settings import *  # noqa: F403

from saleor_nudges import __version__

# Our fields inside Saleor's own /graphql/; without us it is Saleor's own table.
ROOT_URLCONF = "saleor_nudges.plugin.urls"

# Saleor keeps the answer to an introspection query for seven days, by this suffix; 3.21 has none.
GRAPHQL_CACHE_SUFFIX = "-".join(
    filter(None, [globals().get("GRAPHQL_CACHE_SUFFIX", ""), f"nudges-{__version__}"])
)
