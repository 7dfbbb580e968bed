from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from shop.models import User
from shop.people.email_confirmation import confirmation_tokens, mail_confirm_link
from shop.web.redirects import sent_from


@never_cache
def email_confirm(request: HttpRequest) -> HttpResponse:
    """What the link in a mail leads to: ask, for programs follow links too, and confirm on POST.

    A visitor is told to log in, or how to keep others from using their address.
    """
    key = request.POST.get("key") or request.GET.get("key", "")
    user = request.user
    if isinstance(user, User) and user.email_proved_at:
        messages.success(request, f"{user.email} is confirmed.")
        return redirect("home")
    works = isinstance(user, User) and confirmation_tokens.check_token(user, key)
    if request.method == "POST" and works:
        cast(User, user).prove_email()
        messages.success(request, f"Thank you. {cast(User, user).email} is confirmed.")
        return redirect("home")
    return render(request, "shop/email_confirm.html", {"key": key, "works": works})


@sent_from("email_confirm")
@login_required
@transaction.atomic
def email_confirm_send(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if user.email_proved_at:
        messages.success(request, f"{user.email} is confirmed.")
    elif mail_confirm_link(request, user):
        messages.success(request, f"We have sent a mail to {user.email}. Follow the link in it.")
    else:
        text = "We have sent you this mail several times within the hour. Look among unwanted mail, or try again later."
        messages.error(request, text)
    return redirect("home")
