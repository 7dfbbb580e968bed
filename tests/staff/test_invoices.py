import socket
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from shop.models import Order, OrderLine
from staff.papers import pdf_process
from staff.papers.pdf import asset
from staff.papers.pdf_process import printed
from staff.papers.typesetting import OwnFiles, typeset
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """What stands on an invoice is asked here, not how long a busy machine takes to make it."""
    monkeypatch.setattr(pdf_process, "PATIENCE", 300)


def pages_of(pdf):
    """The words of each page of a PDF, with single spaces."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages]


def text_of(pdf):
    return " ".join(pages_of(pdf))


@pytest.fixture
def invoiced(order):
    """Two books of one kind, one of another with a long title, and one cancelled."""
    order.lines.all().delete()
    emma = ProductFactory(name="Emma & Friends", price="99")
    OrderLineFactory(order=order, product=emma, price="10.00")
    OrderLineFactory(order=order, product=emma, price="10.00")
    OrderLineFactory(order=order, product=ProductFactory(name="Mémoires d’outre-tombe " * 10), price="5.25")
    OrderLineFactory(order=order, price="7.77", status=OrderLine.CANCELLED)
    return order


@pytest.mark.parametrize("office", ["office-admin", "admin"])
def test_invoice_has_what_was_charged(olgas, invoiced, office):
    page = olgas.get(f"/{office}/invoice/{invoiced.pk}/").content.decode()
    for text in (f"BT{invoiced.pk}", "Secret Payer", "9 Hidden Court", "Emma &amp; Friends", "£10.00", "£20.00"):
        assert text in page
    assert "£25.25" in page
    assert "Please pay within 30 days" in page
    assert "Cancelled, not charged: £7.77" in page


def test_pdf_has_the_same(erins, invoiced):
    answer = erins.get(f"/office-admin/invoice/{invoiced.pk}/?format=pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert f"BT{invoiced.pk}.pdf" in answer["Content-Disposition"]
    text = text_of(answer.content)
    for part in (f"Invoice BT{invoiced.pk}", "Secret Payer", "Mémoires d’outre-tombe", "£20.00", "£25.25", "30 days"):
        assert part in text


def test_shopper_gets_their_own_invoice_only(alices, client, bob, invoiced):
    path = f"/orders/{invoiced.pk}/invoice/"
    answer = alices.get(path)
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    assert client.get(path).headers["Location"] == f"/login/?next={path}"
    client.force_login(bob)
    assert client.get(path).status_code == 404


def test_long_invoice_repeats_its_head_on_every_page(erins, order):
    for number in range(200):
        OrderLineFactory(order=order, product=ProductFactory(name=f"Volume {number} of the Encyclopædia"), price="1.00")
    pages = pages_of(erins.get(f"/office-admin/invoice/{order.pk}/?format=pdf").content)
    assert len(pages) > 3
    assert all("Unit price" in page for page in pages[:-1])
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, start=1))
    assert sum(page.count("of the Encyclopædia") for page in pages) == 200


def test_markup_in_an_address_is_text_and_fetches_nothing(erins, monkeypatch):
    def connect(*args, **kwargs):
        raise AssertionError(f"It asked for {args}.")

    evil = OrderFactory(
        billing_name='<img src="http://127.0.0.1:9/x">', billing_address1='<link href="file:///etc/passwd">'
    )
    OrderLineFactory(order=evil)
    # In this process, whose connections can be watched.
    monkeypatch.setattr("staff.papers.pdf.printed", lambda html, files, person: typeset(html, files))
    monkeypatch.setattr(socket.socket, "connect", connect)
    text = text_of(erins.get(f"/office-admin/invoice/{evil.pk}/?format=pdf").content)
    assert '<img src="http://127.0.0.1:9/x">' in text
    assert '<link href="file:///etc/passwd">' in text


def spans_of(pdf):
    """Each piece of text on the pages of a PDF: where it begins, and where it ends if its characters are narrow."""
    spans = []

    def note(text, page, line, font, size):
        if text := text.strip():
            begins = page[0] * line[4] + page[4]
            spans.append((text, begins, begins + len(text) * size * page[0] * 0.45))

    for page in PdfReader(BytesIO(pdf)).pages:
        page.extract_text(visitor_text=note)
    return spans


def test_text_stands_within_the_margins(erins, invoiced):
    Order.objects.filter(pk=invoiced.pk).update(
        date_added=datetime(2026, 9, 26, tzinfo=UTC), billing_address1="W" * 60, billing_name="Maximilian " * 5
    )
    spans = spans_of(erins.get(f"/office-admin/invoice/{invoiced.pk}/?format=pdf").content)
    assert {"Date", "26 September 2026", "Order"} <= {text for text, _, _ in spans}
    millimetre = 72 / 25.4
    # Right of A4's 210 mm there are 20 mm of margin; a row of a table is one piece, spaces and all.
    assert not [span for span in spans if span[1] < 19 * millimetre or span[2] > 191 * millimetre]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/x.png",
        "file:///etc/passwd",
        "data:text/plain,x",
        "ftp://127.0.0.1/x",
        "{css}/../booktime.css",
    ],
)
def test_renderer_hands_out_its_own_files_alone(address):
    fetcher = OwnFiles([asset("css/invoice.css")])
    assert fetcher.fetch(asset("css/invoice.css").as_uri())
    with pytest.raises(ValueError, match="own files"):
        fetcher.fetch(address.format(css=asset("css/invoice.css").as_uri()))


def test_document_with_foreign_parts_is_made_without_them():
    assert printed('<img src="file:///etc/passwd"><p>Words</p>', [], person=1).startswith(b"%PDF")


def test_invoice_of_nothing_is_not_found(erins):
    assert erins.get("/office-admin/invoice/999/").status_code == 404
