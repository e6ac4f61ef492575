"""The storefront widget as it was built: the script, and the parts it imports when needed."""

import gzip
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

FOLDER: Final = Path(__file__).parent.parent / "static" / "saleor_nudges"
# A page that is open finds a new version soon; the parts have their hash in their name.
SOON: Final = "public, max-age=300"
FOR_GOOD: Final = "public, max-age=31536000, immutable"


class File(NamedTuple):
    """What is sent of one file."""

    content: bytes
    packed: bytes
    tag: str


@require_safe
def script(request: HttpRequest) -> HttpResponseBase:
    """GET v1/widget.js."""
    path = FOLDER / "widget.js"
    if not path.is_file():
        return _missing("The widget is not built: make widget")
    return _answer(request, path, SOON)


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponseBase:
    """GET v1/widget/<file>."""
    # Looked up among those that are there, so that no name leads anywhere else.
    found = {path.name: path for path in (FOLDER / "widget").glob("*.js")}
    if name not in found:
        return _missing("There is no such part of the widget")
    return _answer(request, found[name], FOR_GOOD)


def _answer(request: HttpRequest, path: Path, cache: str) -> HttpResponseBase:
    file = _read(path, path.stat().st_mtime_ns)
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = _script(file.packed if is_packed else file.content)
    if is_packed:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Content-Length"] = str(len(response.content))
    response["Cache-Control"] = cache
    response["ETag"] = file.tag
    answer = get_conditional_response(request, etag=file.tag, response=response) or response
    return _for_everyone(answer)


def _missing(why: str) -> HttpResponseBase:
    response = _script(f"// {why}".encode(), status=404)
    # While servers of two versions answer, the next one asked may have it.
    response["Cache-Control"] = "no-store"
    return _for_everyone(response)


def _script(content: bytes, status: int = 200) -> HttpResponse:
    return HttpResponse(content, status=status, content_type="text/javascript; charset=utf-8")


def _for_everyone(response: HttpResponseBase) -> HttpResponseBase:
    # What a script imports is asked for across origins, and is no secret.
    response["Access-Control-Allow-Origin"] = "*"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> File:
    content = path.read_bytes()
    digest = blake2b(content, digest_size=8).hexdigest()
    # Weak: packed or not, it is the same script.
    return File(content, gzip.compress(content, 9, mtime=0), f'W/"{digest}"')
