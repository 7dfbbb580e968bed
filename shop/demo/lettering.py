"""Sets titles and names on the demo covers."""

from functools import cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

from shop.demo.palettes import Colour

FONTS = Path(__file__).parent / "fonts"
SERIF = "PlayfairDisplay-SemiBold.ttf"
ITALIC = "PlayfairDisplay-Italic.ttf"
SANS = "Jost-Medium.ttf"

LEADING = 1.18
SMALLEST = 6


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / name, size)


def fit(text: str, font_name: str, box: tuple[float, float], largest: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The lines of text, evenly broken, and the largest font in which they stay within box (width, height).

    No font is smaller than SMALLEST pixels: a text too long even for that runs over.
    """
    size = largest
    while True:
        font = _font(font_name, size)
        lines = _wrap(text, font, box[0])
        tall = len(lines) * size * LEADING
        if size <= SMALLEST or (tall <= box[1] and all(font.getlength(line) <= box[0] for line in lines)):
            return lines, font
        size -= max(1, size // 25)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """As few lines as will do, then as narrow as that many allow, so that none is left short."""
    lines = _fill(text, font, width)
    narrower = width
    while narrower > width * 0.4 and len(lines) > 1:
        narrower -= width * 0.04
        candidate = _fill(text, font, narrower)
        if len(candidate) > len(lines) or any(font.getlength(line) > narrower for line in candidate):
            break
        lines = candidate
    return lines


def _fill(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def draw_spaced(
    draw: ImageDraw.ImageDraw,
    text: str,
    centre: tuple[float, float],
    face: str,
    size: float,
    fill: Colour,
    tracking: float = 0.0,
    widest: float = float("inf"),
) -> None:
    """One line with air between its letters (`tracking`, as a share of their size), no wider than `widest`."""
    pixels = round(size)
    while True:
        font = _font(face, pixels)
        wide = sum(font.getlength(letter) + pixels * tracking for letter in text) - pixels * tracking
        if wide <= widest or pixels <= SMALLEST:
            break
        pixels -= 1
    x = centre[0] - wide / 2
    for letter in text:
        draw.text((x, centre[1]), letter, fill=fill, font=font, anchor="lm")
        x += font.getlength(letter) + pixels * tracking
