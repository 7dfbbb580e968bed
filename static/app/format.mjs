// How the app writes what the endpoints give as data.

// As the page says: the shop's currency, and the place whose way to write amounts it has.
const { currency, currencyLocale } = globalThis.document?.documentElement.dataset ?? { currency: "GBP", currencyLocale: "en-GB" };
const amounts = new Intl.NumberFormat(currencyLocale, { style: "currency", currency });
const STAGES = {
  new: ["Placed", "new"],
  paid: ["Paid", "paid"],
  processing: ["Packing", "processing"],
  sent: ["Sent", "sent"],
  cancelled: ["Cancelled", "cancelled"],
};
const STATUSES = { 10: "new", 20: "paid", 30: "sent" };
const WHEREABOUTS = {
  new: "Not sent yet: it is not paid for.",
  paid: "Not sent yet: we are getting it ready.",
  processing: "We are packing it; a part of it may be on its way.",
  sent: "It was sent.",
  cancelled: "It was cancelled, and is not sent.",
};

export const price = (amount) => amounts.format(amount);

const stageOf = (order) => order.stage ?? STATUSES[order.status];

/** How far an order is: [label, the badge's colour]. */
export const stage = (order) => STAGES[stageOf(order)] ?? STAGES.new;

/** Where an order's books are as far as the shop itself knows. */
export const whereabouts = (order) => WHEREABOUTS[stageOf(order)] ?? WHEREABOUTS.new;

/** Whether a carrier may have a parcel of it, so that a carrier's silence is worth a word. */
export const hasCarrier = (order) => ["processing", "sent"].includes(stageOf(order));

/** Whether it is worth asking a carrier once more. */
export const mayBeSent = (order) => !["new", "cancelled"].includes(stageOf(order));

/** "23 November 2026" */
export const day = (moment) =>
  new Date(moment).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** "23 Nov, 14:05", in the reader's own time. */
export const moment = (when) =>
  new Date(when).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** The first book of a summary: "2 x Siddhartha, 1 x Emma" begins with Siddhartha. */
export const firstTitle = (summary) => summary.replace(/^\d+ x /, "").split(/, \d+ x /)[0];
