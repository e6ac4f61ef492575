"""None missing, all reversible."""

import pytest
from django.core.management import call_command
from django.db import connection

from saleor_nudges.models import Shop
from saleor_nudges.models.partitions import missing_partitions


def tables():
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    return {name for name in names if name.startswith("saleor_nudges")}


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "saleor_nudges", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_every_migration_can_be_undone_and_done_again(now):
    # given
    before = tables()
    assert "saleor_nudges_shop" in before

    try:
        # when
        call_command("migrate", "saleor_nudges", "zero", verbosity=0)

        # then
        assert tables() == set()
    finally:
        call_command("migrate", "saleor_nudges", verbosity=0)
    assert tables() == before
    assert missing_partitions(now) == []
    Shop.objects.create(key="still works")
