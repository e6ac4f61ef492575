"""Words that the data cannot carry are refused, and those it can are not: each rule both ways."""

from datetime import timedelta

import pytest

from saleor_nudges.models import NudgeType
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.kinds.base import Scope
from saleor_nudges.nudges.linter import look_through
from saleor_nudges.nudges.rules import PACKS, RULES
from saleor_nudges.nudges.rules.base import ANY
from saleor_nudges.nudges.sentences import Sentences

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIVE, VIEW, VISITORS = NudgeType.LIVE_VISITORS, NudgeType.PRODUCT_VIEW, NudgeType.RECENT_VISITORS
ORDER, ORDERS, CART, CARTS = (
    NudgeType.ORDER,
    NudgeType.ORDER_SUMMARY,
    NudgeType.ADD_TO_CART,
    NudgeType.CART_SUMMARY,
)
STOCK, REVIEW = NudgeType.LOW_STOCK, NudgeType.PRODUCT_REVIEW
EVERYTHING = tuple(NudgeType)


def found(kind, text, language="en", window=None, packs=PACKS, field="texts"):
    read = {language: Sentences(text, field=field, longest=2_000)}
    ours = KINDS[kind]
    return look_through(ours, window or ours.window, packs, field, read)


def rules(*arguments, **named):
    return {one.rule for one in found(*arguments, **named)}


# Words by rule and language, a kind that cannot carry them, and those that can.
NEEDS = [
    ("NOW", "en", "{{ count }} right now", VIEW, [LIVE]),
    ("NOW", "en", "Here now", VIEW, [LIVE]),
    ("NOW", "en", "{{ count }} currently here", VISITORS, [LIVE]),
    ("NOW", "en", "{{ count }} live", VIEW, [LIVE]),
    ("NOW", "de", "{{ count }} gerade hier", VIEW, [LIVE]),
    ("NOW", "de", "{{ count }} sind jetzt da", VISITORS, [LIVE]),
    ("NOW", "pl", "{{ count }} jest teraz tutaj", VIEW, [LIVE]),
    ("NOW", "pl", "{{ count }} obecnie", VIEW, [LIVE]),
    ("THIS", "en", "{{ count }} chose this item", ORDERS, [VIEW, LIVE, ORDER, STOCK]),
    ("THIS", "en", "{{ count }} for this", VISITORS, [VIEW]),
    ("THIS", "de", "{{ count }} für dieses Produkt", CARTS, [VIEW, STOCK]),
    ("THIS", "pl", "{{ count }} wybrało ten produkt", VISITORS, [VIEW, ORDER]),
    ("SCARCE", "en", "Only {{ count }} left", VIEW, [STOCK]),
    ("SCARCE", "en", "Only a few left", ORDER, [STOCK]),
    ("SCARCE", "en", "{{ count }} in stock", CARTS, [STOCK]),
    ("SCARCE", "en", "Last chance", ORDERS, [STOCK]),
    ("SCARCE", "en", "Selling out", ORDERS, [STOCK]),
    ("SCARCE", "en", "Almost sold out", CART, [STOCK]),
    ("SCARCE", "de", "Nur noch {{ count }} da", VIEW, [STOCK]),
    ("SCARCE", "de", "Letzte Chance", ORDER, [STOCK]),
    ("SCARCE", "de", "Fast ausverkauft", ORDERS, [STOCK]),
    ("SCARCE", "pl", "Zostało tylko {{ count }}", VIEW, [STOCK]),
    ("SCARCE", "pl", "Ostatnie sztuki", ORDER, [STOCK]),
    ("HURRY", "en", "Hurry up", VIEW, [STOCK]),
    ("HURRY", "en", "Don\u2019t miss it", ORDER, [STOCK]),
    ("HURRY", "de", "Nicht verpassen", CARTS, [STOCK]),
    ("HURRY", "pl", "Nie przegap", LIVE, [STOCK]),
    ("BOUGHT", "en", "{{ product }} was bought", CART, [ORDER, ORDERS]),
    ("BOUGHT", "en", "{{ count }} sold", CARTS, [ORDERS]),
    ("BOUGHT", "en", "{{ count }} orders", VIEW, [ORDERS]),
    ("BOUGHT", "de", "{{ product }} wurde gekauft", CART, [ORDER]),
    ("BOUGHT", "de", "{{ count }}-mal bestellt", VISITORS, [ORDERS]),
    ("BOUGHT", "pl", "Ktoś kupił {{ product }}", REVIEW, [ORDER]),
    ("BOUGHT", "pl", "Sprzedano: {{ count }}", LIVE, [ORDERS]),
    ("CARTED", "en", "{{ product }} was added to a cart", ORDER, [CART]),
    ("CARTED", "en", "In {{ count }} carts", VIEW, [CARTS]),
    ("CARTED", "de", "{{ product }} in den Warenkorb gelegt", ORDER, [CART]),
    ("CARTED", "pl", "Ktoś dodał {{ product }} do koszyka", ORDER, [CART]),
    ("LOOKED", "en", "Viewed {{ count }} times", ORDERS, [VIEW, LIVE, VISITORS]),
    ("LOOKED", "en", "{{ count }} visitors", CARTS, [VIEW, VISITORS]),
    ("LOOKED", "de", "{{ count }}-mal angesehen", STOCK, [VIEW]),
    ("LOOKED", "pl", "{{ count }} odwiedzających", ORDERS, [VISITORS]),
    ("PEOPLE", "en", "{{ count }} people", ORDERS, [VIEW, LIVE, VISITORS]),
    ("PEOPLE", "en", "{{ count }} customers", CARTS, [VIEW]),
    ("PEOPLE", "de", "{{ count }} Personen", ORDERS, [VIEW]),
    ("PEOPLE", "pl", "{{ count }} osób", CARTS, [LIVE]),
    ("REVIEWED", "en", "{{ product }} was reviewed", ORDER, [REVIEW]),
    ("REVIEWED", "en", "Five stars", VIEW, [REVIEW]),
    ("REVIEWED", "de", "{{ product }}: neue Bewertung", ORDER, [REVIEW]),
    ("REVIEWED", "pl", "Nowa opinia", CART, [REVIEW]),
    ("VERIFIED", "en", "Verified: {{ product }}", REVIEW, [ORDER]),
    ("VERIFIED", "de", "Geprüfter Kauf", CART, [ORDER]),
    ("VERIFIED", "pl", "Zweryfikowany zakup", CART, [ORDER]),
]


@pytest.mark.parametrize(("rule", "language", "text", "without", "having"), NEEDS)
def test_words_need_their_data(rule, language, text, without, having):
    assert rule in rules(without, text, language)
    for kind in having:
        assert rule not in rules(kind, text.replace("{{ count }}", number_of(kind)), language)


def number_of(kind):
    return "{{ count }}" if "count" in KINDS[kind].variables else "{{ product }}"


# Words that name a time: the longest window that carries them.
WITHIN = [
    ("LAST_MINUTES", "en", "{{ product }} was just sold", HOUR),
    ("LAST_MINUTES", "de", "{{ product }} wurde soeben bestellt", HOUR),
    ("LAST_MINUTES", "pl", "Właśnie kupiono {{ product }}", HOUR),
    ("LAST_HOUR", "en", "In the last hour", HOUR),
    ("LAST_HOUR", "de", "In der letzten Stunde", HOUR),
    ("LAST_HOUR", "pl", "W ciągu ostatniej godziny", HOUR),
    ("TODAY", "en", "Today", DAY),
    ("TODAY", "de", "Heute", DAY),
    ("TODAY", "pl", "Dzisiaj", DAY),
    ("THIS_WEEK", "en", "This week", 7 * DAY),
    ("THIS_WEEK", "de", "In der letzten Woche", 7 * DAY),
    ("THIS_WEEK", "pl", "W tym tygodniu", 7 * DAY),
    ("THIS_MONTH", "en", "In the last month", 31 * DAY),
    ("THIS_MONTH", "de", "Letzten Monat", 31 * DAY),
    ("THIS_MONTH", "pl", "W tym miesiącu", 31 * DAY),
]


@pytest.mark.parametrize(("rule", "language", "text", "longest"), WITHIN)
def test_a_time_must_be_as_long_as_the_window(rule, language, text, longest):
    assert rules(ORDER, text, language, longest) == set()
    assert rules(ORDER, text, language, longest + timedelta(seconds=1)) == {rule}


# Words that nothing carries, and words like them that are fine.
NOTHING = [
    ("OTHER_TIME", "en", "Bought yesterday", "Bought"),
    ("OTHER_TIME", "de", "Gestern gekauft", "Gekauft"),
    ("OTHER_TIME", "pl", "Kupiono wczoraj", "Kupiono"),
    ("ENDS", "en", "Sale ends in an hour", "On sale"),
    ("ENDS", "en", "Limited time", "Limited edition"),
    ("ENDS", "en", "Offer ends soon", "Our offer"),
    ("ENDS", "de", "Nur für kurze Zeit", "Für kurze Hosen"),
    ("ENDS", "de", "Das Angebot endet", "Das Angebot"),
    ("ENDS", "pl", "Oferta kończy się", "Oferta"),
    ("ENDS", "pl", "Tylko dziś", "Tylko tutaj"),
    ("NEVER_AGAIN", "en", "Never back again", "Back again"),
    ("NEVER_AGAIN", "de", "Kommt nicht wieder", "Kommt wieder"),
    ("NEVER_AGAIN", "pl", "Nie wróci", "Znów jest"),
    ("BEST", "en", "Our bestseller", "Our pick"),
    ("BEST", "en", "Most popular", "Popular"),
    ("BEST", "de", "Der Bestseller", "Der Klassiker"),
    ("BEST", "de", "Meistverkauft", "Oft verkauft"),
    ("BEST", "pl", "Najpopularniejszy", "Popularny"),
    ("TREND", "en", "Trending", "Often bought"),
    ("TREND", "de", "Im Trend", "Im Laden"),
    ("TREND", "pl", "Na topie", "Na stole"),
    ("ENDORSED", "en", "Everyone buys it", "Someone buys it"),
    ("ENDORSED", "de", "Empfohlen", "Gekauft"),
    ("ENDORSED", "pl", "Wszyscy kupują", "Ktoś kupił"),
    ("NEAR_YOU", "en", "Someone near you", "Someone from {{ city }}"),
    ("NEAR_YOU", "de", "Jemand in deiner Nähe", "Jemand aus {{ city }}"),
    ("NEAR_YOU", "pl", "Ktoś w pobliżu", "Ktoś ({{ city }})"),
    ("NUMBER_WORD", "en", "Bought by hundreds", "Bought"),
    ("NUMBER_WORD", "en", "Twelve people", "Twelve Monkeys"),
    ("NUMBER_WORD", "de", "Tausende gekauft", "Gekauft"),
    ("NUMBER_WORD", "pl", "Setki kupiono", "Kupiono"),
    ("DIGIT", "en", "37 bought", "Bought"),
    ("DIGIT", "en", "iPhone 15", "{{ product }}"),
    ("DIGIT", "en", "{{ 37 }} bought", "{{ product }} bought"),
    ("DIGIT", "en", "{{ name | default: '37' }} bought", "{{ name | default: 'Anna' }} bought"),
    ("DIGIT", "de", "\uff13\uff17 gekauft", "gekauft"),
    ("DIGIT", "pl", "kupiono ③", "kupiono"),
    ("DIGIT", "fr", "37 vendus", "vendus"),
]


@pytest.mark.parametrize(("rule", "language", "text", "fine"), NOTHING)
@pytest.mark.parametrize("field", ["texts", "headings"])
def test_some_words_nothing_carries(field, rule, language, text, fine):
    for kind in EVERYTHING:
        assert rule in rules(kind, text, language, field=field), kind
    assert rules(ORDER, fine, language, field=field) == set()


@pytest.mark.parametrize(
    "text",
    [
        "{{ count }}0 bought",
        "1{{ count }} bought",
        "{{ count }}{{ count }} bought",
        "{{ count }}k bought",
        "{{ count }} k bought",
        "{{ count }}% bought",
        "#{{ count }} bought",
        "€{{ count }} bought",
        "{{ product }}{{ count }} bought",
        "{% if product %}{{ count }}{% endif %}{{ count }} bought",
    ],
)
def test_the_number_stands_alone(text):
    assert rules(ORDERS, text) & {"GLUED", "DIGIT"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ count }} bought",
        "{{ count }}+ bought",
        "Bought: {{ count }}",
        "Bought ({{ count }})",
        "{{ count }}, bought",
        "At least {{ count }} bought",
    ],
)
def test_a_number_that_stands_alone_is_fine(text):
    assert rules(ORDERS, text) == set()


@pytest.mark.parametrize(
    ("language", "text", "fine"),
    [
        ("en", "Over {{ count }} orders", "{{ count }} orders"),
        ("de", "Mehr als {{ count }} Bestellungen", "{{ count }} Bestellungen"),
        ("pl", "Ponad {{ count }} zamówień", "{{ count }} zamówień"),
    ],
)
def test_a_number_is_not_more_than_was_counted(language, text, fine):
    assert rules(ORDERS, text, language) == {"MORE_THAN"}
    assert rules(ORDERS, fine, language) == set()


def test_the_stars_of_a_review_are_of_five():
    for text in ("{{ rating }}/5", "{{ rating }} of 5", "{{ rating }} out of 5"):
        assert rules(REVIEW, text) == set()
    for text in ("{{ rating }}/4", "{{ rating }}/55", "{{ rating }}5", "5/5", "{{ rating }} and 5"):
        assert rules(REVIEW, text) & {"DIGIT", "GLUED"}, text


# Ways around it.


@pytest.mark.parametrize(
    "text",
    [
        "RIGHT NOW",
        "right{% if product %} now{% endif %}",
        "right{% if product %} now{% else %} there{% endif %}",
        "{% unless product %}x{% elsif count %}right now{% endunless %}",
        "{{ 'right now' }}",
        "{{ 'RIGHT NOW' | downcase }}",
        "{{ product | default: 'right now' }}",
        "{{ product | default: 'right nowhere' | truncate: 9, '' }}",
        "{{ product | truncate: 20, ' right now' }}",
        "{{ 'right nowhere' | truncate: 9, '' }}",
        "right n\u200bow",
        "right\u00a0now",
        "\uff52\uff49\uff47\uff48\uff54 \uff4e\uff4f\uff57",
        "right   now",
        "{{ count }} here right-now!",
    ],
)
def test_hidden_words_are_found(text):
    assert "NOW" in rules(VIEW, text)
    assert "NOW" not in rules(LIVE, text)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Buy now"), ("en", "Nice! Order now"), ("de", "Jetzt kaufen"), ("pl", "Kup teraz")],
)
def test_asking_somebody_to_buy_claims_nothing(language, text):
    assert "NOW" not in rules(VIEW, text, language)


def test_what_looks_like_a_call_and_is_a_claim_is_refused():
    assert "NOW" in rules(VIEW, "{{ count }} people buy now")
    assert "NOW" in rules(VIEW, "{{ count }} Leute wollen das jetzt kaufen", "de")


def test_a_word_is_a_whole_word():
    assert rules(ORDER, "{{ product }} is well known, snow-white and nowhere else") == set()
    assert rules(ORDERS, "Thistle and heather, {{ count }} orders") == set()


@pytest.mark.parametrize("language", ["en-gb", "fr", "de", "de-at", "pl"])
def test_english_is_looked_for_everywhere(language):
    assert "NOW" in rules(VIEW, "Right now", language)


def test_a_language_is_also_its_family():
    assert "NOW" in rules(VIEW, "Gerade angesehen", "de-at")
    # "ten" is a number in English and "this" in Polish.
    assert rules(VISITORS, "Ten", "en") == set()
    assert rules(VISITORS, "Ten", "pl") == {"THIS"}


# What is known decides.


def test_a_kind_of_both_scopes_may_say_this_where_it_is_of_one_product():
    good = "{% if scope == 'PRODUCT' %}This was ordered{% else %}Ordered{% endif %}"
    assert KINDS[ORDERS].scopes == {Scope.PRODUCT, Scope.CHANNEL}
    assert rules(ORDERS, good) == set()
    assert rules(ORDERS, good.replace("PRODUCT", "CHANNEL")) == {"THIS"}
    assert rules(ORDERS, "{% unless scope == 'CHANNEL' %}This was ordered{% endunless %}") == set()


def test_this_week_and_this_shop_are_no_product():
    for text in ("This week", "This shop", "this month"):
        assert "THIS" not in rules(VISITORS, text)


def test_verified_may_be_said_of_a_review_where_it_is():
    assert rules(REVIEW, "{% if verified %}Verified{% else %}A{% endif %} review") == set()
    assert rules(REVIEW, "{% unless verified %}Verified{% endunless %} review") == {"VERIFIED"}


# Packs.


def test_each_pack_names_its_own_source():
    [one] = found(VIEW, "Right now")
    assert (one.field, one.language, one.words, one.rule) == ("texts", "en", "right now", "NOW")
    assert set(one.sources) == {"UK", "EU", "US"}
    [one] = found(VIEW, "Right now", packs=["EU"])
    assert one.sources == {"EU": "Directive 2005/29/EC, Article 6(1)"}
    assert str(one).startswith("“right now” (en): ")
    assert "Directive 2005/29/EC" in str(one)


def test_the_united_states_let_praise_pass():
    assert rules(ORDER, "Our favourite", packs=["US"]) == set()
    assert rules(ORDER, "Our favourite", packs=["UK"]) == {"TREND"}
    assert rules(ORDER, "Our favourite", packs=["EU"]) == {"TREND"}


def test_words_of_several_rules_are_all_found():
    text = "Hurry, {{ count }} people bought this today, only 3 left"
    assert rules(VIEW, text, window=2 * DAY) == {"HURRY", "BOUGHT", "TODAY", "SCARCE", "DIGIT"}


# The table itself.


def test_every_rule_is_tried_above_in_each_of_its_languages():
    tried = {(case[0], case[1]) for case in (*NEEDS, *WITHIN, *NOTHING)}
    tried |= {("MORE_THAN", language) for language in ("en", "de", "pl")}
    wanted = {(rule.name, language) for rule in RULES for language in rule.words if language != ANY}
    assert wanted - tried == set()


def test_every_rule_has_a_name_a_reason_and_a_source():
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.sources.keys() <= set(PACKS)
        assert rule.sources
        assert rule.reason.endswith(".")
        assert set(rule.words) in ({"en", "de", "pl"}, {ANY})


@pytest.mark.parametrize("kind", EVERYTHING)
@pytest.mark.parametrize("field", ["texts", "headings"])
def test_our_own_words_pass_every_pack(field, kind):
    ours = KINDS[kind]
    words = getattr(ours, field)
    assert {"en", "de", "pl"} <= words.keys()
    read = {code: Sentences(text, field=field, longest=2_000) for code, text in words.items()}
    for window in ours.windows or (timedelta(minutes=1), ours.window, ours.longest_window):
        assert look_through(ours, window, PACKS, field, read) == []
