"""The safety gate and the precautions: their questions, wording, sources and version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# An appointment records which version it answered: a new wording or question is a new version.
VERSION: Final = "2026-11"

# Back pain with any of these needs an emergency department: NHS back pain page (999/A&E list), CORE Back Tool of the
# Centre for Effective Practice (cauda equina syndrome).
EMERGENCY_SIGNS: Final[tuple[Promise, ...]] = (
    _("numbness or tingling around your genitals, anus, buttocks or inner thighs"),
    _("you cannot pee, or you have lost control of your pee or poo, or cannot feel it"),
    _("new weakness, numbness or tingling in both legs, or weakness that is getting worse quickly"),
    _("new problems with sexual feeling or function along with any of the above"),
    _("it started after a serious accident or fall"),
    _("chest pain or trouble breathing"),
    _("sudden, severe tearing pain in your back or belly, or you feel faint or have collapsed"),
    _("a high temperature and you feel very unwell or confused, or a stiff neck"),
)


@dataclass(frozen=True, slots=True)
class Precaution:
    """`label` is what the patient reads; `flag` and `hint` are what staff read, always in English."""

    code: str
    label: Promise
    flag: str
    hint: str


# Sources: NHS acupuncture page, Mayo Clinic, Medscape, Cherkin 2009 (its exclusions), MacPherson 2005 (drowsiness).
PRECAUTIONS: Final[tuple[Precaution, ...]] = (
    Precaution(
        "blood",
        _("A bleeding disorder, or you take blood thinners"),
        "Bleeding / blood thinners",
        "More bruising and bleeding; ask which medicine.",
    ),
    Precaution(
        "device",
        _("A pacemaker or another implanted device"),
        "Implanted device",
        "No electro-acupuncture near the device.",
    ),
    Precaution(
        "pregnant", _("You are pregnant, or might be"), "Pregnant", "Some points are usually avoided."
    ),
    Precaution("seizures", _("Epilepsy or seizures"), "Seizures", "Ask about triggers and the last seizure."),
    Precaution(
        "immunity",
        _("A weak immune system, or you have chemotherapy"),
        "Weak immunity",
        "Higher chance of infection; ask the care team first.",
    ),
    Precaution("metal", _("An allergy to metal"), "Metal allergy", "Ask about nickel and needle type."),
    Precaution(
        "skin", _("A skin infection, wound or burn"), "Skin problem", "Do not needle the affected skin."
    ),
    Precaution(
        "lymph",
        _("Lymphoedema, or lymph nodes removed"),
        "Lymphoedema",
        "Ask which limb; do not needle that limb.",
    ),
    Precaution(
        "faint",
        _("You fear needles, or have fainted before"),
        "May faint",
        "Treat lying down; eat beforehand.",
    ),
    Precaution(
        "diabetes",
        _("Diabetes, numb skin or poor circulation"),
        "Diabetes / numbness",
        "Check skin and feeling before needling.",
    ),
    Precaution(
        "spine",
        _("Cancer, or a recent operation or fracture"),
        "Cancer / operation / fracture",
        "Assess first; may need a doctor's word.",
    ),
    Precaution(
        "lung",
        _("Lung disease or chest surgery, or you are very slim"),
        "Lung disease / very slim",
        "Higher chance of a collapsed lung from needling the upper back.",
    ),
)

_BY_CODE: Final = {precaution.code: precaution for precaution in PRECAUTIONS}
UNNAMED: Final = "unnamed"  # the person was not sure and named nothing


@dataclass(frozen=True, slots=True)
class Flag:
    """A precaution as staff read it; `is_sure` is False for “I'm not sure”."""

    text: str
    hint: str
    is_sure: bool


def flags(answers: Mapping[str, str]) -> list[Flag]:
    """The flags for `answers`, a mapping of precaution code to `yes` or `not_sure`, in the order of the questions."""
    found = [
        Flag(precaution.flag, precaution.hint, answers[code] == "yes")
        for code, precaution in _BY_CODE.items()
        if code in answers
    ]
    if UNNAMED in answers:
        found.append(Flag("Not sure about precautions", "Go through the list in person.", is_sure=False))
    return found
