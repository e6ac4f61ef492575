"""What a log line may hold: nothing by which a person or a checkout is known."""

import logging

import pytest

from saleor_nudges import telemetry
from saleor_nudges.telemetry import Log, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to anna@example.com now", "to <email> now"),
        ("<Anna.Nowak+shop@mail.example.com>", "<<email>>"),
        ("o'brien@example.com", "<email>"),
        ("żółw@example.com", "<email>"),
        ("GET /?email=anna%40example.com", "GET /?email=<email>"),
        ("checkout Q2hlY2tvdXQ6ODdlMWY0NDM= is open", "checkout <checkout> is open"),
        ("/checkout?checkout=Q2hlY2tvdXQ6ODdlMWY0NDM%3D&a=1", "/checkout?checkout=<checkout>&a=1"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer <token>"),
        ('{"token": "abcdefghijklmnop"}', '{"token": "<token>"}'),
        ("call +48 600 100 200", "call <phone>"),
        ("order 1234567890 of 2026-01-02", "order 1234567890 of 2026-01-02"),
        ("UHJvZHVjdDox", "UHJvZHVjdDox"),
    ],
)
def test_redact(text, expected):
    assert redact(text) == expected


def test_a_traceback_is_redacted_too():
    # given
    formatter = telemetry.Redacting()
    try:
        int("anna@example.com has no Q2hlY2tvdXQ6ODdlMWY0NDM=")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "x", 1, "failed for %s", ("bert@example.com",), None
        )
        record.exc_info = (ValueError, error, error.__traceback__)

    # when
    line = formatter.format(record)

    # then
    assert "<email> has no <checkout>" in line
    assert "failed for <email>" in line
    assert "@example.com" not in line


def test_a_line_is_one_of_ours_and_its_fields_are_beside_it(caplog):
    with caplog.at_level(logging.INFO, logger="saleor_nudges"):
        telemetry.log(Log.DRAINED, count=3, empty="")
    [record] = caplog.records
    assert (record.message, record.nudges) == ("events consumed", {"count": 3})


def test_no_two_lines_read_alike():
    assert len({line.value for line in Log}) == len(Log)


def test_the_metrics_can_be_read():
    telemetry.REFUSED.labels(door="test", code="INVALID").inc()
    text = telemetry.exposition().decode()
    assert 'nudges_events_refused_total{code="INVALID",door="test"}' in text
