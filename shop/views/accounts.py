from functools import partial
from typing import Any

from axes.utils import reset as forget_failures
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth import login as log_in
from django.contrib.auth import logout as log_out
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from shop.forms import LoginForm, OwnPasswordForm, PasswordResetForm, SignupForm, live_error, sent
from shop.mail.outgoing import link_in_mail, queue_mail
from shop.models import User
from shop.people.email_confirmation import confirm_url
from shop.people.known_browsers import log_in_noted
from shop.web.redirects import RedirectThenDo, next_url
from shop.web.throttle import throttled

BACKEND = "django.contrib.auth.backends.ModelBackend"


def render_form(request: HttpRequest, template: str, form: Any, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, "next": next_url(request), **context})


@never_cache
@sensitive_post_parameters()
@throttled("signup")
def signup(request: HttpRequest) -> HttpResponse:
    """A new account, and its owner is logged in. For an address that has one the answer is the same (see `sign_up`)."""
    if request.user.is_authenticated:
        return redirect(next_url(request, "home"))
    form = SignupForm(sent(request))
    if fragment := live_error(request, form):
        return fragment
    if request.method != "POST" or not form.is_valid():
        return render_form(request, "shop/signup.html", form)
    email = form.cleaned_data["email"]
    sign_up(request, email, form.cleaned_data["password1"])
    messages.success(request, f"Thank you for signing up. We have sent a mail to {email}.")
    return redirect(next_url(request, "home"))


def sign_up(request: HttpRequest, email: str, password: str) -> None:
    """Make the account and log its owner in, or, where there is one, log in if that is its password.

    Nobody is told by the answer, or its time, that an address has an account: either way there is one password hash,
    one mail, a new session, the same cookies and the same redirect; the address's owner learns it from the mail. What
    cannot be hidden is that only a new account's owner is logged in afterwards. Who wants to find out that way pays
    with an account made, or a mail sent to the owner and a wrong password counted.
    """
    if not User.objects.filter(email=email).exists():
        try:
            user = create_account(request, email, password)
        except IntegrityError:  # signed up twice at once
            pass
        else:
            log_in(request, user, backend=BACKEND)
            return
    known = authenticate(request, email=email, password=password)
    context = {"login_url": link_in_mail(request, reverse("login")), "email": email}
    context["reset_url"] = link_in_mail(request, reverse("password_reset"))
    # Once an hour, so that nobody's mailbox is flooded.
    queue_mail(f"signup-again-{email[:150]}-{timezone.now():%Y%m%d%H}", email, "signup_again", context)
    if known is not None:
        log_in(request, known)
    else:
        request.session.cycle_key()
        rotate_token(request)
        request.session["login_email"] = email
        log_in_noted(request, None)


def create_account(request: HttpRequest, email: str, password: str) -> User:
    # Before the transaction, which would hold up other writers in the demo for as long.
    user = User(email=email, password=make_password(password), email_proved_at=None)
    with transaction.atomic():
        user.save()
        context = {
            "email": user.email,
            "books_url": link_in_mail(request, reverse("product_list", args=["all"])),
            "confirm_url": confirm_url(request, user),
        }
        queue_mail(f"welcome-{user.pk}", user.email, "welcome", context)
    return user


@never_cache
@sensitive_post_parameters()
def login(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(next_url(request, "home"))
    form = LoginForm(request, sent(request), initial={"email": request.session.get("login_email", "")})
    if request.method == "POST" and form.is_valid():
        log_in(request, form.user)
        return redirect(next_url(request, "home"))
    return render_form(request, "shop/login.html", form)


@never_cache
def logout(request: HttpRequest) -> HttpResponse:
    """Ask, for whoever follows a link, and log out on POST."""
    if request.method == "POST":
        log_out(request)
        messages.success(request, "You are logged out.")
        return redirect("home")
    if not request.user.is_authenticated:
        return redirect("home")
    return render(request, "shop/logout.html")


def password_was_changed(request: HttpRequest, user: User) -> None:
    """Failed log-ins are forgotten, this browser is known anew, and the owner is told: was it they?"""
    log_in_noted(request, user)
    forget_failures(username=user.email)
    context = {"email": user.email, "reset_url": link_in_mail(request, reverse("password_reset"))}
    queue_mail(f"password-changed-{user.pk}-{timezone.now():%Y%m%d%H%M%S%f}", user.email, "password_changed", context)


@never_cache
@sensitive_post_parameters()
@login_required
def password_change(request: HttpRequest) -> HttpResponse:
    """A new password; this session goes on, the person's others end."""
    assert isinstance(request.user, User)  # noqa: S101  # login_required
    form = OwnPasswordForm(request.user, sent(request), request=request)
    if fragment := live_error(request, form):
        return fragment
    if request.method != "POST" or not form.is_valid():
        return render_form(request, "shop/password_change.html", form)
    user = form.save(commit=False)
    with transaction.atomic():
        user.save()
        password_was_changed(request, user)
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed. Wherever else you were logged in, you are logged out.")
    return redirect("home")


class PasswordReset(auth_views.PasswordResetView):
    """Ask for the mail. The answer leaves before it is looked up whether there is such an account."""

    form_class = PasswordResetForm
    template_name = "shop/password_reset.html"

    def form_valid(self, form: Any) -> HttpResponseRedirect:
        work = partial(form.save, use_https=self.request.is_secure(), request=self.request)
        return RedirectThenDo(str(self.success_url), work)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class PasswordResetConfirm(auth_views.PasswordResetConfirmView):
    """A new password by the mailed link, which proves the address; it ends all that began under the old one."""

    template_name = "shop/password_reset_confirm.html"
    success_url = reverse_lazy("password_reset_complete")

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            password_was_changed(self.request, form.user)
            form.user.prove_email()
        return response


password_reset = throttled("password_reset")(PasswordReset.as_view())
password_reset_done = auth_views.PasswordResetDoneView.as_view(template_name="shop/password_reset_done.html")
password_reset_confirm = PasswordResetConfirm.as_view()
password_reset_complete = auth_views.PasswordResetCompleteView.as_view(
    template_name="shop/password_reset_complete.html"
)
