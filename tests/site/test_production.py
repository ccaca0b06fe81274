"""What production insists on before it starts, and what every answer carries once it runs."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from pytest_django import Settings

from tests import deploy_check

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def test_the_deploy_check_is_clean() -> None:
    done = deploy_check.run(deploy_check.PRODUCTION)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "no issues" in done.stdout


@pytest.mark.parametrize("name", sorted(set(deploy_check.PRODUCTION) - {"PRODUCTION"}))
def test_production_does_not_start_without(name: str) -> None:
    done = deploy_check.run({key: value for key, value in deploy_check.PRODUCTION.items() if key != name})
    assert done.returncode != 0
    assert f"Production needs these environment variables: {name}\n" in done.stderr


def test_production_names_everything_that_is_missing_at_once() -> None:
    done = deploy_check.run({"PRODUCTION": "true"})
    for name in set(deploy_check.PRODUCTION) - {"PRODUCTION"}:
        assert name in done.stderr


def test_production_is_served_over_https_only() -> None:
    done = deploy_check.run(deploy_check.PRODUCTION | {"SITE_URL": "http://clinic.example"})
    assert "SITE_URL to start with https://" in done.stderr


def production_says(expression: str) -> str:
    """What `expression` is in a process of its own that runs as production."""
    return subprocess.run(
        [sys.executable, "-c", f"from clinic import settings; print(({expression}))"],
        env={"PATH": os.environ["PATH"]} | deploy_check.PRODUCTION,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_cookies_in_production_belong_to_this_host_alone() -> None:
    assert production_says(
        "settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_SECURE,"
        "settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.CSRF_COOKIE_HTTPONLY,"
        "settings.SESSION_COOKIE_SAMESITE"
    ) == str(("__Host-session", "__Host-csrf", True, True, True, True, "Lax"))


def test_everybody_needs_a_second_factor_in_production() -> None:
    assert production_says("settings.WITHOUT_SECOND_FACTOR") == "()"


def test_a_browser_that_was_here_once_comes_back_over_https_for_two_years() -> None:
    assert production_says("settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT") == str(
        (63_072_000, True)
    )


def fails(request: HttpRequest) -> NoReturn:
    raise RuntimeError("a fault with 416-555-0188 in it")


class WithAFault:
    from clinic.urls import (  # noqa: PLC0415 (the site's own addresses, and one that fails)
        handler400,
        handler403,
        handler404,
        handler500,
    )
    from clinic.urls import (  # noqa: PLC0415 (the site's own addresses, and one that fails)
        urlpatterns as _site,
    )

    urlpatterns = [*_site, path("fails/", fails)]


@pytest.fixture
def anonymous(settings: Settings) -> Client:
    settings.ROOT_URLCONF = WithAFault
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "where", "extra", "status"),
    [
        ("get", "/", {}, 200),
        ("get", "/articles/", {}, 200),
        ("get", "/admin/login/", {}, 200),
        ("get", "/admin/", {}, 302),
        ("get", "/book/", {}, 200),
        ("get", "/healthz", {}, 200),
        ("get", "/nowhere", {}, 404),
        ("get", "/", {"HTTP_HOST": "elsewhere.example"}, 400),
        ("get", "/static/css/site.css", {"HTTP_HOST": "elsewhere.example"}, 400),
        ("trace", "/", {}, 405),
        ("delete", "/", {}, 405),
        ("options", "/", {}, 405),
        ("post", "/", {}, 405),
        ("get", "/fails/", {}, 500),
    ],
)
def test_every_answer_carries_the_headers(
    anonymous: Client, method: str, where: str, extra: dict[str, str], status: int
) -> None:
    response = getattr(anonymous, method)(where, **extra)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in CARRIED} == CARRIED
    assert "Permissions-Policy" in response.headers


CARRIED = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.django_db
def test_a_forwarded_host_is_not_believed(client: Client) -> None:
    response = client.get("/book/", headers={"X-Forwarded-Host": "elsewhere.example"})
    assert "elsewhere.example" not in response.text


@pytest.mark.parametrize("where", ["/fails/", "/nowhere?phone=416-555-0188"])
@pytest.mark.django_db
def test_an_error_page_tells_nothing_of_what_went_on(anonymous: Client, where: str) -> None:
    text = anonymous.get(where).text
    for leak in ("416-555-0188", "RuntimeError", "Traceback", "clinic.urls", "Django"):
        assert leak not in text
    assert "905-555-0100" in text


def test_the_page_for_a_fault_needs_no_database(anonymous: Client) -> None:
    """Without the mark for it, touching the database fails the test."""
    assert anonymous.get("/fails/").status_code == 500


@pytest.mark.django_db
def test_a_form_without_its_token_gets_a_kind_page(settings: Settings) -> None:
    response = Client(enforce_csrf_checks=True).post("/book/", {})
    assert response.status_code == 403
    assert "905-555-0100" in response.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "where", ["/", "/articles/", "/healthz", "/readyz", "/.well-known/security.txt", "/nowhere"]
)
def test_readers_get_no_cookie(client: Client, where: str) -> None:
    response = client.get(where)
    assert dict(response.cookies) == {}
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["/book/", "/admin/login/"])
def test_what_sets_a_cookie_is_private(client: Client, where: str) -> None:
    response = client.get(where)
    assert response.cookies
    assert "no-store" in response.headers["Cache-Control"]
    assert "Cookie" in response.headers["Vary"]


@pytest.mark.django_db
def test_the_site_is_ready_when_its_database_is(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (200, "ok\n")


def test_the_process_is_up_without_a_database(client: Client) -> None:
    assert client.get("/healthz").text == "ok\n"


def test_whoever_finds_a_weakness_learns_where_to_tell_it(client: Client) -> None:
    lines = dict(line.split(": ", 1) for line in client.get("/.well-known/security.txt").text.splitlines())
    expires = datetime.fromisoformat(lines["Expires"])
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)
    assert lines["Contact"] == "mailto:desk@clinic.invalid"
    assert lines["Canonical"].endswith("/.well-known/security.txt")


def test_the_application_can_be_loaded_by_a_web_server() -> None:
    from clinic.wsgi import application  # noqa: PLC0415 (loading it is the test)

    assert isinstance(application, WSGIHandler)
