"""Our URL table below Saleor's address for plugins: /plugins/global/saleor-nudges/."""

from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotFound
from django.urls import get_resolver

from saleor_nudges.plugin.host import PluginHost

URLS = "saleor_nudges.urls"


def answer(request: HttpRequest, path: str | None) -> HttpResponseBase:
    """Return what the view answers that our URL table names for the path."""
    try:
        match = get_resolver(URLS).resolve("/" + (path or "").lstrip("/"))
        with PluginHost.writing():
            response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    except Http404:
        return HttpResponseNotFound()
    return response
