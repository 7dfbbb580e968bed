// Scans one copy after another without loading the page anew, and sounds where one does not belong into the box.

const LOW = 220;
const HIGH = 880;
let sound;

function beep(frequency, seconds) {
  sound ??= new AudioContext();
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  tone.type = "square";
  tone.frequency.value = frequency;
  volume.gain.value = 0.08;
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + seconds);
}

// What is scanned while an answer is on its way comes after it, in turn.
let turn = Promise.resolve();

async function post(body) {
  const answer = await fetch(location.href, { method: "POST", body });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const packing = page.getElementById("packing");
  // A log-in, the list of orders after the last parcel, an error: a page of its own.
  if (!packing) {
    location.assign(answer.url);
    return;
  }
  const typed = document.getElementById("isbn")?.value ?? "";
  document.getElementById("packing").replaceWith(packing);
  const field = document.getElementById("isbn");
  if (field) field.value = typed;
  field?.focus();
  if (packing.querySelector(".messagelist .error")) beep(LOW, 0.4);
  else beep(HIGH, 0.06);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.closest("#packing") || form.matches(".packing__send")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  if (form.id === "scan") form.elements.isbn.value = "";
  turn = turn.then(() => post(body)).catch(() => {
    beep(LOW, 0.4);
    const list = document.createElement("ul");
    list.className = "messagelist";
    const item = list.appendChild(document.createElement("li"));
    item.className = "error";
    item.textContent = "The site did not answer. Load this page again to see whether the copy was noted.";
    document.querySelector("#packing [role=status]")?.replaceChildren(list);
  });
});
