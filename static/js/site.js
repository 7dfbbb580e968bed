// What every page needs beside htmx: say what failed, offer to repeat it, and close open menus.

function showFailure(event) {
  const { elt, requestConfig, xhr } = event.detail;
  const from = document.activeElement;
  const wanted = [elt, ...elt.querySelectorAll("*")].filter((each) => each.hasAttribute("data-restore"));
  const values = wanted.map((field) => field.value);
  wanted.forEach(restore);
  const text = document.createElement("span");
  text.textContent = `${whatFailed(elt)} ${reasonOf(xhr)}`.trim();
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "btn btn--link";
  retry.textContent = "Try again";
  retry.addEventListener("click", () => {
    closeToast();
    if (!elt.isConnected) return location.reload();
    wanted.forEach((field, index) => { field.value = values[index]; });
    // Where it fails again, all this is called again.
    htmx.ajax(requestConfig.verb, requestConfig.path, { source: elt }).catch(() => {});
    // Only now: htmx sends a form's button along that has the focus.
    from.focus();
  });
  const notice = document.createElement("p");
  notice.className = "notice notice--error";
  notice.append(text, retry);
  // What succeeded before would contradict it.
  document.getElementById("messages").replaceChildren();
  document.getElementById("toast").replaceChildren(notice);
}

// Back to what the server last said that it is.
function restore(field) {
  if (field.options) for (const option of field.options) option.selected = option.defaultSelected;
  else field.value = field.defaultValue;
}

function whatFailed(elt) {
  return elt.closest("[data-failure]")?.dataset.failure ?? "That did not work.";
}

function closeToast() {
  document.getElementById("toast").replaceChildren();
}

function reasonOf(xhr) {
  if (!navigator.onLine) return "You seem to be offline.";
  // 503 comes with a sentence for people.
  const sentence = xhr?.status === 503 && xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  return sentence ? xhr.responseText : "";
}

document.addEventListener("htmx:responseError", showFailure);
document.addEventListener("htmx:sendError", showFailure);
document.addEventListener("htmx:timeout", showFailure);
document.addEventListener("htmx:afterSwap", closeToast);

// A choice made while the scripts were still on their way: nobody heard it.
document.addEventListener("htmx:load", () => {
  for (const select of document.querySelectorAll("select[data-restore]")) {
    if (!select.selectedOptions[0].defaultSelected) htmx.trigger(select, "change");
  }
}, { once: true });

// The number is changed here and sent as a whole, so that a second press while the first is under way counts too.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".stepper [data-step]");
  if (!button) return;
  button.form.elements.quantity.stepUp(Number(button.dataset.step));
  button.value = "0";
});

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!except || !menu.contains(except)) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  closeMenus();
  menu?.querySelector("summary").focus();
});

// Forms grow old when somebody logs in in another tab. The answer brings a fresh token, and the same is sent once more.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { elt, requestConfig, xhr } = event.detail;
  const token = xhr.status === 403 && xhr.getResponseHeader("X-CSRFToken");
  if (!token || requestConfig.headers["X-Sent-Again"]) return;
  event.preventDefault();
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
  const values = requestConfig.formData;
  values.set("csrfmiddlewaretoken", token);
  const again = { source: elt, values, headers: { "X-Sent-Again": "true" } };
  setTimeout(() => htmx.ajax(requestConfig.verb, requestConfig.path, again));
});
