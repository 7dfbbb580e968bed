import { cover } from "./cover.mjs";
import { day, moment, price, stage } from "./format.mjs";

const A_PAGE = 50;

/** The list of orders: shown at once as it was last known, then as it is. Returns { refresh(), show(), forget(), find(id) }. */
export function mountOrders(root, { api, store, failed }) {
  const list = root.querySelector("#orders");
  const notice = root.querySelector("#orders-notice");
  const more = root.querySelector("#orders-more");
  const loading = root.querySelector("#orders-loading");
  let orders = store.get("orders") ?? [];
  let hasMore = false;
  let shown = "";

  function row(order, isUnsent) {
    const [label, colour] = stage(order);
    const item = document.createElement("li");
    item.innerHTML = `<a class="order"><span class="order__text"><span class="order__title"></span>
      <span class="order__about"></span><span class="order__foot"><span class="badge"></span>
      <span class="order__unsent" hidden>Not sent yet</span><b class="order__price"></b></span></span></a>`;
    const link = item.querySelector("a");
    link.href = `?order=${order.id}`;
    link.dataset.order = order.id;
    link.prepend(cover(order));
    item.querySelector(".order__title").textContent = order.summary || "An order without books";
    item.querySelector(".order__about").textContent = `Order ${order.id}, ${day(order.date_added)}`;
    item.querySelector(".badge").textContent = label;
    item.querySelector(".badge").classList.add(`badge--${colour}`);
    item.querySelector(".order__price").textContent = price(order.price);
    item.querySelector(".order__unsent").hidden = !isUnsent;
    return item;
  }

  /** Where nothing has changed, nothing is drawn anew, and who is in the list keeps their place. */
  function show() {
    const known = orders.length > 0 || store.get("orders") !== null;
    loading.hidden = known || !notice.hidden;
    const unsent = store.unsent().map((chat) => chat.orderId);
    const wanted = JSON.stringify([orders, hasMore, known, unsent]);
    if (wanted === shown) return;
    shown = wanted;
    list.replaceChildren(...orders.map((order) => row(order, unsent.includes(order.id))));
    list.ariaBusy = String(!known);
    root.querySelector("#orders-empty").hidden = !known || orders.length > 0;
    more.hidden = !hasMore;
  }

  function say(text) {
    notice.textContent = text;
    notice.hidden = !text;
  }

  async function refresh() {
    try {
      const newest = await api.orders();
      const older = orders.filter((order) => order.id < newest.at(-1)?.id);
      if (!older.length) hasMore = newest.length === A_PAGE;
      orders = [...newest, ...older];
      store.set("orders", newest);
      store.set("orders-at", Date.now());
      say("");
    } catch (error) {
      if (failed(error)) return;
      const known = store.get("orders-at");
      say(known ? `${error.message || "No answer."} This is as of ${moment(known)}.` : error.message);
    }
    if (!root.hidden) show();
  }

  more.addEventListener("click", async () => {
    more.disabled = true;
    try {
      const older = await api.orders(orders.at(-1).id);
      hasMore = older.length === A_PAGE;
      const first = orders.length;
      orders = [...orders, ...older];
      show();
      list.children[first]?.querySelector("a").focus();
    } catch (error) {
      if (!failed(error)) say(error.message);
    } finally {
      more.disabled = false;
    }
  });

  function forget() {
    orders = [];
    hasMore = false;
    shown = "";
    list.replaceChildren();
    say("");
  }

  return { refresh, show, forget, find: (id) => orders.find((order) => order.id === id) };
}
