"""Campaigns are made from a preset, changed whole, switched on and off."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from saleor_nudges import consent, wording
from saleor_nudges.exceptions import HostUnavailable, InvalidInput
from saleor_nudges.host import get_host
from saleor_nudges.models import (
    Campaign,
    CampaignMode,
    CampaignState,
    CampaignStep,
    CheckoutState,
    LegalBasis,
    MessageChannel,
    Send,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery import addresses
from saleor_nudges.recovery.campaigns import manners, presets, steps
from saleor_nudges.recovery.campaigns.rows import OWN, source, step_source, steps_of
from saleor_nudges.recovery.reasons import Reason

LONGEST_LINE: Final = 255
TEXTS: Final = ("subject", "text", "html")
# Why nothing was planned for a checkout that another trigger, or other steps, may be for.
CHANGED_BY_THE_SELLER: Final = (
    Reason.TRIGGER_NOT_MET,
    Reason.NO_CAMPAIGN,
    Reason.NO_HOURS,
    Reason.STEP_CONDITION_NOT_MET,
)


def campaign_of(shop: Shop, channel: str) -> Campaign:
    """Return the campaign that the channel comes with, made as a draft when there is none."""
    with transaction.atomic():
        campaign, is_new = Campaign.objects.of(shop).get_or_create(
            shop=shop,
            channel=channel,
            is_shipped=True,
            defaults={"name": "Checkout left behind"},
        )
        if is_new:
            _write_steps(campaign, presets.SHIPPED.sequence, [])
    return campaign


def create(
    shop: Shop, channel: str, changes: dict[str, Any], preset: presets.Preset = presets.SHIPPED
) -> Campaign:
    """Return a new draft, as the preset has it but for the changes; raises InvalidInput."""
    campaign = Campaign(shop=shop, channel=channel, name=preset.title)
    with transaction.atomic():
        campaign.save()
        _write_steps(campaign, preset.sequence, [])
        change(campaign, changes)
    return campaign


def delete(campaign: Campaign) -> None:
    """Delete a campaign that never wrote to anybody; raises InvalidInput for any other."""
    if campaign.is_shipped:
        raise InvalidInput("The channel's own campaign stays; pause it instead.", field="id")
    if Send.objects.of(campaign.shop_id).filter(campaign=campaign).exists():
        raise InvalidInput("It has written to people; pause it instead.", field="id")
    campaign.delete()


def fields_of(campaign: Campaign) -> dict[str, Any]:
    """Return everything that `change` can change, as it is now."""
    rows = steps_of(campaign)
    own = {column: getattr(campaign, column) for column in OWN.values()}
    texts = {field: getattr(rows[0], field) for field in TEXTS}
    return {
        "name": campaign.name,
        "mode": campaign.mode,
        **own,
        "steps": [step_source(row) | {name: getattr(row, name) for name in TEXTS} for row in rows],
        "delay_seconds": rows[0].delay_seconds,
        **texts,
    }


def change(campaign: Campaign, changes: dict[str, Any]) -> None:
    """Change what is named; raises InvalidInput with the field and then changes nothing.

    `steps` is the whole list, as docs/campaigns.md has it, each with `subject`, `text` and `html`
    besides; the four fields of the first message may be changed alone.
    """
    changes = _in_steps(campaign, changes)
    texts = [_texts(step, place) for place, step in enumerate(changes.get("steps", ()))]
    before = source(campaign, steps_of(campaign))
    wanted = before | {name: changes[column] for name, column in OWN.items() if column in changes}
    if "steps" in changes:
        wanted["steps"] = [_without_texts(step) for step in changes["steps"]]
    sequence = steps.parse(wanted)
    _must_be_possible(campaign.shop, sequence)
    is_another_plan = steps.dump(sequence) != steps.dump(steps.parse(before)) or "mode" in changes
    _set_own(campaign, changes, sequence)
    with transaction.atomic():
        campaign.save()
        if "steps" in changes:
            _write_steps(campaign, sequence, texts)
        if is_another_plan:
            _plan_again(campaign)


def activate(campaign: Campaign) -> None:
    """Switch a campaign on: what was left before the first time is never written about.

    After a pause it goes on with what waited; what was left during the pause was not planned.
    """
    _must_be_able_to_send(campaign.shop, campaign.channel)
    campaign.state = CampaignState.ACTIVE
    campaign.active_since = campaign.active_since or database_now()
    off = Q(campaign=campaign, reason=Reason.CAMPAIGN_OFF)
    with transaction.atomic():
        campaign.save(update_fields=["state", "active_since"])
        # Of those that no other campaign was for, only the later ones are this one's.
        later = Q(reason__in=CHANGED_BY_THE_SELLER, seen_at__gt=campaign.active_since)
        _waiting(campaign).filter(off | later).update(next_due_at=Now())
        held = Send.objects.of(campaign.shop_id).filter(campaign=campaign, state="DUE")
        held.filter(reason=Reason.CAMPAIGN_OFF).update(due_at=Now())


def pause(campaign: Campaign) -> None:
    """Switch a campaign off. Messages that are due wait, and are dropped when too old."""
    campaign.state = CampaignState.PAUSED
    campaign.save(update_fields=["state"])


def _in_steps(campaign: Campaign, changes: dict[str, Any]) -> dict[str, Any]:
    """Return changes of the first message's own fields as a change of the steps."""
    first = {"delay_seconds": "delaySeconds"} | {name: name for name in TEXTS}
    named = {new: changes[old] for old, new in first.items() if old in changes}
    if not named:
        return changes
    if "steps" in changes:
        raise InvalidInput("Say it in the steps, or without them.", field="steps")
    for name in TEXTS:
        if name in named:
            _checked_text(named[name], name, name)
    listed = fields_of(campaign)["steps"]
    listed[0] |= named
    if "delaySeconds" in named:
        _check_delay(listed)
    return {name: value for name, value in changes.items() if name not in first} | {"steps": listed}


def _check_delay(listed: list[dict[str, Any]]) -> None:
    """Raise for a first delay that would be refused, by the name it has outside the steps."""
    try:
        steps.parse({"steps": list(map(_without_texts, listed))})
    except InvalidInput as error:
        raise InvalidInput(str(error), field="delaySeconds") from error


def _texts(step: Any, place: int) -> dict[str, str]:
    if not isinstance(step, dict):
        raise InvalidInput("This is an object, in braces.", field=f"steps[{place}]")
    return {
        name: _checked_text(step.get(name, ""), f"steps[{place}].{name}", name) for name in TEXTS
    }


def _checked_text(text: Any, field: str, name: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput("This is a text.", field=field)
    wording.check(text, field=field)
    return _short(text, field) if name == "subject" else text


def _without_texts(step: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name not in TEXTS}


def _set_own(campaign: Campaign, changes: dict[str, Any], sequence: steps.Sequence) -> None:
    whole = steps.dump(sequence)
    for name, column in OWN.items():
        setattr(campaign, column, whole[name])
    if "name" in changes:
        campaign.name = _short(changes["name"], "name")
    if "mode" in changes:
        campaign.mode = CampaignMode(changes["mode"])


def _write_steps(
    campaign: Campaign, sequence: steps.Sequence, texts: Sequence[dict[str, str]]
) -> None:
    """Write the steps over the rows of the same number: the ledger names those for good."""
    rows = CampaignStep.objects.of(campaign.shop_id).filter(campaign=campaign)
    listed = steps.dump(sequence)["steps"]
    for number, step in enumerate(listed, start=1):
        rows.update_or_create(
            shop_id=campaign.shop_id,
            campaign=campaign,
            number=number,
            defaults={
                "is_retired": False,
                "kind": step["kind"],
                "delay_seconds": step["delaySeconds"],
                "message_channels": step["messageChannels"],
                "condition": step["condition"],
                "send_window": step["sendWindow"],
                "voucher": step["voucher"],
                **(texts[number - 1] if texts else {}),
            },
        )
    rows.filter(number__gt=len(listed)).update(is_retired=True)


def _must_be_possible(shop: Shop, sequence: steps.Sequence) -> None:
    """Raise InvalidInput for what is understood but not done yet."""
    for step in sequence.steps:
        here = f"steps[{step.number - 1}]"
        if step.kind is steps.Kind.THANK_YOU and step.number == 1:
            raise InvalidInput("The first message is a REMINDER.", field=f"{here}.kind")
        if step.kind is steps.Kind.THANK_YOU and step.voucher is not None:
            raise InvalidInput("There is no checkout to put it on.", field=f"{here}.voucher")
        if step.voucher is not None and not _may_make_vouchers(shop):
            raise InvalidInput(
                "The shop lets us make no vouchers: the App needs MANAGE_DISCOUNTS.",
                field=f"{here}.voucher",
            )
        if step.template:
            raise InvalidInput("There are no named templates yet.", field=f"{here}.template")
        if not set(MessageChannel.values) & set(step.message_channels):
            known = ", ".join(MessageChannel.values)
            field = f"{here}.messageChannels"
            raise InvalidInput(f"Name one that is set up: {known}.", field=field)
    manners.check_steps(shop, sequence)


def _may_make_vouchers(shop: Shop) -> bool:
    try:
        return get_host(shop).may_make_vouchers()
    except HostUnavailable:
        # It cannot be known now; where it is not so, vouchers fail one by one, and say so.
        return True


def _short(text: str, field: str) -> str:
    if len(text) > LONGEST_LINE:
        raise InvalidInput(f"At most {LONGEST_LINE} characters.", field=field)
    return text


def _plan_again(campaign: Campaign) -> None:
    """Have all that waits looked at again: it may be due sooner, or later, than it was."""
    is_waiting = Q(next_due_at__isnull=False) | Q(reason__in=CHANGED_BY_THE_SELLER)
    _waiting(campaign).filter(is_waiting).update(next_due_at=Now())


def _waiting(campaign: Campaign) -> Any:
    return TrackedCheckout.objects.of(campaign.shop_id).filter(
        channel=campaign.channel, state=CheckoutState.OPEN
    )


def _must_be_able_to_send(shop: Shop, channel: str) -> None:
    if shop.legal_basis == LegalBasis.NONE:
        raise InvalidInput("Choose a legal basis first.", field="legalBasis")
    if not shop.sender_email:
        raise InvalidInput("Say who sends first.", field="senderEmail")
    if "{checkout}" not in addresses.checkout_page(shop, channel):
        raise InvalidInput("Say where the checkout's page is first.", field="checkoutUrl")
    if not consent.may_send_now(shop):
        raise InvalidInput("Switch sending on first.", field="isSendingEnabled")
