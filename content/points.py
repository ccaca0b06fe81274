"""The points that pages show: their names, where they are in plain words, and where they stand in each drawing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Place = tuple[int, int]  # x and y, in the units of the drawing


class Caution(Enum):
    """What a reader has to know about a point; each is drawn as a shape of its own and said in words."""

    PREGNANCY = _("Usually avoided in pregnancy")
    LUNG = _("The lung lies underneath")

    @property
    def shape(self) -> str:
        """A path around its middle, eleven units wide: told from the other without colour."""
        return "M0-5.5L5.5 0L0 5.5L-5.5 0z" if self is Caution.PREGNANCY else "M0-5L5.5 4.5H-5.5z"


class Source(Enum):
    """What the place of a point rests on."""

    WHO = "WHO standard acupuncture point locations in the Western Pacific Region (2008)"
    TEACHERS = "three teachers' pages, which differ a little"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing and the part of it that is shown: x, y, width and height in its units.

    `artwork` names its template; drawings with the same artwork share one space.
    """

    name: str
    artwork: str
    view: tuple[int, int, int, int]
    title: Promise
    caption: Promise


@dataclass(frozen=True, slots=True)
class Spot:
    """A point within one drawing: its dots, the middle of its label, and where the line to it bends, if it does."""

    dots: tuple[Place, ...]
    label: Place
    bend: Place | None = None

    @property
    def is_mirrored(self) -> bool:
        """One dot stands right of the spine, the other is its mirror image."""
        return self.dots == _sides(*self.dots[-1])


@dataclass(frozen=True, slots=True)
class Point:
    """A point by its code and names in the WHO standard; `spots` by the name of the drawing."""

    code: str
    pinyin: str
    characters: str
    place: Promise
    source: Source
    spots: Mapping[str, Spot]
    cautions: tuple[Caution, ...] = ()

    @property
    def id(self) -> str:
        """Its address within the page of points, and the name of its classes."""
        return self.code.lower()


# `back`, `upper` and `lower` share one space: the spine is x = 400, one vertebra is 24 units high in the upper
# back and 29 in the lower.
DRAWINGS = {
    drawing.name: drawing
    for drawing in (
        Drawing("back", "body", (0, 0, 800, 1345), _("Back"), _("The body from behind.")),
        Drawing(
            "upper",
            "body",
            (50, 122, 700, 372),
            _("Upper back"),
            _("Neck, shoulders and shoulder blades from behind."),
        ),
        Drawing(
            "lower",
            "lower",
            (150, 455, 500, 350),
            _("Lower back and buttocks"),
            _("The body from behind, between waist and thighs."),
        ),
        Drawing(
            "leg",
            "leg",
            (-40, 0, 600, 500),
            _("Leg"),
            _("The right leg below the knee: from behind, and from its outer side."),
        ),
        Drawing(
            "hand",
            "hand",
            (-100, 96, 680, 804),
            _("Hand and forearm"),
            _("The back of the right hand."),
        ),
    )
}
MIDLINE = 400


def _sides(x: int, y: int) -> tuple[Place, ...]:
    """The place right of the spine and its mirror image."""
    return ((2 * MIDLINE - x, y), (x, y))


GV14 = ((MIDLINE, 220),)
GB21 = _sides(479, 224)
BL11, BL12, BL13 = _sides(424, 244), _sides(424, 268), _sides(424, 291)
SI11 = _sides(497, 318)
GV4, GV3 = ((MIDLINE, 561),), ((MIDLINE, 619),)
BL23, BL24, BL25, BL26 = _sides(424, 561), _sides(424, 590), _sides(424, 619), _sides(424, 648)
BL52 = _sides(448, 561)
GB30 = _sides(490, 705)

POINTS = (
    Point(
        "GV14",
        "Dàzhuī",
        "大椎",
        _("In the middle, at the base of the neck, below the last neck bone (C7)."),
        Source.WHO,
        {"upper": Spot(GV14, (140, 160)), "back": Spot(GV14, (97, 100))},
    ),
    Point(
        "GB21",
        "Jiānjǐng",
        "肩井",
        _("On top of each shoulder, half-way between the last neck bone (C7) and the tip of the shoulder."),
        Source.WHO,
        {"upper": Spot(GB21, (140, 230)), "back": Spot(GB21, (97, 168))},
        (Caution.PREGNANCY, Caution.LUNG),
    ),
    Point(
        "BL11",
        "Dàzhù",
        "大杼",
        _("Two finger-widths to each side of the spine, level with the first bone of the upper back (T1)."),
        Source.WHO,
        {"upper": Spot(BL11, (668, 252)), "back": Spot(BL11, (708, 290))},
        (Caution.LUNG,),
    ),
    Point(
        "BL12",
        "Fēngmén",
        "風門",
        _("Two finger-widths to each side of the spine, level with the second bone of the upper back (T2)."),
        Source.WHO,
        {"upper": Spot(BL12, (668, 326)), "back": Spot(BL12, (708, 358))},
        (Caution.LUNG,),
    ),
    Point(
        "BL13",
        "Fèishù",
        "肺俞",
        _("Two finger-widths to each side of the spine, level with the third bone of the upper back (T3)."),
        Source.WHO,
        {"upper": Spot(BL13, (668, 398), (552, 398)), "back": Spot(BL13, (708, 426))},
        (Caution.LUNG,),
    ),
    Point(
        "SI11",
        "Tiānzōng",
        "天宗",
        _("On each shoulder blade, in its upper third."),
        Source.WHO,
        {"upper": Spot(SI11, (140, 335)), "back": Spot(SI11, (97, 290))},
    ),
    Point(
        "GV4",
        "Mìngmén",
        "命門",
        _("In the middle of the spine, in the dip below the second bone of the lower back (L2)."),
        Source.WHO,
        {"lower": Spot(GV4, (205, 490), (340, 490)), "back": Spot(GV4, (97, 430), (330, 480))},
    ),
    Point(
        "GV3",
        "Yāoyángguān",
        "腰陽關",
        _("In the middle of the spine, in the dip below the fourth bone of the lower back (L4)."),
        Source.WHO,
        {"lower": Spot(GV3, (205, 604), (384, 604)), "back": Spot(GV3, (97, 570), (380, 604))},
    ),
    Point(
        "BL23",
        "Shènshù",
        "腎俞",
        _("Two finger-widths to each side of the spine, level with the second bone of the lower back (L2)."),
        Source.WHO,
        {"lower": Spot(BL23, (600, 484), (440, 528)), "back": Spot(BL23, (708, 500), (440, 522))},
    ),
    Point(
        "BL24",
        "Qìhǎishù",
        "氣海俞",
        _("Two finger-widths to each side of the spine, level with the third bone of the lower back (L3)."),
        Source.WHO,
        {"lower": Spot(BL24, (600, 592)), "back": Spot(BL24, (708, 568))},
    ),
    Point(
        "BL25",
        "Dàchángshù",
        "大腸俞",
        _("Two finger-widths to each side of the spine, level with the fourth bone of the lower back (L4)."),
        Source.WHO,
        {"lower": Spot(BL25, (600, 646)), "back": Spot(BL25, (708, 636))},
    ),
    Point(
        "BL26",
        "Guānyuánshù",
        "關元俞",
        _("Two finger-widths to each side of the spine, level with the fifth bone of the lower back (L5)."),
        Source.WHO,
        {"lower": Spot(BL26, (600, 700)), "back": Spot(BL26, (708, 704))},
    ),
    Point(
        "BL52",
        "Zhìshì",
        "志室",
        _("Four finger-widths to each side of the spine, level with the second bone of the lower back (L2)."),
        Source.WHO,
        {"lower": Spot(BL52, (600, 538)), "back": Spot(BL52, (97, 500))},
    ),
    Point(
        "GB30",
        "Huántiào",
        "環跳",
        _("On each buttock, a third of the way from the bony hip point to the base of the spine."),
        Source.WHO,
        {"lower": Spot(GB30, (200, 690)), "back": Spot(GB30, (97, 650))},
    ),
    Point(
        "BL40",
        "Wěizhōng",
        "委中",
        _("In the middle of the crease behind the knee."),
        Source.WHO,
        {"leg": Spot(((142, 97),), (20, 66)), "back": Spot(_sides(462, 1006), (708, 966))},
    ),
    Point(
        "BL57",
        "Chéngshān",
        "承山",
        _("On the calf, where the two halves of the muscle meet the tendon."),
        Source.WHO,
        {"leg": Spot(((142, 244),), (20, 214)), "back": Spot(_sides(462, 1125), (708, 1110))},
    ),
    Point(
        "GB34",
        "Yánglíngquán",
        "陽陵泉",
        _("Below the knee on the outer side, in front of and below the top of the thin leg bone."),
        Source.WHO,
        {"leg": Spot(((376, 132),), (490, 150))},
    ),
    Point(
        "BL60",
        "Kūnlún",
        "崑崙",
        _("Between the outer ankle bone and the Achilles tendon."),
        Source.WHO,
        {"leg": Spot(((159, 402), (342, 402)), (246, 350))},
        (Caution.PREGNANCY,),
    ),
    Point(
        "KI3",
        "Tàixī",
        "太谿",
        _("Between the inner ankle bone and the Achilles tendon."),
        Source.WHO,
        {"leg": Spot(((123, 397),), (20, 372))},
    ),
    Point(
        "LI4",
        "Hégǔ",
        "合谷",
        _(
            "On the back of the hand, between thumb and first finger, beside the middle of the second hand bone."
        ),
        Source.WHO,
        {"hand": Spot(((186, 512),), (-28, 610))},
        (Caution.PREGNANCY,),
    ),
    Point(
        "SI3",
        "Hòuxī",
        "後谿",
        _("On the little-finger edge of the hand, just behind the knuckle."),
        Source.WHO,
        {"hand": Spot(((398, 452),), (512, 400))},
    ),
    Point(
        "EX-UE7",
        "Yāotòngdiǎn",
        "腰痛點",
        _(
            "Two on the back of the hand: between the second and third hand bones, and between the fourth and "
            "fifth. Sources differ a little on how far from the wrist."
        ),
        Source.TEACHERS,
        {"hand": Spot(((244, 560), (322, 560)), (494, 640))},
    ),
    Point(
        "TE5",
        "Wàiguān",
        "外關",
        _("On the back of the forearm, a little above the wrist."),
        Source.WHO,
        {"hand": Spot(((266, 835),), (512, 800))},
    ),
)
POINT_OF_CODE = {point.code: point for point in POINTS}
