"""The site's own settings for a run that measures: files go to the run's folder, and the bare site is an option."""

import os

from clinic.settings import *  # noqa: F403 (all of them, unchanged)
from clinic.settings import DATA_DIR

STATIC_ROOT = DATA_DIR / "static"

if os.environ.get("BARE_SITE"):
    MIDDLEWARE = []
    ROOT_URLCONF = "tests.bench.bare"
