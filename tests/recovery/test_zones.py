"""Where somebody's clock is: by address, phone, country, else the shop's; never a bare guess."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.rules import zones
from saleor_nudges.recovery.rules.hours import DAYTIME, next_open
from saleor_nudges.recovery.rules.zone_table import MAIN, TABLE
from saleor_nudges.recovery.rules.zones import Address, Source, Sureness, Whereabouts, whereabouts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP = "Europe/Lisbon"
COUNTRIES = sorted(zones._zones_of_countries())


def clocks(names, moment):
    """Return what the clocks of several zones show: names of zones change, times do not."""
    return {moment.astimezone(ZoneInfo(name)).utcoffset() for name in names}


@pytest.mark.parametrize(
    ("country", "region", "postal_code", "expected"),
    [
        ("PT", "", "1000-001", ["Europe/Lisbon"]),
        ("PT", "", "9500-100", ["Atlantic/Azores"]),
        ("PT", "Lisboa", "", ["Europe/Lisbon", "Atlantic/Azores"]),
        ("DE", "", "10115", ["Europe/Berlin"]),
        ("de ", "Bayern", "", ["Europe/Berlin"]),
        ("FR", "", "75001", ["Europe/Paris"]),
        ("FR", "", "97400", ["Indian/Reunion"]),
        ("FR", "", "", ["Europe/Paris"]),
        ("ES", "", "28001", ["Europe/Madrid"]),
        ("ES", "Las Palmas", "", ["Atlantic/Canary"]),
        ("ES", "", "38001", ["Atlantic/Canary"]),
        ("US", "NY", "", ["America/New_York"]),
        ("US", "new york", "10001", ["America/New_York"]),
        ("US", "", "90210", ["America/Los_Angeles"]),
        ("US", "", "94103-1234", ["America/Los_Angeles"]),
        ("US", "AZ", "85001", ["America/Phoenix"]),
        ("US", "Arizona", "", ["America/Denver", "America/Phoenix"]),
        ("US", "TX", "75201", ["America/Chicago"]),
        ("US", "TX", "79901", ["America/Denver"]),
        ("US", "TX", "79821", ["America/Chicago", "America/Denver"]),
        ("US", "TX", "88510", ["America/Denver"]),
        ("US", "TX", "", ["America/Chicago", "America/Denver"]),
        ("US", "FL", "33101", ["America/New_York"]),
        ("US", "FL", "32501", ["America/Chicago"]),
        ("US", "TN", "37201", ["America/Chicago"]),
        ("US", "TN", "37919", ["America/New_York"]),
        ("US", "IN", "46204", ["America/New_York"]),
        ("US", "IN", "46402", ["America/Chicago"]),
        ("US", "KY", "42101", ["America/Chicago"]),
        ("US", "HI", "96813", ["Pacific/Honolulu"]),
        ("US", "PR", "00901", ["America/Puerto_Rico"]),
        # Two halves that contradict each other: it may be either.
        ("US", "NY", "90210", ["America/New_York", "America/Los_Angeles"]),
        ("CA", "Québec", "H2X 1Y4", ["America/Toronto"]),
        ("CA", "quebec", "", ["America/Toronto", "America/Blanc-Sablon", "America/Halifax"]),
        ("CA", "", "v6b 1a1", ["America/Vancouver"]),
        ("CA", "SK", "S4P 3Y2", ["America/Regina"]),
        ("AU", "NSW", "2000", ["Australia/Sydney"]),
        ("AU", "New South Wales", "2880", ["Australia/Sydney", "Australia/Broken_Hill"]),
        ("AU", "", "6000", ["Australia/Perth"]),
        # Shared by three states: what the shopper says decides.
        ("AU", "NT", "0872", ["Australia/Darwin"]),
        ("BR", "", "01310-100", ["America/Sao_Paulo"]),
        ("BR", "AM", "69005-000", ["America/Manaus"]),
        ("BR", "Acre", "", ["America/Rio_Branco"]),
        ("MX", "Q.R.", "77500", ["America/Cancun"]),
        ("MX", "", "06000", ["America/Mexico_City"]),
        ("RU", "Камчатский край", "", ["Asia/Kamchatka"]),
        ("RU", "", "690000", ["Asia/Vladivostok"]),
        ("RU", "Moskva", "101000", ["Europe/Moscow"]),
        ("ID", "Bali", "", ["Asia/Makassar"]),
        ("ID", "DKI Jakarta", "", ["Asia/Jakarta"]),
        ("CL", "Maule", "", ["America/Santiago"]),
        ("CL", "Valparaíso", "2340000", ["America/Santiago"]),
        ("CN", "广东省", "", ["Asia/Shanghai"]),
        ("EC", "", "170102", ["America/Guayaquil"]),
        ("EC", "", "200150", ["Pacific/Galapagos"]),
        ("NZ", "", "8016", ["Pacific/Chatham"]),
        ("UA", "", "01001", ["Europe/Kyiv"]),
    ],
)
def test_an_address_tells_the_clock(country, region, postal_code, expected):
    # when
    found = whereabouts(SHOP, NOW, address=Address(country, region, postal_code))
    # then
    assert sorted(found.zones) == sorted(expected)
    assert found.source == Source.ADDRESS
    assert found.sureness == (Sureness.SURE if len(expected) == 1 else Sureness.ONE_OF)


@pytest.mark.parametrize(
    ("_case", "address"),
    [
        ("nothing_more", Address("US")),
        ("no_such_state", Address("US", "Atlantis")),
        ("no_such_code", Address("US", "", "ABC")),
        ("soldiers", Address("US", "AE", "09001")),
    ],
)
def test_an_address_that_tells_only_the_country(_case, address):
    # when
    found = whereabouts(SHOP, NOW, address=address)
    # then any of its clocks may be theirs, and the one most live by comes first
    assert found.zones[0] == "America/New_York"
    assert clocks(found.zones, NOW) == {timedelta(hours=h) for h in (-5, -6, -7, -8, -9, -10)}
    assert found.sureness == Sureness.ONE_OF


@pytest.mark.parametrize(
    ("phone", "first", "hours"),
    [
        ("+44 20 7946 0000", "Europe/London", {0}),
        ("+351912345678", "Europe/Lisbon", {0, -1}),
        ("+91 98765 43210", "Asia/Kolkata", {5.5}),
        # What begins alike is told apart: Kazakhstan and Russia, Toronto and Puerto Rico.
        ("+77011234567", "Asia/Almaty", {5}),
        ("+17875550123", "America/Puerto_Rico", {-4}),
        # A mobile phone keeps its area code wherever its owner lives.
        ("+12125550123", "America/New_York", {-5, -6, -7, -8, -9, -10}),
        ("+14165550123", "America/Toronto", {-3.5, -4, -5, -6, -7, -8}),
    ],
)
def test_a_phone_tells_the_country(phone, first, hours):
    # when
    found = whereabouts(SHOP, NOW, phone=phone)
    # then
    assert found.source == Source.PHONE
    assert found.zones[0] == first
    assert clocks(found.zones, NOW) == {timedelta(hours=hour) for hour in hours}


def test_a_number_of_no_country_may_be_in_any_that_shares_its_code():
    # when
    found = whereabouts(SHOP, NOW, phone="+19995550123")
    # then
    offsets = clocks(found.zones, NOW)
    assert {timedelta(hours=-3.5), timedelta(hours=-11), timedelta(hours=10)} <= offsets
    assert found.sureness == Sureness.ONE_OF


@pytest.mark.parametrize(
    ("_case", "known", "zone", "source", "sureness"),
    [
        ("nothing", {}, SHOP, Source.SHOP, Sureness.ASSUMED),
        ("country", {"country": "gb"}, "Europe/London", Source.COUNTRY, Sureness.SURE),
        (
            "phone_before_country",
            {"phone": "+48512345678", "country": "GB"},
            "Europe/Warsaw",
            Source.PHONE,
            Sureness.SURE,
        ),
        (
            "address_before_phone",
            {"address": Address("DE"), "phone": "+48512345678"},
            "Europe/Berlin",
            Source.ADDRESS,
            Sureness.SURE,
        ),
        (
            "address_without_country",
            {"address": Address("", "Bayern", "80331"), "phone": "+48512345678"},
            "Europe/Warsaw",
            Source.PHONE,
            Sureness.SURE,
        ),
        ("no_country_code", {"phone": "0912345678"}, SHOP, Source.SHOP, Sureness.ASSUMED),
        ("too_short", {"phone": "+351 12"}, SHOP, Source.SHOP, Sureness.ASSUMED),
        ("satellite", {"phone": "+881612345678"}, SHOP, Source.SHOP, Sureness.ASSUMED),
        ("no_such_country", {"country": "ZZ"}, SHOP, Source.SHOP, Sureness.ASSUMED),
    ],
)
def test_the_best_that_is_known_counts(_case, known, zone, source, sureness):
    assert whereabouts(SHOP, NOW, **known) == Whereabouts((zone,), source, sureness)


def test_a_shop_in_no_zone_is_refused():
    with pytest.raises(InvalidInput) as refused:
        whereabouts("Europe/Atlantis", NOW, country="PT")
    assert refused.value.field == "timezone"


def test_a_zone_this_machine_does_not_know_is_left_out(monkeypatch):
    # given a list of zones that is newer than the machine's clocks
    newer = {"PT": ("Atlantic/Atlantis", "Europe/Lisbon")}
    monkeypatch.setattr(zones, "_zones_of_countries", lambda: newer)
    # then
    assert whereabouts(SHOP, NOW, country="PT").zones == ("Europe/Lisbon",)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_hours_that_suit_all_its_clocks(country):
    # given nothing but the country
    found = whereabouts(SHOP, NOW, country=country)
    assert found.source == Source.COUNTRY
    # when a text becomes due at any hour of a day
    for hour in range(24):
        opening = next_open(NOW + timedelta(hours=hour), DAYTIME, found.zones)
        # then there is an hour at which nobody sleeps, but in Antarctica
        assert (opening.zones == found.zones) == (country != "AQ")
    # and by every clock of the country, also those left out because they agree with another
    if country != "AQ":
        shown = [
            opening.at.astimezone(ZoneInfo(zone)).hour
            for zone in zones._zones_of_countries()[country]
        ]
        assert min(shown) >= 8
        assert max(shown) < 21


@pytest.mark.parametrize("country", TABLE)
def test_the_table_names_what_exists(country):
    # given
    parts, (names, _) = TABLE[country], zones._regions_of(country)
    regions = {part.partition(":")[0] for words in parts.values() for part in words.split()}
    # then its zones are known, its regions are those of the address data, all or the rest is there
    assert parts.keys() <= available_timezones()
    assert regions - {"*", ""} <= set(names.values())
    if "*" not in regions:
        assert set(names.values()) - regions <= {"AA", "AE", "AP"}
    # and the zone that counts where no hour suits all is one of the country's
    assert next(iter(parts)) in zones._zones_of_countries()[country]


@pytest.mark.parametrize(("country", "zone"), MAIN.items())
def test_the_main_zone_comes_first(country, zone):
    assert whereabouts(SHOP, NOW, country=country).zones[0] == zone


TEXT = st.text(max_size=12)


@given(st.sampled_from([*TABLE, "DE", "", "??"]), TEXT, TEXT | st.from_regex(r"\d{4,8}"), TEXT)
def test_whatever_a_shopper_writes_has_an_answer(country, region, postal_code, phone):
    # when
    found = whereabouts(
        SHOP, NOW, address=Address(country, region, postal_code), phone=f"+{phone}", country=phone
    )
    # then
    assert set(found.zones) <= available_timezones()
    assert len(set(found.zones)) == len(found.zones) >= 1
    assert (found.sureness == Sureness.ONE_OF) == (len(found.zones) > 1)
