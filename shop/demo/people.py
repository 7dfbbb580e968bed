"""The people of the demo shop. None of them exists, nor do their streets."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

PASSWORD = "booktime-demo"  # noqa: S105


class Role(Enum):
    SHOPPER = "shopper"
    EMPLOYEE = "employee"
    DISPATCHER = "dispatcher"
    OWNER = "owner"


@dataclass(frozen=True)
class DemoAddress:
    """Where a parcel goes."""

    name: str
    address1: str
    address2: str
    zip_code: str
    city: str
    country: str


@dataclass(frozen=True)
class DemoPerson:
    """Somebody with a login: e-mail and `PASSWORD`."""

    email: str
    first_name: str
    last_name: str
    role: Role = Role.SHOPPER
    addresses: tuple[DemoAddress, ...] = ()


def _shopper(email: str, first_name: str, last_name: str, *addresses: tuple[str, str, str, str, str]) -> DemoPerson:
    name = f"{first_name} {last_name}"
    return DemoPerson(
        f"{email}@example.com",
        first_name,
        last_name,
        Role.SHOPPER,
        tuple(DemoAddress(name, *each) for each in addresses),
    )


COMPANY = {
    "name": "BookTime Demo Ltd",
    "address": "27 Inkwell Lane\nBristol BS1 9ZZ\nUnited Kingdom",
    "vat_number": "GB 999 9999 73",
    "bank_details": "BookTime Demo Ltd\nBank of Nowhere\nSort code 00-00-00, account 00000000",
    "email": "accounts@example.com",
}

DELIVERY: tuple[dict[str, Any], ...] = (
    {
        "name": "Royal Mail Tracked 48", "price": Decimal("2.95"), "free_from": Decimal("25.00"),
        "countries": ["uk"], "days_from": 2, "days_to": 3,
    },
    {"name": "Royal Mail Tracked 24", "price": Decimal("4.50"), "countries": ["uk"], "days_from": 1, "days_to": 2},
    {
        "name": "International Tracked", "price": Decimal("9.95"),
        "countries": ["ca", "de", "es", "fr", "ie", "it", "nl", "us"],
        "days_from": 5, "days_to": 10,
    },
)  # fmt: skip

PEOPLE = (
    _shopper(
        "shopper", "Hannah", "Whitfield",
        ("14 Larkspur Terrace", "", "BS6 5QA", "Bristol", "uk"),
        ("Whitfield & Moss Architects", "Second floor, 3 Tannery Court", "BS1 4RW", "Bristol", "uk"),
    ),
    _shopper(
        "shopper2", "Tomás", "Ferreira",
        ("2210 Alder Creek Road", "Apt 5B", "97214", "Portland", "us"),
    ),
    DemoPerson("employee@example.com", "Erin", "Calloway", Role.EMPLOYEE),
    DemoPerson("dispatcher@example.com", "Dan", "Okafor", Role.DISPATCHER),
    DemoPerson("owner@example.com", "Olga", "Lindqvist", Role.OWNER),
    _shopper("aoife.nibhriain", "Aoife", "Ní Bhriain", ("7 Saltmarket Wynd", "", "EH6 6QT", "Edinburgh", "uk")),
    _shopper("zofia.zolnierz", "Zofia", "Żołnierz", ("Flat 2", "58 Paddock Green Road", "M14 5LN", "Manchester", "uk")),
    _shopper("jurgen.grossmann", "Jürgen", "Großmann", ("1 Weaver's Row", "", "LS6 2HB", "Leeds", "uk")),
    _shopper("mei.chen", "Mei", "Chen", ("480 Juniper Hill Avenue", "Unit 12", "94117", "San Francisco", "us")),
    _shopper("kwame.mensah", "Kwame", "Mensah", ("23 Old Ropeworks", "", "L8 3SD", "Liverpool", "uk")),
    _shopper("soren.kjaer", "Søren", "Kjær", ("91 Harbour Light Street", "", "04101", "Portland", "us")),
    _shopper("priya.raman", "Priya", "Raman", ("36 Chandlers Mews", "", "E3 4QX", "London", "uk")),
    _shopper("francois.lefevre", "François", "Lefèvre", ("1712 Magnolia Bend", "", "70115", "New Orleans", "us")),
    _shopper("sean.obrien", "Seán", "O'Brien", ("5 Linen Quay", "Apartment 9", "BT1 3LG", "Belfast", "uk")),
    _shopper("nguyen.anh", "Ánh", "Nguyễn", ("640 Prairie Wind Lane", "", "55407", "Minneapolis", "us")),
    _shopper("leila.haddad", "Leïla", "Haddad", ("Gatehouse Cottage", "Nettle Lane", "CF11 9PL", "Cardiff", "uk")),
    _shopper(
        "marcus.delgado", "Marcus", "Delgado",
        ("3305 Copper Canyon Drive", "", "78704", "Austin", "us"),
        ("Delgado Upholstery", "19 Foundry Street, Dock 4", "78702", "Austin", "us"),
    ),
)  # fmt: skip
