"""Every Celery task; each calls one engine function, is idempotent, and may run side by side."""

from datetime import UTC, datetime

from celery import shared_task

from saleor_nudges import consumers, retention
from saleor_nudges import reconcile as reconciling
from saleor_nudges.events import Flow
from saleor_nudges.host import host_class
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges import KINDS
from saleor_nudges.nudges.product_view import ProductViewKind
from saleor_nudges.recovery import detect, send


@shared_task(name="saleor_nudges.tasks.drain")
def drain() -> int:
    """Consume what waits in both streams."""
    return sum(consumers.drain(flow) for flow in Flow)


@shared_task(name="saleor_nudges.tasks.sweep")
def sweep() -> int:
    """Enter due messages into the ledger and send them."""
    with host_class().writing():
        detect.detect()
    return send.send_due()


@shared_task(name="saleor_nudges.tasks.measure")
def measure() -> int:
    """Measure again what is on pages, before its number expires."""
    kind = KINDS[NudgeType.PRODUCT_VIEW]
    with host_class().writing():
        return sum(
            kind.measure_due(shop)
            for shop in Shop.objects.filter(is_active=True)
            if isinstance(kind, ProductViewKind)
        )


@shared_task(name="saleor_nudges.tasks.reconcile")
def reconcile() -> int:
    """Read from the shops what hooks and webhooks may have missed."""
    return reconciling.reconcile_all()


@shared_task(name="saleor_nudges.tasks.housekeeping")
def housekeeping() -> None:
    """Make partitions ahead, drop those past their age, forget visitors."""
    now = datetime.now(UTC)
    with host_class().writing():
        retention.make_partitions(now)
        retention.drop_old_views(now)
        retention.forget_visitors()
