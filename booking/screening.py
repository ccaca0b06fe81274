"""The safety gate, the precautions and the needs: their questions, wording, sources and version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# An appointment records which version it answered: a new wording or question is a new version. A code keeps its
# meaning for ever, so that old answers still give the flags they meant.
VERSION: Final = "2026-11.2"


@dataclass(frozen=True, slots=True)
class Gate:
    """A list of signs, any of which stops the way to a visit; `source` is for whoever reviews it."""

    name: str
    signs: tuple[Promise, ...]
    source: str


# Who has one of these needs an emergency department.
EMERGENCY: Final = Gate(
    "emergency",
    (
        _("numbness or tingling around your genitals, anus, buttocks or inner thighs"),
        _("you cannot pee, or you have lost control of your pee or poo, or cannot feel it"),
        _("new weakness, numbness or tingling in both legs, or weakness that is getting worse quickly"),
        _("new problems with sexual feeling or function along with any of the above"),
        _("it started after a serious accident or fall"),
        _("chest pain or trouble breathing"),
        _("sudden, severe tearing pain in your back or belly, or you feel faint or have collapsed"),
        _("a high temperature and you feel very unwell or confused, or a stiff neck"),
    ),
    "NHS back pain page (999 and A&E list); CORE Back Tool, Centre for Effective Practice (cauda equina syndrome).",
)

# Who has one of these sees a doctor or nurse practitioner first. Under 18 is not among them: those visits are
# arranged by phone, which the pages say for themselves.
URGENT: Final = Gate(
    "urgent",
    (
        _("a high temperature, chills or you feel shivery"),
        _("you are losing weight without trying"),
        _("you have, or have had, cancer"),
        _("pain that does not ease when you change position, or wakes you at night and is getting worse"),
        _("pain mainly at the top of your back, between your shoulders, that is new and you do not know why"),
        _("you take steroid tablets, have weak bones (osteoporosis), or had a fall or injury"),
        _("a weak immune system, recent infection, or you inject drugs"),
        _("one leg getting weaker or number"),
        _("a new lump, swelling or change in the shape of your back"),
        _("it is your first ever back pain and you are over 50"),
    ),
    "NHS back pain page (GP and 111 list); CORE Back Tool (NIFTI); NHS Gloucestershire back pain pathway. The age "
    "is our own choice from these.",
)

GATES: Final = (EMERGENCY, URGENT)  # in the order in which they are passed


@dataclass(frozen=True, slots=True)
class Question:
    """`label` is what the patient reads; `flag` and `hint` are what staff read, always in English.

    Where `source` is empty we only ask: no source was checked, so the hint claims nothing.
    """

    code: str
    label: Promise
    flag: str
    hint: str
    source: str = ""


PRECAUTIONS: Final[tuple[Question, ...]] = (
    Question(
        "blood",
        _("A bleeding disorder, or you take blood thinners"),
        "Bleeding / blood thinners",
        "More bruising and bleeding; ask which medicine.",
        "NHS acupuncture page; Mayo Clinic; Medscape.",
    ),
    Question(
        "device",
        _("A pacemaker, defibrillator, pump or nerve stimulator in your body"),
        "Implanted device",
        "No electro-acupuncture near the device.",
        "Medscape; Cherkin 2009 (excluded).",
    ),
    Question(
        "implant",
        _("An artificial joint or heart valve, or another implant"),
        "Joint / valve / implant",
        "Ask what it is and where, before choosing points.",
    ),
    Question(
        "pregnant",
        _("You are pregnant, or might be"),
        "Pregnant",
        "Some points are usually avoided.",
        "NHS acupuncture page; AACP list of points.",
    ),
    Question(
        "seizures",
        _("Epilepsy or seizures"),
        "Seizures",
        "Ask about triggers and the last seizure.",
        "Cherkin 2009 (excluded).",
    ),
    Question(
        "immunity",
        _("A weak immune system, or you have chemotherapy"),
        "Weak immunity",
        "Higher chance of infection; ask the care team first.",
        "Medscape.",
    ),
    Question(
        "metal",
        _("An allergy to metal"),
        "Metal allergy",
        "Ask about nickel and needle type.",
        "NHS acupuncture page.",
    ),
    Question(
        "allergy",
        _("An allergy to latex, alcohol wipes or sticking plaster"),
        "Other allergy",
        "Ask to what, and what happens.",
    ),
    Question(
        "skin",
        _("A skin infection, wound, burn or eczema"),
        "Skin problem",
        "Do not needle the affected skin.",
        "NHS acupuncture page; Medscape.",
    ),
    Question(
        "lymph",
        _("Lymphoedema, or lymph nodes removed"),
        "Lymphoedema",
        "Ask which limb; do not needle that limb.",
        "Practice guidance on contra-indications of acupuncture.",
    ),
    Question(
        "faint",
        _("You fear needles, or have fainted before"),
        "May faint",
        "Treat lying down; eat beforehand.",
        "Medscape; White 2001 (6 faints in 31,822 visits).",
    ),
    Question(
        "diabetes",
        _("Diabetes, numb skin or poor circulation"),
        "Diabetes / numbness",
        "Check skin and feeling before needling.",
        "Practice guidance on contra-indications of acupuncture.",
    ),
    Question(
        "spine",
        _("Cancer, an unstable spine, or a recent operation or fracture"),
        "Cancer / spine / operation / fracture",
        "Assess first; may need a doctor's word.",
        "Practice guidance on contra-indications of acupuncture.",
    ),
    Question(
        "lung",
        _("Lung disease or chest surgery, or you are very slim"),
        "Lung disease / very slim",
        "Higher chance of a collapsed lung from needling the upper back.",
        "Medicina 2023;59:1100.",
    ),
    Question(
        "medicines",
        _("You take other medicines regularly"),
        "Regular medicines",
        "Go through them in person; never advise stopping a prescribed medicine.",
        "MacPherson 2004 (harm after advice about medicines).",
    ),
)

# What is arranged around the visit, not weighed before needling.
NEEDS: Final[tuple[Question, ...]] = (
    Question(
        "drives",
        _("I will drive or use machines soon after the visit"),
        "Drives afterwards",
        "About 1 in 4 feel tired or drowsy after a treatment: time to rest, and check before they leave.",
        "MacPherson 2005 (24.4% of 9,408 patients).",
    ),
    Question(
        "interpreter",
        _("I need an interpreter"),
        "Interpreter",
        "Ask which language, and who will interpret.",
    ),
    Question(
        "step_free",
        _("I need to get in without steps, or need help to move"),
        "Step-free / help to move",
        "Ask what helps; choose the room for it.",
    ),
    Question(
        "chaperone",
        _("I would like somebody with me in the room"),
        "Chaperone",
        "Ask whether they bring somebody or we provide.",
    ),
    Question(
        "draping",
        _("There is something you should know about undressing or covering"),
        "Draping",
        "Ask before they undress.",
    ),
    Question(
        "decides",
        _("Somebody else makes decisions about my care with me or for me"),
        "Someone else decides",
        "Ask who, and that they can be reached.",
    ),
)

_BY_CODE: Final = {question.code: question for question in (*PRECAUTIONS, *NEEDS)}
UNNAMED: Final = "unnamed"  # the person was not sure and named nothing


@dataclass(frozen=True, slots=True)
class Flag:
    """An answer as staff read it; `is_sure` is False for “I’m not sure”."""

    text: str
    hint: str
    is_sure: bool = True


CALL_BACK: Final = Flag(
    "Call back first",
    "An urgent sign, checked already by a doctor or nurse practitioner: call, then confirm.",
)
CALLED_BACK: Final = Flag(
    "Called back", "An urgent sign, checked already by a doctor or nurse practitioner; we have called."
)


def flags(answers: Mapping[str, str]) -> list[Flag]:
    """The flags for `answers`, a mapping of code to `yes` or `not_sure`, in the order of the questions."""
    found = [
        Flag(question.flag, question.hint, answers[code] == "yes")
        for code, question in _BY_CODE.items()
        if code in answers
    ]
    if UNNAMED in answers:
        found.append(Flag("Not sure about precautions", "Go through the list in person.", is_sure=False))
    return found
