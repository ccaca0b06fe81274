"""Which links of an article's text lead nowhere on our own site."""

import re
from html import unescape
from urllib.parse import unquote, urlsplit

from django.urls import Resolver404, resolve

from content.models import Article

LINK = re.compile(r'<a [^>]*?href="([^"]*)"')
ID = re.compile(r'\sid="([^"]*)"')
OF_THE_PAGE = {"main", "in-short", "sources"}  # parts that the page adds around the text


def broken_links(html: str) -> list[str]:
    """The addresses in rendered `html` that lead to no page of ours, or to no part of this page, in order.

    References (`#r1`) are left to whoever knows the list; links to other sites are not followed.
    """
    ids = set(ID.findall(html)) | OF_THE_PAGE
    links = dict.fromkeys(unescape(link) for link in LINK.findall(html))
    wanted = {slug for link in links if (slug := _article_slug(link))}
    there = set(Article.objects.filter(slug__in=wanted, status="published").values_list("slug", flat=True))
    return [link for link in links if _is_broken(link, ids, there)]


def _is_broken(link: str, ids: set[str], articles: set[str]) -> bool:
    if link.startswith("#"):
        return unquote(link[1:]) not in ids and not re.fullmatch(r"#r[0-9]+", link)
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    if slug := _article_slug(link):
        return slug not in articles
    return not _resolves(parts.path)


def _article_slug(link: str) -> str:
    """The article that the link names, or nothing."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not _resolves(parts.path):
        return ""
    match = resolve(parts.path)
    return str(match.kwargs["slug"]) if match.view_name == "content:article" else ""


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
