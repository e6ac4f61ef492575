"""True nudges and recovered checkouts for shops on Saleor."""

__version__ = "0.1.0"
