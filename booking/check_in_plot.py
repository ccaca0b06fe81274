"""The line over the visits that patient and practitioner see: pain now, and the PEG score."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from booking import plots, times
from booking.models import MOST, CheckIn


def check_in_plot(check_ins: Sequence[CheckIn]) -> plots.Plot | None:
    """None where nothing was answered yet."""
    if not check_ins:
        return None
    return plots.over_time(
        [times.local_day(check_in.appointment.starts_at) for check_in in check_ins],
        [
            (_("Pain now"), [float(check_in.pain_now) for check_in in check_ins]),
            (_("PEG score"), [check_in.peg for check_in in check_ins]),
        ],
        most=MOST,
    )
