import assert from "node:assert/strict";
import test from "node:test";
import { createApi, Outdated, Refused, Unreachable } from "../../static/app/api.mjs";
import { network } from "./phone.mjs";

test("log-in sends address and password as JSON and gives the token", async () => {
  const { send, asked } = network([200, { token: "abc" }]);
  assert.equal(await createApi(send, () => null).logIn("alice@example.com", "secret"), "abc");
  assert.equal(asked[0].url, "/mobile-api/auth/");
  assert.equal(asked[0].method, "POST");
  assert.deepEqual(JSON.parse(asked[0].body), { username: "alice@example.com", password: "secret" });
  assert.equal(asked[0].headers.Authorization, undefined);
});

test("every other call carries the token of now", async () => {
  const { send, asked } = network([200, []], [204]);
  let token = "old";
  const api = createApi(send, () => token);
  await api.orders(51);
  token = "new";
  await api.logOut();
  assert.match(asked[0].url, /before=51/);
  assert.deepEqual(asked.map((one) => one.headers.Authorization), ["Token old", "Token new"]);
  assert.equal(asked[1].method, "DELETE");
});

test("a refusal says why, whatever its shape", async () => {
  const { send } = network([400, { detail: "Wrong." }], [400, { username: ["Empty."], password: ["Too."] }], [500, "<h1>"]);
  const api = createApi(send, () => null);
  await assert.rejects(api.logIn("a", "b"), (error) => error instanceof Refused && error.message === "Wrong.");
  await assert.rejects(api.logIn("", ""), { message: "Empty. Too.", status: 400 });
  await assert.rejects(api.orders(), { status: 500 });
});

test("a carrier's failure brings what was known last", async () => {
  const { send } = network([504, { detail: "Slow.", last_known: "Packed", as_of: "2026-11-23T10:00:00Z" }]);
  await assert.rejects(createApi(send, () => "t").tracker(7), (error) => error.body.last_known === "Packed");
});

test("no network is told from a refusal", async () => {
  const { send } = network(new TypeError("Failed to fetch"));
  await assert.rejects(createApi(send, () => "t").orders(), Unreachable);
});

test("an answer that comes after somebody logged out is nobody's, whatever it says", async () => {
  for (const status of [200, 401]) {
    let token = "hers";
    const send = async () => { token = null; return Response.json([], { status }); };
    await assert.rejects(createApi(send, () => token).orders(), Outdated);
  }
});
