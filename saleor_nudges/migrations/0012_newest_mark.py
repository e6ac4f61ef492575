"""Find the newest mark of a shop's ledger without reading it, nor holding it up meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("saleor_nudges", "0011_recovered_orders")]

    operations = [
        AddIndexConcurrently(
            "send",
            models.Index(
                condition=models.Q(("marked_at__isnull", False)),
                fields=["shop", "-marked_at"],
                name="nudges_send_marked",
            ),
        ),
    ]
