"""The site's own settings for a run that measures: files go to the run's folder, and the bare site is an option."""

import os

from clinic.settings import *  # noqa: F403 (all of them, unchanged)
from clinic.settings import DATA_DIR

STATIC_ROOT = DATA_DIR / "static"

QUICKEST_SEND = 0.0  # a measured walk does not stop to read
LIMITS_TIMES = 1_000_000  # everything is still counted, and its cost measured

if os.environ.get("BARE_SITE"):
    MIDDLEWARE = []
    ROOT_URLCONF = "tests.bench.bare"
