// What every page needs beside htmx: say so when a request fails, offer to repeat it, and close open menus.

const toast = document.getElementById("toast");

function showFailure(event) {
  const { elt, requestConfig, xhr } = event.detail;
  const text = document.createElement("span");
  text.textContent = reasonOf(xhr);
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "btn btn--link";
  retry.textContent = "Try again";
  retry.addEventListener("click", () => {
    toast.replaceChildren();
    const trigger = requestConfig?.triggeringEvent?.type;
    if (trigger && document.contains(elt)) htmx.trigger(elt, trigger);
    else location.reload();
  });
  const notice = document.createElement("p");
  notice.className = "notice notice--error";
  notice.append(text, retry);
  toast.replaceChildren(notice);
}

function reasonOf(xhr) {
  if (!navigator.onLine) return "You seem to be offline.";
  // 503 comes with a sentence for people.
  const sentence = xhr?.status === 503 && xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  return sentence ? xhr.responseText : "That did not work.";
}

document.addEventListener("htmx:responseError", showFailure);
document.addEventListener("htmx:sendError", showFailure);
document.addEventListener("htmx:timeout", showFailure);
document.addEventListener("htmx:afterSwap", () => toast.replaceChildren());

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
