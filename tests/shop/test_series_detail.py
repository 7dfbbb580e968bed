from decimal import Decimal

from tests.factories import ProductFactory, SeriesFactory
from tests.shop.shelves import FRAGMENT, page, titles


def test_a_series_stands_in_its_own_order(client, db):
    series = SeriesFactory(name="Earthsea")
    for name, number in (("Tehanu", 4), ("Atuan", 2), ("Tales", "2.5"), ("Wizard", 1), ("A Map", None)):
        ProductFactory(name=name, series=series, series_number=Decimal(number) if number else None)
    ProductFactory(name="Withdrawn", series=series, active=False)
    html = page(client, "/series/earthsea/")
    assert titles(html) == ["Wizard", "Atuan", "Tales", "Tehanu", "A Map"]
    assert "5 books in the series" in html


def test_a_long_series_is_paged_in_place(client, db):
    series = SeriesFactory(name="Discworld")
    for number in range(1, 31):
        ProductFactory(name=f"Volume {number}", series=series, series_number=Decimal(number))
    html = page(client, "/series/discworld/?page=2", **FRAGMENT)
    assert html.strip().startswith("<title>Discworld, page 2, BookTime</title>")
    assert '<div id="their-books" data-say="Page 2 of 2, 30 books.">' in html
    assert "site-header" not in html
    assert titles(html) == [f"Volume {number}" for number in range(25, 31)]


def test_an_unknown_series_is_404(client, db):
    assert client.get("/series/none/").status_code == 404
