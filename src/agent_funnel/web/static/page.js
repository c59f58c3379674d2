// Small additions to pages: times in the reader's own zone on hover, a page that refreshes, forms that show that they are
// at work. Without script every page reads the same, and every form works.

// What it says, in the language of the page, whose form dates have, too.
const texts = JSON.parse(document.currentScript.dataset.texts);
const { lang } = document.documentElement;

function addOwnTimes(within) {
  const own = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "long" });
  // A date without a time of day is the same in every zone.
  for (const time of within.querySelectorAll("time[datetime*=T]")) {
    time.title = `${time.title}\n${texts.your_time.replace("{moment}", own.format(new Date(time.dateTime)))}`;
  }
}

// A page that stayed open over midnight shows whole moments instead of "today" and "yesterday".
const opened = new Date().toDateString();
document.addEventListener("visibilitychange", () => {
  if (new Date().toDateString() === opened) return;
  for (const time of document.querySelectorAll("time.near")) {
    [time.textContent] = time.title.split("\n");
    time.classList.remove("near");
  }
});

// An answer that is neither the page nor "not modified".
class Answer extends Error {
  constructor(status) {
    super();
    this.status = status;
  }
}

function keepFresh(live) {
  const button = document.getElementById("fresh");
  const state = document.getElementById("fresh-state");
  const paper = document.getElementById("paper-state");
  const stamp = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "long" });
  const clock = new Intl.DateTimeFormat(lang, { timeStyle: "medium" });
  let paused = false;
  let etag = "";
  let known = new Date();

  // Whether the page is out of date: it says so, and its old headline fades.
  function mark(stale) {
    for (const each of [state, live]) each.classList.toggle("stale", stale);
  }

  async function refresh() {
    // Keep the reader's focus and open details, and do nothing while the page is hidden.
    if (paused || document.hidden || live.contains(document.activeElement) || live.querySelector("details[open]")) return;
    try {
      const answer = await fetch(live.dataset.partial, { headers: etag ? { "If-None-Match": etag } : {} });
      // The session has ended: the page leads to the sign-in.
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status === 200) {
        live.innerHTML = await answer.text();
        addOwnTimes(live);
        live.querySelectorAll("form[data-busy]").forEach(showAtWork);
      } else if (answer.status !== 304) {
        throw new Answer(answer.status);
      }
      etag = answer.headers.get("ETag") ?? etag;
      known = new Date();
      state.textContent = texts.as_of.replace("{time}", clock.format(known));
      // On paper, it has its date and zone.
      paper.textContent = texts.as_of_paper.replace("{moment}", stamp.format(known));
      mark(false);
    } catch (error) {
      const what = error instanceof Answer ? texts.error.replace("{status}", error.status) : texts.silent;
      state.textContent = `${what} ${texts.stale.replace("{time}", clock.format(known))}`;
      mark(true);
    }
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (paused) state.textContent = texts.paused;
    else refresh();
  });
  setInterval(refresh, 1000 * Number(live.dataset.seconds));
}

// A form that takes a while shows it, and cannot be sent twice.
function showAtWork(form) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    // A download leaves the page as it is.
    if (button.dataset.download !== undefined) return;
    button.setAttribute("aria-busy", "true");
    if (form.dataset.busy) button.textContent = form.dataset.busy;
    // Later, since a disabled button would not be sent with the form.
    setTimeout(() => { button.disabled = true; });
  });
}

// Fetches a part of the page that takes the database a while.
async function fetchPart(place) {
  const link = place.innerHTML;
  const busy = document.createElement("p");
  busy.setAttribute("aria-busy", "true");
  busy.textContent = texts.preview;
  place.replaceChildren(busy);
  try {
    const answer = await fetch(place.dataset.partial);
    if (!answer.ok) throw new Error(answer.status);
    place.innerHTML = await answer.text();
    addOwnTimes(place);
    place.querySelectorAll("form[data-busy]").forEach(showAtWork);
  } catch {
    place.innerHTML = link;
  }
}

addOwnTimes(document);
const live = document.getElementById("live");
if (live) keepFresh(live);
document.querySelectorAll("form[data-busy]").forEach(showAtWork);
const latePart = document.getElementById("late-part");
if (latePart) fetchPart(latePart);
// A page from the browser's cache has disabled buttons, so load it again.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const button of document.querySelectorAll("button[data-copy]")) {
  // Browsers offer no clipboard to pages that came without TLS from another machine.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = texts.copied;
  });
}
for (const button of document.querySelectorAll("button[data-share]")) {
  button.hidden = !navigator.share;
  button.addEventListener("click", async () => {
    try {
      await navigator.share({ url: document.getElementById(button.dataset.share).textContent.trim() });
    } catch {
      // The reader has closed the choice.
    }
  });
}
// A menu closes by a click elsewhere, and by Escape, which returns to it.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
