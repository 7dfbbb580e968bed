// The chat about one order, on the web page and in the mobile app. `connect` speaks with the server and knows
// nothing of a page; `mount` ties it to the elements #chat-log, #chat-form and so on within a root element.

const HEARTBEAT = 4000;
const SILENCE = 15000; // a server that said nothing for so long is gone
const LONGEST_PAUSE = 10000;
const SIGNED_OUT = 4401;
const TOO_MANY = 4429;
const CROWDED_PAUSE = 30000;
const A_MINUTE = 60; // seconds
// As many messages the server gives at once, and a number that is larger than any message's.
const A_PAGE = 200;
const THE_END = Number.MAX_SAFE_INTEGER;

/**
 * Keep a conversation going over whatever network there is.
 *
 * options: { orderId, since, token, csrf, pending, on } where `pending` is a list of { client_id, message } not yet
 * acknowledged, and `on` holds functions: message(m), sent(client_id), joined(name), left(name), typing(name),
 * seen(id), present(names), status("online" | "offline" | "crowded" | "signed-out"), refused(client_id, detail),
 * pending(list), newest(messages). Without a `since` the conversation begins with its newest page, which `newest` is told.
 * Returns { send(text), typing(), seen(id), earlier(id), close() }; `earlier` gives the page before a message.
 */
export function connect(options) {
  const on = options.on;
  const pending = [...(options.pending ?? [])];
  let lastId = options.since ?? null;
  let socket = null;
  let failures = 0;
  let heardAt = 0;
  let closed = false;
  let timer = 0;
  let toldTyping = 0;

  const query = (values) => new URLSearchParams(options.token ? { ...values, token: options.token } : values);
  const socketUrl = () => {
    const base = location.origin.replace(/^http/, "ws");
    return `${base}/ws/customer-service/${options.orderId}/?${query({ since: lastId })}`;
  };
  const isOpen = () => socket?.readyState === WebSocket.OPEN;
  const tell = (frame) => isOpen() && socket.send(JSON.stringify(frame));
  const tellPending = () => pending.forEach((entry) => tell({ type: "message", ...entry }));

  function settle(clientId) {
    const index = pending.findIndex((entry) => entry.client_id === clientId);
    if (closed || index < 0) return null;
    const [entry] = pending.splice(index, 1);
    on.pending?.(pending);
    return entry;
  }

  function show(message) {
    if (closed || message.id <= lastId) return;
    lastId = message.id;
    settle(message.client_id);
    on.message?.(message);
  }

  function refuse(frame) {
    if (!frame.client_id) return;
    // Too many messages, or a server in trouble: the same message is good a little later.
    if (frame.retry_after <= A_MINUTE) setTimeout(tellPending, frame.retry_after * 1000);
    else if (frame.code === "unavailable") setTimeout(tellPending, 2000);
    else if (settle(frame.client_id)) on.refused?.(frame.client_id, frame.detail);
  }

  const handlers = {
    chat_message: show,
    chat_join: (frame) => { on.joined?.(frame.username); tell({ type: "state" }); },
    chat_leave: (frame) => { on.left?.(frame.username); tell({ type: "state" }); },
    chat_typing: (frame) => on.typing?.(frame.username),
    chat_seen: (frame) => on.seen?.(frame.id),
    chat_state: (frame) => { on.present?.(frame.present); on.seen?.(frame.seen); },
    error: refuse,
  };

  function open() {
    clearTimeout(timer);
    if (closed || isOpen() || socket?.readyState === WebSocket.CONNECTING) return;
    if (lastId === null) return begin();
    const opening = new WebSocket(socketUrl());
    socket = opening;
    heardAt = Date.now();
    opening.addEventListener("open", () => {
      failures = 0;
      on.status?.("online");
      tellPending();
    });
    opening.addEventListener("message", (event) => {
      heardAt = Date.now();
      const frame = JSON.parse(event.data);
      handlers[frame.type]?.(frame);
    });
    opening.addEventListener("close", (event) => lost(opening, event.code));
  }

  // What was said before the newest page may be long, and is fetched by who wants to read it.
  async function begin() {
    try {
      const page = await read({ before: THE_END });
      if (closed || page === null || lastId !== null) return;
      on.newest?.(page);
      lastId = page.at(-1)?.id ?? 0;
      for (const message of page) settle(message.client_id);
      open();
    } catch {
      lost(socket, 0);
    }
  }

  function lost(which, code) {
    if (which !== socket || closed) return;
    socket = null;
    if (code === SIGNED_OUT) return signOut();
    if (code === TOO_MANY) {
      on.status?.("crowded");
      timer = setTimeout(overHttp, CROWDED_PAUSE * (0.75 + Math.random() / 2));
      return;
    }
    on.status?.("offline");
    // The first try comes at once, so that a server that was restarted is not missed.
    const pause = failures === 0 ? 200 : Math.min(LONGEST_PAUSE, 500 * 2 ** failures);
    failures += 1;
    timer = setTimeout(failures > 2 ? overHttp : open, pause * (0.75 + Math.random() / 2));
  }

  function signOut() {
    if (closed) return;
    closed = true;
    on.status?.("signed-out");
  }

  // Where sockets do not get through, the same conversation goes over plain requests.
  async function overHttp() {
    try {
      if (lastId !== null && (await catchUp())) {
        for (const entry of [...pending]) await post(entry);
        await catchUp();
      }
    } catch {
      // Offline: the next try comes.
    }
    open();
  }

  const messagesUrl = (values) => `/mobile-api/my-orders/${options.orderId}/messages/?${query(values)}`;

  // A page of messages, or null for one who may no longer read them. Throws where there is no answer.
  async function read(values) {
    const answer = await fetch(messagesUrl(values), { headers: { Accept: "application/json" } });
    if ([401, 403, 404].includes(answer.status)) {
      signOut();
      return null;
    }
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return answer.json();
  }

  // Show all that came after the last message, page by page; whether it could be read.
  async function catchUp() {
    for (;;) {
      const page = await read({ since: lastId });
      if (closed || page === null) return false;
      page.forEach(show);
      if (page.length < A_PAGE) return true;
    }
  }

  async function post(entry, again = true) {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    if (options.csrf) headers["X-CSRFToken"] = options.csrf;
    const answer = await fetch(messagesUrl({}), { method: "POST", headers, body: JSON.stringify(entry) });
    const fresh = answer.status === 403 && again && answer.headers.get("X-CSRFToken");
    if (fresh) {
      // Somebody logged in in another tab meanwhile.
      options.csrf = fresh;
      return post(entry, false);
    }
    const later = answer.status === 429 && Number(answer.headers.get("Retry-After")) <= A_MINUTE;
    if (![400, 429].includes(answer.status) || later) return;
    if (settle(entry.client_id)) on.refused?.(entry.client_id, (await answer.json()).detail);
  }

  let beats = 0;
  const heart = setInterval(() => {
    if (!isOpen()) return;
    if (Date.now() - heardAt > SILENCE) {
      const dead = socket;
      lost(dead, 0);
      dead.close();
      return;
    }
    tell({ type: beats++ % 2 ? "state" : "heartbeat" });
  }, HEARTBEAT);

  const awake = () => { failures = 0; if (!isOpen()) open(); };
  const asleep = () => { if (socket) { const gone = socket; lost(gone, 0); gone.close(); } };
  window.addEventListener("online", awake);
  window.addEventListener("offline", asleep);
  open();

  return {
    send(message) {
      const entry = { client_id: newId(), message };
      pending.push(entry);
      on.pending?.(pending);
      tell({ type: "message", ...entry });
      return entry.client_id;
    },
    typing() {
      if (Date.now() - toldTyping > 2000 && tell({ type: "typing" }) !== false) toldTyping = Date.now();
    },
    seen: (id) => tell({ type: "seen", id }),
    earlier: (id) => read({ before: id }),
    close() {
      closed = true;
      clearInterval(heart);
      clearTimeout(timer);
      window.removeEventListener("online", awake);
      window.removeEventListener("offline", asleep);
      socket?.close();
    },
  };
}

// crypto.randomUUID exists on secure pages alone.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const clock = (moment) =>
  new Date(moment).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/**
 * Bring a chat's elements to life within `root`: #chat-log, #chat-form, #chat-message-input, #chat-message-submit and,
 * where they are there, #chat-status, #chat-presence and #chat-earlier, which is htmx's where it is a link.
 *
 * options: { orderId, username, since, seen, token, csrf, loginUrl, storage, history, hasEarlier, onMessages, onSignedOut }.
 * What is not sent yet is kept in `storage`, this tab's own where none is given; `history` is a list of messages up to
 * `since` that are to be shown, and `hasEarlier` whether more may have been said before. Returns { close() }.
 */
export function mount(root, options) {
  const find = (id) => root.querySelector(`#${id}`) ?? document.getElementById(id);
  const log = find("chat-log");
  const form = find("chat-form");
  const input = find("chat-message-input");
  const status = find("chat-status");
  const presence = find("chat-presence");
  const earlier = root.querySelector("button#chat-earlier");
  const storage = options.storage ?? sessionStorage;
  const key = `chat-${options.orderId}-${options.username}`;
  const waiting = new Map(); // client_id -> element of a message that is on its way
  const store = { draft: "", pending: [], ...JSON.parse(storage.getItem(key) ?? "{}") };
  let newest = options.since ?? 0;
  let typingTimer = 0;
  let atEnd = true;
  let seenBefore = Number(options.seen ?? 0);

  const save = (change) => storage.setItem(key, JSON.stringify(Object.assign(store, change)));

  function append(...nodes) {
    if (!nodes.length) return;
    root.querySelector("#chat-empty")?.remove();
    const follows = atEnd;
    log.append(...nodes);
    if (follows || nodes.at(-1).classList.contains("msg--own")) showEnd();
  }

  function notePlace() {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  }

  function showEnd() {
    log.scrollTop = log.scrollHeight;
    atEnd = true;
  }

  // What is read stays where it is while something is put above it, which is not read out: it is not new.
  function holdPlace() {
    const below = log.scrollHeight - log.scrollTop;
    log.setAttribute("aria-live", "off");
    return () => {
      log.scrollTop = log.scrollHeight - below;
      if (document.activeElement === document.body) log.focus({ preventScroll: true });
      setTimeout(() => log.removeAttribute("aria-live"), 1000);
    };
  }

  async function showEarlier() {
    earlier.disabled = true;
    try {
      const page = await chat.earlier(Number(log.querySelector("[data-id]").dataset.id));
      if (page === null) return;
      const release = holdPlace();
      earlier.hidden = page.length < A_PAGE;
      earlier.after(...page.map((message) => said(message, message.username === options.username)));
      release();
      say(page.length === 1 ? "1 earlier message is shown." : `${page.length} earlier messages are shown.`);
    } catch {
      say("Earlier messages did not come. Try again in a moment.");
    } finally {
      earlier.disabled = false;
    }
  }

  // As htmx puts the page before above the first message; the page says what came.
  let release = null;
  function beforePut(event) {
    if (event.detail.shouldSwap) release = holdPlace();
  }
  function afterPut() {
    if (!release) return;
    localTimes();
    release();
    release = null;
  }

  function localTimes() {
    for (const time of log.querySelectorAll("time")) time.textContent = clock(time.dateTime);
  }

  function bubble(own, name, when, text, state) {
    const node = element("div", own ? "msg msg--own" : "msg");
    const meta = element("span", "msg__meta", `${own ? "You" : name}${when ? `, ${clock(when)}` : ""} `);
    if (own) meta.append(element("span", "msg__state", state));
    node.append(meta, document.createTextNode(text));
    return node;
  }

  function showWaiting(entry) {
    const node = bubble(true, "", null, entry.message, "Sending");
    node.classList.add("msg--waiting");
    waiting.set(entry.client_id, node);
    append(node);
  }

  function showMessages(messages) {
    const nodes = messages.map((message) => {
      const sent = waiting.get(message.client_id);
      waiting.delete(message.client_id);
      sent?.remove();
      return said(message, sent !== undefined || message.username === options.username);
    });
    append(...nodes);
    log.append(...waiting.values());
    if (atEnd) showEnd();
    newest = messages.at(-1)?.id ?? newest;
    return nodes.at(-1);
  }

  function said(message, own) {
    const node = bubble(own, message.username, message.sent_at, message.message, message.id <= seenBefore ? "Seen" : "Sent");
    node.dataset.id = message.id;
    return node;
  }

  function say(text) {
    if (status) status.textContent = text;
  }

  function markSeen(id) {
    seenBefore = Math.max(seenBefore, id);
    for (const node of log.querySelectorAll(".msg--own[data-id]")) {
      if (Number(node.dataset.id) <= id) node.querySelector(".msg__state").textContent = "Seen";
    }
  }

  function haveSeen() {
    if (newest && document.visibilityState === "visible") chat.seen(newest);
  }

  const on = {
    message(message) {
      const node = showMessages([message]);
      options.onMessages?.([message]);
      if (!node.classList.contains("msg--own")) { say(""); haveSeen(); }
    },
    newest(page) {
      if (earlier) earlier.hidden = page.length < A_PAGE;
      showMessages(page);
      options.onMessages?.(page);
    },
    joined(name) { if (name !== options.username) append(element("p", "msg msg--event", `${name} joined`)); },
    left(name) { if (name !== options.username) append(element("p", "msg msg--event", `${name} left`)); },
    typing(name) {
      say(`${name} is writing…`);
      clearTimeout(typingTimer);
      typingTimer = setTimeout(() => say(""), 4000);
    },
    seen: markSeen,
    present(names) {
      if (presence) presence.textContent = names.length
        ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} here`
        : presence.dataset.alone;
    },
    status(state) {
      root.dataset.state = state;
      if (state === "online") { say(""); haveSeen(); }
      if (state === "crowded") say("You have too many chats open. Close another one, and this one goes on. What you write is kept and sent later.");
      if (state === "offline") say("Not connected. What you write is kept and sent as soon as we are back.");
      if (state === "signed-out") {
        options.onSignedOut?.();
        say("You are logged out. ");
        if (status && options.loginUrl) {
          const link = element("a", "", "Log in to go on");
          link.href = options.loginUrl;
          status.append(link);
        }
      }
    },
    refused(clientId, detail) {
      const node = waiting.get(clientId);
      waiting.delete(clientId);
      if (!input.value && node) input.value = node.lastChild.textContent;
      node?.remove();
      say(detail);
    },
    pending: (list) => save({ pending: list }),
  };

  localTimes();
  if (earlier) earlier.hidden = !options.hasEarlier;
  if (!input.value) input.value = store.draft;
  showMessages(options.history ?? []);
  for (const entry of store.pending) showWaiting(entry);
  const chat = connect({ ...options, pending: store.pending, on });
  showEnd();
  // Where the log gets lower, such as by a keyboard or by what grows above it, the newest message stays in sight.
  const sight = new ResizeObserver(() => { if (atEnd) showEnd(); });

  function submit(event) {
    event.preventDefault();
    const text = input.value;
    if (!text.trim()) return input.focus();
    const clientId = chat.send(text);
    showWaiting({ client_id: clientId, message: text });
    input.value = "";
    save({ draft: "" });
    input.focus();
  }

  function keydown(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  const typed = () => { save({ draft: input.value }); chat.typing(); };
  form.addEventListener("submit", submit);
  input.addEventListener("keydown", keydown);
  input.addEventListener("input", typed);
  document.addEventListener("visibilitychange", haveSeen);
  log.addEventListener("scroll", notePlace);
  log.addEventListener("htmx:beforeSwap", beforePut);
  log.addEventListener("htmx:afterRequest", afterPut);
  earlier?.addEventListener("click", showEarlier);
  sight.observe(log);
  return {
    close() {
      sight.disconnect();
      earlier?.removeEventListener("click", showEarlier);
      form.removeEventListener("submit", submit);
      input.removeEventListener("keydown", keydown);
      input.removeEventListener("input", typed);
      document.removeEventListener("visibilitychange", haveSeen);
      chat.close();
    },
  };
}

for (const root of document.querySelectorAll("[data-chat]")) {
  mount(root, {
    orderId: root.dataset.order,
    username: root.dataset.username,
    since: Number(root.dataset.lastId),
    csrf: root.querySelector("[name=csrfmiddlewaretoken]").value,
    loginUrl: `/login/?next=${encodeURIComponent(location.pathname)}`,
  });
  const input = root.querySelector("#chat-message-input");
  for (const link of document.querySelectorAll("[data-reply]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      input.value = input.value ? `${input.value}\n${link.dataset.reply}` : link.dataset.reply;
      input.focus();
    });
  }
}
