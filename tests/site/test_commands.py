"""The commands behind `make run`."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from socket import create_server

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from booking.models import Resource, VisitType
from content.models import Article


@pytest.mark.django_db
def test_an_empty_clinic_gets_samples_that_say_they_are_samples(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("starter_content")

    assert [(row.kind, row.name, row.is_sample) for row in Resource.objects.order_by("pk")] == [
        ("practitioner", "Sample practitioner A", True),
        ("practitioner", "Sample practitioner B", True),
        ("room", "Sample room 1", True),
        ("room", "Sample room 2", True),
        ("room", "Sample room 3", True),
    ]
    assert [(row.name, row.minutes, row.fee) for row in VisitType.objects.bookable()] == [
        ("First visit", 70, None),
        ("Follow-up visit", 45, None),
    ]
    assert Article.objects.filter(slug="acupuncture-for-back-pain").exists()
    assert "2 sample practitioners, 3 sample rooms" in capsys.readouterr().out


@pytest.mark.django_db
def test_starter_content_twice_changes_nothing_and_keeps_what_the_clinic_made_its_own() -> None:
    call_command("starter_content")
    Resource.objects.filter(slug="sample-practitioner-a").update(name="Wing Chan", is_sample=False)
    Resource.objects.filter(slug="sample-room-3").delete()
    VisitType.objects.filter(slug="first-visit").update(fee=100)

    call_command("starter_content")

    assert sorted(Resource.objects.values_list("name", flat=True)) == [
        "Sample practitioner B",
        "Sample room 1",
        "Sample room 2",
        "Wing Chan",
    ]
    assert VisitType.objects.get(slug="first-visit").fee == 100


@pytest.mark.django_db
def test_the_demo_account_keeps_its_password_and_can_enter_the_desk(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = tmp_path
    call_command("demo_account")
    first = capsys.readouterr().out
    call_command("demo_account")

    assert capsys.readouterr().out == first
    user = User.objects.get()
    assert user.is_staff
    assert user.check_password(first.split("password: ")[1].strip())


@pytest.mark.django_db
def test_production_has_no_demo_account(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("demo_account")
    assert not User.objects.exists()


def start(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The command that `make run` ends in, on a database of its own and a free port."""
    with create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{folder}/clinic.sqlite3",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env=environment, check=True)
    with (folder / "said.txt").open("wb") as log:
        serving = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                assert answer.read() == b"ok\n"
            if "The mail worker is ready." in said(folder):
                return serving, port
        except OSError:
            pass
        time.sleep(0.2)
    serving.kill()
    raise AssertionError(said(folder))


def said(folder: Path) -> str:
    return (folder / "said.txt").read_text()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_web_server_and_the_mail_worker_stop_together(tmp_path: Path, told: signal.Signals) -> None:
    serving, port = start(tmp_path)
    both = children(serving.pid)
    assert len(both) == 2

    serving.send_signal(told)
    assert serving.wait(timeout=20) == 0, said(tmp_path)
    assert f"Serving on http://127.0.0.1:{port}; mails go to {tmp_path / 'mails'}." in said(tmp_path)
    assert "The mail worker has stopped." in said(tmp_path)
    assert not any(Path(f"/proc/{child}").exists() for child in both)


def test_if_one_of_them_falls_the_other_does_not_go_on_alone(tmp_path: Path) -> None:
    serving, _ = start(tmp_path)
    os.kill(children(serving.pid)[1], signal.SIGKILL)

    assert serving.wait(timeout=20) == 1
    assert "the mail worker ended by itself; everything is stopped." in said(tmp_path)
