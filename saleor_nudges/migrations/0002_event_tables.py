"""The two append-only tables, partitioned from the first day: facts by month, views by week."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = """
    CREATE TABLE "{name}" (
        id uuid NOT NULL PRIMARY KEY,
        shop_id uuid NOT NULL,
        channel varchar(255) NOT NULL,
        kind varchar(32) NOT NULL,
        occurred_at timestamptz NOT NULL,
        subject varchar(255) NOT NULL,
        person uuid NULL,
        data jsonb NOT NULL
    ) PARTITION BY RANGE (id)
"""


def make_partitions(apps, schema_editor):
    from datetime import UTC, datetime

    from saleor_nudges import retention

    retention.make_partitions(datetime.now(UTC))


class Migration(migrations.Migration):
    dependencies = [("saleor_nudges", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLE.format(name=name), f'DROP TABLE "{name}"')
                for name in ("saleor_nudges_events", "saleor_nudges_views")
            ],
            state_operations=[
                migrations.CreateModel(
                    name="ShopEvent",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("channel", models.CharField(max_length=255)),
                        ("kind", models.CharField(max_length=32)),
                        ("occurred_at", models.DateTimeField()),
                        ("subject", models.CharField(max_length=255)),
                        ("person", models.UUIDField(null=True)),
                        ("data", models.JSONField()),
                        (
                            "shop",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="saleor_nudges.shop",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "saleor_nudges_events",
                        "ordering": ("id",),
                    },
                ),
                migrations.CreateModel(
                    name="ViewEvent",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("channel", models.CharField(max_length=255)),
                        ("kind", models.CharField(max_length=32)),
                        ("occurred_at", models.DateTimeField()),
                        ("subject", models.CharField(max_length=255)),
                        ("person", models.UUIDField(null=True)),
                        ("data", models.JSONField()),
                        (
                            "shop",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="saleor_nudges.shop",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "saleor_nudges_views",
                        "ordering": ("id",),
                    },
                ),
            ],
        ),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
    ]
