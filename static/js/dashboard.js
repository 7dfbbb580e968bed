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

document.body.addEventListener("htmx:sseOpen", () => { status.textContent = "Live"; });
document.body.addEventListener("htmx:sseError", () => { status.textContent = "Connection lost, trying again"; });
document.body.addEventListener("htmx:sseMessage", refresh);
setInterval(refresh, 15000);
refresh();
