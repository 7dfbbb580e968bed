"""Draws the covers of the demo shop's books: a series designed by arithmetic.

The same title and author always give the same picture, on any machine, so that loading the demo
twice changes nothing.
"""

import re
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from shop.demo.compositions import COMPOSITIONS, Composition, Plate
from shop.demo.lettering import ITALIC, LEADING, SANS, SERIF, draw_spaced, fit
from shop.demo.palettes import PALETTES, Colour, Palette, blend

SIZE = (600, 900)
VARIANTS = 4
# Drawn at twice the size and halved: Pillow's shapes have no smooth edges of their own.
SUPERSAMPLE = 2
LONG_TITLE = 90

# Titles that ask for a picture of their own kind; any other gets whichever falls to it.
THEMES = {
    "waves": r"sea\b|whale|treasure island|crusoe|gulliver|odyssey",
    "stars": r"mars|worlds|time machine|commedia|wendy",
    "skyline": r"scarlet|four|adventures of sherlock|crime|expectations|jekyll|misérables",
    "mountains": r"wuthering|baskervilles|journey|noli|saga",
    "leaves": r"grass|willows|budding|swann|fleurs|little women",
    "tree": r"walden|middlemarch|karamazov|tales|eyre",
    "sun": r"gitanjali|quijote|huckleberry|meditations",
    "maze": r"verwandlung|souls|looking-glass|hamlet",
    "scales": r"genji|cat$|art of war|pride",
    "tiles": r"monte cristo|candide|lady with|persuasion|emma",
    "fans": r"guermantes|dorian|bovary|musketeers",
    "bauhaus": r"r\.u\.r|manifesto|doll",
    "engraving": r"memoirs|frankenstein|dracula|brás|narrative",
}


def draw_cover(title: str, author: str, variant: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of one book, RGB and `size` pixels large.

    `author` is set as it is given, so two names come joined ("Karl Marx & Friedrich Engels").
    Variant 0 is the front cover, 1 the back, 2 the title page and 3 a detail of the picture.
    Raises ValueError for any other variant.
    """
    if variant not in range(VARIANTS):
        raise ValueError(f"A book has the pictures 0 to {VARIANTS - 1}, not {variant}.")
    cover = _Cover(title, author, (size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE))
    page = (cover.front, cover.back, cover.title_page, cover.detail)[variant]()
    return page.resize(size, Image.Resampling.BOX)


def _dice(seed: str) -> Random:
    # A string seeds Random through SHA-512, so it falls the same way in every process, unlike hash().
    return Random(seed)  # noqa: S311


class _Cover:
    """One book's design: its picture, palette and layout, all chosen by its title and author."""

    def __init__(self, title: str, author: str, size: tuple[int, int]) -> None:
        self.seed = f"{title}\n{author}"
        rng = _dice(self.seed)
        self.title, self.author = title.replace("'", "’"), author.replace("'", "’")
        # "Moby-Dick; or, The Whale" is set as a title and a smaller second line.
        self.heading, _, self.subtitle = self.title.partition("; " if "; " in title else ": ")
        self.width, self.height = size
        self.palette: Palette = rng.choice(PALETTES)
        self.composition = self._pick_composition(rng)
        self.layout: Callable[[], Image.Image] = rng.choice([self._label, self._band, self._head, self._plate])
        if len(title) > LONG_TITLE:
            self.layout = self._broadside
        self.face = rng.choice([SERIF, SERIF, ITALIC, SANS])

    def _pick_composition(self, rng: Random) -> Composition:
        for name, pattern in THEMES.items():
            if re.search(rf"\b(?:{pattern})", self.title, re.IGNORECASE):
                return COMPOSITIONS[name]
        return rng.choice(list(COMPOSITIONS.values()))

    # Pages

    def front(self) -> Image.Image:
        page = self.layout()
        self._hinge(page, 0.0)
        return page

    def back(self) -> Image.Image:
        page = Image.new("RGB", (self.width, self.height), self.palette.ground)
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        page.paste(self._art(w, round(h * 0.42)), (0, 0))
        draw.rectangle((0, h * 0.42, w, h), fill=self.palette.paper)
        draw.rectangle((0, h * 0.42, w, h * 0.428), fill=self.palette.accent)
        self._title(draw, (w * 0.12, h * 0.46, w * 0.88, h * 0.63), self.palette.ink, largest=0.075)
        self._author(draw, h * 0.67, self.palette.ink)
        self._rule(draw, h * 0.72, self.palette.accent)
        draw_spaced(draw, "A BookTime Classic", (w / 2, h * 0.76), ITALIC, w * 0.034, self.palette.ink)
        self._bars(draw)
        self._colophon(draw, (w * 0.17, h * 0.9), self.palette.ink)
        self._hinge(page, 1.0)
        return page

    def title_page(self) -> Image.Image:
        page = Image.new("RGB", (self.width, self.height), blend(self.palette.paper, (255, 255, 255), 0.35))
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        self._title(draw, (w * 0.14, h * 0.1, w * 0.86, h * 0.37), self.palette.ink, largest=0.1, face=SERIF)
        self._author(draw, h * 0.42, self.palette.ink)
        across = round(w * 0.46)
        mask = Image.new("L", (across, across))
        ImageDraw.Draw(mask).ellipse((0, 0, across - 1, across - 1), fill=255)
        page.paste(self._art(across, across), (round((w - across) / 2), round(h * 0.49)), mask)
        middle = (w / 2, h * 0.49 + across / 2)
        draw.circle(middle, across * 0.54, outline=self.palette.ink, width=round(w * 0.003))
        self._colophon(draw, (w / 2, h * 0.885), self.palette.ink)
        draw_spaced(draw, "BOOKTIME", (w / 2, h * 0.93), SANS, w * 0.022, self.palette.ink, tracking=0.3)
        self._hinge(page, 0.0)
        return page

    def detail(self) -> Image.Image:
        w, h = self.width, self.height
        art = self._art(w * 2, h * 2)
        left, top = round(w * 0.5), round(h * 0.5)
        return art.crop((left, top, left + w, top + h))

    # Layouts of the front

    def _label(self) -> Image.Image:
        """The picture over the whole cover and a paper label on it."""
        page = self._art(self.width, self.height)
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        left, top, right, bottom = w * 0.15, h * 0.12, w * 0.85, h * 0.46
        draw.rectangle((left, top, right, bottom), fill=self.palette.paper)
        for inset, thick in ((0.018, 0.006), (0.031, 0.0025)):
            box = (left + w * inset, top + w * inset, right - w * inset, bottom - w * inset)
            draw.rectangle(box, outline=self.palette.ink, width=round(w * thick))
        self._title(draw, (w * 0.21, h * 0.15, w * 0.79, h * 0.345), self.palette.ink)
        self._rule(draw, h * 0.365, self.palette.accent)
        self._author(draw, h * 0.403, self.palette.ink, 0.52)
        return page

    def _band(self) -> Image.Image:
        """The picture above, the lettering on paper below."""
        page = Image.new("RGB", (self.width, self.height), self.palette.paper)
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        page.paste(self._art(w, round(h * 0.6)), (0, 0))
        draw.rectangle((0, h * 0.6, w, h * 0.61), fill=self.palette.accent)
        self._title(draw, (w * 0.1, h * 0.645, w * 0.9, h * 0.835), self.palette.ink)
        self._author(draw, h * 0.88, self.palette.ink)
        self._colophon(draw, (w / 2, h * 0.945), self.palette.ink)
        return page

    def _head(self) -> Image.Image:
        """The lettering in a block of dark colour above the picture."""
        page = Image.new("RGB", (self.width, self.height), self.palette.dark)
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        page.paste(self._art(w, h - round(h * 0.4)), (0, round(h * 0.4)))
        draw.rectangle((0, h * 0.395, w, h * 0.402), fill=self.palette.light)
        self._author(draw, h * 0.075, self.palette.light)
        self._rule(draw, h * 0.108, self.palette.light)
        self._title(draw, (w * 0.1, h * 0.13, w * 0.9, h * 0.37), self.palette.paper)
        return page

    def _plate(self) -> Image.Image:
        """A framed picture on coloured paper, with the lettering beneath."""
        page = Image.new("RGB", (self.width, self.height), self.palette.paper)
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        left, top, right, bottom = round(w * 0.1), round(w * 0.1), round(w * 0.9), round(h * 0.62)
        draw.rectangle(
            (w * 0.04, w * 0.04, w * 0.96, h - w * 0.04), outline=self.palette.accent, width=round(w * 0.006)
        )
        page.paste(self._art(right - left, bottom - top), (left, top))
        gap = w * 0.018
        draw.rectangle(
            (left - gap, top - gap, right + gap, bottom + gap), outline=self.palette.ink, width=round(w * 0.003)
        )
        self._title(draw, (w * 0.12, h * 0.66, w * 0.88, h * 0.84), self.palette.ink)
        self._author(draw, h * 0.89, self.palette.ink)
        return page

    def _broadside(self) -> Image.Image:
        """An old title page, nearly all lettering, for the titles that tell the whole story."""
        page = Image.new("RGB", (self.width, self.height), self.palette.paper)
        draw, w, h = ImageDraw.Draw(page), self.width, self.height
        page.paste(self._art(w, round(h * 0.3)), (0, round(h * 0.7)))
        draw.rectangle((0, h * 0.697, w, h * 0.703), fill=self.palette.accent)
        self._title(draw, (w * 0.1, h * 0.06, w * 0.9, h * 0.57), self.palette.ink, largest=0.085)
        self._rule(draw, h * 0.605, self.palette.accent)
        self._author(draw, h * 0.648, self.palette.ink)
        return page

    # Parts

    def _art(self, width: int, height: int) -> Image.Image:
        plate = Plate(width, height, self.palette, _dice(self.seed))
        self.composition(plate)
        return plate.image

    def _title(
        self,
        draw: ImageDraw.ImageDraw,
        box: tuple[float, float, float, float],
        fill: Colour,
        largest: float = 0.135,
        face: str = "",
    ) -> None:
        left, top, right, bottom = box
        face = face or self.face
        heading = self.heading.upper() if face == SANS else self.heading
        share = max(0.5, min(0.74, len(heading) / len(self.title))) if self.subtitle else 1.0
        tall = bottom - top
        lines, font = fit(heading, face, (right - left, tall * share), round(self.width * largest))
        blocks = [(lines, font)]
        if self.subtitle:
            small = min(round(font.size * 0.62), round(self.width * 0.052))
            blocks.append(fit(self.subtitle, ITALIC, (right - left, tall * (0.96 - share)), max(6, small)))
        gap = tall * 0.03 * (len(blocks) - 1)
        used = sum(len(lines) * font.size * LEADING for lines, font in blocks) + gap
        y = top + (tall - used) / 2
        for lines, font in blocks:
            for line in lines:
                draw.text(((left + right) / 2, y + font.size * LEADING / 2), line, fill=fill, font=font, anchor="mm")
                y += font.size * LEADING
            y += gap

    def _author(self, draw: ImageDraw.ImageDraw, y: float, fill: Colour, width: float = 0.78) -> None:
        w = self.width
        draw_spaced(draw, self.author.upper(), (w / 2, y), SANS, w * 0.034, fill, tracking=0.16, widest=w * width)

    def _rule(self, draw: ImageDraw.ImageDraw, y: float, fill: Colour) -> None:
        w = self.width
        draw.rectangle((w * 0.42, y, w * 0.58, y + w * 0.0045), fill=fill)
        draw.circle((w / 2, y + w * 0.002), w * 0.009, fill=fill)

    def _colophon(self, draw: ImageDraw.ImageDraw, centre: tuple[float, float], fill: Colour) -> None:
        """The house's mark: a clock."""
        x, y = centre
        radius, thick = self.width * 0.022, round(self.width * 0.004)
        draw.circle(centre, radius, outline=fill, width=thick)
        draw.line(
            [(x, y - radius * 0.62), (x, y), (x + radius * 0.45, y + radius * 0.25)],
            fill=fill,
            width=thick,
            joint="curve",
        )

    def _bars(self, draw: ImageDraw.ImageDraw) -> None:
        rng, w, h = _dice(self.seed), self.width, self.height
        x, right = w * 0.62, w * 0.88
        draw.rectangle((x - w * 0.02, h * 0.855, right + w * 0.02, h * 0.945), fill=(255, 255, 255))
        while x < right - w * 0.01:
            bar = w * rng.choice([0.003, 0.003, 0.006, 0.009])
            draw.rectangle((x, h * 0.865, x + bar, h * 0.935), fill=(20, 20, 20))
            x += bar + w * rng.choice([0.004, 0.006])

    def _hinge(self, page: Image.Image, side: float) -> None:
        """The shadow of the fold where the cover meets the spine, at the left (0) or the right (1)."""
        w, h = page.size
        shade = Image.new("L", (w, 1))
        for x in range(round(w * 0.05)):
            along = x / (w * 0.05)
            strength = 60 * (1 - along / 0.4) if along < 0.4 else 34 * (1 - abs(along - 0.7) / 0.3)
            shade.putpixel((x if side == 0 else w - 1 - x, 0), max(0, round(strength)))
        page.paste((0, 0, 0), (0, 0, w, h), shade.resize((w, h)))
