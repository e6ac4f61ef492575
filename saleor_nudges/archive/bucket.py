"""The bucket: any store that speaks S3. boto3 is imported when it is first needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Protocol

from saleor_nudges import conf
from saleor_nudges.exceptions import ArchiveUnavailable

CHUNK: Final = 256 * 1024
# Answers that say: what was uploaded so far cannot become an object any more.
LOST: Final = frozenset(
    {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "InvalidRequest"}
)
ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class UploadLost(Exception):
    """The upload cannot be completed."""


class Body(Protocol):
    """What an object is read from."""

    def read(self, size: int) -> bytes:
        """Return at most so many bytes; none at the end."""

    def close(self) -> None:
        """Let the connection go."""


class Bucket:
    """One bucket. Every method raises ArchiveUnavailable when the store does not answer."""

    def __init__(self, name: str, client: Any) -> None:
        self.name = name
        self.client = client

    def check(self) -> None:
        """Ask whether the bucket is there and ours to use."""
        with _asking():
            self.client.head_bucket(Bucket=self.name)

    def begin(self, key: str) -> str:
        """Begin an object; return the id of its upload."""
        with _asking():
            made = self.client.create_multipart_upload(Bucket=self.name, Key=key)
        return str(made["UploadId"])

    def put_part(self, key: str, upload: str, number: int, body: bytes | bytearray) -> str:
        """Upload one part, numbered from 1; return its tag. Raises UploadLost."""
        with _asking():
            made = self.client.upload_part(
                Bucket=self.name, Key=key, UploadId=upload, PartNumber=number, Body=body
            )
        return str(made["ETag"])

    def complete(self, key: str, upload: str, tags: list[str]) -> None:
        """Make an object of all its parts. Raises UploadLost."""
        parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
        with _asking():
            self.client.complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def abort_others(self, key: str, upload: str) -> int:
        """Abort every upload of this object but one: nobody knows of them. Return how many."""
        with _asking():
            answer = self.client.list_multipart_uploads(Bucket=self.name, Prefix=key)
            found = [
                one["UploadId"]
                for one in answer.get("Uploads", [])
                if one["Key"] == key and one["UploadId"] != upload
            ]
            for stray in found:
                self.client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=stray)
        return len(found)

    def size_and_tag(self, key: str) -> tuple[int, str] | None:
        """Return an object's bytes and tag; None if there is none."""
        with _asking(absent_is_none=True):
            found = self.client.head_object(Bucket=self.name, Key=key)
            return int(found["ContentLength"]), str(found["ETag"])
        return None  # type: ignore[unreachable]  # `_asking` swallows what is absent

    def read(self, key: str, start: int = 0, size: int | None = None) -> Body | None:
        """Return an object, or `size` bytes of it from `start`; None if there is none."""
        wanted = {} if size is None else {"Range": f"bytes={start}-{start + size - 1}"}
        with _asking(absent_is_none=True):
            body: Body = self.client.get_object(Bucket=self.name, Key=key, **wanted)["Body"]
            return body
        return None  # type: ignore[unreachable]


def get_bucket() -> Bucket:
    """Return the bucket of the settings. Raises ArchiveUnavailable when it cannot be used."""
    settings = conf.get()
    if not settings.ARCHIVE_BUCKET:
        raise ArchiveUnavailable("There is no archive: the setting ARCHIVE_BUCKET is empty.")
    return Bucket(settings.ARCHIVE_BUCKET, _client(settings.ARCHIVE_ENDPOINT_URL))


def need(module: str, extra: str) -> Any:
    """Import what an extra brings. Raises ArchiveUnavailable and names the extra."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ArchiveUnavailable(
            f"The archive needs {module.partition('.')[0]}: pip install 'saleor-nudges[{extra}]'."
        ) from error


def chunks(body: Body, size: int) -> Iterator[bytes]:
    """Yield the next `size` bytes of a body, or what there is. Raises ArchiveUnavailable."""
    while size > 0:
        with _asking():
            chunk = body.read(min(CHUNK, size))
        if not chunk:
            return
        size -= len(chunk)
        yield chunk


@lru_cache(maxsize=2)
def _client(endpoint: str) -> Any:
    config = need("botocore.config", "archive").Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"max_attempts": 5, "mode": "standard"},
        s3={"addressing_style": "path" if endpoint else "auto"},
        # Not every store knows the newer checksums; what is stored is read back anyway.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = need("boto3.session", "archive").Session()
    return session.client("s3", endpoint_url=endpoint or None, config=config)


@contextmanager
def _asking(*, absent_is_none: bool = False) -> Iterator[None]:
    errors = need("botocore.exceptions", "archive")
    try:
        yield
    except errors.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if absent_is_none and code in ABSENT:
            return
        if code in LOST:
            raise UploadLost(code) from error
        raise ArchiveUnavailable(f"The archive's bucket refused: {code}.") from error
    except errors.BotoCoreError as error:
        # Its own words name the endpoint and no secret.
        raise ArchiveUnavailable(f"The archive's bucket was not reached: {error}") from error
