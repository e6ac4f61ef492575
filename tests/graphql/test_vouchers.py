"""What a step gives away, at the seller's door: read, set, and by whom."""

import pytest
from django.test import Client

from saleor_nudges.models import CampaignStep
from saleor_nudges.recovery import campaigns
from saleor_nudges.testing import CHANNEL, make_shop

pytestmark = pytest.mark.django_db

GIFT = {"percent": 5, "expiresSeconds": 86400, "dailyBudget": {"EUR": "20"}}
BOTH = "MANAGE_CHECKOUTS,MANAGE_DISCOUNTS"
UPDATE = """mutation($channel: String!, $steps: [RecoveryStepInput!]) {
  recoveryCampaignUpdate(channel: $channel, input: { steps: $steps }) {
    recoveryCampaign { steps { delaySeconds voucher } } errors { field message code } } }"""


@pytest.fixture
def shop():
    shop = make_shop()
    campaigns.campaign_of(shop, CHANNEL)
    return shop


def update(permissions, *vouchers):
    steps = [
        {"delaySeconds": 60 * number} | ({"voucher": one} if one else {})
        for number, one in enumerate(vouchers, start=1)
    ]
    body = {"query": UPDATE, "variables": {"channel": CHANNEL, "steps": steps}}
    headers = {"X-Test-Permissions": permissions}
    answer = Client().post("/graphql/", body, content_type="application/json", headers=headers)
    return answer.json()["data"]["recoveryCampaignUpdate"]


def kept(shop):
    rows = CampaignStep.objects.of(shop).filter(is_retired=False)
    return list(rows.values_list("voucher", flat=True))


def test_voucher_is_set_and_read(shop):
    # when
    answer = update(BOTH, GIFT, None)

    # then
    assert answer["errors"] == []
    first, second = answer["recoveryCampaign"]["steps"]
    assert first["voucher"] == GIFT | {"oncePerSeconds": 90 * 86400}
    assert second["voucher"] is None


def test_who_may_make_no_vouchers_in_the_shop_gives_none_away(shop):
    # given
    before = kept(shop)

    # when
    answer = update("MANAGE_CHECKOUTS", None, GIFT)

    # then
    [error] = answer["errors"]
    assert (error["field"], "MANAGE_DISCOUNTS" in error["message"]) == ("steps[1].voucher", True)
    assert kept(shop) == before


def test_what_is_there_already_may_stay(shop):
    # given
    update(BOTH, GIFT)
    [there] = kept(shop)

    # when, then
    assert update("MANAGE_CHECKOUTS", there)["errors"] == []
    assert update("MANAGE_CHECKOUTS", there | {"percent": 50})["errors"] != []
    assert update("MANAGE_CHECKOUTS", None)["errors"] == []


def test_wrong_one_is_refused_with_its_place(shop):
    [error] = update(BOTH, GIFT | {"percent": 100})["errors"]
    assert error["field"] == "steps[0].voucher.percent"
