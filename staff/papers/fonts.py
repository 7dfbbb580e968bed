"""The fonts that papers need: a script without one is printed as boxes."""

from staff.papers.invoices import STYLESHEET
from staff.papers.pdf import asset
from staff.papers.typesetting import printed_as_boxes

# Debian's packages of fonts, and what titles, names and addresses on an invoice need of them, in words of it.
FONTS = {
    "fonts-noto-core": {
        "Latin": "Dvořák Łódź Tiếng Việt",
        "Greek": "Ελληνικά Ὅμηρος",
        "Cyrillic": "Русский Київ",
        "Armenian": "Հայերեն",
        "Georgian": "ქართული",
        "Hebrew": "עברית",
        "Arabic": "العربية فارسی",
        "Devanagari": "हिन्दी",
        "Bengali": "বাংলা",
        "Tamil": "தமிழ்",
        "Thai": "ภาษาไทย",
    },
    "fonts-noto-cjk": {
        "Chinese": "挪威的森林 汉语 漢語",
        "Japanese": "ノルウェイの森 ひらがな",
        "Korean": "한국어",
    },
}


def scripts_without_font() -> dict[str, list[str]]:
    """Package -> the scripts that are printed as boxes for want of it."""
    every = "\n".join(words for scripts in FONTS.values() for words in scripts.values())
    boxes = printed_as_boxes(every, asset(STYLESHEET))
    lacking = {
        package: [script for script, words in scripts.items() if not boxes.isdisjoint(words)]
        for package, scripts in FONTS.items()
    }
    return {package: scripts for package, scripts in lacking.items() if scripts}
