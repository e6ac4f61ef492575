"""What a seller starts from."""

from datetime import timedelta

import pytest

from saleor_nudges.recovery.campaigns import steps
from saleor_nudges.recovery.campaigns.presets import PRESETS, SHIPPED
from saleor_nudges.recovery.campaigns.steps import USUAL_EXITS, Kind
from saleor_nudges.recovery.campaigns.triggers import EVERYBODY
from saleor_nudges.recovery.message_channels import MessageChannel
from tests.test_docs import code, rows, section

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "delays"),
    [
        ("THREE_STEPS", [30 * MINUTE, DAY, 3 * DAY]),
        ("FIRST_SECOND", [24 * HOUR, 48 * HOUR]),
        ("UNHURRIED", [HOUR, DAY, 5 * DAY]),
    ],
)
def test_a_preset_writes_at_its_times(name, delays):
    # when
    sequence = PRESETS[name].sequence

    # then
    assert [step.delay for step in sequence.steps] == delays
    assert [step.number for step in sequence.steps] == list(range(1, len(delays) + 1))


def test_what_ships_is_three_steps():
    assert SHIPPED is PRESETS["THREE_STEPS"]
    assert list(PRESETS) == ["THREE_STEPS", "FIRST_SECOND", "UNHURRIED"]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_is_simple(preset):
    # when
    sequence = preset.sequence

    # then
    assert sequence.trigger == EVERYBODY
    assert sequence.exits == USUAL_EXITS
    for step in sequence.steps:
        assert step.kind is Kind.REMINDER
        assert step.message_channels == (MessageChannel.EMAIL,)
        assert (step.voucher, step.template, step.windows) == (None, "", ())
        assert step.condition == EVERYBODY


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_is_what_a_seller_could_have_written(preset):
    assert steps.parse(steps.dump(preset.sequence)) == preset.sequence


def test_every_preset_is_taught():
    # when
    table = {code(row[0]): row[1] for row in rows(section("docs/campaigns.md", "## What ships"))}

    # then
    assert table == {
        "THREE_STEPS": "30 minutes, 1 day, 3 days",
        "FIRST_SECOND": "24 hours, 48 hours",
        "UNHURRIED": "1 hour, 1 day, 5 days",
    }
    assert set(table) == set(PRESETS)
