"""The conversation without a socket: the history for the phone, and the page's plain form."""

from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from rest_framework.authtoken.models import Token

from support.models import Chat, ChatMessage
from tests.conftest import browser_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(order):
    return f"/mobile-api/my-orders/{order.pk}/messages/"


@pytest.fixture
def page(order):
    return f"/customer-service/{order.pk}/"


def test_history_comes_oldest_first_and_after_since(order, alice, erin, alices, url):
    chat = Chat.objects.of(order)
    client_id = uuid4()
    first = chat.post(alice, "Where is it?", client_id)[0]
    chat.post(erin, "On its way")
    history = alices.get(url).json()
    assert [message["message"] for message in history] == ["Where is it?", "On its way"]
    assert history[0] == {
        "id": first.pk,
        "username": "Alice Liddell",
        "message": "Where is it?",
        "sent_at": first.sent_at.isoformat().replace("+00:00", "Z"),
        "client_id": str(client_id),
    }
    assert [message["message"] for message in alices.get(f"{url}?since={first.pk}").json()] == ["On its way"]
    assert len(alices.get(f"{url}?since=rubbish").json()) == 2


def test_history_needs_a_number_of_queries_that_does_not_grow(order, alice, alices, url, django_assert_max_num_queries):
    for number in range(20):
        Chat.objects.of(order).post(alice, str(number))
    with django_assert_max_num_queries(6):
        assert len(alices.get(url).json()) == 20


def test_post_answers_201_and_then_200_for_the_same_client_id(order, alices, url):
    body = {"message": "Hello", "client_id": str(uuid4())}
    first = alices.post(url, body, content_type="application/json")
    again = alices.post(url, body, content_type="application/json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert ChatMessage.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"message": " "}, {"message": "x" * 4001}, {"message": "x", "client_id": "7"}])
def test_bad_post_answers_400_with_a_reason(order, alices, url, body):
    answer = alices.post(url, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not ChatMessage.objects.exists()


@pytest.mark.parametrize("body", ["[" * 100_000, r'{"message": "\ud800"}', "{"])
def test_body_that_is_no_json_is_400(order, alices, url, body):
    answer = alices.post(url, body, content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_conversation_is_json_for_whoever_asks_and_kept_by_nobody(order, alices, url):
    answer = alices.get(url, headers={"Accept": "text/html"})
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")


def test_too_many_posts_answer_429_with_when_to_go_on(hundred_said, alices, url):
    answer = alices.post(url, {"message": "one more"})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "10"


def test_token_works_in_a_header_and_in_the_address(order, alice, url):
    key = Token.objects.create(user=alice).key
    assert Client().get(url, headers={"Authorization": f"Token {key}"}).status_code == 200
    assert Client().get(f"{url}?token={key}").status_code == 200
    assert Client().get(f"{url}?token=nonsense").status_code == 401
    assert Client().get(url).status_code == 401


def test_others_get_404_and_employees_may_read(order, bob, erins, url, page):
    assert browser_of(bob).get(url).status_code == 404
    assert browser_of(bob).get(page).status_code == 404
    assert erins.get(url).status_code == 200
    assert erins.get(page).status_code == 200


def test_visitor_is_led_to_log_in(order, page):
    answer = Client().get(page)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={page}")


def test_form_posts_without_javascript_and_the_page_shows_the_text_as_text(order, alices, page):
    answer = alices.post(page, {"message": "<script>alert(1)</script>"}, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    html = answer.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert" not in html
    for needed in ('id="chat-log"', 'id="chat-message-input"', 'id="chat-message-submit"'):
        assert needed in html


def test_form_says_what_is_wrong_and_keeps_what_was_written(order, alices, page):
    answer = alices.post(page, {"message": "y" * 4001})
    assert answer.status_code == 422
    assert "at most 4,000 characters" in answer.content.decode()
    assert "y" * 4001 in answer.content.decode()


def test_client_id_of_another_chat_is_refused(order, alice, alices):
    from tests.factories import OrderFactory

    other, client_id = OrderFactory(user=alice), str(uuid4())
    alices.post(f"/mobile-api/my-orders/{other.pk}/messages/", {"message": "x", "client_id": client_id})
    answer = alices.post(f"/mobile-api/my-orders/{order.pk}/messages/", {"message": "x", "client_id": client_id})
    assert answer.status_code == 400


def test_shopper_who_left_gets_one_mail_for_a_run_of_answers(order, alices, erins, url, page):
    alices.post(url, {"message": "Where is it?"})
    erins.post(url, {"message": "I am looking"})
    erins.post(url, {"message": "It is in Leeds"})
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["alice@example.com"], f"An answer about your order {order.pk}")
    ]
    assert f"http://testserver{page}" in mail.outbox[0].body
    alices.get(page)  # she has seen them: the next answer is news again
    erins.post(url, {"message": "And now in London"})
    assert len(mail.outbox) == 2


def test_private_notes_and_canned_replies_are_for_employees(order, alices, erins, url, page):
    assert erins.post(f"{page}notes/", {"text": "Be kind to her"}).status_code == 302
    assert "Be kind to her" in erins.get(page).content.decode()
    assert "Be kind to her" not in alices.get(page).content.decode()
    assert "Be kind to her" not in alices.get(url).content.decode()
    assert alices.post(f"{page}notes/", {"text": "x"}).status_code == 403


def test_canned_reply_is_filled_with_the_orders_data(order, erins, alices, page):
    from support.models import CannedReply

    reply = CannedReply.objects.create(title="Hi", text="$name, order $order, $total, $unknown {order.user.password}")
    filled = f"Alice, order {order.pk}, £0.00, $unknown {{order.user.password}}</textarea>"
    assert filled in erins.get(f"{page}?reply={reply.pk}").content.decode()
    assert filled not in alices.get(f"{page}?reply={reply.pk}").content.decode()


def test_two_agents_cannot_hold_one_chat(order, erin, erins, olga, page):
    olga_client = browser_of(olga)
    erins.post(f"{page}claim/")
    answer = olga_client.post(f"{page}claim/", follow=True)
    assert "A colleague was faster" in answer.content.decode()
    assert Chat.objects.get().claimed_by == erin
    olga_client.post(f"{page}release/")
    assert Chat.objects.get().claimed_by == erin
    olga_client.post(f"{page}claim/", {"instead_of": erin.pk})
    assert Chat.objects.get().claimed_by == olga
    olga_client.post(f"{page}release/")
    assert Chat.objects.get().claimed_by is None
