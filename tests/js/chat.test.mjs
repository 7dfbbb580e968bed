import assert from "node:assert/strict";
import test, { mock } from "node:test";

// What chat.js finds in a browser: here no page, and a network that does as it is told.
globalThis.document = { querySelectorAll: () => [] };
globalThis.window = new EventTarget();
globalThis.location = { origin: "https://shop.example" };
const { connect } = await import("../../static/js/chat.js");

const A_PAGE = 200;

class Socket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static all = [];
  readyState = Socket.CONNECTING;
  sent = [];
  constructor(url) { super(); this.url = new URL(url); Socket.all.push(this); }
  send(text) { this.sent.push(JSON.parse(text)); }
  opens() { this.readyState = Socket.OPEN; this.dispatchEvent(new Event("open")); }
  closes(code) { this.readyState = 3; this.dispatchEvent(Object.assign(new Event("close"), { code })); }
  says(frame) { this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(frame) })); }
  close() {}
}
globalThis.WebSocket = Socket;

/** Until all that the network answered has been taken in. */
const settled = async () => { for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => { setImmediate(resolve); }); };
const message = (id) => ({ id, username: "Alice", message: `number ${id}`, sent_at: "2026-11-26T10:00:00Z", client_id: null });

/** A conversation of so many messages with a server of pages. It notes what was asked, and what the page is told. */
function conversation(count, options = {}, down = false) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  Socket.all = [];
  const told = { shown: [], statuses: [], asked: [], newest: [], refused: [], posted: [], down };
  const all = Array.from({ length: count }, (_, index) => message(index + 1));
  globalThis.fetch = async (address, request = {}) => {
    if (told.down) throw new TypeError("Failed to fetch");
    const url = new URL(address, location.origin);
    if (request.method === "POST") {
      told.posted.push(JSON.parse(request.body));
      return told.answer ?? Response.json(message(count + 1), { status: 201 });
    }
    const query = Object.fromEntries(url.searchParams);
    told.asked.push(query);
    const page = "before" in query
      ? all.filter((one) => one.id < Number(query.before)).slice(-A_PAGE)
      : all.filter((one) => one.id > Number(query.since)).slice(0, A_PAGE);
    return Response.json(page);
  };
  const on = {
    message: (one) => told.shown.push(one.id),
    newest: (page) => told.newest.push(page.map((one) => one.id)),
    status: (state) => told.statuses.push(state),
    refused: (id, detail) => told.refused.push(detail),
  };
  told.chat = connect({ orderId: 7, on, ...options });
  return told;
}

test("over plain requests a conversation is read page by page until its end", async () => {
  const told = conversation(450, { since: 10 });
  for (let failures = 0; failures < 3; failures += 1) {
    Socket.all.at(-1).closes(1006);
    mock.timers.tick(20_000);
    await settled();
  }
  assert.deepEqual(told.shown, Array.from({ length: 440 }, (_, index) => index + 11));
  assert.deepEqual(told.asked.map((query) => query.since).slice(0, 3), ["10", "210", "410"]);
  assert.equal(Socket.all.at(-1).url.searchParams.get("since"), "450");
  told.chat.close();
});

test("a conversation that is not known yet begins with its newest page, and goes on live from there", async () => {
  const told = conversation(450);
  await settled();
  assert.deepEqual(told.newest.map((page) => [page.length, page[0], page.at(-1)]), [[A_PAGE, 251, 450]]);
  assert.equal(Socket.all.length, 1);
  assert.equal(Socket.all[0].url.searchParams.get("since"), "450");
  assert.deepEqual((await told.chat.earlier(251)).map((one) => one.id), Array.from({ length: 200 }, (_, i) => i + 51));
  told.chat.close();
});

test("one that cannot be begun without a network begins once there is one", async () => {
  const told = conversation(3, {}, true);
  await settled();
  assert.deepEqual([told.newest, told.statuses, Socket.all.length], [[], ["offline"], 0]);
  told.down = false;
  mock.timers.tick(20_000);
  await settled();
  assert.deepEqual([told.newest, Socket.all.length], [[[1, 2, 3]], 1]);
  told.chat.close();
});

test("a person with too many chats open is told so, and asks again slowly", async () => {
  const told = conversation(0, { since: 0 });
  for (let time = 0; time < 3; time += 1) {
    Socket.all.at(-1).opens();
    Socket.all.at(-1).closes(4429);
    assert.equal(told.statuses.at(-1), "crowded");
    mock.timers.tick(20_000);
    await settled();
    assert.equal(Socket.all.length, time + 1);
    mock.timers.tick(20_000);
    await settled();
    assert.equal(Socket.all.length, time + 2);
  }
  told.chat.close();
});

test("what is written meanwhile is sent by plain requests", async () => {
  const told = conversation(0, { since: 0 });
  Socket.all[0].opens();
  Socket.all[0].closes(4429);
  told.chat.send("Hello");
  mock.timers.tick(40_000);
  await settled();
  assert.deepEqual(told.posted.map((entry) => entry.message), ["Hello"]);
  told.chat.close();
});

test("a message that is good in a moment is sent again, one that is good tomorrow is given back", async () => {
  const told = conversation(0, { since: 0 });
  const socket = Socket.all[0];
  socket.opens();
  const [soon, late] = [told.chat.send("One"), told.chat.send("Two")];
  socket.says({ type: "error", code: "rate_limit", detail: "Slower.", client_id: soon, retry_after: 3 });
  socket.says({ type: "error", code: "daily_limit", detail: "Tomorrow.", client_id: late, retry_after: 9000 });
  assert.deepEqual(told.refused, ["Tomorrow."]);
  socket.sent = [];
  mock.timers.tick(3000);
  assert.deepEqual(socket.sent.map((frame) => frame.message), ["One"]);
  told.chat.close();
});

test("so it is over plain requests", async () => {
  const told = conversation(0, { since: 0 });
  told.answer = Response.json({ code: "daily_limit", detail: "Tomorrow." }, { status: 429, headers: { "Retry-After": "9000" } });
  Socket.all[0].opens();
  Socket.all[0].closes(4429);
  told.chat.send("Hello");
  mock.timers.tick(40_000);
  await settled();
  assert.deepEqual(told.refused, ["Tomorrow."]);
  told.chat.close();
});
