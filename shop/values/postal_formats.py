"""How the countries write addresses below the street: which parts there are, what these are called, on which lines.

After Google's libaddressinput (CC BY 4.0), with a town wherever an address of ours has one. Nothing here refuses an
address: a part that a country does not use is left out of its form, and written where somebody gave it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

# The town (C), the state or whatever a country is divided into (S) and the postcode (Z); "/" begins a line.
LAYOUTS = {
    "C/Z": "uk gg gi im je af ai fk gs hu io ke lk na pn sd sh sz tc vg za",
    "C Z": "bd bh bm bn bt gu il jo kh lb ls mm mt mv np nz pk pr sa sg vc",
    "C, S Z": "us bb so tw",
    "C S Z": "as au ca cc cx fm hm ky mh mp nf pg pw um vi",
    "C S/Z": "cu",
    "C, S/Z": "hn iq jp ph cr ir",
    "C, S, Z": "co",
    "C/S/Z": "ie eg kr ru ua",
    "C/S Z": "id mn vn th",
    "C/S, Z": "cn kp",
    "C-S/Z": "br",
    "C Z/S": "in ng pe",
    "C Z, S": "ve",
    "C, S": "bs kn",
    "C/S": "hk ae jm ki nr pa sc sr tv",
    "Z C": "ad at ax az ba be bg bl ch cy cz de dk do dz ee eh et fi fo fr ge gf gl gn gp gr gt gw hr ht is kg kw la "
    "li lr lt lu lv ma mc md me mf mg mk mq nc ne nl no pl pm pt py re rs se si sj sk sm sn tj tm tn tz va wf yt zm",
    "Z C/S": "ar by cl cv kz my ni sv tr uz",
    "Z C S": "es it mz pf ro uy",
    "Z C, S": "mx",
    "Z/C": "al ec mu om",
    "Z/C/S": "am",
    "C": "ag ao aq aw bf bi bj bo bq bv bw bz cd cf cg ci ck cm cw dj dm er fj ga gd gh gm gq gy km lc ly ml mo mr ms "
    "mw nu ps qa rw sb sl ss st sx sy td tf tg tk tl to tt ug vu ws ye zw",
}
WITHOUT_POSTCODES = "ae bf bi bs ci hk jm ki kn mo mw nr pa qa sc sr tv zw"
# Each address there has a postcode, or none arrives.
ALWAYS_POSTCODE = (
    "as at au be br ca ch cn cz de dk es fi fr gl gr gu hu in it jp kr li lt lu lv mq mx my nl no pl pr pt re ro se "
    "sg si sk tr ua uk us za"
)
POSTCODES = {"us": "ZIP code", "pr": "ZIP code", "ie": "Eircode", "in": "PIN code", "ca": "Postal code"}
DIVISIONS = {
    "State": "as au br fm in mh mp mx my ng pw um us ve vi",
    "County": "ie tw",
    "Prefecture": "jp",
    "Emirate": "ae",
    "Region": "ru ua",
    "Area": "hk",
    "Parish": "bb jm",
    "Department": "co hn ni",
    "Island": "bs cv ki kn ky pf sc tv",
    "District": "nr",
}
TOWNS = {"us": "City", "ca": "City", "au": "Suburb or town", "hk": "District"}


def by_code(groups: dict[str, str]) -> dict[str, str]:
    return {code: value for value, codes in groups.items() for code in codes.split()}


@dataclass(frozen=True)
class PostalFormat:
    """How one country writes addresses; `layout` as in `LAYOUTS`."""

    layout: str
    postcode: str
    town: str
    division: str
    needs_postcode: bool

    @property
    def has_postcode(self) -> bool:
        return "Z" in self.layout

    @property
    def has_division(self) -> bool:
        return "S" in self.layout

    @property
    def postcode_first(self) -> bool:
        return self.has_postcode and self.layout.index("Z") < self.layout.index("C")

    def town_and_state(self, town: str, state: str) -> str:
        """Both as one text, for who keeps one alone: "Springfield, IL"."""
        together = re.search("C([^/A-Z]+)S", self.layout)
        return (together[1] if together else ", ").join(filter(None, (town, state)))

    def lines(self, town: str, state: str, postcode: str) -> list[str]:
        """What stands below the street, line by line, without what is empty."""
        given = {"C": town, "S": state, "Z": postcode}
        layout = self.layout if self.has_division else self.layout.replace("C", "C/S")
        layout = layout if self.has_postcode else f"{layout}/Z"
        return [line for line in (_joined(line, given) for line in layout.split("/")) if line]


def _joined(line: str, given: dict[str, str]) -> str:
    text, between = "", ""
    for piece in re.findall("[CSZ]|[^CSZ]+", line):
        if piece not in given:
            between = piece
        elif given[piece]:
            text += (between if text else "") + given[piece]
    return text


_LAYOUTS, _DIVISIONS = by_code(LAYOUTS), by_code(DIVISIONS)
# Of a country that nobody described everything may be written.
UNKNOWN = "Z C/S"


# Who sends something else than a country gets what is made for none.
@lru_cache(300)
def postal_format(country: str) -> PostalFormat:
    layout = _LAYOUTS.get(country, UNKNOWN)
    if layout == "C" and country not in WITHOUT_POSTCODES.split():
        layout = "Z C"
    return PostalFormat(
        layout,
        postcode=POSTCODES.get(country, "Postcode"),
        town=TOWNS.get(country, "Town or city"),
        division=_DIVISIONS.get(country, "Province" if country in _LAYOUTS and "S" in layout else "State or region"),
        needs_postcode=country in ALWAYS_POSTCODE.split(),
    )
