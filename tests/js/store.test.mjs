import assert from "node:assert/strict";
import test from "node:test";
import { sendUnsent } from "../../static/app/outbox.mjs";
import { createStore } from "../../static/app/store.mjs";
import { Storage } from "./phone.mjs";

const CHAT = "chat-7-Alice Liddell";

function phone(pending = [{ client_id: "a", message: "Hello" }, { client_id: "b", message: "Again" }]) {
  const storage = new Storage();
  storage.setItem(CHAT, JSON.stringify({ draft: "and", pending }));
  return { storage, store: createStore(storage) };
}

test("what is kept is there after the app was closed", () => {
  const storage = new Storage();
  createStore(storage).set("token", "abc");
  assert.equal(createStore(storage).get("token"), "abc");
  assert.equal(createStore(storage).get("orders"), null);
});

test("a value that was damaged counts as none", () => {
  const storage = new Storage();
  storage.setItem("booktime-app-orders", "{");
  assert.equal(createStore(storage).get("orders"), null);
});

test("a full phone loses nothing but what comes again", () => {
  const storage = new Storage();
  storage.setItem = () => { throw new Error("QuotaExceededError"); };
  assert.doesNotThrow(() => createStore(storage).set("orders", []));
});

test("history holds each message once and the newest hundred", () => {
  const store = createStore(new Storage());
  for (let id = 1; id <= 120; id += 1) store.remember(7, { id });
  store.remember(7, { id: 120 });
  assert.deepEqual([store.history(7).length, store.history(7)[0].id, store.history(7).at(-1).id], [100, 21, 120]);
});

test("forgetting leaves nothing of this person, and all that is not the app's", () => {
  const { storage, store } = phone();
  store.set("token", "abc");
  store.remember(7, { id: 1 });
  storage.setItem("theme", "dark");
  store.forget();
  assert.deepEqual([storage.length, storage.key(0)], [1, "theme"]);
});

test("unsent messages go out in order and are then gone, the draft stays", async () => {
  const { storage, store } = phone();
  const said = [];
  const sent = await sendUnsent(store, { say: async (orderId, entry) => said.push([orderId, entry.message]) }, null);
  assert.equal(sent, 2);
  assert.deepEqual(said, [[7, "Hello"], [7, "Again"]]);
  assert.deepEqual(JSON.parse(storage.getItem(CHAT)), { draft: "and", pending: [] });
});

test("without a network they stay", async () => {
  const { store } = phone();
  const say = async () => { throw new Error("offline"); };
  assert.equal(await sendUnsent(store, { say }, null), 0);
  assert.equal(store.unsent()[0].entries.length, 2);
});

test("one that is refused for good does not hold up the others", async () => {
  const { store } = phone();
  const say = async (_, entry) => { if (entry.client_id === "a") throw Object.assign(new Error(), { status: 400 }); };
  assert.equal(await sendUnsent(store, { say }, null), 1);
  assert.deepEqual(store.unsent(), []);
});

test("the open chat sends its own", async () => {
  const { store } = phone();
  assert.equal(await sendUnsent(store, { say: () => assert.fail("sent twice") }, 7), 0);
});

test("messages that come together are kept as those that come alone, and it is known whether some are not", () => {
  const store = createStore(new Storage());
  const messages = Array.from({ length: 99 }, (_, index) => ({ id: index + 1 }));
  store.remember(7, ...messages);
  store.remember(7, ...messages);
  assert.deepEqual([store.history(7).length, store.isCut(7)], [99, false]);
  store.remember(7, { id: 100 }, { id: 101 });
  assert.deepEqual([store.history(7)[0].id, store.isCut(7)], [2, true]);
});
