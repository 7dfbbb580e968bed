import re

import pytest
from django.core import mail

from shop.models import OutgoingMail
from tests.factories import PASSWORD
from tests.shop.smtp import free_port, use_smtp

pytestmark = pytest.mark.django_db

NEW = "lantern-orchard-42"


def ask(client, email="alice@example.com", **extra):
    return client.post("/password-reset/", {"email": email}, **extra)


def link(text):
    return re.search(r"http://testserver(/password-reset/\S+/\S+/)", text)[1]


def choose(client, url, password=NEW):
    page = client.get(url, follow=True)
    url = page.redirect_chain[-1][0] if page.redirect_chain else url
    return client.post(url, {"new_password1": password, "new_password2": password})


def test_four_steps_lead_to_a_new_password(client, alice, client_of):
    elsewhere = client_of(alice)
    assert ask(client, "Alice@Example.com").url == "/password-reset/done/"
    assert b"Look into your mailbox" in client.get("/password-reset/done/").content
    response = choose(client, link(mail.outbox[0].body))
    assert response.url == "/password-reset/complete/"
    assert b"/login/" in client.get("/password-reset/complete/").content
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert elsewhere.get("/address/").status_code == 302


def test_link_works_once(client, alice, client_of):
    ask(client)
    url = link(mail.outbox[0].body)
    choose(client, url)
    assert b"works no more" in client_of().get(url, follow=True).content


@pytest.mark.parametrize("path", ["/password-reset/MQ/nonsense/", "/password-reset/%F0%9F%93%9A/x-y/"])
def test_wrong_link_says_so(client, alice, path):
    assert b"works no more" in client.get(path, follow=True).content


def test_weak_password_is_refused(client, alice):
    ask(client)
    assert b"too common" in choose(client, link(mail.outbox[0].body), "password").content
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_answer_does_not_tell_whether_there_is_an_account(client, client_of, alice):
    known, unknown = ask(client), ask(client_of(), "nobody@example.com")
    assert (known.status_code, known.url, known.content) == (unknown.status_code, unknown.url, unknown.content)
    differing = {"X-Request-ID", "Expires"}
    assert {k: v for k, v in known.items() if k not in differing} == {
        k: v for k, v in unknown.items() if k not in differing
    }
    assert [sent.to for sent in mail.outbox] == [["alice@example.com"]]


def test_account_is_looked_up_after_the_answer_left(alice, rf, django_assert_num_queries):
    from shop.views.accounts import password_reset

    request = rf.post("/password-reset/", {"email": "alice@example.com"})
    request._dont_enforce_csrf_checks = True
    with django_assert_num_queries(0):
        response = password_reset(request)
    assert mail.outbox == []
    response.close()
    assert len(mail.outbox) == 1


def test_inactive_person_gets_no_link(client, alice):
    alice.is_active = False
    alice.save()
    ask(client)
    assert mail.outbox == []


def test_link_leads_to_no_other_host(client, alice):
    assert ask(client, headers={"host": "evil.example"}).status_code == 400
    ask(client, headers={"x-forwarded-host": "evil.example"})
    assert [link(sent.body)[:16] for sent in mail.outbox] == ["/password-reset/"]
    assert "evil" not in mail.outbox[0].body


def test_links_in_mails_begin_as_the_site_was_told(client, alice, settings):
    """Whatever the visitor says is its host or port, which Django lets pass for the hosts it knows."""
    settings.SITE_ADDRESS = "https://shop.example"
    ask(client, headers={"Host": "testserver:1337"})
    form = {"email": "new@example.com", "password1": NEW, "password2": NEW}
    client.post("/signup/", form, headers={"Host": "testserver:1337"})
    texts = [mail.outbox[0].body, OutgoingMail.objects.get(key__startswith="welcome").text]
    for text in texts:
        links = re.findall(r"https?://\S+", text)
        assert links
        assert all(link.startswith("https://shop.example/") for link in links)


def test_mailbox_is_not_flooded(client, alice, same_hour):
    for _ in range(8):
        ask(client)
    assert len(mail.outbox) == 5


def test_mail_server_down_does_not_tell_either(client, alice, settings):
    use_smtp(settings, free_port())
    assert ask(client).url == "/password-reset/done/"
    assert OutgoingMail.objects.pending().count() == 1


def test_reset_ends_the_throttle(client, alice):
    for n in range(11):
        status = client.post("/login/", {"email": "alice@example.com", "password": f"guess-{n}"}).status_code
    assert status == 429
    ask(client)
    choose(client, link(mail.outbox[0].body))
    assert client.post("/login/", {"email": "alice@example.com", "password": NEW}).status_code == 302
