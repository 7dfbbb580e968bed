"""A stand-in for Stripe's API: a real HTTP server that keeps its books, signs its events and fails when it is told to.

    with StripeServer() as stripe:
        …                                # the site runs with stripe.variables()
        stripe.pay(session_id)           # as a shopper does on the hosted page
        stripe.fail("drop", "/v1/refunds")
        body, headers = stripe.event("checkout.session.completed", stripe.sessions[session_id])

It knows what the site asks for: Checkout sessions, refunds, and their lists.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from stripe import WebhookSignature

SECRET_KEY, WEBHOOK_SECRET = "sk_test_stand_in", "whsec_stand_in"
PAGE = """<!doctype html><html lang="en"><title>Stand-in for Stripe</title><h1>Pay {amount} {currency}</h1>
<form method="post">{buttons}</form></html>"""
BUTTON = '<button name="do" value="{0}">{0}</button>'


class Refused(Exception):
    """An answer with an error, as Stripe writes it."""

    def __init__(self, status: int, kind: str, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}


class StripeServer:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.numbers = count(1)
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        # Idempotency key -> what was asked for, and the answer.
        self.answers: dict[str, tuple[Any, int, dict[str, Any]]] = {}
        # What was asked: (method, path, parameters, idempotency key).
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.faults: list[tuple[str, str]] = []
        # What new refunds are.
        self.refund_status = "succeeded"
        handler = type("Handler", (Handler,), {"stripe": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def variables(self) -> dict[str, str]:
        """The environment of a site that asks this server."""
        return {
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": self.url,
        }

    # --- What is told to go wrong

    def fail(self, how: str, path: str, times: int = 1) -> None:
        """The next so many requests below `path`: "500", "refuse", "slow" (a second), "drop" (after the work)."""
        self.faults += [(how, path)] * times

    def forget(self) -> None:
        """Begin anew: nothing was asked, paid or refunded."""
        for kept in (self.sessions, self.refunds, self.answers, self.asked, self.faults):
            kept.clear()
        self.refund_status = "succeeded"

    def next_fault(self, path: str) -> str:
        for number, (how, where) in enumerate(self.faults):
            if path.startswith(where):
                del self.faults[number]
                return how
        return ""

    # --- What a shopper, a bank or the shop's people at the provider's do

    def pay(self, session_id: str, amount: int | None = None, currency: str | None = None) -> dict[str, Any]:
        session = self.sessions[session_id]
        session.update(status="complete", payment_status="paid", payment_intent=f"pi_{session_id[3:]}")
        session["amount_total"] = session["amount_total"] if amount is None else amount
        session["currency"] = currency or session["currency"]
        return session

    def begin_like(self, session: dict[str, Any]) -> dict[str, Any]:
        """Another session for the same order, as of a second window."""
        name = f"cs_{next(self.numbers)}"
        self.sessions[name] = {
            **session,
            "id": name,
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
        }
        return self.sessions[name]

    def expire(self, session_id: str) -> dict[str, Any]:
        self.sessions[session_id].update(status="expired", url=None)
        return self.sessions[session_id]

    def give_back(self, intent: str, amount: int, **more: Any) -> dict[str, Any]:
        paid = next((s for s in self.sessions.values() if s["payment_intent"] == intent), None)
        if paid is None:
            raise Refused(404, "invalid_request_error", f"No such payment_intent: '{intent}'", "resource_missing")
        left = paid["amount_total"] - sum(r["amount"] for r in self.refunds.values() if r["payment_intent"] == intent)
        if amount > left:
            raise Refused(400, "invalid_request_error", f"Refund amount is greater than {left}", "amount_too_large")
        refund = {
            **{"id": f"re_{next(self.numbers)}", "object": "refund", "amount": amount, "status": self.refund_status},
            **{"payment_intent": intent, "charge": f"ch_{intent[3:]}", "currency": paid["currency"]},
            **{"created": int(time.time()), "metadata": {}},
            **more,
        }
        self.refunds[refund["id"]] = refund
        return refund

    def charge(self, intent: str) -> dict[str, Any]:
        """The charge as an event tells of it, with its refunds, newest first."""
        refunds = [r for r in reversed(self.refunds.values()) if r["payment_intent"] == intent]
        paid = next(s for s in self.sessions.values() if s["payment_intent"] == intent)
        return {
            **{"id": f"ch_{intent[3:]}", "object": "charge", "payment_intent": intent, "currency": paid["currency"]},
            **{"amount": paid["amount_total"], "amount_refunded": sum(r["amount"] for r in refunds)},
            "refunds": {"object": "list", "data": refunds, "has_more": False},
        }

    def event(
        self, kind: str, thing: dict[str, Any], *, event_id: str = "", at: float | None = None, secret: str = ""
    ) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of an event, signed `at` a moment (now) with a `secret` (the right one)."""
        name = event_id or f"evt_{next(self.numbers)}"
        event = {"id": name, "object": "event", "type": kind, "created": int(time.time()), "data": {"object": thing}}
        body = json.dumps(event)
        moment = int(at if at is not None else time.time())
        signature = WebhookSignature.generate_signature_header(body, secret or WEBHOOK_SECRET, moment)
        return body.encode(), {"Stripe-Signature": signature, "Content-Type": "application/json"}

    # --- The API

    def answer(self, method: str, path: str, asked: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.asked.append((method, path, asked, key))
            if key and key in self.answers:
                known, status, body = self.answers[key]
                if known != (path, asked):
                    raise Refused(400, "idempotency_error", "Keys for idempotent requests can only be used once so.")
                return status, body
            body = self.do(method, path, asked)
            if key:
                self.answers[key] = (path, asked), 200, json.loads(json.dumps(body))
            return 200, body

    def do(self, method: str, path: str, asked: dict[str, str]) -> dict[str, Any]:
        match (method, *path.removeprefix("/v1/").split("/")):
            case ("POST", "checkout", "sessions"):
                return self.begin(asked)
            case ("GET", "checkout", "sessions"):
                return page_of(list(self.sessions.values()), asked, path)
            case ("GET", "checkout", "sessions", name):
                return self.known(name)
            case ("POST", "checkout", "sessions", name, "expire"):
                if self.known(name)["status"] != "open":
                    raise Refused(400, "invalid_request_error", "Only Checkout Sessions with a status of open expire.")
                return self.expire(name)
            case ("POST", "refunds"):
                metadata = {k[9:-1]: v for k, v in asked.items() if k.startswith("metadata[")}
                return self.give_back(asked["payment_intent"], int(asked["amount"]), metadata=metadata)
            case ("GET", "refunds", name):
                return self.refunds[name]
            case ("GET", "refunds"):
                return page_of(list(self.refunds.values()), asked, path)
        raise Refused(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")

    def known(self, name: str) -> dict[str, Any]:
        if name not in self.sessions:
            raise Refused(404, "invalid_request_error", f"No such checkout.session: '{name}'", "resource_missing")
        return self.sessions[name]

    def begin(self, asked: dict[str, str]) -> dict[str, Any]:
        name = f"cs_{next(self.numbers)}"
        price = "line_items[0][price_data]"
        amount = int(asked[f"{price}[unit_amount]"]) * int(asked["line_items[0][quantity]"])
        self.sessions[name] = {
            **{"id": name, "object": "checkout.session", "mode": asked["mode"], "status": "open"},
            **{"payment_status": "unpaid", "payment_intent": None, "amount_total": amount},
            **{"currency": asked[f"{price}[currency]"], "client_reference_id": asked["client_reference_id"]},
            **{"url": f"{self.url}/pay/{name}", "success_url": asked["success_url"]},
            **{"cancel_url": asked["cancel_url"], "created": int(time.time())},
        }
        return self.sessions[name]


def page_of(rows: list[dict[str, Any]], asked: dict[str, str], path: str) -> dict[str, Any]:
    """A page of a list, the newest first."""
    rows = [row for row in reversed(rows) if row["created"] >= int(asked.get("created[gte]", 0))]
    names = [row["id"] for row in rows]
    start = names.index(asked["starting_after"]) + 1 if "starting_after" in asked else 0
    page = rows[start : start + int(asked.get("limit", 10))]
    return {"object": "list", "data": page, "has_more": start + len(page) < len(rows), "url": path}


class Handler(BaseHTTPRequestHandler):
    stripe: StripeServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        address = urlsplit(self.path)
        asked = dict(parse_qsl(body or address.query))
        if address.path.startswith("/pay/"):
            self.show(method, address.path.removeprefix("/pay/"), asked)
            return
        fault = self.stripe.next_fault(address.path)
        if fault == "500":
            self.send(500, {"error": {"type": "api_error", "message": "An error occurred."}})
            return
        if fault == "slow":
            time.sleep(1)
        try:
            if self.headers.get("Authorization") != f"Bearer {SECRET_KEY}":
                raise Refused(401, "invalid_request_error", "Invalid API Key provided.")
            if fault == "refuse":
                raise Refused(400, "invalid_request_error", "This cannot be done.", "charge_disputed")
            status, answer = self.stripe.answer(method, address.path, asked, self.headers.get("Idempotency-Key", ""))
        except Refused as refused:
            status, answer = refused.status, refused.body
        if fault == "drop":
            self.close_connection = True
            return
        self.send(status, answer)

    def show(self, method: str, name: str, asked: dict[str, str]) -> None:
        """The hosted page."""
        session = self.stripe.sessions[name]
        if method == "GET":
            buttons = "".join(BUTTON.format(what) for what in ("pay", "decline", "give up"))
            text = PAGE.format(amount=session["amount_total"], currency=session["currency"], buttons=buttons)
            self.reply(200, "text/html; charset=utf-8", text.encode())
            return
        if asked["do"] == "pay":
            self.stripe.pay(name)
        where = {"pay": session["success_url"], "give up": session["cancel_url"]}.get(asked["do"], self.path)
        self.send_response(303)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, status: int, answer: dict[str, Any]) -> None:
        self.reply(status, "application/json", json.dumps(answer).encode())

    def reply(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass
