import { mount } from "../js/chat.js";
import { cover } from "./cover.mjs";
import { day, moment, price, stage } from "./format.mjs";

/** One order: where its parcel is, and its chat. Returns { open(order), close(), openId() }. */
export function mountOrder(root, { api, store, storage, failed }) {
  const find = (id) => root.querySelector(`#${id}`);
  const blank = find("chat-form").parentElement.cloneNode(true);
  let chat = null;
  let current = null;

  function showAbout(order) {
    const [label, colour] = stage(order);
    find("order-title").textContent = `Order ${order.id}`;
    find("order-cover").replaceChildren(cover(order));
    find("order-summary").textContent = order.summary;
    find("order-about").textContent = `${price(order.price)}, ${day(order.date_added)}`;
    find("order-stage").textContent = label;
    find("order-stage").className = `badge badge--${colour}`;
  }

  function showShipment(text, note = "") {
    find("shipment").textContent = text;
    find("shipment-note").textContent = note;
    find("shipment-note").hidden = !note;
  }

  async function askCarrier(order) {
    const known = store.get(`shipment-${order.id}`);
    showShipment(known?.text ?? "Asking the carrier…", known ? `As of ${moment(known.at)}` : "");
    find("shipment-again").disabled = true;
    try {
      const text = await api.tracker(order.id);
      store.set(`shipment-${order.id}`, { text, at: Date.now() });
      if (current === order) showShipment(text);
    } catch (error) {
      if (failed(error) || current !== order) return;
      const last = error.body?.last_known ? { text: error.body.last_known, at: error.body.as_of } : known;
      const reason = error.message || "The carrier gives no answer.";
      if (last) showShipment(last.text, `${reason} This is as of ${moment(last.at)}.`);
      else showShipment("There is no news of the parcel yet.", reason);
    } finally {
      find("shipment-again").disabled = false;
    }
  }

  function openChat(order) {
    const history = store.history(order.id);
    chat = mount(root, {
      orderId: order.id,
      username: store.get("person").username,
      token: store.get("token"),
      since: history.at(-1)?.id ?? 0,
      history,
      storage,
      onMessage: (message) => store.remember(order.id, message),
      onSignedOut: () => failed({ status: 401 }),
    });
  }

  function close() {
    chat?.close();
    chat = current = null;
    // The next order begins with an empty log and an empty field.
    find("chat-form").parentElement.replaceWith(blank.cloneNode(true));
    find("order-cover").replaceChildren();
    for (const id of ["order-summary", "order-about", "shipment", "shipment-note"]) find(id).textContent = "";
  }

  find("shipment-again").addEventListener("click", () => current && askCarrier(current));

  return {
    close,
    openId: () => current?.id ?? null,
    open(order) {
      if (current) close();
      current = order;
      showAbout(order);
      openChat(order);
      askCarrier(order);
    },
  };
}
