// Keeps the app's own files on the phone, so that it opens at once and without a network. What it shows is never kept
// here, but for books' pictures, which go when somebody logs out.
const SHELL = "booktime-shell-{{ version }}";
const PICTURES = "booktime-pictures";
const MOST_PICTURES = 200;
const FILES = [{% for file in files %}
  "{{ file|escapejs }}",{% endfor %}
];

self.addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(clean().then(() => self.clients.claim()));
});

async function clean() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("booktime-shell-") && name !== SHELL);
  await Promise.all(old.map((name) => caches.delete(name)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (url.pathname === FILES[0]) event.respondWith(fromShell(FILES[0], request));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(fromShell(url.pathname, request));
  } else if (request.destination === "image" && url.pathname.startsWith("/media/")) {
    event.respondWith(picture(request));
  }
});

async function fromShell(file, request) {
  const shell = await caches.open(SHELL);
  return (await shell.match(file, { ignoreVary: true })) ?? fetch(request);
}

async function picture(request) {
  const pictures = await caches.open(PICTURES);
  const known = await pictures.match(request, { ignoreVary: true });
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) {
    await pictures.put(request, answer.clone());
    const kept = await pictures.keys();
    await Promise.all(kept.slice(0, Math.max(0, kept.length - MOST_PICTURES)).map((old) => pictures.delete(old)));
  }
  return answer;
}
