"""Campaigns of several messages, why each did not go, and how often a person is written to."""

import django.db.models.deletion
import saleor_nudges.events.identity
import saleor_nudges.models.recovery
import saleor_nudges.models.shops
from django.db import migrations, models

# What one message in one campaign per channel was before there could be more of both.
BEFORE = """
    UPDATE saleor_nudges_trackedcheckout SET seen_at = changed_at;
    UPDATE saleor_nudges_campaign SET is_shipped = true;
    UPDATE saleor_nudges_campaignstep SET message_channels = jsonb_build_array(message_channel);
    UPDATE saleor_nudges_send SET campaign_id = step.campaign_id, ready_at = due_at
    FROM saleor_nudges_campaignstep step WHERE step.id = step_id;
    UPDATE saleor_nudges_trackedcheckout SET campaign_id = send.campaign_id
    FROM saleor_nudges_send send
    WHERE send.checkout_id = saleor_nudges_trackedcheckout.id
    AND send.cycle = saleor_nudges_trackedcheckout.cycle;
"""
# Going back, the one email of each channel stays; what else there is has no place.
AFTER = """
    DELETE FROM saleor_nudges_send USING saleor_nudges_campaign campaign
    WHERE campaign.id = campaign_id AND NOT campaign.is_shipped;
    DELETE FROM saleor_nudges_campaignstep USING saleor_nudges_campaign campaign
    WHERE campaign.id = campaign_id AND NOT campaign.is_shipped;
    UPDATE saleor_nudges_trackedcheckout SET campaign_id = NULL;
    DELETE FROM saleor_nudges_campaign WHERE NOT is_shipped;
"""


class Migration(migrations.Migration):
    dependencies = [("saleor_nudges", "0007_storefront_widget")]

    operations = [
        migrations.AddField(
            "shop", "message_caps", models.JSONField(default=saleor_nudges.models.shops.usual_caps)
        ),
        migrations.AddField("shop", "message_hours", models.JSONField(default=dict)),
        migrations.AddField("shop", "timezone", models.CharField(default="UTC", max_length=64)),
        migrations.RemoveConstraint("campaign", "nudges_campaign_per_channel"),
        migrations.AddField("campaign", "is_shipped", models.BooleanField(default=False)),
        migrations.AddField(
            "campaign",
            "mode",
            models.CharField(
                choices=[
                    ("AUTOMATED", "Each checkout that is left behind and fits."),
                    ("MANUAL", "The seller, checkout by checkout."),
                ],
                default="AUTOMATED",
                max_length=16,
            ),
        ),
        migrations.AddField("campaign", "trigger", models.JSONField(default=dict)),
        migrations.AddField(
            "campaign", "exits", models.JSONField(default=saleor_nudges.models.recovery.usual_exits)
        ),
        migrations.AddField(
            "campaign", "cool_down_seconds", models.PositiveIntegerField(default=604800)
        ),
        migrations.AddField("campaign", "priority", models.PositiveSmallIntegerField(default=50)),
        migrations.AddField("campaignstep", "is_retired", models.BooleanField(default=False)),
        migrations.AddField(
            "campaignstep",
            "message_channels",
            models.JSONField(default=saleor_nudges.models.recovery.by_email),
        ),
        migrations.AddField("campaignstep", "condition", models.JSONField(default=dict)),
        migrations.AddField("campaignstep", "send_window", models.JSONField(default=list)),
        migrations.AddField("trackedcheckout", "seen_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "trackedcheckout", "voucher", models.CharField(blank=True, max_length=64, null=True)
        ),
        migrations.AddField(
            "trackedcheckout",
            "country",
            models.CharField(blank=True, default="", max_length=2),
            preserve_default=False,
        ),
        migrations.AddField(
            "trackedcheckout",
            "device",
            models.CharField(blank=True, default="", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            "trackedcheckout",
            "browser",
            models.CharField(blank=True, default="", max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            "trackedcheckout",
            "referrer",
            models.CharField(blank=True, default="", max_length=255),
            preserve_default=False,
        ),
        migrations.AddField(
            "trackedcheckout",
            "stage",
            models.CharField(blank=True, default="", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            "trackedcheckout", "is_stage_certain", models.BooleanField(default=False)
        ),
        migrations.AddField("trackedcheckout", "blockers", models.JSONField(default=list)),
        migrations.AddField("trackedcheckout", "ruled_out", models.JSONField(default=list)),
        migrations.AddField(
            "trackedcheckout",
            "reason",
            models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "trackedcheckout",
            "campaign",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="saleor_nudges.campaign",
            ),
        ),
        migrations.AddField("send", "lines", models.JSONField(null=True)),
        migrations.AddField("send", "is_manual", models.BooleanField(default=False)),
        migrations.AddField("send", "ready_at", models.DateTimeField(null=True)),
        migrations.AddField("send", "failures", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField(
            "send",
            "campaign",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="saleor_nudges.campaign",
            ),
        ),
        migrations.RemoveConstraint("send", "nudges_sent_at_most_once"),
        migrations.CreateModel(
            "Attempt",
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
                ("cycle", models.PositiveIntegerField()),
                ("step_number", models.PositiveIntegerField(default=0)),
                ("reason", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("times", models.PositiveIntegerField(default=1)),
                ("until", models.DateTimeField(null=True)),
                ("zone", models.CharField(blank=True, max_length=64)),
                ("message_channel", models.CharField(blank=True, max_length=16)),
                (
                    "campaign",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="saleor_nudges.campaign",
                    ),
                ),
                (
                    "checkout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="saleor_nudges.trackedcheckout",
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
        migrations.RunSQL(BEFORE, AFTER),
        # A constraint cannot be made while the rows of the same transaction still wait to be checked.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AlterField("trackedcheckout", "seen_at", models.DateTimeField()),
        migrations.AlterField("send", "ready_at", models.DateTimeField()),
        migrations.AlterField(
            "send",
            "campaign",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="saleor_nudges.campaign",
            ),
        ),
        migrations.AlterField(
            "campaignstep",
            "message_channel",
            models.CharField(default="EMAIL", max_length=16),
        ),
        migrations.RemoveField("campaignstep", "message_channel"),
        migrations.AddConstraint(
            "campaign",
            models.UniqueConstraint(
                condition=models.Q(("is_shipped", True)),
                fields=("shop", "channel"),
                name="nudges_campaign_shipped_once",
            ),
        ),
        migrations.AddConstraint(
            "send",
            models.UniqueConstraint(
                fields=("checkout", "cycle", "campaign", "step_number"), name="nudges_send_once"
            ),
        ),
        migrations.AddConstraint(
            "send",
            models.UniqueConstraint(
                condition=models.Q(("state__in", ["SENDING", "SENT", "IN_DOUBT"])),
                fields=("checkout", "cycle", "step_number"),
                name="nudges_sent_at_most_once",
            ),
        ),
        migrations.AddConstraint(
            "attempt",
            models.UniqueConstraint(
                fields=("checkout", "cycle", "step_number", "reason"), name="nudges_attempt_once"
            ),
        ),
    ]
