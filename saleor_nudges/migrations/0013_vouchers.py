"""What messages give away, and how much of each day's budget is spoken for."""

import django.db.models.deletion
import saleor_nudges.events.identity
from django.db import migrations, models

RELATED = {"related_name": "+"}
CASCADE = {"on_delete": django.db.models.deletion.CASCADE, **RELATED}
SET_NULL = {"on_delete": django.db.models.deletion.SET_NULL, "null": True, **RELATED}
OPEN = ["WITHHELD", "RESERVED", "MINTED", "VOIDING"]


def _own_key():
    return models.UUIDField(
        default=saleor_nudges.events.identity.uuid7,
        editable=False,
        primary_key=True,
        serialize=False,
    )


def _money(**more):
    return models.DecimalField(decimal_places=4, max_digits=20, **more)


class Migration(migrations.Migration):
    dependencies = [("saleor_nudges", "0012_newest_mark")]

    operations = [
        migrations.AddField("campaignstep", "voucher", models.JSONField(null=True)),
        migrations.CreateModel(
            "RecoveryVoucher",
            [
                ("id", _own_key()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("channel", models.CharField(max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            (
                                "WITHHELD",
                                "The step gives one away, but not to this person now.",
                            ),
                            (
                                "RESERVED",
                                "The message speaks of it; its worth is taken from the day's"
                                " budget.",
                            ),
                            ("MINTED", "Its code lies in the shop."),
                            ("USED", "An order was placed with it."),
                            ("VOIDING", "Its code is to be taken out of the shop."),
                            ("VOID", "It is over, and there is no code of it."),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=32)),
                ("percent", models.PositiveSmallIntegerField(null=True)),
                ("worth", _money(default=0)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("floor", _money(default=0)),
                ("day", models.DateField()),
                ("expires_at", models.DateTimeField()),
                ("sealed_code", models.BinaryField(null=True)),
                ("code_hash", models.CharField(max_length=64, null=True)),
                ("minted_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("retry_at", models.DateTimeField(null=True)),
                ("order", models.ForeignKey(to="saleor_nudges.seenorder", **SET_NULL)),
                ("person", models.ForeignKey(to="saleor_nudges.person", **SET_NULL)),
                ("send", models.ForeignKey(to="saleor_nudges.send", **CASCADE)),
                ("shop", models.ForeignKey(to="saleor_nudges.shop", **CASCADE)),
            ],
            options={
                "ordering": ("id",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["shop", "person", "-id"], name="nudges_voucher_person"),
                    models.Index(
                        condition=models.Q(("code_hash__isnull", False)),
                        fields=["shop", "code_hash"],
                        name="nudges_voucher_code",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", OPEN)),
                        fields=["state", "expires_at"],
                        name="nudges_voucher_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("send",), name="nudges_voucher_once")
                ],
            },
        ),
        migrations.CreateModel(
            "VoucherBudget",
            [
                ("id", _own_key()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("given", _money()),
                ("shop", models.ForeignKey(to="saleor_nudges.shop", **CASCADE)),
            ],
            options={
                "ordering": ("id",),
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=("shop", "currency", "day"), name="nudges_voucher_budget_once"
                    )
                ],
            },
        ),
    ]
