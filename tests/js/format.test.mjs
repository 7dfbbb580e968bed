import assert from "node:assert/strict";
import test from "node:test";
import { firstTitle, hasCarrier, mayBeSent, price, stage, whereabouts } from "../../static/app/format.mjs";

test("prices are pounds and pence", () => {
  assert.equal(price(1234.5), "£1,234.50");
  assert.equal(price(0), "£0.00");
});

test("the first title of a summary may hold a comma and a number", () => {
  assert.equal(firstTitle("2 x Siddhartha, 1 x Emma"), "Siddhartha");
  assert.equal(firstTitle("1 x Eats, Shoots & Leaves, 12 x Catch-22"), "Eats, Shoots & Leaves");
  assert.equal(firstTitle(""), "");
});

test("a stage is said in the shop's words, and follows from the status where it is not told", () => {
  assert.deepEqual(stage({ status: 10, stage: "cancelled" }), ["Cancelled", "cancelled"]);
  assert.equal(stage({ status: 20 })[0], "Paid");
  assert.equal(stage({ status: 99 })[0], "Placed");
});

test("where an order is follows from its stage, also where no carrier says anything", () => {
  assert.match(whereabouts({ status: 10 }), /not paid/);
  assert.match(whereabouts({ status: 20, stage: "paid" }), /getting it ready/);
  assert.match(whereabouts({ status: 10, stage: "cancelled" }), /cancelled/);
  assert.deepEqual(["new", "paid", "sent"].map((stage) => mayBeSent({ stage })), [false, true, true]);
  assert.deepEqual(["new", "paid", "sent"].map((stage) => hasCarrier({ stage })), [false, false, true]);
});
