"""Everything that changes an appointment, one transaction each: all of it happens, with its mail, or nothing does."""

from booking.operations.decisions import (
    cancel_appointment,
    confirm_appointment,
    decline_appointment,
    note_call_back,
)
from booking.operations.errors import AlreadyDecided, CallBackFirst, OfferEnded, TimeTaken, TooManyPending
from booking.operations.expiry import Expired, expire_overdue
from booking.operations.holds import held_time, hold_time, release_hold
from booking.operations.moves import move_appointment
from booking.operations.offers import (
    OfferedTime,
    accept_offered_time,
    ask_for_another_time,
    offer_other_times,
)
from booking.operations.requests import Details, book_appointment, request_appointment
from clinic.transactions import Busy

__all__ = [
    "AlreadyDecided",
    "Busy",
    "CallBackFirst",
    "Details",
    "Expired",
    "OfferEnded",
    "OfferedTime",
    "TimeTaken",
    "TooManyPending",
    "accept_offered_time",
    "ask_for_another_time",
    "book_appointment",
    "cancel_appointment",
    "confirm_appointment",
    "decline_appointment",
    "expire_overdue",
    "held_time",
    "hold_time",
    "move_appointment",
    "note_call_back",
    "offer_other_times",
    "release_hold",
    "request_appointment",
]
