"""Abandoned checkouts: silence, a message, an order."""
