"""Cold events leave the database for S3, and come back when asked.

    plan()              which pieces wait: one week of one table of one shop each
    archive_piece()     one piece: written in parts, read back, verified; resumed where it stopped
    drop_archived()     a partition, once every piece of it is verified and nothing new has come
    restore()           a range of time, row for row

Whatever is killed when: a part that was recorded is not written again, an upload nobody recorded
is aborted, and nothing is dropped before it was read back.
"""

from saleor_nudges.archive.drop import drop_archived
from saleor_nudges.archive.health import examine
from saleor_nudges.archive.pieces import ColdPartition, Piece, cold_partitions, count, plan
from saleor_nudges.archive.restore import Restored, restore
from saleor_nudges.archive.work import archive_all, archive_piece, drop_if_last, start

__all__ = [
    "ColdPartition",
    "Piece",
    "Restored",
    "archive_all",
    "archive_piece",
    "cold_partitions",
    "count",
    "drop_archived",
    "drop_if_last",
    "examine",
    "plan",
    "restore",
    "start",
]
