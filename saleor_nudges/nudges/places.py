"""Where a buyer is, told only as exactly as enough other buyers allow."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from django.db import connection

from saleor_nudges import crypto
from saleor_nudges.models import Nudge, NudgeType, Shop

LEVELS: Final = ("city", "region", "country")
NOWHERE: Final = dict.fromkeys(LEVELS, "")
KEY_LENGTH: Final = 16
# The newest so many purchases times the number of buyers wanted are looked at: one buyer's own
# many purchases may hide others, which names a place later, never too early.
LOOKED_AT: Final = 20
# English says "from the Netherlands".
WITH_THE: Final = re.compile(
    "AE|BS|CC|CD|CF|CG|DO|FK|FO|GB|GM|IM|KM|KY|MH|MP|MV|NL|PH|SB|SC|TC|TF|UM|US|VG|VI"
)

# Three partial indexes answer this: a look at the newest entries of one key each.
COUNT_LEVEL: Final = """
    SELECT %s AS level, wanted.key, wanted.since FROM unnest(%s::text[], %s::timestamptz[])
        AS wanted(key, since)
    WHERE (
        SELECT count(DISTINCT buyer.person_id) FROM (
            SELECT person_id FROM {table}
            WHERE shop_id = %s AND channel = %s AND type = %s AND {level}_key = wanted.key
            AND {level}_key <> '' AND occurred_at >= wanted.since AND occurred_at <= %s
            AND withdrawn_at IS NULL AND person_id IS NOT NULL
            ORDER BY occurred_at DESC LIMIT %s
        ) AS buyer
    ) >= %s
"""

# A level, a key, and since when: so many buyers are there.
Named = frozenset[tuple[str, str, datetime]]


def keys(who: Mapping[str, str]) -> dict[str, str]:
    """Return the keyed hashes of where a maker is, as fields of a nudge; "" where unknown.

    A city is one of its region, a region one of its country, so that naming two of them together
    says no more than the smaller one.
    """
    found, path = {}, ""
    for level in reversed(LEVELS):
        name = " ".join(who[level].casefold().split())
        path = f"{path}|{name}"
        found[f"{level}_key"] = crypto.keyed_hash(level, path)[:KEY_LENGTH] if name else ""
    return found


def named(
    shop: Shop,
    channel: str,
    nudges: Iterable[Nudge],
    since: Mapping[str, datetime],
    now: datetime,
    least: int,
) -> Named:
    """Return which places of these nudges have enough buyers to be named: one query, or none.

    `since` says for each kind when its window begins. Buyers are people whose order stands.
    """
    asked: dict[str, set[tuple[str, datetime]]] = {level: set() for level in LEVELS}
    for nudge in nudges:
        for level in LEVELS:
            if key := getattr(nudge, f"{level}_key"):
                asked[level].add((key, since[nudge.type]))
    questions = {level: sorted(places) for level, places in asked.items() if places}
    if not questions:
        return frozenset()
    least = max(least, 1)
    values: list[Any] = []
    for level, places in questions.items():
        values += [level, [key for key, _ in places], [begin for _, begin in places]]
        values += [shop.pk, channel, NudgeType.ORDER, now, LOOKED_AT * least, least]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(map(_count, questions)), values)
        return frozenset(cursor.fetchall())


def may_be_told(nudge: Nudge, since: datetime, enough: Named) -> bool:
    """Tell whether anything may be said of where a nudge's maker is."""
    return any((level, getattr(nudge, f"{level}_key"), since) in enough for level in LEVELS)


def told(who: Mapping[str, str], nudge: Nudge, since: datetime, enough: Named) -> dict[str, str]:
    """Return the city, region and country (ISO code) of a nudge's maker; "" where too few are."""
    return {
        level: who.get(level, "")
        if (level, getattr(nudge, f"{level}_key"), since) in enough
        else ""
        for level in LEVELS
    }


def place(where: Mapping[str, str], language: str) -> str:
    """Return the most exact name among what `told` left; "" for nowhere."""
    return where["city"] or where["region"] or country_name(where["country"], language)


@lru_cache(maxsize=4096)
def country_name(code: str, language: str) -> str:
    """Return a country's name in a language such as de or pt-br; "" if there is none."""
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        return ""
    name = str(_locale(language).territories.get(code, ""))
    is_english = language.partition("-")[0] == "en"
    return f"the {name}" if name and is_english and WITH_THE.fullmatch(code) else name


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale:
    for name in (language, language.partition("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse("en")


@lru_cache(maxsize=len(LEVELS))
def _count(level: str) -> str:
    return COUNT_LEVEL.format(table=Nudge._meta.db_table, level=level)
