"""Find a message by the token of its link, without holding up the ledger meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("saleor_nudges", "0009_way_back")]

    operations = [
        AddIndexConcurrently(
            "send",
            models.Index(
                condition=models.Q(("link_hash__isnull", False)),
                fields=["link_hash"],
                name="nudges_send_link",
            ),
        ),
    ]
