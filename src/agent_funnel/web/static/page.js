// What pages do beyond showing themselves: times in the reader's own zone on hover, a page that stays fresh by itself,
// forms that say that they are at work. Without script every page reads the same, and every form is sent all the same.

function addOwnTimes(within) {
  const own = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  for (const time of within.querySelectorAll("time[datetime]")) {
    time.title = `${own.format(new Date(time.dateTime))}, where you are`;
  }
}

function keepFresh(live) {
  const button = document.getElementById("fresh");
  const state = document.getElementById("fresh-state");
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  let paused = false;
  let etag = "";

  async function refresh() {
    // Nobody's focus is taken away, and nobody's reading is disturbed while the page is hidden.
    if (paused || document.hidden || live.contains(document.activeElement) || live.querySelector("details[open]")) return;
    try {
      const answer = await fetch(live.dataset.partial, { headers: etag ? { "If-None-Match": etag } : {} });
      // Whose session has ended signs in again.
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status === 200) {
        live.innerHTML = await answer.text();
        addOwnTimes(live);
        live.querySelectorAll("form[data-busy]").forEach(sayAtWork);
      } else if (answer.status !== 304) {
        throw new Error(answer.status);
      }
      etag = answer.headers.get("ETag") ?? etag;
      state.textContent = `As of ${clock.format(new Date())} where you are; looks again by itself.`;
      state.classList.remove("stale");
    } catch {
      state.textContent = "The service does not answer; what you see may be old. Trying again.";
      state.classList.add("stale");
    }
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (paused) state.textContent = "Paused: what you see grows old.";
    else refresh();
  });
  setInterval(refresh, 1000 * Number(live.dataset.seconds));
}

// A form that takes a while says so, and is not sent twice.
function sayAtWork(form) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    button.setAttribute("aria-busy", "true");
    if (form.dataset.busy) button.textContent = form.dataset.busy;
    // After the form was sent with it.
    setTimeout(() => { button.disabled = true; });
  });
}

// A part that takes the database a while comes when it is there.
async function fetchPart(place) {
  const link = place.innerHTML;
  place.innerHTML = '<p aria-busy="true">Looking what it would do …</p>';
  try {
    const answer = await fetch(place.dataset.partial);
    if (!answer.ok) throw new Error(answer.status);
    place.innerHTML = await answer.text();
    addOwnTimes(place);
    place.querySelectorAll("form[data-busy]").forEach(sayAtWork);
  } catch {
    place.innerHTML = link;
  }
}

addOwnTimes(document);
const live = document.getElementById("live");
if (live) keepFresh(live);
document.querySelectorAll("form[data-busy]").forEach(sayAtWork);
const latePart = document.getElementById("late-part");
if (latePart) fetchPart(latePart);
// Who comes back to a page finds its forms ready.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const button of document.querySelectorAll("button[data-copy]")) {
  // Browsers have no clipboard for pages that came without TLS from another machine.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
  });
}
