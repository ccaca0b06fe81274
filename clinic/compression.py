"""How pages without secrets are compressed: with Brotli for browsers that read it, else with gzip."""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec

import brotli  # type: ignore[import-untyped]  # it ships no types
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.gzip import gzip_page

READS_BROTLI = re.compile(r"\bbr\b(?!\s*;\s*q\s*=\s*0(?:\.0*)?\s*(?:,|$))")
READS_GZIP = re.compile(r"\bgzip\b")  # as `gzip_page` looks for it
QUALITY = 10  # of 11; a sixth smaller than gzip, in 50 ms: so each page is kept once it is compressed
KEPT = 256  # pages
WINDOW = 16  # 64 KB; more than a page has would only cost time

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def encoding_for(request: HttpRequest) -> str:
    """How `compressed_page` sends a page to this reader: `br`, `gzip`, or as it is."""
    accepted = request.headers.get("Accept-Encoding", "")
    if READS_BROTLI.search(accepted):
        return "br"
    return "gzip" if READS_GZIP.search(accepted) else ""


def compressed_page(view: View[P]) -> View[P]:
    """For views whose pages hold no secret: with one, its length would tell of it (BREACH).

    Such pages are the same for all readers, and few.
    """

    @wraps(view)
    def compressed(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["Accept-Encoding"])
        if encoding_for(request) == "br" and response.content:
            response.content = _smallest(response.content)
            response["Content-Encoding"] = "br"
            if "ETag" in response:  # as gzip_page does: the same page in other bytes
                response["ETag"] = f"W/{response['ETag'].removeprefix('W/')}"
            response["Content-Length"] = str(len(response.content))
        return response

    return gzip_page(compressed)


@lru_cache(maxsize=KEPT)
def _smallest(page: bytes) -> bytes:
    compressed: bytes = brotli.compress(page, quality=QUALITY, lgwin=WINDOW)
    return compressed
