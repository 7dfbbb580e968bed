"""The link by which a person shows that the e-mail address of their account is theirs.

Anybody may sign up with any address. Rights are given only to an account whose address was confirmed
(`staff.admin.people`). Following the link is not enough for that: who got the mail may not be who chose the password.
So it is confirmed by who is logged in; who cannot log in chooses a password of their own, which proves as much, and
ends what others began.
"""

from urllib.parse import urlencode

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest
from django.urls import reverse

from shop.mail.outgoing import link_in_mail, queue_some
from shop.models import User

MAILS_AN_HOUR = 5


class ConfirmationTokens(PasswordResetTokenGenerator):
    """Keys that hold for three days, and until the address or the password is another."""

    key_salt = "shop.email_proof"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{user.pk} {user.email} {user.password} {timestamp}"


confirmation_tokens = ConfirmationTokens()


def confirm_url(request: HttpRequest, user: User) -> str:
    return link_in_mail(
        request, f"{reverse('email_confirm')}?{urlencode({'key': confirmation_tokens.make_token(user)})}"
    )


def mail_confirm_link(request: HttpRequest, user: User) -> bool:
    """Mail the link; False where that was done too often within this hour."""
    context = {
        "email": user.email,
        "confirm_url": confirm_url(request, user),
        "reset_url": link_in_mail(request, reverse("password_reset")),
    }
    return queue_some(MAILS_AN_HOUR, f"email-confirm-{user.pk}", user.email, "email_confirm", context)
