// An agent's own list on a phone. A tap is kept on the phone first, with an id of its own, and is sent from there as soon
// as the service answers; the service counts a report once, however often it arrives. Without script the same buttons
// send forms. The scripts of the list share their names, and come in this order: what is kept, the rows, what
// stays on the phone, the taps, what is put off, the sending, and the bar at the top.

const own = document.getElementById("own-list");
const lists = document.getElementById("lists");
const doneList = document.querySelector("#done-ones .calls");
const news = document.getElementById("news");
const waiting = document.getElementById("waiting");
const toast = document.getElementById("toast");
const labels = JSON.parse(own.dataset.outcomes);
const listTexts = JSON.parse(own.dataset.texts);
const loaded = JSON.parse(own.dataset.state);
let state = loaded;
// The phone's clock may be wrong; how far it is behind that of the service:
let behind = Date.parse(state.now) - Date.now();
// Why the link opens nothing any more, if that is so:
let closed = "";
// Whether the service did not answer the last time that something was sent:
let isSilent = false;

const ASK_EVERY = 25_000;
const WARN_BEFORE = 15 * 60_000;
const TOAST_FOR = 10_000;
// When a row sinks, the next one comes under the finger: the second tap of a double tap is not meant for it.
const DOUBLE_TAP = 400;
// The service takes 16,000 bytes at a time.
const MOST_BYTES = 12_000;

const serverNow = () => new Date(Date.now() + behind);
// Each later than the one before: a change comes after what it changes, also when the clock was put back.
let lastMoment = 0;
function nextMoment() {
  lastMoment = Math.max(serverNow().getTime(), lastMoment + 1);
  return new Date(lastMoment).toISOString();
}

// Numbers and dates are written as the rest of the page writes them.
const language = document.documentElement.lang;
const number = new Intl.NumberFormat(language);

function shortDay(day, month = "short") {
  const form = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month, timeZone: "UTC" });
  return form.format(new Date(`${day}T12:00:00Z`));
}

// crypto.randomUUID is missing on pages that came without TLS.
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- What is kept on the phone: an entry for each report and each taking back, so that two tabs do not overwrite each
// other's. It is sent even if the page has a newer list by then.

// Several services may have one address, and several agents one phone. A link stays the same if its agent is renamed.
const SITE = own.dataset.stateAddress.split("/mine/")[0];
const SERVICE = `agent-funnel ${SITE} `;
const PREFIX = `${SERVICE}${own.dataset.link} `;
// Where the browser keeps nothing, taps last as long as the page.
const memory = new Map();

function keep(entry) {
  try {
    localStorage.setItem(PREFIX + entry.id, JSON.stringify({ ...entry, agent: loaded.agent }));
  } catch {
    memory.set(entry.id, entry);
  }
}

function drop(entry) {
  memory.delete(entry.id);
  try {
    localStorage.removeItem(PREFIX + entry.id);
  } catch {
    // It was never there.
  }
}

// Ends an entry. Other tabs see the answer before the entry goes.
function end(entry, answer) {
  keep({ ...entry, answer });
  drop(entry);
}

// Takes over what the agent kept with a link that was replaced, and what earlier versions kept by the name of the agent.
function takeOver() {
  // In quotes, since one name may begin with another.
  const earlier = `${SERVICE}${JSON.stringify(loaded.agent)} `;
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(SERVICE) || key.startsWith(PREFIX)) continue;
      const entry = JSON.parse(localStorage.getItem(key));
      if (!key.startsWith(earlier) && entry.agent !== loaded.agent) continue;
      keep(entry);
      localStorage.removeItem(key);
    }
  } catch {
    // Nothing is kept.
  }
}

function kept() {
  const found = [...memory.values()];
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    found.push(...keys.map((key) => JSON.parse(localStorage.getItem(key))));
  } catch {
    // Nothing is kept.
  }
  return found.sort((one, other) => one.at.localeCompare(other.at));
}

// ---- What the agent chose last. It is no report, so that its key begins in another way.

const CHOICES = `agent-funnel-choice ${SITE} ${own.dataset.link} `;
const lastChoices = new Map();

function remember(name, value) {
  lastChoices.set(name, value);
  try {
    localStorage.setItem(CHOICES + name, JSON.stringify(value));
  } catch {
    // It lasts as long as the page.
  }
}

function remembered(name) {
  try {
    return JSON.parse(localStorage.getItem(CHOICES + name)) ?? lastChoices.get(name);
  } catch {
    return lastChoices.get(name);
  }
}
