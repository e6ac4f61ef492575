"""The page Saleor's Dashboard opens for us, until the real pages are built."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

import saleor_nudges


@require_GET
@xframe_options_exempt
def page(request: HttpRequest) -> HttpResponse:
    """GET dashboard/: shown in a frame of a Dashboard whose address we cannot know."""
    facts = {"version": saleor_nudges.__version__}
    response = render(request, "saleor_nudges/dashboard.html", facts)
    response["Content-Security-Policy"] = "frame-ancestors https: http://localhost:*"
    return response
