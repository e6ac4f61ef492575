"""`nudges archive` and `nudges restore`: cold events leave for S3, and come back when asked."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges import archive
from saleor_nudges.archive.pieces import FLOWS
from saleor_nudges.exceptions import NudgesError
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.models import Shop


class Archive(Verb):
    """Archive what is older than two whole calendar months, and drop it once it was read back."""

    name: ClassVar[str] = "archive"
    help: ClassVar[str] = "Move cold events to the bucket."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what waits.")
        parser.add_argument("--workers", type=int, default=2, help="Pieces at once; 2.")

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        if options["dry_run"]:
            _say_what_waits(out, now)
            return
        try:
            failed = archive.archive_all(now, workers=max(options["workers"], 1), say=out.write)
        except NudgesError as error:
            raise CommandError(str(error)) from error
        if failed:
            raise CommandError("\n".join(failed))
        out.write("Nothing waits.")


class Restore(Verb):
    """Bring a range of time back."""

    name: ClassVar[str] = "restore"
    help: ClassVar[str] = "Bring archived events back."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", type=_moment, required=True, help="2026-08-03.")
        parser.add_argument("--to", dest="end", type=_moment, required=True, help="Not included.")
        parser.add_argument("--shop", help="Key or id of a shop; else every shop.")
        parser.add_argument("--table", choices=sorted(FLOWS), default="", help="Else both.")

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        shop = _shop(options["shop"]) if options["shop"] else None
        try:
            done = archive.restore(
                options["start"],
                options["end"],
                shop=shop.pk if shop else None,
                table=options["table"],
                say=out.write,
            )
        except NudgesError as error:
            raise CommandError(str(error)) from error
        out.write(f"{sum(one.rows for one in done)} rows from {len(done)} objects.")


def _say_what_waits(out: OutputWrapper, now: datetime) -> None:
    total = 0
    for partition in archive.cold_partitions(now):
        for piece in archive.count(partition):
            total += piece.rows
            days = f"{piece.start:%Y-%m-%d} to {piece.end:%Y-%m-%d}"
            out.write(f"{partition.table} {days}, shop {piece.shop}: {piece.rows} rows")
    out.write(f"{total} rows wait; nothing was changed.")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no date like 2026-08-03") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _shop(name: str) -> Shop:
    for shop in Shop.objects.all():
        if name in (shop.key, shop.public_id, str(shop.pk)):
            return shop
    raise CommandError(f"There is no shop {name!r}.")
