"""The mail server, the carrier or the bucket is away: what needs them says so, and the rest does not notice."""

import asyncio
import re

import httpx
import psycopg2
import pytest
from aiosmtpd.controller import Controller

from tests.crowd import HEADERS, people
from tests.servers import Bucket, Worker, free_port, wait_until
from tests.services.test_worker import let_time_pass
from tests.shop.smtp import Mailbox
from tests.shop.test_picture_files import picture_bytes
from tests.staff.forms import form_of
from tests.support.carriers import carrier

PASSWORD = "lantern-orchard-42"


@pytest.fixture
def variables(shop_variables):
    return shop_variables | {"DJANGO_SETTINGS_MODULE": "tests.services.server_settings"}


def browser(server, **cookies) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers=HEADERS, cookies=cookies, timeout=60)


def post(client, path, **data) -> httpx.Response:
    return client.post(path, data={**data, "csrfmiddlewaretoken": client.cookies["csrftoken"]})


def test_sign_up_and_order_succeed_without_a_mail_server(daphne, variables, directory, postgres_server):
    port = free_port()
    variables["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    server, worker = daphne(**variables), Worker(directory, variables)
    with worker, browser(server) as alice:
        alice.get("/signup/")
        new = post(alice, "/signup/", email="alice@example.com", password1=PASSWORD, password2=PASSWORD)
        assert new.status_code == 302
        home = {"name": "Alice", "address1": "1 Road", "zip_code": "OX1 1DP", "city": "Oxford", "country": "uk"}
        assert post(alice, "/address/create/", **home).status_code == 302
        assert post(alice, "/add_to_basket/", product_id=1).status_code == 302
        with psycopg2.connect(postgres_server.url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM shop_address")
            (address,) = cursor.fetchone()
        placed = post(alice, "/order/address_select/", billing_address=address, shipping_address=address)
        assert (placed.status_code, placed.headers["Location"]) == (302, "/order/done/")
        wait_until(lambda: len(re.findall("Mail . not sent", worker.log.read_text())) >= 2, "two tries")
        mailbox = Mailbox()
        controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=60)
        controller.start()
        try:
            let_time_pass(postgres_server)
            wait_until(lambda: len(mailbox.mails) == 2, "the mails")
        finally:
            controller.stop()
        assert mailbox.recipients == ["alice@example.com"] * 2
        assert len({mail["Subject"] for mail in mailbox.mails}) == 2


def test_pages_do_not_wait_for_a_slow_carrier_and_the_tracker_says_it_is_down(daphne, variables):
    with carrier() as company:
        server = daphne(**variables, TRACKER_URL=company.url)
        (order,), _ = people(server, 1, 1)
        path = f"/mobile-api/my-orders/{order['order']}/tracker/?token={order['token']}"
        assert httpx.get(f"{server.url}/products/all/", headers=HEADERS, timeout=60).status_code == 200
        company.slow.set()

        async def ask():
            async with httpx.AsyncClient(base_url=server.url, headers=HEADERS, timeout=60) as client:
                waiting = [asyncio.create_task(client.get(path)) for _ in range(20)]
                await asyncio.to_thread(wait_until, lambda: len(company.asked) == 20, "everybody's question")
                pages = [asyncio.create_task(client.get("/products/all/")) for _ in range(20)]
                # The first: a slow machine may need longer for all of them than the site waits for the carrier.
                await asyncio.wait(pages, return_when=asyncio.FIRST_COMPLETED)
                overtaken = not any(task.done() for task in waiting)
                return await asyncio.gather(*pages), overtaken, await asyncio.gather(*waiting)

        pages, overtaken, answers = asyncio.run(ask())
        assert {page.status_code for page in pages} == {200}
        assert overtaken
        assert {answer.status_code for answer in answers} == {504}
    down = httpx.get(f"{server.url}{path}", headers=HEADERS, timeout=60)
    assert (down.status_code, down.json()["detail"]) == (502, "The carrier cannot be reached.")


def test_shop_goes_on_without_its_bucket_and_an_upload_is_a_form_error(daphne, variables, directory, postgres_server):
    with Bucket(directory) as bucket:
        server = daphne(**variables, **bucket.variables)
        (directory / "cover.jpg").write_bytes(picture_bytes())
        (directory / "more.csv").write_text(
            "name,description,tags,image_filename,price\nEmma,A book.,,cover.jpg,8.99\n"
        )
        server.manage("import_data", str(directory / "more.csv"), str(directory))
        _, (agent,) = people(server, 1, 1)
        with browser(server, sessionid=agent["session"]) as erin:
            bucket.kill()
            for path in ("/products/all/?q=emma", "/product/emma/"):
                page = erin.get(path)
                assert page.status_code == 200
                assert f'src="{bucket.url}/' in page.text
            form = change_form(erin, "/office-admin/shop/product/1/change/")
            refused = save(erin, form, name="Another name")
            assert refused.status_code == 200
            assert "The pictures could not be stored just now" in refused.text
            assert pictures_of(postgres_server, 1) == ("Book 0", 0)
            # Reading fails, too: the same picture is looked for before it is stored again.
            assert "could not be stored" in save(erin, form, picture_bytes(), name="Another name").text
            bucket.start()
            assert save(erin, form, name="Another name").status_code == 302
        assert pictures_of(postgres_server, 1) == ("Another name", 1)
        assert bucket.client.list_objects_v2(Bucket=bucket.name)["KeyCount"] == 3


def change_form(client, path):
    return path, form_of(client.get(path), "product_form")


def save(client, form, picture=None, **values) -> httpx.Response:
    path, fields = form
    files = {"new_pictures": ("new.jpg", picture or picture_bytes(colour="navy"), "image/jpeg")}
    return client.post(path, data={**fields, **values}, files=files)


def pictures_of(postgres, product_id) -> tuple[str, int]:
    with psycopg2.connect(postgres.url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, (SELECT count(*) FROM shop_productimage WHERE product_id = shop_product.id)"
            " FROM shop_product WHERE id = %s",
            [product_id],
        )
        return cursor.fetchone()
