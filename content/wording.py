"""What no page, article or message may say, and what it says instead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Banned:
    """`pattern` finds the wording in any case; `instead` is what a writer puts in its place."""

    pattern: re.Pattern[str]
    instead: str


@dataclass(frozen=True, slots=True)
class Found:
    words: str
    instead: str


def _banned(pattern: str, instead: str) -> Banned:
    return Banned(re.compile(pattern, re.IGNORECASE), instead)


REGISTERED: Final = (
    "the registered title, registration number and languages, and a link to the public register"
)
HELPS: Final = "“may ease” or “may help with”"
NO_PRAISE: Final = "nothing: the College forbids testimonials in any form; link to the public register"
HOW_IT_WORKS: Final = (
    "“Researchers think it may affect nerves and the body's own pain-relieving chemicals. How it works is not fully "
    "understood.”"
)
STUDIES: Final = (
    "“Studies suggest it can help some people with long-term low back pain. The difference from pretend acupuncture is "
    "small.”"
)
BOTH_HAVE_RISKS: Final = (
    "“Acupuncture and medicines have different benefits and risks. Do not stop or change a medicine without speaking "
    "to your doctor or pharmacist.”"
)

# From the College's Standard for Advertising and O. Reg. 318/12 (Professional Misconduct) under the Traditional
# Chinese Medicine Act, 2006: factual, verifiable, independent of opinion; no testimonial, comparison, guarantee,
# specialty or title that the College does not give.
BANNED: Final = (
    # Promises about safety and outcome
    _banned(
        r"\bsafe (and|&|,) (\w+ )?effective|\b(completely|totally|perfectly|100% ?) ?safe\b|\brisk[- ]free",
        "“Serious problems are rare when treatment is given by a registered acupuncturist. Minor effects such as "
        "bruising are common.”",
    ),
    _banned(
        r"\b(no|without|free of) side effects", "how many people in 100 had a side effect, with the source"
    ),
    _banned(
        r"\bpain[- ]?less(ly)?\b",
        "“Most people feel little or no pain. You may feel a brief prick, a dull ache or tingling.”",
    ),
    _banned(r"\b(cure|heal|fix|eliminate|banish)(s|es|d|ed|ing)?\b", HELPS),
    _banned(r"\b(relieves|treats|stops|ends|removes) (your |the |back |chronic |all )*pain\b", HELPS),
    _banned(r"\bguarantee|\bmiracle|\bpermanent(ly)? relie|\binstant(ly)? relie", HELPS),
    _banned(
        r"\byou will (feel|be) (better|pain[- ]free)|\bpain[- ]free\b|\b(success|cure) rate",
        "“We review progress with you”, and only what the clinic really does",
    ),
    # Claims about the evidence and how it works
    _banned(
        r"\b(research|science|studies|evidence|clinically|scientifically) (proves?|proven|backs?|backed|confirms?)\b",
        STUDIES,
    ),
    _banned(r"\bproven (to|treatment|therapy|relief|results)\b|\bevidence[- ]backed\b", STUDIES),
    _banned(
        r"\b(releas\w+|trigger\w*|boost\w*) (your |the )?(body['’]?s? )?(own )?(natural )?(pain ?killers|endorphins)",
        HOW_IT_WORKS,
    ),
    _banned(r"\b(rebalances?|unblocks?|restores?) (your |the )?(qi|chi|energy)\b", HOW_IT_WORKS),
    # Comparisons
    _banned(
        r"\b(better|safer|cheaper|gentler) than (drugs|medic\w+|pills|surgery|physio\w*|chiro\w*|massage)",
        BOTH_HAVE_RISKS,
    ),
    _banned(r"\bfewer side effects than|\b(natural|drug[- ]free) alternative", BOTH_HAVE_RISKS),
    _banned(
        r"\b(better|more experienced|unlike) (than )?(other|any other) (clinics?|acupuncturists?)", REGISTERED
    ),
    # Praise of the clinic or its people
    _banned(
        r"\b(the |our |your )?(best|leading|premier|foremost|finest) (acupunctur\w*|clinic|practitioner|care|treatment)"
        r"|\btop[- ]rated|\baward[- ]winning|\bworld[- ]class|#1\b|\bnumber one\b",
        REGISTERED,
    ),
    _banned(r"\b(expert|experts|expertise|specialists?|specialty|speciali[sz]es? in)\b", REGISTERED),
    _banned(r"\blicen[sc]ed\b", "“registered with the CTCMPAO”"),
    _banned(
        r"\bDr\b\.?(?= [A-Z])|\bdoctor of (acupuncture|chinese|traditional)|醫師|医师|医生|醫生|دکتر",
        REGISTERED,
    ),
    _banned(
        r"\btestimonial|\b(five|5)[- ]star|\bstar ratings?|\bsuccess stor(y|ies)|\bpatient stories|\bhappy patients"
        r"|\bwhat our patients say|\bbefore[- ]and[- ]after (photo|picture)",
        NO_PRAISE,
    ),
    # Times and money
    _banned(
        r"\b20[- ]minute (procedure|treatment|visit|session)",
        "“Needles usually stay in for about 20 to 30 minutes. The whole visit is longer.”",
    ),
    _banned(
        r"\bcovered by (your )?(insurance|OHIP|extended|benefits)|\b(insurance|OHIP) covers",
        "“Some extended health plans cover it. Check your plan. OHIP does not cover it here.”",
    ),
    _banned(
        r"\b(special|limited[- ]time) offer|\bdiscounts?\b|\bfree (trial|consultation)|\bpackage deal",
        "the whole price of each visit",
    ),
)


def banned_in(text: str) -> Iterator[Found]:
    """Each banned wording that stands in `text`, in the order of the list."""
    for banned in BANNED:
        for match in banned.pattern.finditer(text):
            yield Found(match[0], banned.instead)
