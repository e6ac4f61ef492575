"""A sweep reads none of the tables that grow from end to end, however many checkouts there are."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from benchmarks import plans, population
from benchmarks.shop import CART, CHANNEL, CONTACT, checkout_id
from saleor_nudges import crypto, tasks
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import CampaignStep, Shop
from saleor_nudges.testing import caught_up, make_shop, switch_on_recovery

pytestmark = pytest.mark.django_db

# So many that reading a table from end to end never is the cheaper way to a few of its rows.
CHECKOUTS, DUE = 20_000, 30
GROWING = {f"saleor_nudges_{name}" for name in plans.BIG}


@pytest.fixture
def shop(settings) -> Shop:
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"HOST": "benchmarks.shop.BenchHost"}
    shop = make_shop()
    switch_on_recovery(shop)
    caught_up(shop)
    step = CampaignStep.objects.of(shop).get(number=1)
    at, key = datetime.now(UTC) - timedelta(hours=1), crypto.new_person_key()
    lines = [asdict(line) | {"unit_price": str(line.unit_price)} for line in CART.lines]
    crowd = population.Population(
        shop=str(shop.pk),
        campaign=str(step.campaign_id),
        step=str(step.pk),
        at=at,
        count=CHECKOUTS,
        sealed_ids=[crypto.seal(checkout_id(number, at)) for number in range(1, DUE + 1)],
        sealed_key=key,
        sealed_contact=crypto.seal_for(key, asdict(CONTACT)),
        lines=json.dumps(lines),
        channel=CHANNEL,
    )
    with connection.cursor() as cursor:
        crowd.plant(cursor.execute)
        population.wake(cursor.execute, DUE, DUE)
        for table in GROWING:
            cursor.execute(f"ANALYZE {table}")
    return shop


def test_no_statement_of_a_sweep_reads_a_growing_table_from_end_to_end(shop):
    # when
    with plans.watched() as asked:
        sent = tasks.sweep()

    # then
    assert sent == len(SENT) == DUE
    tables = {name for name in GROWING if any(name in text for text in asked.by_text)}
    assert tables == GROWING
    assert asked.read_whole() == {}


@pytest.mark.parametrize(
    ("index", "table"),
    [
        ("nudges_checkout_due", "saleor_nudges_trackedcheckout"),
        ("nudges_send_due", "saleor_nudges_send"),
    ],
)
def test_without_the_index_of_what_is_due_it_would(shop, index, table):
    # given
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")

    # when
    with plans.watched() as asked:
        tasks.sweep()

    # then
    assert table in asked.read_whole().values()
