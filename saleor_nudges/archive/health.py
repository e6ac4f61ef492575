"""Whether the archive does its work: what `nudges doctor` says of it."""

from datetime import datetime, timedelta
from typing import Final

from saleor_nudges.archive.bucket import get_bucket
from saleor_nudges.archive.formats import check_format
from saleor_nudges.archive.pieces import cold_partitions
from saleor_nudges.conf import get as settings
from saleor_nudges.models.archives import is_on

# From the first of a month on; the work of a night, and of a day in which somebody repairs it.
GRACE: Final = timedelta(days=2)


def examine(now: datetime) -> str:
    """Say how the archive is. Raises ArchiveUnavailable, or LookupError when pieces wait."""
    if not is_on():
        return "off: no bucket is set"
    check_format(settings().ARCHIVE_FORMAT)
    get_bucket().check()
    # Nothing becomes cold but on the first of a month.
    overdue = cold_partitions(now - GRACE) and cold_partitions(now)
    if overdue:
        raise LookupError(f"{overdue[0].name} is not archived yet; is beat running?")
    return "bucket reachable, nothing overdue"
