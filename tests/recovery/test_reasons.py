"""Why a message has not gone, in plain words."""

import re
import string
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.recovery import spoken
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.reasons import Fate, Reason, Why, say
from saleor_nudges.recovery.rules.plan import Never, Waits
from tests.recovery.strategies import unhurried

LISBON, NEW_YORK = ZoneInfo("Europe/Lisbon"), ZoneInfo("America/New_York")
# 22:40 in Lisbon, where it is summer.
AT = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
MORNING = datetime(2026, 5, 4, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (
            Why(Reason.QUIET_HOURS, AT, MORNING, LISBON),
            "deferred: 22:40 in Lisbon, goes at 08:00",
        ),
        (
            Why(Reason.QUIET_HOURS, AT, MORNING, NEW_YORK),
            "deferred: 17:40 in New York, goes at 03:00",
        ),
        (Why(Reason.QUIET_HOURS, AT, MORNING), "deferred: 21:40 in UTC, goes at 07:00 UTC"),
        (Why(Reason.QUIET_HOURS, AT, zone=LISBON), "waiting: 22:40 in Lisbon"),
        (Why(Reason.QUIET_HOURS), "waiting: quiet hours where they are"),
        # a day later the day is named
        (
            Why(Reason.SEND_WINDOW, AT, AT + timedelta(hours=24, minutes=-1), LISBON),
            "deferred: 22:40 in Lisbon, outside the step's hours, goes at 22:39",
        ),
        (
            Why(Reason.SEND_WINDOW, AT, AT + timedelta(hours=24), LISBON),
            "deferred: 22:40 in Lisbon, outside the step's hours, goes on Mon 4 May at 22:40",
        ),
        (
            Why(Reason.LATE, AT, AT - timedelta(days=3), LISBON),
            "deferred: its time has passed, it goes as soon as it can, goes on Thu 30 Apr at 22:40",
        ),
        # from the last evening of winter to the first morning of summer
        (
            Why(
                Reason.QUIET_HOURS,
                datetime(2026, 3, 28, 22, 40, tzinfo=UTC),
                datetime(2026, 3, 29, 7, 0, tzinfo=UTC),
                LISBON,
            ),
            "deferred: 22:40 in Lisbon, goes at 08:00",
        ),
        (
            Why(
                Reason.CAP,
                AT,
                AT + timedelta(days=2),
                LISBON,
                limit=3,
                per=timedelta(days=7),
            ),
            "deferred: 3 in 7 days is the most for one person, goes on Tue 5 May at 22:40",
        ),
        (
            Why(Reason.CAP, limit=1, per=timedelta(hours=24)),
            "waiting: 1 in 24 hours is the most for one person",
        ),
        (Why(Reason.CAP, limit=1), "waiting: they were written to as often as they may be"),
        (
            Why(Reason.OUTAGE, AT, AT + timedelta(minutes=5), ZoneInfo("Asia/Kolkata")),
            "deferred: we were away, and what waited goes out little by little, goes at 03:15",
        ),
        (Why(Reason.CAMPAIGN_OFF), "waiting: the campaign is not switched on"),
        (
            Why(Reason.PROVIDER_AWAY, message_channel=MessageChannel.WHATSAPP),
            "waiting: the provider for WhatsApp was not reached, or said not now",
        ),
        (Why(Reason.ORDERED), "not sent: they bought"),
        (
            Why(Reason.NO_CONSENT, AT, message_channel=MessageChannel.SMS),
            "not sent: they have not agreed to be written to by SMS",
        ),
        (Why(Reason.NO_CONSENT), "not sent: they have not agreed to be written to"),
        (
            Why(Reason.COOLING_DOWN, AT, AT + timedelta(days=7), LISBON),
            "not sent: this campaign wrote to them lately; the next may go on Sun 10 May at 22:40",
        ),
        (
            Why(Reason.WORKER_LOST, AT, MORNING),
            "in doubt: the worker died while it was handed over; it is never repeated",
        ),
        (
            Why(Reason.TROUBLE),
            "waiting: something of ours failed before it was sent, the log says what",
        ),
        (
            Why(Reason.TROUBLE, fate=Fate.OVER),
            "not sent: something of ours failed before it was sent, the log says what",
        ),
    ],
)
def test_a_reason_is_said_with_what_is_known_of_it(why, sentence):
    assert say(why) == sentence


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("America/Argentina/Buenos_Aires", "Buenos Aires"),
        ("Atlantic/Azores", "Azores"),
        ("America/New_York", "New York"),
        ("Etc/UTC", "UTC"),
        ("Etc/GMT+5", "GMT+5"),
    ],
)
def test_a_place_is_named_after_its_zone(zone, place):
    # when
    sentence = say(Why(Reason.QUIET_HOURS, AT, zone=ZoneInfo(zone)))

    # then
    assert sentence.endswith(f" in {place}")


# The list is closed.


@pytest.mark.parametrize("language", spoken.WORDS)
def test_every_language_has_every_word(language):
    # given
    words = spoken.WORDS[language]

    # then
    assert set(words.sentences) == set(Reason)
    assert set(words.channels) == set(MessageChannel)
    assert set(words.openings) == set(words.endings) == set(Fate)


def pieces(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", spoken.WORDS)
def test_every_sentence_uses_only_what_there_is(language):
    # given
    words = spoken.WORDS[language]
    known = {"at", "place", "channel", "limit", "per"}

    # then
    for full, short in words.sentences.values():
        assert pieces(full) <= known
        assert pieces(short) == set()
        assert not re.search(r"[.;:]|^[A-Z]", short)
    assert all(pieces(ending) <= {"until"} for ending in words.endings.values())
    assert (pieces(words.at_time), pieces(words.on_day)) == ({"time"}, {"day", "time"})


def test_no_two_reasons_are_said_alike():
    # when
    sentences = [say(Why(reason)) for reason in Reason]

    # then
    assert len(set(sentences)) == len(Reason)


@pytest.mark.parametrize(
    ("language", "nearest"),
    [
        ("en", "en"),
        ("en-gb", "en"),
        ("EN_GB", "en"),
        ("xx", "en"),
        ("", "en"),
        ("-", "en"),
    ],
)
def test_a_language_we_do_not_speak_is_answered_in_english(language, nearest):
    assert spoken.nearest(language) == nearest


def test_another_language_is_one_more_entry(monkeypatch):
    # given
    german = spoken.Words(
        sentences=dict.fromkeys(Reason, ("{at} in {place}", "Ruhezeit")),
        channels=spoken.ENGLISH.channels,
        openings=spoken.ENGLISH.openings,
        endings={"WAITS": ", geht {until}", "OVER": "", "IN_DOUBT": ""},
        deferred="verschoben",
        day="EEE d. MMM",
        at_time="um {time}",
        on_day="am {day} um {time}",
    )
    monkeypatch.setattr(spoken, "WORDS", {"de": german, "en": spoken.ENGLISH})

    # when
    sentence = say(Why(Reason.QUIET_HOURS, AT, AT + timedelta(days=2), LISBON), "de-at")

    # then
    assert sentence == "verschoben: 22:40 in Lissabon, geht am Di. 5. Mai um 22:40"


# Held together with what returns them.


@pytest.mark.parametrize("member", [*Never, *Waits])
def test_whatever_a_plan_says_can_be_told(member):
    # when
    reason = Reason(member.value)

    # then: what a plan puts off waits, what it refuses is over
    assert reason.fate is (Fate.WAITS if isinstance(member, Waits) else Fate.OVER)


# Properties.

moments = st.none() | st.integers(0, 10 * 365 * 24 * 60).map(
    lambda minutes: AT + timedelta(minutes=minutes)
)
whys = st.builds(
    Why,
    reason=st.sampled_from(Reason),
    at=moments,
    until=moments,
    zone=st.none() | st.timezones(),
    message_channel=st.none() | st.sampled_from(MessageChannel),
    limit=st.none() | st.integers(1, 100),
    per=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=365)),
    fate=st.none() | st.sampled_from(Fate),
)


@unhurried
@given(whys, st.text(max_size=8))
def test_there_is_a_sentence_for_everything_in_every_language(why, language):
    # when
    sentence = say(why, language)

    # then
    assert re.fullmatch(r"(deferred|waiting|not sent|in doubt): \S.*\S", sentence)
    assert not re.search(r"[{}]|None|  ", sentence)


def test_there_is_no_room_for_a_person_in_a_reason():
    # then: a sentence is made of these alone, and none of them is free text
    assert [field.name for field in fields(Why)] == [
        "reason",
        "at",
        "until",
        "zone",
        "message_channel",
        "limit",
        "per",
        "fate",
    ]
