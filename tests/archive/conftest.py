"""A real S3 server on loopback, and months that are long over."""

import os
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from django.db import connection
from moto.server import ThreadedMotoServer

from saleor_nudges.archive import bucket as buckets
from saleor_nudges.archive.pieces import cold_before
from saleor_nudges.events.identity import smallest_at
from tests.archive.cold import EVENTS, VIEWS

NAME = "cold-events"


@pytest.fixture(scope="session")
def store():
    """The address of an S3 server, and who we are there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    before = dict(os.environ)
    os.environ.update(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1"
    )
    yield f"http://{host}:{port}"
    server.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def bucket(store, settings):
    """An empty bucket that the settings name."""
    buckets._client.cache_clear()
    client = boto3.client("s3", endpoint_url=store)
    client.create_bucket(Bucket=NAME)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {
        "ARCHIVE_BUCKET": NAME,
        "ARCHIVE_ENDPOINT_URL": store,
    }
    yield buckets.get_bucket()
    for found in client.list_objects_v2(Bucket=NAME).get("Contents", []):
        client.delete_object(Bucket=NAME, Key=found["Key"])
    for left in client.list_multipart_uploads(Bucket=NAME).get("Uploads", []):
        client.abort_multipart_upload(Bucket=NAME, Key=left["Key"], UploadId=left["UploadId"])
    client.delete_bucket(Bucket=NAME)
    client.close()
    buckets._client.cache_clear()


@pytest.fixture
def month():
    """The first of a month that is cold, whose partition of facts is there; and goes again."""
    start = (cold_before(datetime.now(UTC)) - timedelta(days=40)).replace(day=1)
    yield from _partition(EVENTS, start, (start + timedelta(days=32)).replace(day=1))


@pytest.fixture
def monday():
    """The Monday of a week that is cold, whose partition of views is there; and goes again."""
    start = cold_before(datetime.now(UTC)) - timedelta(days=30)
    start -= timedelta(days=start.weekday())
    yield from _partition(VIEWS, start, start + timedelta(weeks=1))


def _partition(table, start, end):
    name = f"{table}_{start:%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS "{name}" PARTITION OF "{table}"'
            f" FOR VALUES FROM ('{smallest_at(start)}') TO ('{smallest_at(end)}')"
        )
    yield start
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
