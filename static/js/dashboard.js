// The agents' list of chats: how long people wait, a count in the title, and a sound when someone new waits.

const area = document.getElementById("notification-area");
const status = document.getElementById("stream-status");
const toggle = document.getElementById("sound-toggle");
const title = document.title;
let waitedBefore = waitingOrders();
let audio = null;

function waitingOrders() {
  return new Set([...area.querySelectorAll(".chat-row--waiting a")].map((link) => link.getAttribute("href")));
}

function wait(moment) {
  const minutes = Math.floor((Date.now() - new Date(moment)) / 60000);
  if (minutes < 1) return "waiting for a moment";
  return `waiting ${minutes < 60 ? "" : `${Math.floor(minutes / 60)} h `}${minutes % 60} min`;
}

function refresh() {
  for (const time of area.querySelectorAll("time[data-since]")) {
    time.title = new Date(time.dateTime).toLocaleString("en-GB");
    time.textContent = wait(time.dateTime);
  }
  const waiting = waitingOrders();
  document.title = waiting.size ? `(${waiting.size}) ${title}` : title;
  if ([...waiting].some((order) => !waitedBefore.has(order))) ring();
  waitedBefore = waiting;
}

// Two soft notes, made here: a browser lets a page sound only after a click on it.
function ring() {
  if (!audio) return;
  [660, 880].forEach((frequency, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + index * 0.18;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.15, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.3);
  });
}

toggle.hidden = false;
toggle.addEventListener("click", () => {
  audio = audio ? null : new AudioContext();
  toggle.setAttribute("aria-pressed", String(audio !== null));
  toggle.textContent = audio ? "Sound on" : "Sound off";
  ring();
});

// A connection that died tells nobody. The stream says something every few seconds, so that its silence does: the list
// is live while it was heard from within `data-silence` seconds, and is asked for anew otherwise.

const stream = document.getElementById("chat-stream");
const createSource = htmx.createEventSource;
let source = null;
let heardAt = Date.now();

htmx.createEventSource = (url) => {
  source = createSource(url);
  source.addEventListener("alive", hear);
  heardAt = Date.now();
  return source;
};

function say(text) {
  // Only what changes: it is read out.
  if (status.textContent !== text) status.textContent = text;
}

function hear() {
  heardAt = Date.now();
  say("Live");
}

function lose() {
  say("Connection lost, trying again");
}

// An error of a source that is closed has the extension open another one; where it is about to, it needs no second.
function askAnew() {
  if (source.readyState === EventSource.CLOSED) return;
  heardAt = Date.now();
  source.close();
  source.dispatchEvent(new Event("error"));
}

function watch() {
  if (Date.now() - heardAt <= Number(stream.dataset.silence) * 1000) return;
  lose();
  askAnew();
}

stream.addEventListener("htmx:sseOpen", hear);
stream.addEventListener("htmx:sseError", lose);
stream.addEventListener("htmx:sseMessage", hear);
stream.addEventListener("htmx:sseMessage", refresh);
window.addEventListener("offline", () => { lose(); askAnew(); });
window.addEventListener("online", askAnew);
document.addEventListener("visibilitychange", watch);
setInterval(watch, 1000);
setInterval(refresh, 15000);
refresh();
