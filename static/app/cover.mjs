import { firstTitle } from "./format.mjs";

/** The picture of an order, or a cloth cover with the first book's title where it has none. */
export function cover(order) {
  const frame = document.createElement("span");
  frame.className = "cover cover--small";
  if (order.image) {
    const picture = document.createElement("img");
    picture.alt = "";
    picture.width = 72;
    picture.height = 108;
    picture.src = order.image;
    picture.addEventListener("error", () => frame.replaceWith(drawn(order)));
    frame.append(picture);
    return frame;
  }
  return drawn(order);
}

function drawn(order) {
  const title = firstTitle(order.summary);
  const frame = document.createElement("span");
  frame.className = "cover cover--small cover--blank";
  frame.dataset.tone = String([...title].length % 10);
  frame.setAttribute("aria-hidden", "true");
  const text = document.createElement("span");
  text.textContent = title;
  frame.append(text);
  return frame;
}
