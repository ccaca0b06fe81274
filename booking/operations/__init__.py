"""Everything that changes an appointment, one transaction each: all of it happens, with its mail, or nothing does."""

from booking.operations.attendance import note_arrival, note_completion, note_no_show, step_back
from booking.operations.changes import ask_to_change
from booking.operations.checkins import HowItIs, answer_check_in, is_asked
from booking.operations.courses import (
    Plan,
    accept_course,
    answer_course,
    cancel_course,
    end_course_offer,
    plan_course,
    request_course,
)
from booking.operations.decisions import (
    cancel_appointment,
    confirm_appointment,
    decline_appointment,
    note_call_back,
)
from booking.operations.erasure import Outdated, erase_outdated, erase_patient
from booking.operations.errors import (
    AlreadyDecided,
    AlreadyWaiting,
    CallBackFirst,
    CourseChanged,
    MergedAlready,
    NoAddress,
    NoSuchEnd,
    NotAskedNow,
    NotOver,
    NotYet,
    OfferEnded,
    SomeTaken,
    TimeFree,
    TimeTaken,
    TooManyPending,
)
from booking.operations.expiry import Expired, expire_overdue
from booking.operations.feeds import make_feed, note_read, revoke_feed
from booking.operations.holds import held_time, hold_time, release_hold, release_holds
from booking.operations.keeping import keep_appointment
from booking.operations.links import replace_link, send_link_again
from booking.operations.merges import merge_patients, undo_merge
from booking.operations.moves import move_appointment
from booking.operations.offers import (
    OfferedTime,
    accept_offered_time,
    ask_for_another_time,
    offer_other_times,
)
from booking.operations.reminders import Reminded, choose_reminders, remind
from booking.operations.requests import Details, book_appointment, request_appointment
from booking.operations.stretching import possible_ends, stretch_appointment
from booking.operations.waitlist import (
    Wishes,
    can_be_replaced,
    decline_offer,
    join_waitlist,
    leave_waitlist,
    offer_released_time,
    take_offer,
    wait_for_earlier,
)
from clinic.transactions import Busy

__all__ = [
    "AlreadyDecided",
    "AlreadyWaiting",
    "Busy",
    "CallBackFirst",
    "CourseChanged",
    "Details",
    "Expired",
    "HowItIs",
    "MergedAlready",
    "NoAddress",
    "NoSuchEnd",
    "NotAskedNow",
    "NotOver",
    "NotYet",
    "OfferEnded",
    "OfferedTime",
    "Outdated",
    "Plan",
    "Reminded",
    "SomeTaken",
    "TimeFree",
    "TimeTaken",
    "TooManyPending",
    "Wishes",
    "accept_course",
    "accept_offered_time",
    "answer_check_in",
    "answer_course",
    "ask_for_another_time",
    "ask_to_change",
    "book_appointment",
    "can_be_replaced",
    "cancel_appointment",
    "cancel_course",
    "choose_reminders",
    "confirm_appointment",
    "decline_appointment",
    "decline_offer",
    "end_course_offer",
    "erase_outdated",
    "erase_patient",
    "expire_overdue",
    "held_time",
    "hold_time",
    "is_asked",
    "join_waitlist",
    "keep_appointment",
    "leave_waitlist",
    "make_feed",
    "merge_patients",
    "move_appointment",
    "note_arrival",
    "note_call_back",
    "note_completion",
    "note_no_show",
    "note_read",
    "offer_other_times",
    "offer_released_time",
    "plan_course",
    "possible_ends",
    "release_hold",
    "release_holds",
    "remind",
    "replace_link",
    "request_appointment",
    "request_course",
    "revoke_feed",
    "send_link_again",
    "step_back",
    "stretch_appointment",
    "take_offer",
    "undo_merge",
    "wait_for_earlier",
]
