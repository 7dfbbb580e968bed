import pytest
from django.core import mail

pytestmark = pytest.mark.django_db

MESSAGE = {"name": "Zoë Ångström", "message": "Do you have “Émile”?\nThank you."}


def test_message_reaches_customer_service(client):
    response = client.post("/contact-us/", {**MESSAGE, "email": "zoe@example.com"}, follow=True)
    assert "Thank you" in response.content.decode()
    (sent,) = mail.outbox
    assert sent.to == ["customer-service@booktime.example"]
    assert sent.reply_to == ["zoe@example.com"]
    assert MESSAGE["message"] in sent.body
    assert "Zoë Ångström" in sent.subject


def test_name_and_message_are_enough(client):
    client.post("/contact-us/", MESSAGE)
    assert len(mail.outbox) == 1


def test_shopper_is_known_already(alice, client_of):
    page = client_of(alice).get("/contact-us/").content.decode()
    assert 'value="Alice Liddell"' in page
    assert 'value="alice@example.com"' in page


@pytest.mark.parametrize("name", ["Eve\r\nBcc: all@example.com", "Eve\nBcc: all@example.com\n\nhello"])
def test_no_header_can_be_smuggled_in(client, name):
    client.post("/contact-us/", {**MESSAGE, "name": name})
    (sent,) = mail.outbox
    assert sent.subject.startswith("Message from Eve Bcc: all@example.com")
    assert "\n" not in sent.subject
    assert sent.bcc == []
    assert "bcc" not in {header.lower() for header in sent.message()}


def test_reply_address_cannot_hold_a_header(client):
    client.post("/contact-us/", {**MESSAGE, "email": "eve@example.com\nBcc: all@example.com"})
    assert mail.outbox == []


@pytest.mark.parametrize("fields", [{"name": ""}, {"message": " "}, {"message": "x" * 5001}, {"email": "zoe@"}])
def test_bad_input_is_explained_and_not_sent(client, fields):
    assert 'class="field field--error"' in client.post("/contact-us/", {**MESSAGE, **fields}).content.decode()
    assert mail.outbox == []


def test_about_page_tells_of_the_shop(client):
    page = client.get("/about-us/").content.decode()
    assert "How we choose" in page
    assert 'href="/contact-us/"' in page


@pytest.mark.parametrize(("email", "answered"), [("", False), ("zoe@example.com", True)])
def test_who_gives_no_address_is_told_that_we_cannot_answer(client, email, answered):
    assert "E-mail address, so that we can answer" in client.get("/contact-us/").content.decode()
    page = client.post("/contact-us/", {**MESSAGE, "email": email}, follow=True).content.decode()
    assert ("Without an e-mail address we cannot answer it." in page) != answered
