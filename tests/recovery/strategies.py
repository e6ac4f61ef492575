"""Made-up conditions, sequences, facts and anything at all, for properties that hold of each."""

from datetime import time, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.campaigns.clauses import WORDS, Facts
from saleor_nudges.recovery.campaigns.steps import CHOSEN, Kind, Sequence, Step
from saleor_nudges.recovery.campaigns.triggers import EVERYBODY, AllOf, AnyOf, Asks, Not
from saleor_nudges.recovery.campaigns.vouchers import Voucher
from saleor_nudges.recovery.campaigns.wants import Between, Contents, Names, Worth
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.hours import Window
from saleor_nudges.recovery.rules.stage import Blocker, Stage
from tests.recovery.ids import ids_of

# A machine that does other things besides is slow now and then, which is no fault of the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
briefly = settings(unhurried, max_examples=30)

COUNTRIES = ("PT", "ES", "DE", "PL")
CURRENCIES = ("EUR", "JPY", "PLN")
LANGUAGES = ("de", "en", "pt", "pt-br", "zh-hans")
DEVICES = ("DESKTOP", "ANDROID", "IOS", "OTHER")
IDS = {kind: ids_of(kind) for kind in ("Product", "Category", "Collection")}

amounts = st.decimals(0, 10**6, places=4, allow_nan=False)


def some(words, least=0):
    known = [str(word) for word in words]
    most = min(len(known), 4)
    return st.lists(st.sampled_from(known), unique=True, min_size=least, max_size=most)


def names(words):
    return some(words, least=1).map(tuple).map(Names)


@st.composite
def ranges(draw, numbers):
    ends = sorted([draw(numbers), draw(numbers)])
    return draw(st.sampled_from([Between(*ends), Between(ends[0], None), Between(None, ends[1])]))


@st.composite
def contents(draw, kind):
    every = draw(some(IDS[kind], least=1))
    cut = draw(st.integers(0, len(every)))
    return Contents(tuple(every[:cut]), tuple(every[cut:]))


counts = ranges(st.integers(1, 10**6).map(Decimal))
WANTED = {
    "value": st.dictionaries(st.sampled_from(CURRENCIES), ranges(amounts), min_size=1).map(
        lambda found: Worth(tuple(sorted(found.items(), key=lambda one: one[0])))
    ),
    "lines": counts,
    "items": counts,
    "products": contents("Product"),
    "categories": contents("Category"),
    "collections": contents("Collection"),
    "customer": names(("KNOWN", "GUEST")),
    "history": names(("RETURNING", "NEW")),
    "country": names(COUNTRIES),
    "language": names(LANGUAGES),
    "device": names(DEVICES),
    "stage": names(Stage),
    "blocker": names(Blocker),
    "consent": names(MessageChannel),
}
assert set(WANTED) == set(WORDS)


def asks(words=tuple(WORDS)):
    return st.one_of([st.builds(Asks, st.just(word), WANTED[word]) for word in words])


def parts(inner):
    return st.lists(inner, min_size=1, max_size=3).map(tuple)


def conditions(words=tuple(WORDS), deep=3):
    if deep == 0:
        return asks(words)
    inner = conditions(words, deep - 1)
    return st.one_of(
        asks(words),
        st.builds(AllOf, parts(inner)),
        st.builds(AnyOf, parts(inner)),
        st.builds(Not, inner),
    )


def maybe(strategy):
    return st.none() | strategy


def sets(words):
    return some(words).map(frozenset)


facts = st.builds(
    Facts,
    total=maybe(st.decimals()),
    currency=maybe(st.sampled_from(("", "CHF", *CURRENCIES))),
    lines=maybe(st.integers(0, 100)),
    items=maybe(st.integers(0, 100)),
    products=maybe(sets(IDS["Product"])),
    categories=maybe(sets(IDS["Category"])),
    collections=maybe(sets(IDS["Collection"])),
    has_account=maybe(st.booleans()),
    has_bought=maybe(st.booleans()),
    country=maybe(st.sampled_from(("", "FR", *COUNTRIES))),
    language=maybe(st.text(max_size=8) | st.sampled_from(("pt_BR", *LANGUAGES))),
    device=maybe(st.sampled_from(DEVICES)),
    stage=maybe(st.sampled_from(Stage)),
    blockers=st.sets(st.sampled_from(Blocker)).map(frozenset),
    ruled_out=st.sets(st.sampled_from(Blocker)).map(frozenset),
    agreed_to=maybe(st.sets(st.sampled_from(MessageChannel)).map(frozenset)),
)


def seconds(least, most):
    return st.integers(least, most).map(lambda count: timedelta(seconds=count))


windows = st.builds(
    Window,
    opens=st.builds(time, st.integers(0, 11), st.integers(0, 59)),
    closes=st.builds(time, st.integers(12, 23), st.integers(0, 59)),
    days=st.sets(st.integers(0, 6), min_size=1).map(frozenset),
)


def by_currency(least=0):
    found = st.dictionaries(st.sampled_from(CURRENCIES), amounts, min_size=least)
    return found.map(lambda held: tuple(sorted(held.items())))


@st.composite
def vouchers(draw):
    life, rest = draw(seconds(3_600, 90 * 86_400)), draw(seconds(86_400, 3650 * 86_400))
    if draw(st.booleans()):
        budget = draw(by_currency(1))
        return Voucher(
            life,
            budget,
            percent=draw(st.integers(1, 99)),
            floor=draw(by_currency()),
            once_per=rest,
        )
    given = tuple((code, sum_ + 1) for code, sum_ in draw(by_currency(1)))
    more = tuple((code, sum_ + 1) for code, sum_ in given)
    return Voucher(life, more, amount=given, floor=more, once_per=rest)


@st.composite
def steps(draw, number, kind, delay):
    words = tuple(WORDS) if kind is Kind.REMINDER else ("country", "value", "consent")
    return Step(
        number=number,
        delay=timedelta(seconds=delay),
        message_channels=draw(
            st.lists(st.sampled_from(MessageChannel), unique=True, min_size=1).map(tuple)
        ),
        kind=kind,
        template=draw(st.text("abc/-._", max_size=20)),
        voucher=draw(st.none() | vouchers()),
        condition=draw(st.just(EVERYBODY) | conditions(words, deep=1)),
        windows=tuple(draw(st.lists(windows, max_size=3))),
    )


@st.composite
def sequences(draw):
    kinds = draw(st.lists(st.sampled_from(Kind), min_size=1, max_size=3))
    delays = sorted(
        draw(
            st.lists(
                st.integers(1, 30 * 86_400),
                unique=True,
                min_size=len(kinds),
                max_size=len(kinds),
            )
        )
    )
    pairs = enumerate(zip(kinds, delays, strict=True), start=1)
    return Sequence(
        steps=tuple(draw(steps(number, kind, delay)) for number, (kind, delay) in pairs),
        trigger=draw(st.just(EVERYBODY) | conditions(deep=1)),
        exits=tuple(one for one in CHOSEN if draw(st.booleans())),
        cool_down=draw(seconds(86_400, 365 * 86_400)),
        priority=draw(st.integers(1, 100)),
    )


# What a stranger may send: JSON, and what is no JSON at all.
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.builds(lambda: 10**5_000)
    | st.floats()
    | st.decimals()
    | st.text(max_size=12)
    | st.binary(max_size=4)
    | st.just(object())
)


def anything(words):
    """Values in which the grammar's own words come up again and again."""
    keys = st.sampled_from(words) | st.text(max_size=5) | st.integers() | st.none()
    some_scalars = scalars | st.sampled_from(words)
    return st.recursive(
        some_scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.lists(inner, max_size=2).map(tuple)
            | st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=12,
    )


def tried(parse, source):
    """Return what was read, or how it was refused; anything else that is raised goes on."""
    try:
        return parse(source), None
    except InvalidInput as refused:
        return None, refused
