"""Each thing of ours broken on purpose: Saleor starts and sells as without us."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from .conftest import CHANNEL, Api, Seller, Storefront, empty_our_tables

pytestmark = pytest.mark.breaks

# In a process of its own: what a start does cannot be undone in this one.
STARTS = """
import json, sys
sys.modules.update({names})
import django
django.setup()
from django.test import Client
from django.urls import get_resolver
patterns = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
body = {{"query": '{{ products(first: 1, channel: "default-channel") {{ totalCount }} }}'}}
answer = Client().post("/graphql/", body, content_type="application/json").json()
ours = Client().post("/graphql/", {{"query": "{{ nudges {{ pollAfter }} }}"}},
                     content_type="application/json").json()
print(json.dumps({{"patterns": len(patterns), "answer": answer, "ours": ours}}))
"""


def start(broken: str = "", code: str = "", **environment: str) -> tuple[dict[str, Any], str]:
    """Start a Saleor in which importing `broken` fails; return what it answers, and its log."""
    import json

    names = "{" + (f"{broken!r}: None" if broken else "") + "}"
    done = subprocess.run(
        [sys.executable, "-c", code + STARTS.format(names=names)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"ALLOWED_HOSTS": "*"} | environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def sells(answers: dict[str, Any]) -> bool:
    """Tell whether a shopper finds products, at Saleor's own addresses and no other."""
    return answers["answer"]["data"]["products"]["totalCount"] > 0


def test_starts_with_us():
    answers, log = start()
    assert sells(answers)
    assert answers["patterns"] == 8
    assert "required" in answers["ours"]["errors"][0]["message"]
    assert "not in Saleor's schema" not in log


@pytest.mark.parametrize(
    "broken",
    [
        "saleor_nudges.graphql",
        "saleor_nudges.plugin.schema",
        "saleor_nudges.plugin.host",
        "saleor_nudges.schedule",
    ],
)
def test_starts_without_a_part_of_us(broken: str):
    answers, log = start(broken)
    assert sells(answers)
    if "graphql" in broken or "plugin" in broken:
        assert answers["patterns"] == 7
        assert "Cannot query field" in answers["ours"]["errors"][0]["message"]
        assert "our GraphQL fields are not in Saleor's schema" in log


def test_starts_on_a_saleor_that_builds_its_schema_otherwise():
    # given: a function we use has another name there
    code = (
        "import django; django.setup(); import saleor.graphql.api as api;"
        "del api.build_federated_schema\n"
    )
    answers, log = start(code=code)
    assert sells(answers)
    assert "not in Saleor's schema" in log


def test_starts_when_a_type_of_ours_takes_a_name_of_saleors():
    # given: the classic failure of merged schemas
    answers, log = start(NUDGES_SCALAR_DATETIME="graphene.DateTime")
    assert sells(answers)
    assert "not in Saleor's schema" in log


def test_starts_with_a_setting_of_ours_that_is_nonsense():
    answers, log = start(NUDGES_BATCH_SIZE="many")
    assert sells(answers)
    assert "not in Saleor's schema" in log


def test_starts_with_saleors_own_settings_only():
    # given: step one, the package installed and nothing else
    answers, _ = start(DJANGO_SETTINGS_MODULE="saleor.settings")
    assert sells(answers)
    assert "Cannot query field" in answers["ours"]["errors"][0]["message"]


def test_sells_while_a_hook_fails(
    seller: Seller, shopper: Storefront, email: str, monkeypatch: Any, caplog: Any
):
    from saleor_nudges.plugin import capturing

    def fail(*_events: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(capturing, "capture", fail)
    [product] = shopper.products(1)
    shopper.buy(product["variant"], email=email)
    assert "hook failed; the shop goes on" in caplog.text


def test_sells_when_hooks_pass_something_else(
    seller: Seller, shopper: Storefront, email: str, monkeypatch: Any, caplog: Any
):
    from saleor_nudges.plugin import hooks

    real = hooks.hear
    monkeypatch.setattr(hooks, "hear", lambda name, args: real(name, (object(), *args)))
    [product] = shopper.products(1)
    shopper.buy(product["variant"], email=email)
    assert "hook skipped: this Saleor changed its arguments" in caplog.text
    assert email not in caplog.text


@pytest.fixture
def _missing_table() -> Iterator[None]:
    from saleor.core.db.connection import allow_writer

    def rename(old: str, new: str) -> None:
        with allow_writer(), connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{old}" RENAME TO "{new}"')

    rename("saleor_nudges_waitingevent", "hidden_waitingevent")
    rename("saleor_nudges_shop", "hidden_shop")
    yield
    rename("hidden_waitingevent", "saleor_nudges_waitingevent")
    rename("hidden_shop", "saleor_nudges_shop")


@pytest.mark.usefixtures("_missing_table")
def test_sells_before_our_migrations_ran(
    shopper: Storefront, email: str, caplog: Any, staff: Seller
):
    from saleor_nudges.plugin import host

    # given: an active plugin without its tables
    host.forget_shop()
    staff.activate()
    # when
    [product] = shopper.products(1)
    _, order = shopper.buy(product["variant"], email=email)
    # then
    assert order
    assert "hook failed; the shop goes on" in caplog.text
    answer = shopper.answer(
        """query($c: String!) { products(first: 2, channel: $c) {
          edges { node { name nudges { pollAfter } } } } nudges(channel: $c) { pollAfter } }""",
        c=CHANNEL,
    )
    assert answer["data"]["nudges"] is None
    assert [edge["node"]["nudges"] for edge in answer["data"]["products"]["edges"]] == [None] * 2
    assert all(edge["node"]["name"] for edge in answer["data"]["products"]["edges"])


def test_sells_while_redis_is_away(seller: Seller, shopper: Storefront, email: str):
    # given: views go to a Redis nobody answers at
    chosen = {
        "VIEWS_STREAM": "saleor_nudges.stream.redis.RedisStream",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    seller.track("ORDER")
    [product] = shopper.products(1)
    with override_settings(SALEOR_NUDGES=chosen):
        shopper.buy(product["variant"], email=email)
        token = shopper.post("v1/session", {}).json()["token"]
        from .test_story import view

        answer = shopper.post("v1/events", {"token": token, "events": [view(product["id"])]})
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_a_failed_statement_of_ours_undoes_nothing_of_the_shops(
    seller: Seller, shopper: Storefront, email: str, monkeypatch: Any
):
    """Some of Saleor's paths call hooks inside their transaction."""
    from django.contrib.sites.models import Site
    from django.db import transaction
    from saleor.core.db.connection import allow_writer
    from saleor.plugins.manager import get_plugins_manager

    from saleor_nudges.plugin import capturing

    def fail(*_events: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM there_is_no_such_table")

    monkeypatch.setattr(capturing, "capture", fail)
    [product] = shopper.products(1)
    checkout_id = shopper.start(product["variant"], email=email)
    from saleor.checkout.models import Checkout
    from saleor.graphql.core.utils import from_global_id_or_error

    _, token = from_global_id_or_error(checkout_id, "Checkout")
    with allow_writer(), transaction.atomic():
        checkout = Checkout.objects.get(pk=token)
        checkout.note = "kept"
        checkout.save()
        get_plugins_manager(allow_replica=False).checkout_updated(checkout)
        assert Site.objects.count() > 0
    with allow_writer():
        assert Checkout.objects.get(pk=token).note == "kept"


def test_view_that_fails_answers_500_and_no_traceback(seller: Seller, monkeypatch: Any):
    from saleor_nudges.plugin import doors

    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(doors, "get_resolver", fail)
    answer = Api().client.get("/plugins/global/saleor-nudges/v1/nudges")
    assert (answer.status_code, answer.content) == (500, b"")


def test_tables_are_ours_alone(seller: Seller):
    """What we keep can be thrown away without touching the shop."""
    empty_our_tables()
    with connection.cursor() as cursor:
        from saleor.core.db.connection import allow_writer

        with allow_writer():
            cursor.execute(
                "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
                " AND conrelid::regclass::text LIKE 'saleor\\_nudges\\_%'"
                " AND confrelid::regclass::text NOT LIKE 'saleor\\_nudges\\_%'"
            )
            assert cursor.fetchall() == []


def test_importing_the_hooks_imports_nothing_of_ours():
    """Saleor imports them at every start of every process."""
    code = (
        "import django; django.setup(); import sys;"
        "before = set(sys.modules);"
        "sys.modules.pop('saleor_nudges.plugin.hooks');"
        "import saleor_nudges.plugin.hooks;"
        "print(sorted(m for m in set(sys.modules) - before if 'nudges' in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert importlib.import_module("saleor_nudges.plugin.hooks").PLUGIN_ID == "saleor-nudges"
