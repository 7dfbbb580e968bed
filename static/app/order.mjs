import { mount } from "../js/chat.js";
import { cover } from "./cover.mjs";
import { day, hasCarrier, mayBeSent, moment, price, stage, whereabouts } from "./format.mjs";

/** A parcel as a line of a list: "Sent on 3 May 2026 with Royal Mail, AB123", where it can be followed as a link. */
function parcelItem(parcel) {
  const item = document.createElement("li");
  item.append(`Sent on ${day(parcel.date_sent)}${parcel.carrier && ` with ${parcel.carrier}`}${parcel.tracking_number && ", "}`);
  if (!parcel.link) item.append(parcel.tracking_number);
  else item.append(Object.assign(document.createElement("a"), { href: parcel.link, rel: "noreferrer", target: "_blank", textContent: parcel.tracking_number }));
  return item;
}

/** One order: where its parcel is, and its chat. Returns { open(order), update(order), close(), openId() }. */
export function mountOrder(root, { api, store, storage, failed }) {
  const find = (id) => root.querySelector(`#${id}`);
  const blank = find("chat-form").parentElement.cloneNode(true);
  let chat = null;
  let current = null;

  function showAbout(order) {
    find("order-title").textContent = `Order ${order.id}`;
    find("order-cover").replaceChildren(cover(order));
    showNews(order);
  }

  function showNews(order) {
    const [label, colour] = stage(order);
    find("order-summary").textContent = order.summary;
    find("order-about").textContent = `${price(order.price)}, ${day(order.date_added)}`;
    find("order-stage").textContent = label;
    find("order-stage").className = `badge badge--${colour}`;
    find("shipment-again").hidden = !mayBeSent(order);
    find("shipment-parcels").replaceChildren(...(order.parcels ?? []).map(parcelItem));
  }

  function showShipment(text, note = "") {
    find("shipment").textContent = text;
    find("shipment-note").textContent = note;
    find("shipment-note").hidden = !note;
  }

  /** What the shop itself knows, until the carrier has something to say. */
  function showStage(order, reason = "") {
    showShipment(whereabouts(order), hasCarrier(order) ? reason : "");
  }

  async function askCarrier(order) {
    const known = store.get(`shipment-${order.id}`);
    if (known) showShipment(known.text, `As of ${moment(known.at)}`);
    else showStage(order, "Asking the carrier…");
    find("shipment-again").disabled = true;
    try {
      const text = await api.tracker(order.id);
      store.set(`shipment-${order.id}`, { text, at: Date.now() });
      if (current?.id === order.id) showShipment(text);
    } catch (error) {
      if (failed(error) || current?.id !== order.id) return;
      const last = error.body?.last_known ? { text: error.body.last_known, at: error.body.as_of } : known;
      const reason = error.message || "The carrier gives no answer.";
      if (last) showShipment(last.text, `${reason} This is as of ${moment(last.at)}.`);
      else showStage(current, reason);
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
      since: history.at(-1)?.id,
      history,
      hasEarlier: store.isCut(order.id),
      storage,
      onMessages: (messages) => store.remember(order.id, ...messages),
      onSignedOut: () => failed({ status: 401 }),
    });
  }

  function close() {
    chat?.close();
    chat = current = null;
    // The next order begins with an empty log and an empty field.
    find("chat-form").parentElement.replaceWith(blank.cloneNode(true));
    find("order-cover").replaceChildren();
    for (const id of ["order-summary", "order-about", "shipment", "shipment-note", "shipment-parcels"]) find(id).textContent = "";
  }

  find("shipment-again").addEventListener("click", () => current && askCarrier(current));

  return {
    close,
    openId: () => current?.id ?? null,
    /** Show what has changed of the open order; its chat goes on. A new stage is one to ask the carrier about. */
    update(order) {
      if (!current || order?.id !== current.id || JSON.stringify(order) === JSON.stringify(current)) return;
      const before = current;
      current = order;
      showNews(order);
      if (whereabouts(before) !== whereabouts(order)) askCarrier(order);
    },
    open(order) {
      if (current) close();
      current = order;
      showAbout(order);
      openChat(order);
      askCarrier(order);
    },
  };
}
