"""What stands on the screen, and where: on phones, with long words, without JavaScript."""

import re

import pytest
from django.core.files.base import ContentFile
from django.template.loader import get_template
from playwright.sync_api import expect

from shop.models import Address, Author, Order, Product, ProductImage, ProductTag, Series, User
from support.models import CannedReply, ChatMessage, DeviceToken, Note
from tests.addresses import a_shop, every_address, picture
from tests.browser.test_policy import is_page
from tests.factories import AuthorFactory, ProductFactory, ProductTagFactory, SeriesFactory

WORD = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
# Swagger's; and one office stands for the three where they show the same.
LEFT_OUT = re.compile(r"/api/docs/|/admin/|/dispatch-admin/|.*/(?:logout|notify|history|add|delete)/$")
WIDEST = """() => [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((each) => `${each.localName}#${each.id}.${each.className}`).slice(-1)"""


@pytest.fixture
def shelves(site):
    tags = [ProductTagFactory(name=f"Subject {letter}") for letter in "ABCDEFGHIJKLMNOP"]
    ProductFactory(name="Walden").tags.add(tags[-1])
    return f"{site}/products/{tags[-1].slug}/"


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_phone_shows_which_subject_it_is(shelves, browser, scripts):
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(shelves)
    expect(page.locator(".tag-nav [aria-current]")).to_be_in_viewport(ratio=0.95)
    context.close()


def test_single_picture_offers_none_to_switch_to(site, page, settings, var_dir):
    settings.MEDIA_ROOT = var_dir / "media"
    book = ProductFactory(name="Emma")
    ProductImage.objects.create(product=book, image=ContentFile(picture().read(), "a.jpg"))
    page.goto(f"{site}/product/emma/")
    expect(page.locator(".current-image img")).to_be_visible()
    expect(page.locator(".image")).to_be_hidden()
    ProductImage.objects.create(product=book, position=1, image=ContentFile(picture().read(), "b.jpg"))
    page.reload()
    expect(page.locator(".image").first).to_be_visible()


def test_account_menu_closes_when_it_is_left(site, page, log_in, alice):
    log_in(page, alice)
    menu = page.locator("details.menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    last = menu.get_by_role("button", name="Log out")
    last.focus()
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    expect(menu).not_to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.localName") == "a"


@pytest.mark.parametrize("width", [320, 500, 700, 800, 1000, 1280, 1600])
def test_full_page_of_books_leaves_no_hole(site, page, width):
    for number in range(25):
        ProductFactory(name=f"Novel {number:02}")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/products/all/")
    rows = page.evaluate("[...document.querySelectorAll('.card')].map((card) => card.offsetTop)")
    last = rows.count(rows[-1])
    assert len(rows) == 24 and rows.count(rows[0]) == last > 1


def test_broken_rules_are_a_list_and_not_said_twice(site, page):
    page.goto(f"{site}/signup/")
    rules = page.locator(".field__help ul")
    expect(rules).to_be_visible()
    page.get_by_label("Password", exact=True).fill("1234")
    page.get_by_label("Password again").fill("1234")
    page.get_by_role("button", name="Sign up").click()
    field = page.locator(".field", has=page.get_by_label("Password", exact=True))
    expect(field.locator(".field__error li")).to_have_count(3)
    expect(rules).to_be_hidden()
    expect(field.get_by_text("at least 8 characters")).to_have_count(2)
    expect(field.get_by_text("at least 8 characters").locator("visible=true")).to_have_count(1)


def lengthen_every_name(person):
    """Everything in the shop that has a name gets one of sixty letters without a gap."""
    for model in (Product, Author, Series, ProductTag):
        for number, each in enumerate(model.objects.all()):
            each.name = f"{WORD}{number}"
            each.save()
    Product.objects.update(publisher=WORD, description=WORD, authors_text=WORD, series_text=WORD)
    lines = dict.fromkeys(("name", "address1", "address2", "city"), WORD) | {"zip_code": "W" * 12}
    Address.objects.update(**lines)
    Order.objects.update(**{f"{kind}_{name}": text for kind in ("billing", "shipping") for name, text in lines.items()})
    User.objects.filter(pk=person.pk).update(first_name=WORD, last_name=WORD, email=f"{WORD}@{WORD}.example".lower())
    ChatMessage.objects.update(message=WORD)
    DeviceToken.objects.update(name=WORD)
    Note.objects.create(order=Order.objects.get(), author=person, text=WORD)
    CannedReply.objects.create(title=WORD, text=WORD)
    person.refresh_from_db()


def test_no_long_word_makes_a_phone_scroll_sideways(site, page, log_in, settings, var_dir):
    settings.MEDIA_ROOT = var_dir / "media"
    olga = User.objects.create_superuser("olga@example.com", "correct-horse-battery")
    shop = a_shop(olga)
    book = Product.objects.get()
    book.series = SeriesFactory()
    book.save()
    book.authors.add(AuthorFactory())
    book.tags.add(*ProductTag.objects.all())
    # The same with its cloth cover.
    other = ProductFactory(series=book.series)
    other.authors.add(*book.authors.all())
    other.tags.add(*ProductTag.objects.all())
    lengthen_every_name(olga)
    paths = [path for path in every_address(shop) if not LEFT_OUT.match(path)]
    paths += [other.get_absolute_url(), f"/products/all/?q={WORD}", "/order/done/", "/order-dashboard/?status=99"]
    page.set_viewport_size({"width": 320, "height": 700})
    log_in(page, olga)
    seen = []
    wide = {}
    for path in [path for path in paths if is_page(page, site + path)]:
        page.goto(site + path)
        seen.append(path)
        root = "document.documentElement"
        width = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        if width > 0:
            wide[path] = page.evaluate(WIDEST)
    assert wide == {}
    assert len(seen) > 30, seen


def test_no_long_word_makes_a_mail_scroll_sideways(page):
    order = {"order": f"7 {WORD}", "books": [{"quantity": 1, "name": WORD, "total": "8.99"}], "delivery": [WORD] * 4}
    said = {
        "name": WORD,
        "message": {"sender": WORD, "message": WORD},
        "order": {"pk": 7},
        "link": "https://x.example/",
    }
    mails = {
        "order_confirmation": order | {"first_name": WORD, "total": "8.99"},
        "chat_answer": said,
        "contact": {"name": WORD, "email": f"{WORD}@{WORD}.example", "message": f"{WORD}\n\n{WORD}"},
    }
    page.set_viewport_size({"width": 320, "height": 700})
    for name, context in mails.items():
        page.set_content(get_template(f"emails/{name}.html").render({"subject": f"About {WORD}"} | context))
        assert page.locator("body").inner_text().count(WORD) >= 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
