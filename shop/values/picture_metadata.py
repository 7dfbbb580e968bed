"""What a picture's file tells beside the picture: where it was taken, by whom and with what, remarks, an older version.

`without_metadata` leaves it out and copies the rest as it is, so that nothing of the picture is lost. What is not known
to be needed to show the picture is left out: camera makers go on inventing.
"""

import re
import struct
from collections.abc import Callable

# A marker between a JPEG's pieces of picture: there, 00 stands for a byte FF and D0 to D7 are part of the picture.
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
START, END, SCAN, REMARK = 0xD8, 0xD9, 0xDA, 0xFE
APPLICATION = range(0xE0, 0xF0)
# Density, colour profile, and what colours the numbers stand for.
KEPT_OF_JPEG = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT_OF_PNG = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"),
    *(b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT", b"bKGD", b"pHYs"),
}

KEPT_OF_WEBP = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
WEBP_FLAGS_OF_METADATA = 0b0000_1100

IMAGE, EXTENSION, TRAILER = b"\x2c", b"\x21", b"\x3b"
GRAPHIC_CONTROL, APPLICATION_EXTENSION = 0xF9, 0xFF
# How often an animation is repeated.
KEPT_OF_GIF = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def without_metadata(content: bytes, extension: str) -> bytes:
    """The same picture's file without what only tells of it; `extension` is jpg, png, gif or webp.

    Raises ValueError for what is not put together as such a file is.
    """
    try:
        return CLEANERS[extension](content)
    except (struct.error, IndexError) as error:
        raise ValueError("The file ends too early.") from error


def clean_jpeg(content: bytes) -> bytes:
    kept, place = [content[:2]], 2
    while True:
        found = MARKER.match(content, place)
        if not found:
            # Padding before a marker.
            if content[place] != 0xFF:
                raise ValueError("There is no marker where one has to be.")
            place += 1
            continue
        marker = content[place + 1]
        if marker == END:
            return b"".join([*kept, content[place : place + 2]])
        (length,) = struct.unpack_from(">H", content, place + 2)
        end = place + 2 + length
        if marker == SCAN:
            following = MARKER.search(content, end)
            # Not every file ends as it should.
            end = following.start() if following else len(content)
        if is_needed(marker, content[place + 4 : end]):
            kept.append(content[place:end])
        if end >= len(content):
            return b"".join([*kept, b"\xff\xd9"])
        place = end


def is_needed(marker: int, segment: bytes) -> bool:
    if marker in APPLICATION:
        return segment.startswith(KEPT_OF_JPEG.get(marker, b"\0none"))
    return marker != REMARK


def clean_png(content: bytes) -> bytes:
    kept, place, kind = [PNG_SIGNATURE], len(PNG_SIGNATURE), b""
    while kind != b"IEND" and place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if kind in KEPT_OF_PNG:
            kept.append(content[place:end])
        place = end
    return b"".join(kept)


def clean_webp(content: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", content, 4)
    kept, place = [], 12
    while place < min(size + 8, len(content)):
        kind, length = struct.unpack_from("<4sI", content, place)
        end = place + 8 + length + length % 2
        if kind in KEPT_OF_WEBP:
            chunk = bytearray(content[place:end])
            if kind == b"VP8X":
                chunk[8] &= ~WEBP_FLAGS_OF_METADATA
            kept.append(bytes(chunk))
        place = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def clean_gif(content: bytes) -> bytes:
    place = 13 + colour_table(content[10])
    kept = [content[:place]]
    while content[place : place + 1] != TRAILER:
        if content[place : place + 1] == IMAGE:
            end = after_blocks(content, place + 11 + colour_table(content[place + 9]))
            kept.append(content[place:end])
        elif content[place : place + 1] == EXTENSION:
            end = after_blocks(content, place + 2)
            label, name = content[place + 1], content[place + 3 : place + 14]
            if label == GRAPHIC_CONTROL or (label == APPLICATION_EXTENSION and name in KEPT_OF_GIF):
                kept.append(content[place:end])
        else:
            # Not every file ends as it should.
            break
        place = end
    return b"".join([*kept, TRAILER])


def colour_table(flags: int) -> int:
    """How long the table is that these flags announce."""
    return 3 * 2 ** ((flags & 0b111) + 1) if flags & 0b1000_0000 else 0


def after_blocks(content: bytes, place: int) -> int:
    """Where a GIF's row of blocks ends, each of which begins with its length."""
    while length := content[place]:
        place += 1 + length
    return place + 1


CLEANERS: dict[str, Callable[[bytes], bytes]] = {
    "jpg": clean_jpeg,
    "png": clean_png,
    "webp": clean_webp,
    "gif": clean_gif,
}
