// How the app writes what the endpoints give as data.

const pounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const STAGES = {
  new: ["Placed", "new"],
  paid: ["Paid", "paid"],
  processing: ["Packing", "processing"],
  sent: ["Sent", "sent"],
  cancelled: ["Cancelled", "cancelled"],
};
const STATUSES = { 10: "new", 20: "paid", 30: "sent" };

export const price = (amount) => pounds.format(amount);

/** How far an order is: [label, the badge's colour]. */
export function stage(order) {
  return STAGES[order.stage ?? STATUSES[order.status]] ?? STAGES.new;
}

/** "23 November 2026" */
export const day = (moment) =>
  new Date(moment).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** "23 Nov, 14:05", in the reader's own time. */
export const moment = (when) =>
  new Date(when).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** The first book of a summary: "2 x Siddhartha, 1 x Emma" begins with Siddhartha. */
export const firstTitle = (summary) => summary.replace(/^\d+ x /, "").split(/, \d+ x /)[0];
