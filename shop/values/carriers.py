"""Carriers' own pages that say where a parcel is."""

import re
from urllib.parse import quote

ROYAL_MAIL = "https://www.royalmail.com/track-your-item#/tracking-results/{}"
PARCELFORCE = "https://www.parcelforce.com/track-trace?trackNumber={}"
DPD = "https://track.dpd.co.uk/search?reference={}"
EVRI = "https://www.evri.com/track/parcel/{}"
UPS = "https://www.ups.com/track?tracknum={}"
DHL = "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}"
DEUTSCHE_POST = "https://www.dhl.de/en/privatkunden/pakete-empfangen/verfolgen.html?piececode={}"
FEDEX = "https://www.fedex.com/fedextrack/?trknbr={}"
USPS = "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"
GLS = "https://gls-group.com/GROUP/en/parcel-tracking?match={}"
AN_POST = "https://www.anpost.com/Post-Parcels/Track/History?item={}"

# As they call themselves.
NAMES = ("An Post", "Deutsche Post", "DHL", "DPD", "Evri", "FedEx", "GLS", "Parcelforce", "Royal Mail", "UPS", "USPS")

# As a carrier may be written, in small letters and without spaces and signs.
PAGES = {
    "royalmail": ROYAL_MAIL,
    "parcelforce": PARCELFORCE,
    "parcelforceworldwide": PARCELFORCE,
    "dpd": DPD,
    "dpduk": DPD,
    "evri": EVRI,
    "hermes": EVRI,
    "ups": UPS,
    "dhl": DHL,
    "dhlexpress": DHL,
    "dhlpaket": DEUTSCHE_POST,
    "deutschepost": DEUTSCHE_POST,
    "deutschepostdhl": DEUTSCHE_POST,
    "fedex": FEDEX,
    "usps": USPS,
    "gls": GLS,
    "anpost": AN_POST,
}


def tracking_link(carrier: str, number: str) -> str:
    """The carrier's page about the parcel of that number; nothing where the carrier is not known, or no number."""
    page = PAGES.get(re.sub(r"[\W_]", "", carrier.casefold()), "")
    # Spaces are for people who read it out.
    number = "".join(number.split())
    return page.format(quote(number, safe="")) if page and number else ""
