"""Run in a server's environment: prints JSON of shoppers with an order each, and of agents, all with tokens."""

import json
import sys
from importlib import import_module

import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from rest_framework.authtoken.models import Token

from shop.models import Order, User

ADDRESS = {
    "name": "Jane Eyre",
    "address1": "1 Thornfield Road",
    "zip_code": "LS1 4AP",
    "city": "Leeds",
    "country": "uk",
}


def person(email: str, group: str = "") -> User:
    user = User(email=email, first_name=email.split("@")[0], is_staff=bool(group))
    user.set_unusable_password()
    user.save()
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def token(user: User) -> str:
    return Token.objects.create(user=user).key


def session(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return str(store.session_key)


def main(shoppers: int, agents: int) -> None:
    address = {f"{kind}_{name}": value for kind in ("billing", "shipping") for name, value in ADDRESS.items()}
    orders = []
    for number in range(shoppers):
        shopper = person(f"shopper{number}@example.com")
        orders.append({"order": Order.objects.create(user=shopper, **address).pk, "token": token(shopper)})
    office = [person(f"agent{number}@example.com", User.EMPLOYEES) for number in range(agents)]
    print(json.dumps({"orders": orders, "agents": [{"token": token(a), "session": session(a)} for a in office]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
