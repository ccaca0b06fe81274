"""What every test stands on: plain static files, a fast password hasher, a file database shared by threads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings


class Everybody:
    """Contains every name."""

    def __contains__(self, name: object) -> bool:
        return True


@pytest.fixture(scope="session", autouse=True)
def _static_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from django.conf import settings  # noqa: PLC0415 (Django is set up by now)

    was, settings.STATIC_ROOT = settings.STATIC_ROOT, tmp_path_factory.mktemp("static")
    yield
    settings.STATIC_ROOT = was


@pytest.fixture(autouse=True)
def _for_tests(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked is who gets what is wanted; how fast that is on this machine, `make bench` measures.
    monkeypatch.setattr("clinic.transactions.LOCK_TIMEOUT", "60s")
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    # Pages are made anew for each test, which sees what it has saved; tests/site/test_public_pages.py keeps them.
    settings.CACHES = settings.CACHES | {"pages": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    settings.PAGES_STAMP = tmp_path / "pages.stamp"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WITHOUT_SECOND_FACTOR = Everybody()  # tests/site/test_second_factor.py takes this back
    settings.QUICKEST_SEND = 0  # tests type faster than people
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")


@pytest.fixture(scope="session", autouse=True)
def _the_audit_trail_can_be_emptied() -> Iterator[None]:
    """Tests with transactions of their own end by emptying every table."""
    from tests.emptying import every_table_can_be_emptied  # noqa: PLC0415 (Django is set up by now)

    with every_table_can_be_emptied():
        yield
