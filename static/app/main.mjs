import { createApi, Outdated } from "./api.mjs";
import { mountLogin } from "./login.mjs";
import { mountOrder } from "./order.mjs";
import { mountOrders } from "./orders.mjs";
import { sendUnsent } from "./outbox.mjs";
import { createStore } from "./store.mjs";

const store = createStore(localStorage);
const api = createApi((...request) => fetch(...request), () => store.get("token"));
const screens = Object.fromEntries(
  [...document.querySelectorAll("[data-screen]")].map((screen) => [screen.dataset.screen, screen]),
);
const login = mountLogin(screens.login, api, enter);
const orders = mountOrders(screens.orders, { api, store, failed });
const order = mountOrder(screens.order, { api, store, storage: localStorage, failed });

/** Whether an error was that the token no longer holds, which ends the visit, or held no more; others are their finder's. */
function failed(error) {
  if (error instanceof Outdated) return true;
  if (error.status !== 401) return false;
  leave("You were logged out. Log in again to go on.");
  return true;
}

async function enter(token) {
  store.set("token", token);
  try {
    store.set("person", await api.whoAmI());
  } catch (error) {
    store.forget();
    throw error;
  }
  route();
  await refresh();
}

/** Ask for the orders anew, and show what is new of the one that is open, too. */
async function refresh() {
  await orders.refresh();
  order.update(orders.find(order.openId()));
}

function leave(notice) {
  order.close();
  store.forget();
  orders.forget();
  history.replaceState(null, "", "/app/");
  // Pictures tell what somebody bought.
  globalThis.caches?.delete("booktime-pictures");
  login.show(notice);
  show("login");
}

function show(name) {
  for (const [key, screen] of Object.entries(screens)) screen.hidden = key !== name;
  screens[name].querySelector("h1").focus({ preventScroll: true });
  document.title = `${screens[name].querySelector("h1").textContent}, BookTime`;
}

/** Show what the address says: /app/ the orders, /app/?order=7 one of them. */
function route() {
  if (!store.get("token") || !store.get("person")) return show("login");
  const id = Number(new URLSearchParams(location.search).get("order"));
  const wanted = id && orders.find(id);
  if (wanted) {
    order.open(wanted);
    return show("order");
  }
  if (order.openId()) order.close();
  orders.show();
  show("orders");
}

async function catchUp() {
  if (!store.get("token")) return;
  await Promise.all([sendUnsent(store, api, order.openId()), refresh()]);
  if (!screens.orders.hidden) orders.show();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-order]");
  if (link) {
    event.preventDefault();
    history.pushState({ within: true }, "", link.href);
    route();
  }
  if (event.target.closest("[data-back]")) {
    event.preventDefault();
    if (history.state?.within) history.back();
    else { history.replaceState(null, "", "/app/"); route(); }
  }
  if (event.target.closest("[data-log-out]") && mayLogOut()) {
    api.logOut().catch(() => {});
    leave("");
  }
});

function mayLogOut() {
  const count = store.unsent().length;
  return !count || confirm("A message was not sent yet and would be lost. Log out all the same?");
}

window.addEventListener("popstate", route);
window.addEventListener("online", catchUp);
window.addEventListener("pageshow", (event) => event.persisted && catchUp());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && catchUp());
// Logged in or out in another tab.
window.addEventListener("storage", (event) => {
  if (event.key === "booktime-app-token" && !event.newValue) leave("");
});
for (const [event, isOnline] of [["online", true], ["offline", false]]) {
  window.addEventListener(event, () => { document.getElementById("offline").hidden = isOnline; });
}
document.getElementById("offline").hidden = navigator.onLine;
navigator.serviceWorker?.register("/app/sw.js");

route();
if (store.get("token")) {
  await catchUp();
  if (screens.order.hidden && new URLSearchParams(location.search).has("order")) route();
}
