"""The pictures on the demo covers: each function fills a whole plate, in any size and palette.

A long module, as a list is: none of them knows another.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, cos, hypot, pi, sin, sqrt
from random import Random

from PIL import Image, ImageDraw

from shop.demo.palettes import Colour, Palette, blend

Point = tuple[float, float]


@dataclass
class Plate:
    """A sheet to draw on: `width` by `height` pixels of the palette's ground."""

    width: int
    height: int
    palette: Palette
    rng: Random
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width, self.height), self.palette.ground)
        self.draw = ImageDraw.Draw(self.image)

    def disc(self, centre: Point, radius: float, fill: Colour) -> None:
        self.draw.circle(centre, radius, fill=fill)

    def ring(self, centre: Point, radius: float, fill: Colour, width: float) -> None:
        self.draw.circle(centre, radius, outline=fill, width=max(1, round(width)))

    def line(self, points: list[Point], fill: Colour, width: float) -> None:
        self.draw.line(points, fill=fill, width=max(1, round(width)), joint="curve")


Composition = Callable[[Plate], None]


def bauhaus(plate: Plate) -> None:
    """A grid of discs, quarters and stripes."""
    rng, draw = plate.rng, plate.draw
    side = plate.width / rng.choice([3, 4])
    for row in range(ceil(plate.height / side)):
        for column in range(ceil(plate.width / side)):
            x, y = column * side, row * side
            back, front, other = rng.sample([plate.palette.ground, *plate.palette.tones], 3)
            draw.rectangle((x, y, x + side, y + side), fill=back)
            shape = rng.choice(["disc", "quarter", "quarter", "rings", "half", "stripes", "leaf"])
            corner_x, corner_y, turn = rng.choice(
                [(x, y, 0), (x + side, y, 90), (x + side, y + side, 180), (x, y + side, 270)]
            )
            quarter = (corner_x - side, corner_y - side, corner_x + side, corner_y + side)
            if shape == "disc":
                plate.disc((x + side / 2, y + side / 2), side * 0.42, front)
                plate.disc((x + side / 2, y + side / 2), side * 0.18, other)
            elif shape == "half":
                draw.pieslice((x, y, x + side, y + side), turn, turn + 180, fill=front)
            elif shape == "stripes":
                for stripe in range(4):
                    top = y + side * (stripe + 0.25) / 4
                    draw.rectangle((x, top, x + side, top + side / 8), fill=front)
            elif shape == "leaf":
                _lens(
                    plate,
                    (x, y) if turn % 180 else (x + side, y),
                    (x + side, y + side) if turn % 180 else (x, y + side),
                    0.24,
                    front,
                )
            else:
                draw.pieslice(quarter, turn, turn + 90, fill=front)
                for share, fill in ((0.66, back), (0.33, other)) if shape == "rings" else ():
                    inner = (
                        corner_x - side * share,
                        corner_y - side * share,
                        corner_x + side * share,
                        corner_y + side * share,
                    )
                    draw.pieslice(inner, turn, turn + 90, fill=fill)


def sun(plate: Plate) -> None:
    """A ringed sun over still water."""
    palette, width, height = plate.palette, plate.width, plate.height
    centre = (width / 2, height * 0.5)
    radius = width * plate.rng.uniform(0.2, 0.27)
    for step in range(7, 0, -1):
        plate.disc(centre, radius * (1 + step * 0.32), blend(palette.mid, palette.ground, step / 8))
    plate.disc(centre, radius, palette.accent)
    horizon = height * 0.62
    plate.draw.rectangle((0, horizon, width, height), fill=palette.dark)
    bars = 13
    for bar in range(bars):
        y = horizon + (height - horizon) * (bar + 0.3) / bars
        reach = radius * (1.05 - 0.75 * bar / bars) * plate.rng.uniform(0.75, 1.2)
        thick = (height - horizon) / bars * (0.22 + 0.22 * bar / bars)
        shift = plate.rng.uniform(-0.1, 0.1) * radius
        box = (centre[0] - reach + shift, y, centre[0] + reach + shift, y + thick)
        plate.draw.rounded_rectangle(
            box, thick / 2, fill=blend(palette.accent, palette.light, plate.rng.random() * 0.6)
        )


def waves(plate: Plate) -> None:
    """Swell upon swell, and a moon above."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    moon = (width * rng.choice([0.28, 0.5, 0.72]), height * 0.24)
    plate.disc(moon, width * 0.13, palette.light)
    count = 9
    for swell in range(count):
        base = height * (0.34 + 0.66 * swell / count)
        length, phase = width / rng.uniform(1.4, 2.6), rng.uniform(0, 2 * pi)
        rise = height * rng.uniform(0.025, 0.05)
        crest: list[Point] = [(x, base + rise * sin(2 * pi * x / length + phase)) for x in range(-20, width + 30, 10)]
        fill = palette.accent if swell == 3 else blend(palette.mid, palette.dark, swell / (count - 1))
        plate.draw.polygon([*crest, (width + 30, height), (-20, height)], fill=fill)
        for depth in range(1, 4):
            lowered = [(x, y + depth * height * 0.014) for x, y in crest]
            plate.line(lowered, blend(fill, palette.light, 0.55 - 0.15 * depth), width * 0.004)
        plate.line(crest, palette.light, width * 0.0065)


def scales(plate: Plate) -> None:
    """Overlapping ringed scales, the sea of Japanese prints."""
    palette, rng = plate.palette, plate.rng
    radius = plate.width / rng.choice([5, 6])
    for row in range(-1, ceil(plate.height / radius * 2) + 2):
        offset = radius if row % 2 else 0
        for column in range(ceil(plate.width / radius / 2) + 2):
            centre = (column * 2 * radius - offset, row * radius / 2 + radius / 2)
            lit = rng.random() < 0.12
            outer, inner = (palette.accent, palette.light) if lit else (palette.ground, palette.light)
            plate.disc(centre, radius, inner)
            for ring, fill in ((0.94, outer), (0.7, inner), (0.64, outer), (0.4, inner), (0.34, palette.mid)):
                plate.disc(centre, radius * ring, fill)


def _ridge(plate: Plate, base: float, rise: float) -> list[Point]:
    """A jagged skyline from the left edge to the right one."""
    octaves = [(plate.rng.uniform(0, 2 * pi), plate.rng.uniform(0.8, 1.2) * 2**n, 0.55**n) for n in range(6)]
    step = max(4, plate.width // 160)
    return [
        (
            x,
            base
            - rise * sum(size * abs(sin(pi * x / plate.width * rate + phase)) for phase, rate, size in octaves) / 1.6,
        )
        for x in range(0, plate.width + step, step)
    ]


def mountains(plate: Plate) -> None:
    """Ranges fading into the distance, firs in front."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    plate.disc((width * rng.uniform(0.3, 0.7), height * 0.27), width * rng.uniform(0.09, 0.15), palette.accent)
    count = 5
    for layer in range(count):
        fill = blend(palette.light, palette.dark, 0.12 + 0.88 * layer / (count - 1))
        if layer < count - 1:
            fill = blend(fill, palette.mid, 0.35)
        ridge = _ridge(plate, height * (0.62 + 0.1 * layer), height * (0.3 - 0.045 * layer))
        plate.draw.polygon([*ridge, (width, height), (0, height)], fill=fill)
    for _ in range(26):
        x, tall = rng.uniform(0, width), height * rng.uniform(0.08, 0.17)
        foot = height * 1.01
        for tier in range(4):
            half, top = tall * (0.1 + 0.055 * tier), foot - tall + tall * 0.2 * tier
            plate.draw.polygon(
                [(x, top), (x - half, top + tall * 0.36), (x + half, top + tall * 0.36)], fill=palette.dark
            )


def _lens(plate: Plate, tip: Point, foot: Point, fatness: float, fill: Colour) -> None:
    """A leaf from foot to tip; fatness is its width as a share of its length."""
    (x0, y0), (x1, y1) = foot, tip
    across = (-(y1 - y0) * fatness, (x1 - x0) * fatness)
    left, right = [], []
    for step in range(17):
        along = step / 16
        swell = sin(pi * along) * (1 - 0.25 * along)
        x, y = x0 + (x1 - x0) * along, y0 + (y1 - y0) * along
        left.append((x + across[0] * swell, y + across[1] * swell))
        right.append((x - across[0] * swell, y - across[1] * swell))
    plate.draw.polygon(left + right[::-1], fill=fill)


def leaves(plate: Plate) -> None:
    """Stems in leaf and berry, from edge to edge."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    stems = rng.choice([3, 4])
    for stem in range(stems):
        middle = width * (stem + 0.5) / stems
        sway, phase = width * 0.045, rng.uniform(0, 2 * pi)
        length = width / stems * rng.uniform(0.46, 0.54)
        pitch = length * 0.72
        fills = rng.sample([palette.mid, palette.light, palette.dark], 2)

        def at(y: float, middle: float = middle, sway: float = sway, phase: float = phase) -> Point:
            return middle + sway * sin(y / height * 5 + phase), y

        plate.line([at(y) for y in range(-40, height + 60, 12)], fills[0], width * 0.007)
        for pair in range(ceil(height / pitch) + 2):
            foot = at(pair * pitch + phase * 20)
            for side in (-1, 1):
                tip = (foot[0] + side * length * 0.86, foot[1] - length * 0.62)
                _lens(plate, tip, foot, 0.2, fills[pair % 2])
                plate.line(
                    [foot, (foot[0] * 0.2 + tip[0] * 0.8, foot[1] * 0.2 + tip[1] * 0.8)], palette.ground, width * 0.0035
                )
                plate.disc((foot[0] + side * length * 0.42, foot[1] + length * 0.16), length * 0.075, palette.accent)


def fans(plate: Plate) -> None:
    """Art-deco fans rising in tiers behind one another."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    across = rng.choice([2, 3])
    radius = width / across / 2
    blades = 9
    for row in range(ceil(height / radius) + 1):
        for column in range(across + 1):
            x, y = (2 * column + (1 if row % 2 else 0)) * radius, (row + 0.6) * radius
            box = (x - radius, y - radius, x + radius, y + radius)
            plate.disc((x, y), radius, palette.light)
            for blade in range(blades * 2):
                fill = blend(palette.ground, palette.dark, 0.5) if blade % 2 else palette.mid
                inset = radius * 0.05
                plate.draw.pieslice(
                    (box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset),
                    180 + blade * 90 / blades, 180 + (blade + 1) * 90 / blades, fill=fill,
                )  # fmt: skip
            plate.draw.pieslice(
                (x - radius * 0.95, y - radius * 0.95, x + radius * 0.95, y + radius * 0.95),
                0,
                180,
                fill=palette.ground,
            )
            for share, fill in (
                (0.5, palette.light),
                (0.46, palette.accent),
                (0.25, palette.light),
                (0.21, palette.dark),
            ):
                plate.disc((x, y), radius * share, fill)


def _sparkle(plate: Plate, centre: Point, radius: float, fill: Colour) -> None:
    """A star of four points."""
    points = []
    for spike in range(8):
        reach = radius if spike % 2 == 0 else radius * 0.2
        points.append((centre[0] + reach * sin(spike * pi / 4), centre[1] - reach * cos(spike * pi / 4)))
    plate.draw.polygon(points, fill=fill)


def stars(plate: Plate) -> None:
    """A planet on its orbits, under a crescent."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    plate.draw.rectangle((0, 0, width, height), fill=palette.dark)
    for _ in range(230):
        spot = (rng.uniform(0, width), rng.uniform(0, height))
        plate.disc(spot, width * rng.uniform(0.0008, 0.0028), blend(palette.mid, palette.light, rng.random()))
    centre = (width * rng.uniform(0.42, 0.58), height * 0.55)
    for orbit in range(1, 6):
        radius = width * (0.13 + 0.105 * orbit)
        plate.ring(centre, radius, blend(palette.light, palette.dark, 0.45), width * 0.0026)
        turn = rng.uniform(0, 2 * pi)
        planet = (centre[0] + radius * cos(turn), centre[1] + radius * sin(turn))
        plate.disc(planet, width * rng.uniform(0.016, 0.038), rng.choice([palette.accent, palette.light, palette.mid]))
    plate.disc(centre, width * 0.135, palette.accent)
    plate.disc((centre[0] + width * 0.045, centre[1] - width * 0.03), width * 0.108, palette.dark)
    for _ in range(12):
        spot = (rng.uniform(0.05, 0.95) * width, rng.uniform(0.05, 0.95) * height)
        _sparkle(plate, spot, width * rng.uniform(0.014, 0.034), palette.light)


def engraving(plate: Plate) -> None:
    """A globe that appears only in the swelling of engraved lines."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    lines = 40
    pitch = height / lines
    centre, radius = (width * rng.uniform(0.4, 0.6), height * 0.46), min(width, height) * 0.33
    lean = rng.uniform(0.4, 0.7) * rng.choice([-1, 1])
    phase = rng.uniform(0, 2 * pi)
    plate.disc((centre[0] - radius * 0.12 * lean, centre[1] - radius * 0.06), radius * 1.08, palette.accent)
    for number in range(lines + 1):
        y = (number + 0.5) * pitch
        upper, lower = [], []
        for x in range(0, width + 12, 12):
            dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
            lift = 0.0
            weight = 0.2 + 0.12 * sin(4 * pi * x / width + phase + y / height * 9)
            if hypot(dx, dy) < 1:
                lift = -sqrt(1 - dx * dx - dy * dy) * pitch * 1.6
                weight = 0.12 + 0.34 * (1 + dx * lean + dy * 0.5) / 1.6
            upper.append((x, y + lift - pitch * weight))
            lower.append((x, y + lift + pitch * weight))
        plate.draw.polygon(upper + lower[::-1], fill=palette.contrast)


def skyline(plate: Plate) -> None:
    """A city at night, some of it still awake."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    plate.disc((width * rng.uniform(0.25, 0.75), height * 0.26), width * 0.14, palette.light)
    count = 4
    for layer in range(count):
        fill = blend(palette.mid, palette.dark, layer / (count - 1))
        x = -rng.uniform(0, width * 0.06)
        while x < width:
            wide = width * rng.uniform(0.07, 0.13)
            top = height * (0.4 + 0.13 * layer + rng.uniform(-0.09, 0.07))
            plate.draw.rectangle((x, top, x + wide, height), fill=fill)
            _roof(plate, x, top, wide, fill)
            if layer:
                _windows(plate, (x, top, wide), blend(fill, palette.accent, 0.45 + 0.18 * layer))
            x += wide * 0.98


def _roof(plate: Plate, x: float, top: float, wide: float, fill: Colour) -> None:
    kind = plate.rng.choice(["flat", "gable", "spire", "dome", "chimney"])
    if kind == "gable":
        plate.draw.polygon([(x, top + 1), (x + wide / 2, top - wide * 0.5), (x + wide, top + 1)], fill=fill)
    elif kind == "spire":
        plate.draw.polygon([(x, top + 1), (x + wide / 2, top - wide * 1.7), (x + wide, top + 1)], fill=fill)
    elif kind == "dome":
        plate.draw.pieslice((x, top - wide / 2, x + wide, top + wide / 2), 180, 360, fill=fill)
        plate.line([(x + wide / 2, top - wide * 0.85), (x + wide / 2, top)], fill, wide * 0.06)
    elif kind == "chimney":
        plate.draw.rectangle((x + wide * 0.65, top - wide * 0.35, x + wide * 0.85, top), fill=fill)


def _windows(plate: Plate, house: tuple[float, float, float], fill: Colour) -> None:
    x, top, wide = house
    pane = wide / 7
    for row in range(1, int((plate.height - top) / pane / 2.6)):
        for column in range(3):
            if plate.rng.random() < 0.42:
                left, upper = x + pane * (1 + 2 * column), top + row * pane * 2.4
                plate.draw.rectangle((left, upper, left + pane, upper + pane * 1.4), fill=fill)


def tiles(plate: Plate) -> None:
    """Eight-pointed stars, as on a tiled wall."""
    palette, rng = plate.palette, plate.rng
    side = plate.width / rng.choice([3, 4, 5])
    first, second = rng.sample([palette.mid, palette.accent, palette.dark], 2)
    for row in range(ceil(plate.height / side) + 1):
        for column in range(ceil(plate.width / side) + 1):
            x, y = column * side, row * side
            for share, fill in (
                (0.5, palette.light),
                (0.455, first if (row + column) % 2 else second),
                (0.3, palette.light),
                (0.26, palette.ground),
            ):
                _star(plate, (x + side / 2, y + side / 2), side * share, fill)
            _star(plate, (x, y), side * 0.17, palette.accent if (row + column) % 2 else palette.light)
            plate.disc((x + side / 2, y + side / 2), side * 0.1, palette.accent)


def _star(plate: Plate, centre: Point, radius: float, fill: Colour) -> None:
    """Two squares, one turned by an eighth."""
    x, y = centre
    half = radius / sqrt(2)
    plate.draw.rectangle((x - half, y - half, x + half, y + half), fill=fill)
    plate.draw.polygon([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], fill=fill)


def tree(plate: Plate) -> None:
    """One tree on a hill, in fruit."""
    palette, rng, width, height = plate.palette, plate.rng, plate.width, plate.height
    plate.disc((width / 2, height * 0.44), width * 0.4, blend(palette.ground, palette.mid, 0.55))
    plate.disc((width / 2, height * 1.9), height * 1.05, palette.dark)
    tips: list[Point] = []

    def branch(foot: Point, turn: float, length: float, depth: int) -> None:
        tip = (foot[0] + length * sin(turn), foot[1] - length * cos(turn))
        plate.line([foot, tip], palette.dark, width * 0.0042 * depth**1.25)
        plate.disc(tip, width * 0.002 * depth**1.25, palette.dark)
        if depth == 1:
            tips.append(tip)
            return
        for fork in (-1, 1):
            branch(tip, turn + fork * rng.uniform(0.22, 0.52), length * rng.uniform(0.74, 0.86), depth - 1)

    branch((width / 2, height * 0.9), rng.uniform(-0.08, 0.08), min(height * 0.16, width * 0.2), 7)
    for x, y in tips:
        lean = rng.uniform(-1.2, 1.2)
        reach = width * 0.036
        fill = rng.choice([palette.light, palette.accent, blend(palette.light, palette.mid, 0.5)])
        _lens(plate, (x + reach * sin(lean), y - reach * cos(lean)), (x, y), 0.26, fill)


def maze(plate: Plate) -> None:
    """One winding way through the whole sheet."""
    palette, rng = plate.palette, plate.rng
    columns = rng.choice([11, 13])
    side = plate.width / columns
    rows = ceil(plate.height / side)
    seen, path = {(0, 0)}, [(0, 0)]
    while path:
        column, row = path[-1]
        ways = [
            (column + dx, row + dy)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if 0 <= column + dx < columns and 0 <= row + dy < rows and (column + dx, row + dy) not in seen
        ]
        if not ways:
            path.pop()
            continue
        step = rng.choice(ways)
        seen.add(step)
        ends: list[Point] = [((c + 0.5) * side, (r + 0.5) * side) for c, r in (path[-1], step)]
        plate.line(ends, palette.contrast, side * 0.5)
        for end in ends:
            plate.disc(end, side * 0.25, palette.contrast)
        path.append(step)
    goal = ((columns // 2 + 0.5) * side, (rows // 2 + 0.5) * side)
    plate.disc(goal, side * 1.6, palette.ground)
    plate.disc(goal, side * 1.25, palette.accent)
    plate.disc(goal, side * 0.5, palette.paper)


COMPOSITIONS: dict[str, Composition] = {
    each.__name__: each
    for each in (bauhaus, sun, waves, scales, mountains, leaves, fans, stars, engraving, skyline, tiles, tree, maze)
}
