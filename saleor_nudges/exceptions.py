"""
Every error we raise:

* NudgesError
  x InvalidInput          a value somebody gave us is wrong; the field is named
    + InvalidEvent        the event is malformed; sending it again will not help
  x BadSignature          it is not from who it says it is from
  x UnknownShop           no shop of ours has that name
  x PermissionDenied      the caller may not do this
  x NotFound              there is no such row in this shop
  x Stale                 something newer is known of it already
  x StreamUnavailable     the event buffer could not keep it; try again later
    + StreamFull          so much waits already that it was shed; try again later
    + Busy                too much is waiting to be kept; come back soon
  x TooMany               somebody asks more often than they may; wait, then come back
  x ArchiveUnavailable    the archive's bucket is not set, not reached, or its extra is missing
  x ArchiveDamaged        an object of the archive is not what was written
  x HostUnavailable       the shop did not answer; try again later
    + HostBusy            the shop is changing this very checkout; try again soon
  x DeliveryError
    + DeliveryRefused     the provider said no; do not try again
    + DeliveryFailed      nothing left this machine; try again later
      - DeliveryStopped   nor will the next message: the provider does not know us any more
    + DeliveryUnknown     it may or may not have left; never try again

ImproperlyConfigured is Django's and stays outside the tree: nobody should swallow it.
UnscopedQuery is a mistake of ours, never of a caller, and stays outside it too.
"""


class NudgesError(Exception):
    """Something went wrong in saleor-nudges."""

    code = "NUDGES_ERROR"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class InvalidInput(NudgesError):
    """A value is missing or wrong."""

    code = "INVALID"

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidEvent(InvalidInput):
    """The event is malformed."""

    code = "INVALID_EVENT"


class BadSignature(NudgesError):
    """The signature does not match."""

    code = "BAD_SIGNATURE"


class UnknownShop(NudgesError):
    """No such shop is installed here."""

    code = "UNKNOWN_SHOP"


class PermissionDenied(NudgesError):
    """You need another permission to do this."""

    code = "PERMISSION_DENIED"


class NotFound(NudgesError):
    """There is nothing with this id."""

    code = "NOT_FOUND"


class Stale(NudgesError):
    """Something newer is known of this already; what is older changes nothing."""

    code = "STALE"


class StreamUnavailable(NudgesError):
    """The event could not be stored; try again later."""

    code = "STREAM_UNAVAILABLE"


class ArchiveUnavailable(NudgesError):
    """The archive cannot be reached."""

    code = "ARCHIVE_UNAVAILABLE"


class ArchiveDamaged(NudgesError):
    """An object of the archive is not what was written."""

    code = "ARCHIVE_DAMAGED"


class Busy(StreamUnavailable):
    """Too much is waiting to be kept; come back soon."""

    code = "BUSY"


class TooMany(NudgesError):
    """You ask too often; wait a moment."""

    code = "TOO_MANY"

    def __init__(self, message: str | None = None, *, wait: float = 1.0) -> None:
        super().__init__(message)
        self.wait = wait


class StreamFull(StreamUnavailable):
    """Too many events wait already; try again later."""

    code = "STREAM_FULL"


class HostUnavailable(NudgesError):
    """The shop did not answer; try again later."""

    code = "HOST_UNAVAILABLE"


class HostBusy(HostUnavailable):
    """The shop is changing this checkout; try again soon."""

    code = "HOST_BUSY"


class DeliveryError(NudgesError):
    """The message was not delivered."""

    code = "DELIVERY_ERROR"


class DeliveryRefused(DeliveryError):
    """The provider refused the message."""

    code = "DELIVERY_REFUSED"


class DeliveryFailed(DeliveryError):
    """The message did not leave; it may be tried again."""

    code = "DELIVERY_FAILED"


class DeliveryStopped(DeliveryFailed):
    """The provider takes nothing of ours, until somebody mends it."""

    code = "DELIVERY_STOPPED"


class DeliveryUnknown(DeliveryError):
    """The message may have left; it must not be tried again."""

    code = "DELIVERY_UNKNOWN"


class UnscopedQuery(RuntimeError):
    """A query did not say which shop it is for."""
