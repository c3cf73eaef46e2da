// Keeps an open page current. The server tells by server-sent events that something happened; the page is then asked
// for again, and the parts marked `data-live` are taken from it. So what is shown is always what the server renders,
// and without this file everything works by reloading.

const QUIET_MS = 150; // events come in bursts: one look after the burst is enough
const AGE_MS = 15_000;

const state = document.getElementById("live-state");
const tail = document.body.dataset.tail;
let newest = 0;
let timer;

if (tail) {
  const source = new EventSource(tail);
  source.onopen = () => say("live");
  source.onerror = () => say("connection lost, trying again …");
  source.onmessage = (message) => {
    newest = Number(message.lastEventId);
    clearTimeout(timer);
    timer = setTimeout(refresh, QUIET_MS);
  };
  addEventListener("pagehide", () => source.close());
}

document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
showAges();
setInterval(showAges, AGE_MS);
hideWaiting();

async function refresh() {
  const address = new URL(location.pathname, location.origin);
  for (const [name, value] of new URLSearchParams(location.search)) address.searchParams.set(name, value);
  address.searchParams.set("min_position", newest);
  // A page that shows a refusal was answered to a form; its address belongs to the form, the incident's does not.
  address.pathname = address.pathname.replace(/^(\/(?:incidents|silences)\/[^/]+)\/.*$/, "$1");
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return say("not up to date: reload the page");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (other) take(part, other);
  }
  showAges();
}

function take(part, other) {
  switch (part.dataset.live) {
    case "append":
      return append(part, other);
    case "when-idle":
      if (isBeingUsed(part)) return;
  }
  const opened = [...part.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
  part.className = other.className;
  part.replaceChildren(...other.childNodes);
  for (const summary of part.querySelectorAll("details > summary"))
    if (opened.includes(summary.textContent)) summary.parentElement.open = true;
}

// New lines only, so that a screen reader speaks just these.
function append(part, other) {
  let before = part.firstElementChild;
  for (const line of [...other.children]) {
    if (document.getElementById(line.id)) {
      before = document.getElementById(line.id);
    } else {
      line.classList.add("new");
      part.insertBefore(line, before);
    }
  }
}

// Whoever is filling in a form must not lose it.
function isBeingUsed(part) {
  const typed = [...part.querySelectorAll("input:not([type=hidden]), textarea, select")].some((input) =>
    input instanceof HTMLSelectElement
      ? [...input.options].some((option) => option.selected !== option.defaultSelected && input.selectedIndex > 0)
      : input.type === "checkbox"
        ? input.checked !== input.defaultChecked
        : input.value !== input.defaultValue,
  );
  return typed || (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));
}

function showAges() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.title = moment.toLocaleString(undefined, { timeZoneName: "short" });
    if ("age" in time.dataset) time.textContent = duration((Date.now() - moment) / 1000);
  }
}

// As services/web/wording.py says it.
function duration(seconds) {
  const [s, m, h, d] = [1, 60, 3600, 86400].map((unit) => Math.floor(Math.max(seconds, 0) / unit));
  if (s < 60) return `${s} s`;
  if (m < 60) return m >= 10 || s % 60 === 0 ? `${m} min` : `${m} min ${s % 60} s`;
  if (h < 48) return `${h} h ${String(m % 60).padStart(2, "0")} min`;
  return `${d} d ${h % 24} h`;
}

// After a form was sent the address says which position to wait for; a reload need not.
function hideWaiting() {
  const address = new URL(location);
  if (!address.searchParams.has("min_position")) return;
  address.searchParams.delete("min_position");
  history.replaceState(null, "", address);
}

function say(text) {
  if (state) state.textContent = text;
}
