"""Finds Node.js, and installs the tools of `tests/browser/node/` when one of them is first asked for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "browser" / "node"
OLDEST = 20  # that html-validate runs on
MISSING = f"Node.js {OLDEST} or newer with npm is not installed (Debian 13: nodejs npm)"


def found() -> bool:
    """There is an npm, and a Node.js that is new enough."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    said = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    version = re.match(r"v(\d+)\.", said)
    return version is not None and int(version[1]) >= OLDEST


needed = pytest.mark.skipif(not found(), reason=MISSING)


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of the folder, ours or an installed tool's."""
    _install()
    return subprocess.run(["node", FOLDER / script, *arguments], capture_output=True, text=True, check=False)


def _install() -> None:
    """Exactly what the lock says; no package's own scripts are run."""
    lock = FOLDER / "package-lock.json"
    installed = FOLDER / "node_modules" / ".package-lock.json"  # npm writes it last
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
