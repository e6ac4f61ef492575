"""Steps that thank for an order, and when each order's are due."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

KINDS = [
    ("REMINDER", "Counts from the shopper's last sign of life."),
    ("THANK_YOU", "Counts from the order that ended the reminders."),
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("saleor_nudges", "0013_vouchers")]

    operations = [
        migrations.AddField(
            "campaignstep",
            "kind",
            models.CharField(choices=KINDS, default="REMINDER", max_length=16),
        ),
        migrations.AddField("seenorder", "thanks_due_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "send",
            "order",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="saleor_nudges.seenorder",
            ),
        ),
        AddIndexConcurrently(
            "seenorder",
            models.Index(
                condition=models.Q(("thanks_due_at__isnull", False)),
                fields=["shop", "thanks_due_at"],
                name="nudges_order_thanks",
            ),
        ),
    ]
