// What every update in place needs, whatever is updated: the focus never gets lost, one region says what changed, and
// who waits is shown it. The markup says which and what; docs/design-system.md shows how.

const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
const PAUSE = 150; // ms; a screen reader that was just sent elsewhere would not speak before

const find = (id) => document.getElementById(id);
const isLost = () => !document.activeElement || document.activeElement.matches("body, :disabled");

// What had the focus before a swap, and how its successor can be known where it has no id.
let before = null;

function note(target) {
  const element = document.activeElement ?? document.body;
  before = { id: element.id, traits: traitsOf(element), isInside: target.contains(element) };
}

function traitsOf(element) {
  const attributes = ["type", "name", "value", "href", "aria-label", "tabindex"].map((name) => element.getAttribute(name));
  const text = element.matches("a, button, summary") ? element.textContent.trim() : "";
  return [element.localName, ...attributes, text].join("\n");
}

function successorIn(region) {
  if (before.id) return find(before.id);
  return [...region.querySelectorAll(FOCUSABLE)].find((element) => traitsOf(element) === before.traits);
}

// Whether the element has the focus now.
function focusOn(element) {
  if (!element) return false;
  if (!element.matches(FOCUSABLE)) element.tabIndex = -1;
  element.focus();
  return document.activeElement === element && !isLost();
}

/**
 * The focus after `region` was swapped: on what the markup asks for, or is wrong; else where it was, on a neighbour in
 * the same form where that cannot have it any more, on the region's heading, or on the first thing in it.
 */
function keepFocus(region) {
  const asked = region.querySelector("[data-focus], [aria-invalid=true]");
  if (!isLost() && !(asked && before.isInside)) return;
  const successor = before.isInside ? successorIn(region) : null;
  const neighbour = successor?.form?.querySelector("input:not([type=hidden]), select, textarea");
  const heading = region.querySelector("h1, h2, h3");
  const rest = before.isInside ? [...region.querySelectorAll(FOCUSABLE), find("content")] : [];
  [asked, successor, neighbour, heading, ...rest].some(focusOn);
}

// What the markup has to say is taken out, so that it is said once.
function sentences() {
  const found = [...document.querySelectorAll("[data-say]")].map((element) => {
    const sentence = element.dataset.say;
    element.removeAttribute("data-say");
    return sentence;
  });
  return found.filter(Boolean).join(" ");
}

let timer = 0;

function say(text) {
  if (!text) return;
  find("spoken").textContent = "";
  clearTimeout(timer);
  timer = setTimeout(() => { find("spoken").textContent = text; }, PAUSE);
}

function showCurrentSubject() {
  document.querySelector(".tag-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => detail.target.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:beforeSwap", ({ detail }) => note(detail.target));
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  detail.target.removeAttribute("aria-busy");
  if (!detail.successful || !before) return; // none where nothing is swapped
  keepFocus(find(detail.target.id) ?? detail.target);
  say(sentences());
  showCurrentSubject();
});

// A whole page that comes back by the browser's button; its title says which.
document.addEventListener("htmx:historyRestore", () => {
  sentences();
  focusOn(document.querySelector("main h1"));
  say(document.title);
  showCurrentSubject();
});

// A stream updates unasked, and tells on connecting what the page shows already: what stays the same is not said anew.
let told = sentences();
document.addEventListener("htmx:sseBeforeMessage", ({ target }) => note(target));
document.addEventListener("htmx:sseMessage", ({ target }) => {
  if (before.isInside) keepFocus(target);
  const news = sentences();
  if (news !== told) say(news);
  told = news;
});

showCurrentSubject();
