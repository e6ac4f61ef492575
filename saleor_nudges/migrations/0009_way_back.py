"""The way back: links by a random token, and which fresh checkouts they opened."""

import django.db.models.deletion
import saleor_nudges.events.identity
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("saleor_nudges", "0008_campaigns")]

    operations = [
        migrations.AddField("shop", "channel_addresses", models.JSONField(default=dict)),
        migrations.AddField("send", "link_hash", models.CharField(max_length=64, null=True)),
        migrations.AddField("send", "link_expires_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "FreshCheckout",
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
                ("lines_hash", models.CharField(max_length=64)),
                ("changed_at", models.DateTimeField(null=True)),
                (
                    "checkout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="saleor_nudges.trackedcheckout",
                    ),
                ),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="saleor_nudges.send",
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="saleor_nudges.shop",
                    ),
                ),
            ],
            options={"ordering": ("id",), "abstract": False},
        ),
    ]
