"""Product reviews: written by buyers or brought by services, read once a seller approved them."""

from saleor_nudges.reviews.moderating import fold

__all__ = ["fold"]
