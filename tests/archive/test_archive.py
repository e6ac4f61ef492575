"""Cold events leave the database, and nothing is lost on the way."""

import csv
import hashlib
import io
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from saleor_nudges import archive, doctor, tasks
from saleor_nudges.archive import bucket as buckets
from saleor_nudges.archive import csvgz, drop, work
from saleor_nudges.archive.pieces import ColdPartition, cold_before
from saleor_nudges.exceptions import ArchiveDamaged, ArchiveUnavailable
from saleor_nudges.models import ArchiveState, EventArchive, Shop
from saleor_nudges.models.archives import may_drop
from saleor_nudges.models.partitions import existing
from saleor_nudges.testing import make_shop
from tests.archive.cold import EVENTS, VIEWS, everything, fill, one_more, unpacked

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


def now():
    return datetime.now(UTC)


def manifests():
    rows = EventArchive.objects.across_shops()
    return list(rows.order_by("table", "shop", "start", "generation"))


def partition(table, start):
    (found,) = [p for p in archive.cold_partitions(now()) if (p.table, p.start) == (table, start)]
    return found


def archived(start, *, table=VIEWS):
    """Write and read back every piece of a partition, and leave it there."""
    for manifest in archive.plan(partition(table, start)):
        assert archive.archive_piece(manifest.pk) is True


def tamper(bucket, key, at=-100):
    with closing(bucket.read(key)) as body:
        whole = bytearray(body.read(1 << 30))
    whole[at] ^= 1
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=bytes(whole))


# What is cold.


@pytest.mark.parametrize(
    ("moment", "limit"),
    [
        (datetime(2026, 11, 15, 12, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)),
        (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)),
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)),
        (datetime(2026, 2, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)),
    ],
)
def test_cold_is_what_is_older_than_two_whole_months(moment, limit):
    assert cold_before(moment) == limit


def test_a_month_is_cut_into_weeks_from_monday_to_monday():
    # given a month that begins on a Saturday and ends on a Monday
    start, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    weeks = ColdPartition("name", EVENTS, start, end).weeks()
    assert [(one.day, other.day) for one, other in weeks] == [
        (1, 3),
        (3, 10),
        (10, 17),
        (17, 24),
        (24, 31),
        (31, 1),
    ]


def test_nothing_young_is_cold():
    assert archive.cold_partitions(now()) == []


# The whole path.


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_everything_leaves_and_comes_back_row_for_row(form, bucket, month, monday, settings):
    # given two shops with facts and views of long ago
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_FORMAT": form}
    shops = [make_shop(f"{name}.example.com") for name in ("first", "second")]
    for shop in shops:
        fill(shop, EVENTS, month, 5000, kind="order_placed")
        fill(shop, VIEWS, monday, 1200)
    before = {table: everything(table) for table in (EVENTS, VIEWS)}

    # when
    assert archive.archive_all(now(), workers=3) == []

    # then all of it is in the bucket, and only there
    assert {table: everything(table) for table in (EVENTS, VIEWS)} == {EVENTS: [], VIEWS: []}
    assert not {f"{EVENTS}_{month:%Y%m%d}", f"{VIEWS}_{monday:%Y%m%d}"} & existing()
    made = manifests()
    weeks = len(ColdPartition("", EVENTS, month, month + 31 * DAY).weeks())
    assert {one.state for one in made} == {ArchiveState.VERIFIED}
    assert all(one.dropped_at and one.verified_at for one in made)
    assert sum(one.rows for one in made if one.table == EVENTS) == 10_000
    assert [one.rows for one in made if one.table == VIEWS] == [1200, 1200]
    assert 2 * (weeks - 2) <= len(made) - 2 <= 2 * weeks
    for one in made:
        with closing(bucket.read(one.key)) as body:
            whole = body.read(1 << 30)
        assert (len(whole), hashlib.sha256(whole).hexdigest()) == (one.bytes, one.sha256)

    # and it comes back
    archive.restore(month - 60 * DAY, now())
    assert {table: everything(table) for table in (EVENTS, VIEWS)} == before
    # once
    assert sum(one.rows for one in archive.restore(month - 60 * DAY, now())) == 0
    assert {table: everything(table) for table in (EVENTS, VIEWS)} == before


def test_an_object_is_csv_that_every_tool_reads(bucket, monday):
    # given
    shop = make_shop()
    fill(shop, VIEWS, monday, 300)

    # when
    archived(monday)

    # then
    (made,) = manifests()
    rows = list(csv.DictReader(io.StringIO(unpacked(bucket, made.key), newline="")))
    assert made.key == (
        f"saleor-nudges/table={VIEWS}/shop_id={shop.pk}/"
        f"{monday:%Y-%m-%d}_{monday + 7 * DAY:%Y-%m-%d}.csv.gz"
    )
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert (len(rows), made.rows) == (300, 300)
    assert (str(made.first_id), str(made.last_id)) == (rows[0]["id"], rows[-1]["id"])
    assert rows[3]["occurred_at"] == f"{monday + timedelta(minutes=21):%Y-%m-%d %H:%M:%S}+00"
    assert (rows[3]["person"], rows[3]["sealed"]) == ("", "")


def test_without_isal_the_object_is_the_same_to_everybody(bucket, monday, monkeypatch):
    # given
    fill(make_shop(), VIEWS, monday, 300)
    monkeypatch.setattr(csvgz, "import_module", _missing)
    csvgz.compressor.cache_clear()
    before = everything(VIEWS)

    # when
    archive.archive_all(now())
    csvgz.compressor.cache_clear()
    monkeypatch.undo()
    archive.restore(monday, now())

    # then
    assert everything(VIEWS) == before


def test_a_range_brings_back_that_range_of_that_shop_and_table(bucket, month, monday):
    # given
    one, other = make_shop("one.example.com"), make_shop("other.example.com")
    for shop in (one, other):
        fill(shop, VIEWS, monday, 7, apart=DAY)
        fill(shop, EVENTS, month, 28, apart=DAY)
    before = everything(VIEWS)
    archive.archive_all(now())

    # when
    archive.restore(monday + 2 * DAY, monday + 4 * DAY, shop=one.pk, table=VIEWS)

    # then
    wanted = [row for row in before if str(one.pk) in row][2:4]
    assert everything(VIEWS) == wanted
    assert len(wanted) == 2
    assert everything(EVENTS) == []


# What must never be dropped.


def test_what_was_not_read_back_right_is_not_dropped(bucket, monday, monkeypatch):
    # given an object that is changed before it is read back
    fill(make_shop(), VIEWS, monday, 300)
    before = everything(VIEWS)
    real = work.read_back

    def changed(manifest, into):
        tamper(into, manifest.key)
        return real(manifest, into)

    monkeypatch.setattr(work, "read_back", changed)

    # when
    failed = archive.archive_all(now())

    # then
    (made,) = manifests()
    assert failed == [f"{made.key}: {made.key}: a part cannot be unpacked."] or failed == [
        f"{made.key}: {made.key}: part 1 is not what was sent."
    ]
    assert everything(VIEWS) == before
    assert (made.state, made.parts, made.sha256) == (ArchiveState.WRITING, [], "")

    # and the next run writes it anew
    monkeypatch.undo()
    assert archive.archive_all(now()) == []
    assert everything(VIEWS) == []
    archive.restore(monday, now())
    assert everything(VIEWS) == before


@pytest.mark.parametrize("gone", [True, False])
def test_an_object_that_changed_after_it_was_read_back_keeps_its_partition(bucket, monday, gone):
    # given
    fill(make_shop(), VIEWS, monday, 300)
    before = everything(VIEWS)
    archived(monday)
    (made,) = manifests()
    if gone:
        bucket.client.delete_object(Bucket=bucket.name, Key=made.key)
    else:
        tamper(bucket, made.key)

    # when
    assert archive.drop_archived(partition(VIEWS, monday)) is False

    # then
    assert everything(VIEWS) == before
    assert archive.archive_all(now()) == []
    archive.restore(monday, now())
    assert everything(VIEWS) == before


def test_nothing_is_taken_from_a_changed_object(bucket, monday):
    # given
    fill(make_shop(), VIEWS, monday, 300)
    archive.archive_all(now())
    tamper(bucket, manifests()[0].key)

    # when
    with pytest.raises(ArchiveDamaged, match="is not what was written"):
        archive.restore(monday, now())

    # then
    assert everything(VIEWS) == []


def test_a_late_row_has_its_piece_archived_again(bucket, monday):
    # given
    shop = make_shop()
    fill(shop, VIEWS, monday, 300)
    archived(monday)
    first = manifests()[0].sha256
    one_more(shop, VIEWS, monday + timedelta(seconds=90))
    before = everything(VIEWS)

    # when
    assert archive.drop_archived(partition(VIEWS, monday)) is False
    assert everything(VIEWS) == before
    assert archive.archive_all(now()) == []

    # then
    (made,) = manifests()
    assert (made.rows, made.generation) == (301, 1)
    assert made.sha256 != first
    assert everything(VIEWS) == []
    archive.restore(monday, now())
    assert everything(VIEWS) == before


def test_a_row_that_went_does_not_hide_one_that_came(bucket, monday):
    # given as many rows as were archived, and one of them another
    shop = make_shop()
    fill(shop, VIEWS, monday, 300)
    archived(monday)
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{VIEWS}" WHERE occurred_at = %s', [monday])
    one_more(shop, VIEWS, monday + timedelta(seconds=90))

    # when
    assert archive.drop_archived(partition(VIEWS, monday)) is False

    # then
    assert len(everything(VIEWS)) == 300


def test_a_late_row_of_another_shop_keeps_the_partition(bucket, monday):
    # given
    fill(make_shop("one.example.com"), VIEWS, monday, 10)
    archived(monday)
    one_more(make_shop("other.example.com"), VIEWS, monday + DAY)

    # when
    assert archive.drop_archived(partition(VIEWS, monday)) is False

    # then
    assert len(everything(VIEWS)) == 11


def test_a_row_that_comes_after_the_drop_gets_an_object_of_its_own(bucket, monday, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"RESTORED_KEPT_DAYS": 0}
    shop = make_shop()
    fill(shop, VIEWS, monday, 10)
    before = everything(VIEWS)
    place = partition(VIEWS, monday)
    archive.archive_all(now())
    remake(place)
    one_more(shop, VIEWS, monday + timedelta(seconds=90))
    late = everything(VIEWS)

    # when
    assert archive.archive_all(now()) == []

    # then
    assert [(one.generation, one.rows) for one in manifests()] == [(1, 10), (2, 1)]
    assert len({one.key for one in manifests()}) == 2
    archive.restore(monday, now())
    assert everything(VIEWS) == sorted(before + late)


def remake(place):
    from saleor_nudges.events.identity import smallest_at

    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TABLE "{place.name}" PARTITION OF "{place.table}"'
            f" FOR VALUES FROM ('{smallest_at(place.start)}') TO ('{smallest_at(place.end)}')"
        )


def test_a_row_that_is_just_being_written_keeps_the_partition(bucket, monday, monkeypatch):
    # given a row that another connection has not committed yet
    monkeypatch.setattr(drop, "TRIES", 2)
    shop = make_shop()
    fill(shop, VIEWS, monday, 10)
    archived(monday)
    place = partition(VIEWS, monday)
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        other.set_autocommit(False)
        cursor.execute(
            f"INSERT INTO \"{VIEWS}\" SELECT (left(id::text, 35) || 'f')::uuid, shop_id, channel,"
            f' kind, occurred_at, subject, person, data FROM "{VIEWS}" LIMIT 1'
        )
        # when
        assert archive.drop_archived(place) is False
        other.commit()

    # then
    assert len(everything(VIEWS)) == 11
    assert archive.drop_archived(place) is False
    assert archive.archive_all(now()) == []
    assert [one.rows for one in manifests()] == [11]


def test_what_was_brought_back_stays_for_a_while_and_leaves_without_a_second_object(
    bucket, monday, settings
):
    # given
    fill(make_shop(), VIEWS, monday, 300)
    place = partition(VIEWS, monday)
    archive.archive_all(now())
    sha256 = manifests()[0].sha256
    archive.restore(monday, now())
    assert may_drop(VIEWS, monday, now()) is False

    # when the archive runs the next day, and once its time is over
    assert archive.archive_all(now() + DAY) == []
    assert len(everything(VIEWS)) == 300
    assert archive.drop_archived(place) is False
    later = now() + 31 * DAY
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"RESTORED_KEPT_DAYS": 0}
    assert archive.archive_all(later) == []

    # then
    assert everything(VIEWS) == []
    assert [(one.generation, one.sha256) for one in manifests()] == [(1, sha256)]


def test_age_alone_drops_nothing_while_there_is_a_bucket(bucket, monday, settings):
    assert may_drop(VIEWS, monday, now()) is False
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_BUCKET": ""}
    assert may_drop(VIEWS, monday, now()) is True


# Side by side.


def test_two_workers_at_once_make_one_object(bucket, monday, monkeypatch):
    # given a worker that is in the middle of a piece
    fill(make_shop(), VIEWS, monday, 300)
    (manifest,) = archive.plan(partition(VIEWS, monday))
    inside, go_on = threading.Event(), threading.Event()
    real = work._upload

    def dawdling(*given):
        inside.set()
        assert go_on.wait(20)
        real(*given)

    monkeypatch.setattr(work, "_upload", dawdling)
    answers = []

    def first():
        answers.append(archive.archive_piece(manifest.pk))
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)

    # when
    answers.append(archive.archive_piece(manifest.pk))
    go_on.set()
    thread.join(20)

    # then
    assert answers == [False, True]
    assert [(one.state, one.rows) for one in manifests()] == [(ArchiveState.VERIFIED, 300)]


def test_planning_twice_at_once_makes_each_manifest_once(bucket, month):
    # given
    fill(make_shop(), EVENTS, month, 5000)
    place = partition(EVENTS, month)

    # when
    def planned():
        found.append({one.pk for one in archive.plan(place)})
        connection.close()

    found = []
    threads = [threading.Thread(target=planned) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    # then
    assert found == [{one.pk for one in manifests()}] * 4


# Shops.


def test_many_shops_lie_apart(bucket, monday):
    # given
    shops = [make_shop(f"{n}.example.com") for n in range(4)]
    for shop in shops:
        fill(shop, VIEWS, monday, 20)

    # when
    archived(monday)

    # then each object holds its own shop's rows alone, and each shop sees its own manifest alone
    for shop in shops:
        (made,) = EventArchive.objects.of(shop)
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT id::text FROM "{VIEWS}" WHERE shop_id = %s', [shop.pk])
            ids = {found for (found,) in cursor.fetchall()}
        rows = csv.DictReader(io.StringIO(unpacked(bucket, made.key), newline=""))
        assert {row["id"] for row in rows} == ids
        assert len(ids) == 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE %s", ["%_by_shop"])
        assert cursor.fetchone() == (1,)


def test_rows_of_a_shop_that_was_deleted_hold_nothing_up(bucket, monday):
    # given
    gone = make_shop("gone.example.com")
    fill(gone, VIEWS, monday, 10)
    fill(make_shop("here.example.com"), VIEWS, monday, 10)
    Shop.objects.filter(pk=gone.pk).delete()

    # when
    assert archive.archive_all(now()) == []

    # then
    assert everything(VIEWS) == []
    assert [one.rows for one in manifests()] == [10]


# Commands, tasks, the doctor.


def test_a_dry_run_changes_nothing(bucket, monday, capsys):
    # given
    shop = make_shop()
    fill(shop, VIEWS, monday, 300)
    before = everything(VIEWS)

    # when
    call_command("nudges", "archive", "--dry-run")

    # then
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{VIEWS} {monday:%Y-%m-%d} to {monday + 7 * DAY:%Y-%m-%d}, shop {shop.pk}: 300 rows",
        "300 rows wait; nothing was changed.",
    ]
    assert everything(VIEWS) == before
    assert manifests() == []
    assert bucket.client.list_objects_v2(Bucket=bucket.name)["KeyCount"] == 0


def test_the_commands_archive_and_restore(bucket, monday, capsys):
    # given
    shop = make_shop()
    fill(shop, VIEWS, monday, 300)
    before = everything(VIEWS)

    # when
    call_command("nudges", "archive")
    (made,) = manifests()
    assert capsys.readouterr().out.splitlines() == [
        f"{made.key}: 300 rows, {made.bytes} bytes",
        "Nothing waits.",
    ]
    assert everything(VIEWS) == []
    span = ["--from", f"{monday:%Y-%m-%d}", "--to", f"{now():%Y-%m-%d}"]
    call_command("nudges", "restore", *span, "--shop", shop.key, "--table", VIEWS)

    # then
    assert capsys.readouterr().out.splitlines() == [
        f"1/1 {made.key}: 300 rows",
        "300 rows from 1 objects.",
    ]
    assert everything(VIEWS) == before


def test_a_failure_is_said_by_the_command(bucket, monday, settings):
    # given a bucket that is not there
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_BUCKET": "another"}
    fill(make_shop(), VIEWS, monday, 3)

    # when
    with pytest.raises(CommandError, match="The archive's bucket refused: NoSuchBucket"):
        call_command("nudges", "archive")

    # then
    assert len(everything(VIEWS)) == 3


def test_without_a_bucket_nothing_is_archived(monday, settings):
    # given
    fill(make_shop(), VIEWS, monday, 3)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_BUCKET": ""}

    # when
    assert tasks.archive() == 0
    for verb in (["archive"], ["restore", "--from", "2026-01-01", "--to", "2026-02-01"]):
        with pytest.raises(CommandError, match="ARCHIVE_BUCKET is empty"):
            call_command("nudges", *verb)

    # then
    assert len(everything(VIEWS)) == 3
    assert archive.examine(now()) == "off: no bucket is set"


def _missing(name):
    raise ImportError(name)


def test_a_missing_extra_is_named(bucket, monkeypatch):
    buckets._client.cache_clear()
    monkeypatch.setattr(buckets, "import_module", _missing)
    with pytest.raises(ArchiveUnavailable, match=r"needs botocore: pip install 'saleor-nudges\["):
        buckets.get_bucket()


def test_the_tasks_do_the_same_on_a_queue_of_their_own(
    bucket, month, monday, settings, monkeypatch
):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"CELERY_QUEUE": "cold"}
    fill(make_shop(), VIEWS, monday, 300)
    fill(make_shop("other.example.com"), EVENTS, month, 50)
    sent = []
    monkeypatch.setattr(
        tasks.archive_piece, "apply_async", lambda args, **options: sent.append((args, options))
    )

    # when it is handed out, twice because an hour passes, and done, each piece twice
    assert tasks.archive() == 2
    assert tasks.archive_unfinished() == 2
    answers = [tasks.archive_piece(*args) for args, _ in sent]

    # then
    assert [options for _, options in sent] == [{"queue": "cold"}] * 4
    assert answers == [True, True, False, False]
    assert everything(VIEWS) == everything(EVENTS) == []
    assert tasks.archive() == 0


def test_the_doctor_says_what_is_overdue(bucket, monday, settings):
    # given
    (look,) = [one for one in doctor.examine() if one.name == "archive"]
    waiting = f"{VIEWS}_{monday:%Y%m%d} is not archived yet; is beat running?"
    assert (look.is_well, look.what) == (False, f"archive: {waiting}")

    # when
    archive.archive_all(now())

    # then
    assert archive.examine(now()) == "bucket reachable, nothing overdue"
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"ARCHIVE_BUCKET": "another"}
    with pytest.raises(ArchiveUnavailable):
        archive.examine(now())
