"""Data of any shape, where nobody owns the name: inside Saleor its own scalar is taken."""

from graphene.types.generic import GenericScalar


class JSON(GenericScalar):
    """Any value that JSON can hold."""
