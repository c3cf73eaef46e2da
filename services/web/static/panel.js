// Puts an answer that takes a moment into a page when its summary is opened. Without this file the link inside leads
// to the same answer on a page of its own.

for (const panel of document.querySelectorAll("details[data-panel]")) panel.addEventListener("toggle", () => load(panel));

async function load(panel) {
  if (!panel.open || panel.dataset.loaded) return;
  panel.dataset.loaded = "yes";
  const answer = await fetch(panel.dataset.panel, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return delete panel.dataset.loaded;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  panel.querySelector("summary ~ *")?.replaceWith(...fresh.body.childNodes);
}
