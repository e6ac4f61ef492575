"""The hosted suite runs inside a real Saleor: its settings, its schema, its sample data."""

import pytest


@pytest.fixture(scope="session")
def django_db_setup():
    """The database is there, migrated and filled; each test's changes are rolled back."""
