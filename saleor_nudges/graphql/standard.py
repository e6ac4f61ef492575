"""The scalars we share with whoever owns their names: graphene's in the App, Saleor's inside it."""

from typing import Any

from saleor_nudges import conf

DateTime: Any = conf.load(conf.get().SCALAR_DATETIME)
Decimal: Any = conf.load(conf.get().SCALAR_DECIMAL)
JSON: Any = conf.load(conf.get().SCALAR_JSON)
