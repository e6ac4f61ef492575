"""Erasing a person reaches what was archived before, and no checksum changes."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from saleor_nudges import archive, people
from saleor_nudges.archive.pieces import cold_partitions
from saleor_nudges.events import Contact
from saleor_nudges.models import EventArchive, TrackedCheckout
from saleor_nudges.testing import make_shop
from tests.archive.cold import EVENTS, VIEWS, everything, fill, one_more, unpacked

pytestmark = pytest.mark.django_db(transaction=True)

CHECKOUT, OTHERS = "c" * 64, "d" * 64
VISITOR = str(uuid4())


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def anna(shop):
    """Somebody with an account, an address and a checkout."""
    found = people.resolve(shop, Contact(email="anna@example.com", user_id="VXNlcjox"))
    now = datetime.now(UTC)
    TrackedCheckout.objects.of(shop).create(
        shop=shop,
        channel="default-channel",
        checkout=CHECKOUT,
        sealed_checkout_id=b"",
        person=found,
        started_at=now,
        changed_at=now,
        seen_at=now,
    )
    return found


@pytest.fixture
def hers(shop, anna, month, monday):
    """Four rows of hers among those of nobody, by each way there is; their ids."""
    fill(shop, VIEWS, monday, 300)
    fill(shop, EVENTS, month, 50)
    user = anna.user_hash
    odd = 'quoted ""\n, and |odd|'
    return {
        "her account": one_more(
            shop, VIEWS, monday + timedelta(seconds=1), data={"user": user, "visitor": VISITOR}
        ),
        "her checkout": one_more(
            shop,
            VIEWS,
            monday + timedelta(seconds=2),
            data={"checkout": CHECKOUT, "visitor": VISITOR, "price": 1.10, "page": odd},
        ),
        "her order": one_more(
            shop,
            EVENTS,
            month + timedelta(seconds=3),
            person=anna.pk,
            subject=CHECKOUT,
            data={"checkout": CHECKOUT, "cart": {"total": 12345678901234567890.1000, "user": odd}},
        ),
        "herself": one_more(
            shop, EVENTS, month + timedelta(seconds=4), person=anna.pk, subject=odd, data={}
        ),
    }


@pytest.fixture
def strangers(shop, monday):
    """Rows with a hash that belongs to nobody we know, or is none; their ids."""
    return [
        one_more(shop, VIEWS, monday + timedelta(seconds=5), data={"checkout": OTHERS}),
        one_more(shop, VIEWS, monday + timedelta(seconds=6), data={"user": 'a,"b|\n'}),
        one_more(shop, VIEWS, monday + timedelta(seconds=7), data={"user": "", "checkout": ""}),
    ]


def both():
    return {table: everything(table) for table in (EVENTS, VIEWS)}


def objects(bucket):
    found = EventArchive.objects.across_shops().order_by("table", "start")
    return [unpacked(bucket, one.key) for one in found]


def leave_and_return(monday):
    assert archive.archive_all(datetime.now(UTC)) == []
    assert both() == {EVENTS: [], VIEWS: []}


def test_nobody_is_found_in_an_object(bucket, anna, hers, strangers, month, monday):
    # when
    leave_and_return(monday)

    # then
    text = "".join(objects(bucket))
    for secret in (str(anna.pk), anna.user_hash, CHECKOUT, VISITOR):
        assert secret not in text
    assert OTHERS in text
    rows = {
        row["id"]: row
        for whole in objects(bucket)
        for row in csv.DictReader(io.StringIO(whole, newline=""))
    }
    assert len(rows) == 350 + len(hers) + len(strangers)
    assert {str(one) for one in hers.values()} == {
        key for key, row in rows.items() if row["sealed"]
    }
    assert all(rows[str(one)]["person"] == "" for one in hers.values())
    assert rows[str(hers["her order"])]["subject"] == ""


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_who_is_not_erased_comes_back_whole(form, bucket, hers, strangers, month, monday, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_FORMAT": form}
    before = both()

    # when
    leave_and_return(monday)
    archive.restore(month - timedelta(days=40), datetime.now(UTC))

    # then
    assert both() == before


def test_who_is_erased_comes_back_as_nobody_and_the_checksums_stay(
    bucket, anna, hers, month, monday
):
    # given
    leave_and_return(monday)

    # when
    people.erase(anna)
    done = archive.restore(month - timedelta(days=40), datetime.now(UTC))

    # then every row is there, hers without her
    assert sum(one.rows for one in done) == 354
    text = "".join(both()[EVENTS] + both()[VIEWS])
    for secret in (str(anna.pk), CHECKOUT, VISITOR, "VXNlcjox"):
        assert secret not in text
    assert all(str(one) in text for one in hers.values())


def test_who_was_erased_before_leaves_as_nobody(bucket, anna, hers, month, monday):
    # given
    people.erase(anna)

    # when
    leave_and_return(monday)

    # then
    text = "".join(objects(bucket))
    for secret in (str(anna.pk), CHECKOUT):
        assert secret not in text
    rows = [
        row
        for whole in objects(bucket)
        for row in csv.DictReader(io.StringIO(whole, newline=""))
        if row["sealed"]
    ]
    assert rows == []


def test_two_sealed_rows_do_not_show_that_they_are_of_one_person(bucket, hers, month, monday):
    # when
    leave_and_return(monday)

    # then
    sealed = [
        row["sealed"].partition(".")[0]
        for whole in objects(bucket)
        for row in csv.DictReader(io.StringIO(whole, newline=""))
        if row["sealed"]
    ]
    assert len(sealed) == len(set(sealed)) == 4


def test_sealing_again_makes_the_same_object(bucket, hers, strangers, monday):
    # given
    (place,) = [one for one in cold_partitions(datetime.now(UTC)) if one.table == VIEWS]
    sums = set()

    # when
    for _ in range(2):
        (manifest,) = archive.plan(place)
        archive.archive_piece(manifest.pk)
        manifest.refresh_from_db()
        sums.add((manifest.sha256, manifest.rows))
        manifest.delete()

    # then
    assert len(sums) == 1


def test_another_shop_opens_nothing(bucket, anna, hers, month, monday):
    # given the manifest of one shop under the name of another
    leave_and_return(monday)
    other = make_shop("other.example.com")
    EventArchive.objects.across_shops().update(shop=other)

    # when
    archive.restore(month - timedelta(days=40), datetime.now(UTC))

    # then
    text = "".join(both()[EVENTS] + both()[VIEWS])
    for secret in (str(anna.pk), anna.user_hash, CHECKOUT, VISITOR):
        assert secret not in text
