from django.conf.locale import LANG_INFO

# Those that books are written in and Django has no translation for.
OTHER_LANGUAGES = {
    "fil": "Filipino",
    "grc": "Ancient Greek",
    "la": "Latin",
    "mul": "Several",
    "sa": "Sanskrit",
    "zh": "Chinese",
}


def language_name(code: str) -> str:
    """The English name of the language with an ISO 639 code, or the code where we know none."""
    known = LANG_INFO.get(code) or {}
    return OTHER_LANGUAGES.get(code) or known.get("name") or code
