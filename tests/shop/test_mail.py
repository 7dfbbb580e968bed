import signal
import threading
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from shop.mail.outgoing import deliver, queue_mail
from shop.models import OutgoingMail
from tests.shop.smtp import free_port, hanging_server, mail_server, use_smtp

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "MTA/c0ffee-secret-token"


def queue(key="test-1", to="alice@example.com"):
    context = {"uid": "MTA", "token": "c0ffee-secret-token", "protocol": "https", "domain": "shop.example", "email": to}
    with transaction.atomic():
        queue_mail(key, to, "password_reset", context)


def skip_pauses():
    OutgoingMail.objects.update(not_before=timezone.now())


def on_a_server(settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def run_worker():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)}
    try:
        call_command("db_worker", batch=True, startup_delay=False, interval=0, verbosity=0)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_mail_arrives_as_text_and_html(settings):
    with mail_server(settings) as mailbox:
        queue(to="zoë@example.com".replace("ë", "e"))
    (arrived,) = mailbox.mails
    assert arrived["Subject"] == "Choose a new BookTime password"
    assert arrived["To"] == "zoe@example.com"
    assert f"https://shop.example/password-reset/{SECRET}/" in arrived.get_body(("plain",)).get_content()
    assert f'href="https://shop.example/password-reset/{SECRET}/"' in arrived.get_body(("html",)).get_content()


def test_text_keeps_quotes_and_html_escapes_them(settings):
    with mail_server(settings) as mailbox:
        queue_mail("c", "a@example.com", "contact", {"name": "O’Brien & <b>Söhne</b>", "message": 'It\'s "fine"'})
    (arrived,) = mailbox.mails
    assert arrived["Subject"] == "Message from O’Brien & <b>Söhne</b>"
    assert 'It\'s "fine"' in arrived.get_body(("plain",)).get_content()
    assert "<b>Söhne</b>" not in arrived.get_body(("html",)).get_content()


def test_one_occasion_is_mailed_once():
    queue()
    queue()
    assert len(django_mail.outbox) == 1


def test_nothing_is_mailed_of_what_was_rolled_back():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue()
        raise ZeroDivisionError
    assert django_mail.outbox == []
    assert not OutgoingMail.objects.exists()


def test_mail_sent_is_forgotten():
    queue()
    mail = OutgoingMail.objects.get()
    assert mail.date_sent
    assert (mail.text, mail.html) == ("", "")


def test_mail_waits_for_a_server_that_is_down_and_follows_the_next_one(settings):
    port = free_port()
    use_smtp(settings, port)
    queue("first")
    skip_pauses()
    with mail_server(settings, port=port) as mailbox:
        queue("second", to="bob@example.com")
    assert mailbox.recipients == ["bob@example.com", "alice@example.com"]


@pytest.mark.parametrize("answer", ["451 Try later", "554 No"])
def test_mail_waits_when_a_server_refuses(settings, answer):
    with mail_server(settings, answer=answer) as mailbox:
        queue()
    assert mailbox.mails == []
    mail = OutgoingMail.objects.pending().get()
    assert mail.not_before > timezone.now()
    skip_pauses()
    with mail_server(settings) as mailbox:
        call_command("send_pending_mail")
    assert mailbox.recipients == ["alice@example.com"]


def test_mail_waits_when_a_server_hangs(settings):
    with hanging_server(settings):
        queue()
    assert OutgoingMail.objects.pending().get().attempts == 1


def test_pauses_grow_and_end_after_a_day(settings):
    use_smtp(settings, free_port())
    queue()
    pauses = []
    for _ in range(4):
        mail = OutgoingMail.objects.get()
        pauses.append(mail.not_before - timezone.now())
        skip_pauses()
        deliver.enqueue(mail.pk)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 2 * pauses[0]
    OutgoingMail.objects.update(date_added=timezone.now() - timedelta(days=1), not_before=timezone.now())
    deliver.enqueue(mail.pk)
    mail.refresh_from_db()
    assert mail.date_given_up
    assert SECRET not in mail.text + mail.html


def test_nothing_secret_is_logged_or_kept_with_the_task(settings, caplog):
    on_a_server(settings)
    with mail_server(settings, answer=f"554 I do not like {SECRET}"):
        queue()
        run_worker()
    assert "not sent" in caplog.text
    assert SECRET not in caplog.text
    for task in DBTaskResult.objects.all():
        assert SECRET not in f"{task.args_kwargs} {task.traceback} {task.return_value}"


def test_worker_sends_and_tries_again_later(settings):
    on_a_server(settings)
    use_smtp(settings, free_port())
    queue()
    run_worker()
    mail = OutgoingMail.objects.pending().get()
    again = DBTaskResult.objects.ready().model.objects.get(status="READY")
    assert again.run_after == mail.not_before
    skip_pauses()
    DBTaskResult.objects.update(run_after=timezone.now())
    with mail_server(settings) as mailbox:
        run_worker()
        run_worker()
    assert mailbox.recipients == ["alice@example.com"]


class SecondWorker(EmailBackend):
    """While one worker speaks with the mail server, a second one takes the same mail."""

    def send_messages(self, messages):
        if not getattr(SecondWorker, "busy", False):
            SecondWorker.busy = True
            try:
                deliver.enqueue(OutgoingMail.objects.get().pk)
            finally:
                SecondWorker.busy = False
        return super().send_messages(messages)


def test_mail_in_another_workers_hands_is_left_to_it(settings):
    settings.EMAIL_BACKEND = f"{__name__}.SecondWorker"
    queue()
    assert len(django_mail.outbox) == 1


def test_mail_of_a_worker_that_died_is_sent_by_the_next(settings):
    on_a_server(settings)
    queue()
    mail = OutgoingMail.objects.get()
    assert mail.claim()
    assert not mail.claim()
    OutgoingMail.objects.update(not_before=timezone.now())
    run_worker()
    assert len(django_mail.outbox) == 1


def deliver_by_many_at_once(pk, workers=8):
    start = threading.Barrier(workers)

    def work():
        start.wait()
        try:
            deliver.call(pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
def test_many_workers_send_it_once(settings, monkeypatch):
    on_a_server(settings)
    with mail_server(settings) as mailbox:
        queue()
        deliver_by_many_at_once(OutgoingMail.objects.get().pk)
        assert len(mailbox.mails) == 1
        # Without the claim each of them sends it: this test would notice.
        all_have_it = threading.Barrier(8)
        monkeypatch.setattr(OutgoingMail, "claim", lambda mail: all_have_it.wait(30) >= 0)
        queue("test-2")
        deliver_by_many_at_once(OutgoingMail.objects.get(key="test-2").pk)
        assert len(mailbox.mails) == 1 + 8
