"""Orders and the messages that came before them."""

import django.db.models.deletion
import saleor_nudges.events.identity
from django.db import migrations, models

RELATED = {"on_delete": django.db.models.deletion.CASCADE, "related_name": "+"}


class Migration(migrations.Migration):
    dependencies = [("saleor_nudges", "0010_way_back_index")]

    operations = [
        migrations.CreateModel(
            "RecoveredOrder",
            [
                (
                    "id",
                    models.UUIDField(
                        default=saleor_nudges.events.identity.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("channel", models.CharField(max_length=255)),
                (
                    "matched_by",
                    models.CharField(
                        choices=[
                            ("CHECKOUT", "It is of the very checkout the message was about."),
                            ("LINK", "It is of a checkout that the message's link opened."),
                            ("PERSON", "The same person placed it, from another checkout."),
                        ],
                        max_length=16,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("seconds", models.PositiveIntegerField()),
                ("is_clicked", models.BooleanField(default=False)),
                ("counts_in_holdout", models.BooleanField(default=False)),
                ("order", models.ForeignKey(to="saleor_nudges.seenorder", **RELATED)),
                ("send", models.ForeignKey(to="saleor_nudges.send", **RELATED)),
                ("shop", models.ForeignKey(to="saleor_nudges.shop", **RELATED)),
            ],
            options={"ordering": ("id",), "abstract": False},
        ),
        migrations.AddConstraint(
            "recoveredorder",
            models.UniqueConstraint(fields=("order", "send"), name="nudges_recovered_once"),
        ),
    ]
