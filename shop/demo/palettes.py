"""The colours that the demo covers are printed in."""

from typing import NamedTuple

Colour = tuple[int, int, int]


class Palette(NamedTuple):
    """Seven inks: the picture's ground and four tones, and the paper and ink of the lettering."""

    ground: Colour
    dark: Colour
    mid: Colour
    light: Colour
    accent: Colour
    paper: Colour
    ink: Colour

    @property
    def tones(self) -> tuple[Colour, Colour, Colour, Colour]:
        """What may be laid on the ground."""
        return self.dark, self.mid, self.light, self.accent

    @property
    def contrast(self) -> Colour:
        """Whichever of dark and light stands out more from the ground."""
        return max(self.dark, self.light, key=lambda tone: abs(_brightness(tone) - _brightness(self.ground)))


def blend(start: Colour, end: Colour, share: float) -> Colour:
    """The colour `share` (0 to 1) of the way from start to end."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return red, green, blue


def _brightness(colour: Colour) -> float:
    red, green, blue = colour
    return 0.3 * red + 0.59 * green + 0.11 * blue


def _palette(inks: str) -> Palette:
    colours = [tuple(bytes.fromhex(ink)) for ink in inks.split()]
    return Palette(*colours)  # type: ignore[arg-type]


#                ground dark   mid    light  accent paper  ink
PALETTES = [
    _palette("16213e 0b1026 3f5f8a e8d5b0 e0a030 f6efe0 16213e"),
    _palette("c8553d 5b2333 e08e5f f3d9b1 2f4858 fbf3e4 3a1a22"),
    _palette("1f3d36 12261f 4f7f5f c9d8a5 e3b448 f5f0dc 1f3d36"),
    _palette("e0a83b 7a3e1d c2702a f7e3a8 1e4d5c fdf6e3 4a2412"),
    _palette("e8b4b0 7b2d43 c8657a f9e4dd 2e4057 fff7f2 5a1e32"),
    _palette("13505b 0b2e36 2a8c8c bfe0d4 f29e4c f3f5ea 0f3a43"),
    _palette("3d2645 231428 83588f dcc3d9 f0a35e f7f0f5 3d2645"),
    _palette("ece2cd 2b2b2b b9ab8c fbf8f0 c8362b fbf8f0 1f1f1f"),
    _palette("a9cfe0 1d3b5a 5b92b5 eef6f5 e4572e fbfaf3 1d3b5a"),
    _palette("8a8b4f 3b3c1e b5b277 e9e3b8 b5452c f8f4e1 33341b"),
    _palette("8f1d2c 4d0f1a c2473c f1c9a5 e9b44c faf0e2 5e1220"),
    _palette("4b5a68 252f3a 8496a3 d5dde0 e6b85c f4f3ee 252f3a"),
    _palette("bcd8c1 24534a 6ba58d f0f7e9 d1495b fcfbf2 1f473f"),
    _palette("1c1c22 0c0c10 6b5a35 d9b95b a63d40 f2ead3 1c1c22"),
    _palette("2e3a87 1b2256 6f7fc8 f7c9a9 ef6f5e fbf1e6 232c6b"),
]
