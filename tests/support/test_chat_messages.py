"""The conversation without a socket: the history for the phone, and the page's plain form."""

from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from rest_framework.authtoken.models import Token

from support.models import Chat, ChatMessage
from tests.support.conftest import logged_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(order):
    return f"/mobile-api/my-orders/{order.pk}/messages/"


@pytest.fixture
def page(order):
    return f"/customer-service/{order.pk}/"


def test_history_comes_oldest_first_and_after_since(order, alice, erin, alice_client, url):
    chat = Chat.objects.of(order)
    client_id = uuid4()
    first = chat.post(alice, "Where is it?", client_id)[0]
    chat.post(erin, "On its way")
    history = alice_client.get(url).json()
    assert [message["message"] for message in history] == ["Where is it?", "On its way"]
    assert history[0] == {
        "id": first.pk,
        "username": "Alice Liddell",
        "message": "Where is it?",
        "sent_at": first.sent_at.isoformat().replace("+00:00", "Z"),
        "client_id": str(client_id),
    }
    assert [message["message"] for message in alice_client.get(f"{url}?since={first.pk}").json()] == ["On its way"]
    assert len(alice_client.get(f"{url}?since=rubbish").json()) == 2


def test_history_needs_a_number_of_queries_that_does_not_grow(
    order, alice, alice_client, url, django_assert_max_num_queries
):
    for number in range(20):
        Chat.objects.of(order).post(alice, str(number))
    with django_assert_max_num_queries(6):
        assert len(alice_client.get(url).json()) == 20


def test_post_answers_201_and_then_200_for_the_same_client_id(order, alice_client, url):
    body = {"message": "Hello", "client_id": str(uuid4())}
    first = alice_client.post(url, body, content_type="application/json")
    again = alice_client.post(url, body, content_type="application/json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert ChatMessage.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"message": " "}, {"message": "x" * 4001}, {"message": "x", "client_id": "7"}])
def test_bad_post_answers_400_with_a_reason(order, alice_client, url, body):
    answer = alice_client.post(url, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not ChatMessage.objects.exists()


@pytest.mark.parametrize("body", ["[" * 100_000, r'{"message": "\ud800"}', "{"])
def test_body_that_is_no_json_is_400(order, alice_client, url, body):
    answer = alice_client.post(url, body, content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_conversation_is_json_for_whoever_asks_and_kept_by_nobody(order, alice_client, url):
    answer = alice_client.get(url, headers={"Accept": "text/html"})
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")


def test_too_many_posts_answer_429_with_when_to_go_on(hundred_said, alice_client, url):
    answer = alice_client.post(url, {"message": "one more"})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "10"


def test_token_works_in_a_header_and_in_the_address(order, alice, url):
    key = Token.objects.create(user=alice).key
    assert Client().get(url, headers={"Authorization": f"Token {key}"}).status_code == 200
    assert Client().get(f"{url}?token={key}").status_code == 200
    assert Client().get(f"{url}?token=nonsense").status_code == 401
    assert Client().get(url).status_code == 401


def test_others_get_404_and_employees_may_read(order, bob, erin_client, url, page):
    assert logged_in(bob).get(url).status_code == 404
    assert logged_in(bob).get(page).status_code == 404
    assert erin_client.get(url).status_code == 200
    assert erin_client.get(page).status_code == 200


def test_visitor_is_led_to_log_in(order, page):
    answer = Client().get(page)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={page}")


def test_form_posts_without_javascript_and_the_page_shows_the_text_as_text(order, alice_client, page):
    answer = alice_client.post(page, {"message": "<script>alert(1)</script>"}, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    html = answer.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert" not in html
    for needed in ('id="chat-log"', 'id="chat-message-input"', 'id="chat-message-submit"'):
        assert needed in html


def test_form_says_what_is_wrong_and_keeps_what_was_written(order, alice_client, page):
    answer = alice_client.post(page, {"message": "y" * 4001})
    assert answer.status_code == 422
    assert "at most 4,000 characters" in answer.content.decode()
    assert "y" * 4001 in answer.content.decode()


def test_client_id_of_another_chat_is_refused(order, alice, alice_client):
    from tests.factories import OrderFactory

    other, client_id = OrderFactory(user=alice), str(uuid4())
    alice_client.post(f"/mobile-api/my-orders/{other.pk}/messages/", {"message": "x", "client_id": client_id})
    answer = alice_client.post(f"/mobile-api/my-orders/{order.pk}/messages/", {"message": "x", "client_id": client_id})
    assert answer.status_code == 400


def test_shopper_who_left_gets_one_mail_for_a_run_of_answers(order, alice_client, erin_client, url, page):
    alice_client.post(url, {"message": "Where is it?"})
    erin_client.post(url, {"message": "I am looking"})
    erin_client.post(url, {"message": "It is in Leeds"})
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["alice@example.com"], f"An answer about your order {order.pk}")
    ]
    assert f"http://testserver{page}" in mail.outbox[0].body
    alice_client.get(page)  # she has seen them: the next answer is news again
    erin_client.post(url, {"message": "And now in London"})
    assert len(mail.outbox) == 2


def test_private_notes_and_canned_replies_are_for_employees(order, alice_client, erin_client, url, page):
    assert erin_client.post(f"{page}notes/", {"text": "Be kind to her"}).status_code == 302
    assert "Be kind to her" in erin_client.get(page).content.decode()
    assert "Be kind to her" not in alice_client.get(page).content.decode()
    assert "Be kind to her" not in alice_client.get(url).content.decode()
    assert alice_client.post(f"{page}notes/", {"text": "x"}).status_code == 403


def test_canned_reply_is_filled_with_the_orders_data(order, erin_client, alice_client, page):
    from support.models import CannedReply

    reply = CannedReply.objects.create(title="Hi", text="$name, order $order, $total, $unknown {order.user.password}")
    filled = f"Alice, order {order.pk}, £0.00, $unknown {{order.user.password}}</textarea>"
    assert filled in erin_client.get(f"{page}?reply={reply.pk}").content.decode()
    assert filled not in alice_client.get(f"{page}?reply={reply.pk}").content.decode()


def test_two_agents_cannot_hold_one_chat(order, erin, erin_client, olga, page):
    olga_client = logged_in(olga)
    erin_client.post(f"{page}claim/")
    answer = olga_client.post(f"{page}claim/", follow=True)
    assert "A colleague was faster" in answer.content.decode()
    assert Chat.objects.get().claimed_by == erin
    olga_client.post(f"{page}release/")
    assert Chat.objects.get().claimed_by == erin
    olga_client.post(f"{page}claim/", {"instead_of": erin.pk})
    assert Chat.objects.get().claimed_by == olga
    olga_client.post(f"{page}release/")
    assert Chat.objects.get().claimed_by is None
