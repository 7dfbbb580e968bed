from barcode import Code128
from django.utils.html import format_html
from django.utils.safestring import SafeString

# In modules, the width of a thin bar: what a scanner needs to be white on both sides.
QUIET = 10


def code_128(text: str) -> SafeString:
    """The text as a bar code (Code 128) in SVG, as wide and high as its stylesheet says; ASCII alone can be in it."""
    [modules] = Code128(text).build()
    bars = "".join(f"M{QUIET + place} 0h1v1h-1z" for place, bar in enumerate(modules) if bar == "1")
    return format_html(
        '<svg class="barcode" viewBox="0 0 {} 1" preserveAspectRatio="none" role="img" aria-label="{}"'
        ' shape-rendering="crispEdges"><path d="{}"/></svg>',
        len(modules) + 2 * QUIET,
        text,
        bars,
    )
