import re
from decimal import Decimal

import pytest

from shop.models import BasketLine, Product
from tests.factories import BasketFactory, BasketLineFactory, ProductFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def line(client, alice):
    client.force_login(alice)
    return BasketLineFactory(basket__user=alice, product__name="Emma", product__price="8.50", quantity=2)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def now(line):
    return BasketLine.objects.filter(pk=line.pk).values_list("quantity", flat=True).first()


def update(client, line, headers=None, **fields):
    return client.post(f"/basket/lines/{line.pk}/", fields, headers=headers)


def remove(client, line, headers=None):
    return client.post(f"/basket/lines/{line.pk}/remove/", headers=headers)


def test_empty_basket_says_so_and_leads_on(client):
    answer = client.get("/basket/")
    assert "Your basket is empty" in text_of(answer)
    assert "/products/all/" in answer.content.decode()


def test_shows_lines_quantities_and_totals(client, line):
    BasketLineFactory(basket=line.basket, product__name="Möbius & Söhne", product__price="3")
    text = text_of(client.get("/basket/"))
    assert "Emma" in text and "£8.50 each" in text and "£17.00" in text
    assert "Möbius &amp; Söhne" in text
    assert "3 books £20.00" in text and "Total £20.00" in text


def test_htmx_gets_the_lines_alone_and_a_restored_history_the_whole_page(client, line):
    fragment = client.get("/basket/", headers=HTMX)
    assert fragment.content.decode().strip().startswith('<div id="basket-lines">')
    assert "HX-Request" in fragment.headers["Vary"]
    restored = client.get("/basket/", headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()


def test_quantity_is_changed_in_place_with_the_headers_count(client, line):
    answer = update(client, line, quantity="5", headers=HTMX)
    page = answer.content.decode()
    assert 'id="basket-count" class="count" hx-swap-oob="true">5<' in page
    assert "£42.50" in page and "<html" not in page
    assert now(line) == 5


def test_quantity_is_changed_without_javascript(client, line):
    answer = update(client, line, quantity="5")
    assert (answer.status_code, answer.url) == (302, "/basket/")
    assert now(line) == 5


@pytest.mark.parametrize(("step", "quantity"), [("1", 4), ("-1", 2)])
def test_buttons_count_from_what_is_typed(client, line, step, quantity):
    update(client, line, quantity="3", step=step)
    assert now(line) == quantity


@pytest.mark.parametrize("headers", [None, HTMX])
@pytest.mark.parametrize("quantity", ["0", "-1", "100", "", "two", "1.5", "99999999999999999999", "9" * 5000])
def test_quantity_outside_1_to_99_is_an_error_and_changes_nothing(client, line, quantity, headers):
    answer = update(client, line, quantity=quantity, headers=headers)
    assert answer.status_code == 422
    assert "Choose a quantity from 1 to 99." in text_of(answer)
    assert now(line) == 2


def test_step_from_what_is_no_number_changes_nothing(client, line):
    assert update(client, line, quantity="two", step="1").status_code == 422
    assert now(line) == 2


def test_removed_book_can_be_put_back_in_place(client, line):
    page = remove(client, line, HTMX).content.decode()
    assert "“Emma” was removed." in page and 'hx-swap-oob="true">0<' in page
    assert now(line) is None
    undone = client.post(f"/basket/products/{line.product_id}/restore/", {"quantity": "2"}, headers=HTMX)
    assert 'hx-swap-oob="true">2<' in undone.content.decode()


def test_removed_book_can_be_put_back_without_javascript(client, line):
    answer = remove(client, line)
    assert (answer.status_code, answer.url) == (302, "/basket/")
    page = client.get("/basket/").content.decode()
    assert "“Emma” was removed." in page
    action = re.search(r'action="(/basket/products/\d+/restore/)".*?name="quantity" value="(\d+)"', page, re.S)
    client.post(action[1], {"quantity": action[2]})
    assert list(BasketLine.objects.values_list("product__name", "quantity")) == [("Emma", 2)]
    assert "was removed" not in client.get("/basket/").content.decode()


def test_undo_sent_twice_puts_back_once(client, line):
    remove(client, line)
    for _ in range(2):
        client.post(f"/basket/products/{line.product_id}/restore/", {"quantity": "2"})
    assert BasketLine.objects.get().quantity == 2


def test_undo_of_what_cannot_be_bought_any_more_says_so(client, line):
    Product.objects.update(in_stock=False)
    remove(client, line)
    answer = client.post(f"/basket/products/{line.product_id}/restore/", {"quantity": "2"}, headers=HTMX)
    assert answer.status_code == 422
    assert "“Emma” cannot be bought" in text_of(answer)


@pytest.mark.parametrize("path", ["", "remove/"])
def test_outsider_gets_404(client_of, line, bob, path):
    for outsider in (client_of(), client_of(bob)):
        assert outsider.post(f"/basket/lines/{line.pk}/{path}", {"quantity": "5"}).status_code == 404
    assert now(line) == 2


@pytest.mark.parametrize("path", ["", "remove/"])
def test_lines_are_changed_by_post_alone(client, line, path):
    assert client.get(f"/basket/lines/{line.pk}/{path}").status_code == 405


def test_ordered_basket_cannot_be_changed(client, line):
    line.basket.status = line.basket.SUBMITTED
    line.basket.save()
    assert update(client, line, quantity="5").status_code == 404


@pytest.mark.parametrize("path", ["", "remove/"])
def test_line_that_another_tab_removed_shows_the_basket_as_it_is(client, line, path):
    BasketLineFactory(basket=line.basket, product=ProductFactory(name="Walden"))
    BasketLine.objects.filter(pk=line.pk).delete()
    for headers, status in (({}, 404), (HTMX, 422)):
        answer = client.post(f"/basket/lines/{line.pk}/{path}", {"quantity": "5"}, headers=headers)
        assert answer.status_code == status
        assert "not in your basket any more" in text_of(answer) and "Walden" in text_of(answer)


def test_changed_price_is_pointed_out(client, line):
    Product.objects.update(price=Decimal("9.00"))
    text = text_of(client.get("/basket/"))
    assert "Now £9.00; it was £8.50 when you put it in." in text
    assert "Total £18.00" in text


@pytest.mark.parametrize(
    ("fields", "note"), [({"active": False}, "No longer sold"), ({"in_stock": False}, "Out of stock")]
)
def test_what_cannot_be_bought_any_more_is_marked_and_stops_the_way_to_checkout(client, line, fields, note):
    Product.objects.update(**fields)
    answer = client.get("/basket/")
    assert note in text_of(answer)
    assert "/order/address_select/" not in answer.content.decode()


def test_names_that_clients_look_for(client, line):
    page = client.get("/basket/").content.decode()
    assert re.search(r'<input type="number"[^>]* name="quantity"', page)
    assert f'action="/basket/lines/{line.pk}/remove/"' in page


@pytest.mark.parametrize("number", [1, 50])
def test_needs_at_most_5_queries(client, alice, number, django_assert_max_num_queries):
    client.force_login(alice)
    basket = BasketFactory(user=alice)
    for _ in range(number):
        BasketLineFactory(basket=basket, product=ProductFactory())
    with django_assert_max_num_queries(5):
        client.get("/basket/")


def three_books(client, alice):
    client.force_login(alice)
    basket = BasketFactory(user=alice)
    return [BasketLineFactory(basket=basket, product__name=name) for name in ("Emma", "Persuasion", "Walden")]


def titles(answer):
    return re.findall(r'class="line__title"[^>]*><a [^>]*>([^<]*)', answer.content.decode())


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_undo_puts_a_book_back_where_it_stood(client, alice, headers, which):
    line = three_books(client, alice)[which]
    removed = client.post(f"/basket/lines/{line.pk}/remove/", headers=headers)
    page = (removed if headers else client.get("/basket/")).content.decode()
    fields = dict(re.findall(r'type="hidden" name="(quantity|place)" value="(\d+)"', page))
    undone = client.post(f"/basket/products/{line.product_id}/restore/", fields, headers=headers)
    assert titles(undone if headers else client.get("/basket/")) == ["Emma", "Persuasion", "Walden"]


@pytest.mark.parametrize("place", ["-1", "0", "x", "9" * 30, "9" * 5000, "of somebody else", "not given yet"])
def test_undo_takes_no_place_that_is_not_free(client, alice, bob, place):
    theirs = BasketLineFactory(basket__user=bob)
    _, line, last = three_books(client, alice)
    client.post(f"/basket/lines/{line.pk}/remove/")
    places = {"of somebody else": str(theirs.pk), "not given yet": str(last.pk + 1000)}
    fields = {"quantity": "1", "place": places.get(place, place)}
    undone = client.post(f"/basket/products/{line.product_id}/restore/", fields, headers=HTMX)
    assert titles(undone) == ["Emma", "Walden", "Persuasion"]
    assert BasketLine.objects.filter(pk=theirs.pk, basket=theirs.basket).exists()
    BasketLineFactory(basket__user=bob, basket__status=20)  # keys are given on as before
    assert BasketLine.objects.latest("pk").pk < last.pk + 1000
