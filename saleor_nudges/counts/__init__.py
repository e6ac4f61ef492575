"""Counts by product: how often, and by how many visitors, kept so that nothing counts twice."""

from saleor_nudges.counts.folding import close_hours, fold
from saleor_nudges.counts.reading import Asked, visitors

__all__ = ["Asked", "close_hours", "fold", "visitors"]
