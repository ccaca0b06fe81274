"""How the picture looks that other sites show beside a link: the clinic's line and point, and the title."""

import math
from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630  # pixels, as Open Graph's readers expect
FINE: Final = 2  # drawn twice as large and scaled down, so that curves are smooth
PAPER, GLAZE, INK, BRAND, ARC, POINT, WHITE = (
    "#f5fafa", "#e4f4f0", "#132341", "#1b428f", "#b7cbdf", "#f4aa2c", "#ffffff",
)  # fmt: skip
MARGIN, TEXT_WIDTH = 80, 900
SIZES: Final = {84: 3, 72: 4, 60: 5}  # height of letters in pixels, and how many lines then have room
HILL: Final = (930, 690)  # the middle of the arcs, below the edge


@lru_cache(maxsize=64)  # a card takes 50 ms; a title seldom changes
def draw_card(title: str, clinic: str) -> bytes:
    """A PNG of 1200 × 630 pixels. The font that Pillow brings (Aileron, CC0) has Latin letters only."""
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), PAPER)
    pen = ImageDraw.Draw(image)
    _draw_hill(pen)
    _draw_logo(pen, MARGIN, HEIGHT - 150)
    pen.text((_fine(MARGIN + 96), _fine(HEIGHT - 114)), clinic, fill=INK, font=_font(34), anchor="lm")
    size, lines = _fitted(title)
    for place, line in enumerate(lines):
        pen.text((_fine(MARGIN), _fine(84 + place * size * 1.18)), line, fill=INK, font=_font(size))
    written = BytesIO()
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(written, "PNG")
    return written.getvalue()


def _fine(pixels: float) -> int:
    return round(pixels * FINE)


def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(_fine(size))  # type: ignore[return-value]  # given a size, it is FreeType


def _fitted(title: str) -> tuple[int, list[str]]:
    """The largest letters with which the title stays within its lines, and those lines."""
    for size, room in SIZES.items():
        lines = _wrapped(title, size)
        if len(lines) <= room:
            break
    return size, lines[:room]


def _wrapped(title: str, size: int) -> list[str]:
    font, lines = _font(size), [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > _fine(TEXT_WIDTH):
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _draw_hill(pen: ImageDraw.ImageDraw) -> None:
    """A glazed hill under fine arcs, and a needle that stands at its point."""
    x, y = HILL
    pen.circle((_fine(x), _fine(y)), _fine(250), fill=GLAZE)
    for radius in (330, 410):
        pen.circle((_fine(x), _fine(y)), _fine(radius), outline=ARC, width=_fine(1.5))
    pen.circle((_fine(x), _fine(y)), _fine(250), outline=BRAND, width=_fine(4))
    angle = math.radians(-60)

    def at(reach: float) -> tuple[int, int]:
        return _fine(x + reach * math.cos(angle)), _fine(y + reach * math.sin(angle))

    pen.line([at(250), at(400)], fill=BRAND, width=_fine(3))
    pen.line([at(336), at(400)], fill=BRAND, width=_fine(8))
    foot_x, foot_y = at(250)
    pen.circle((foot_x, foot_y), _fine(15), fill=POINT, outline=INK, width=_fine(4))


def _draw_logo(pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
    """The logo's tile: one large corner, a hill, its ripple, the needle and the point."""

    def at(*units: float) -> list[int]:
        return [_fine((x, y)[place % 2] + unit * 1.5) for place, unit in enumerate(units)]

    pen.rounded_rectangle(at(0, 0, 48, 48), _fine(7.5), fill=BRAND)
    pen.rectangle(at(24, 24, 48, 48), fill=PAPER)
    pen.pieslice(at(12, 12, 48, 48), 0, 90, fill=BRAND)
    pen.rectangle(at(24, 24, 30, 48), fill=BRAND)
    pen.rectangle(at(24, 24, 48, 30), fill=BRAND)
    pen.arc(at(6, 24, 38, 56), 180, 360, fill=WHITE, width=_fine(3.9))
    pen.arc(at(14, 32, 30, 48), 180, 360, fill="#c6d0e3", width=_fine(2.4))
    pen.line(at(40.7, 7.5, 37.6, 13), fill=WHITE, width=_fine(4.6))
    pen.line(at(37.6, 13, 30, 26), fill=WHITE, width=_fine(2.1))
    pen.circle(tuple(at(30, 26)), _fine(5.8), fill=POINT)
