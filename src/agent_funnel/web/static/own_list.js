// An agent's own list on a phone. A tap is kept on the phone first, with an id of its own, and is sent from there as soon
// as the service answers; the service counts a report once, however often it arrives. Without script the same buttons
// send forms.

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
const SERVICE = `agent-funnel ${own.dataset.stateAddress.split("/mine/")[0]} `;
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

// ---- The rows

const rows = new Map();
for (const form of own.querySelectorAll("form.report")) rows.set(form.elements.number.value, form.closest("li"));
// An entry of an older list has no row here, also if the lead is on this one, too.
const rowOf = (entry) => (entry.run === loaded.run_id ? rows.get(entry.number) : undefined);

function move(row, isDone) {
  row.classList.toggle("is-done", isDone);
  if (isDone) { doneList.prepend(row); return; }
  const list = own.querySelector(`.calls[data-heading="${row.dataset.heading}"]`);
  const after = [...list.children].find((other) => Number(other.dataset.place) > Number(row.dataset.place));
  list.insertBefore(row, after ?? null);
}

// Shows a row done with the outcome of an entry, or to call again.
function showRow(row, entry, isDone) {
  const done = row.querySelector(".done-with");
  const said = done.querySelector(".said");
  const wasDone = row.classList.contains("is-done");
  const isGone = isDone && entry.outcome === "opted_out";
  row.dataset.outcome = isDone ? entry.outcome : "";
  row.querySelector("form.report").hidden = isDone;
  row.querySelector("details").open = false;
  row.querySelector(".refusal").hidden = true;
  done.hidden = !isDone;
  said.querySelector("strong").textContent = isDone ? entry.said ?? labels[entry.outcome] : "";
  said.replaceChildren(said.querySelector("strong"), isDone ? entry.more : "");
  done.querySelector("form").elements.report.value = entry.body.report;
  const tel = row.querySelector("a.tel");
  if (tel && isGone) tel.removeAttribute("href");
  else if (tel) tel.href = tel.dataset.href;
  if (isDone === wasDone) return;
  move(row, isDone);
  const progress = own.querySelector("progress");
  progress.value += isDone ? 1 : -1;
  document.getElementById("done").textContent = number.format(progress.value);
  document.getElementById("to-call").textContent = number.format(progress.max - progress.value);
  lists.querySelector(".all-done").hidden = progress.value < progress.max;
  for (const section of lists.querySelectorAll("section")) section.hidden = !section.querySelector("li");
}

// ---- Taps

function report(form, outcome) {
  const row = form.closest("li");
  const next = row.nextElementSibling ?? row.previousElementSibling ?? row;
  const { number, call_back_on: day, same_agent: same, note } = form.elements;
  const at = serverNow().toISOString();
  const body = { report: newId(), number: number.value, run_id: loaded.run_id, outcome, reported_at: at };
  if (outcome === "call_back") Object.assign(body, { call_back_on: day.value, same_agent: same.checked });
  if (note.value.trim()) body.note = note.value.trim();
  const said = body.call_back_on ? listTexts.call_back_on.replace("{day}", shortDay(day.value)) : labels[outcome];
  const more = body.note ? `: ${body.note}` : "";
  const entry = { id: body.report, run: loaded.run_id, number: number.value, at, outcome, said, more, body };
  keep(entry);
  form.reset();
  showRow(row, entry, true);
  say(`${said}${more}`, row, entry);
  // One goes on with the next row, which an open row may have pushed out of sight.
  next.querySelector("a[href], button:not([hidden])")?.focus({ preventScroll: true });
  if (next !== row) next.scrollIntoView({ block: "nearest" });
  send();
}

function takeBack(row, id) {
  const before = kept().find((entry) => entry.id === id);
  const at = serverNow().toISOString();
  const line = row.querySelector(".said");
  const said = line.querySelector("strong").textContent;
  const entry = {
    id: newId(), run: loaded.run_id, number: row.querySelector("form.report").elements.number.value, at, isBack: true,
    outcome: row.dataset.outcome, said, more: line.textContent.trim().replace(said, ""),
    body: { report: id, taken_back_at: at },
  };
  // What was never sent is not there to take back.
  if (before && !before.isTried) finish(before, { isUndone: true });
  else keep(entry);
  showRow(row, entry, false);
  say(listTexts.taken_back, row);
  send();
}

function say(text, row, entry) {
  clearTimeout(say.timer);
  const what = document.createElement("span");
  const whose = document.createElement("b");
  whose.textContent = row.querySelector(".tel").textContent.trim();
  what.append(`${text} · `, whose);
  toast.replaceChildren(what);
  if (entry) {
    const undo = document.createElement("button");
    undo.type = "button";
    undo.textContent = listTexts.undo;
    undo.addEventListener("click", () => takeBack(row, entry.id));
    toast.append(undo);
  }
  say.timer = setTimeout(() => toast.replaceChildren(), TOAST_FOR);
}

let lastTap = { at: -DOUBLE_TAP };
own.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  const { left, top } = event.submitter.getBoundingClientRect();
  const isSecond = event.timeStamp - lastTap.at < DOUBLE_TAP && left === lastTap.left && Math.abs(top - lastTap.top) < 44;
  lastTap = { at: event.timeStamp, left, top };
  if (isSecond) return;
  if (form.matches(".back")) {
    takeBack(form.closest("li"), form.elements.report.value);
    return;
  }
  const outcome = event.submitter.value;
  const day = form.elements.call_back_on;
  if (outcome === "call_back" && !day.value) {
    day.focus();
    day.showPicker?.();
    return;
  }
  report(form, outcome);
});

// The days that are offered change at midnight, so they are filled in when they are opened.
own.addEventListener("toggle", (event) => {
  const details = event.target;
  if (!details.open) return;
  for (const other of own.querySelectorAll("form.report details[open]")) other.open = other === details;
  const day = details.closest("form").elements.call_back_on;
  const { first, last, choices } = state.days;
  Object.assign(day, { min: first, max: last });
  const offered = details.querySelector(".offered");
  offered.hidden = false;
  offered.replaceChildren(...choices.map(([name, chosen]) => {
    const button = document.createElement("button");
    const small = document.createElement("small");
    small.textContent = shortDay(chosen, "numeric");
    button.value = "call_back";
    button.append(name, small);
    button.addEventListener("click", () => { day.value = chosen; });
    return button;
  }));
}, true);

own.addEventListener("click", async (event) => {
  const chat = event.target.closest("a.chat");
  if (chat) {
    // The greeting changes with the time of day.
    const text = state.messages[chat.closest("li").dataset.heading];
    chat.href = chat.href.split("?")[0] + (text ? `?text=${encodeURIComponent(text)}` : "");
  }
  const copy = event.target.closest("button.copy");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.number);
    say(listTexts.copied, copy.closest("li"));
  }
});
// Browsers offer no clipboard to pages that came without TLS from another machine.
for (const button of own.querySelectorAll("button.copy")) button.hidden = !navigator.clipboard;

// ---- Sending

// Ends an entry. Other tabs see the answer before the entry goes.
function finish(entry, answer) {
  keep({ ...entry, answer });
  drop(entry);
  if (answer.refusal) {
    // What was refused is not there to take back.
    for (const other of kept()) if (other.isBack && other.body.report === entry.id) drop(other);
  }
  showAnswer({ ...entry, answer });
}

function showAnswer(entry) {
  const row = rowOf(entry);
  const { refusal, notice, isUndone } = entry.answer;
  if (isUndone) {
    if (row) showRow(row, entry, false);
    return;
  }
  if (refusal) ask();
  if (!row) {
    if (refusal) {
      const line = document.createElement("p");
      line.className = "notice refused";
      line.textContent = `${listTexts.earlier} ${refusal}`;
      news.after(line);
    }
    return;
  }
  // A report that is refused is to be made again, and an outcome that could not be taken back is there again.
  if (refusal) showRow(row, entry, Boolean(entry.isBack));
  const text = row.querySelector(".refusal");
  text.textContent = refusal ?? notice ?? "";
  text.hidden = !text.textContent;
}

let isSending = false;
let isMore = false;
async function send() {
  isMore = true;
  if (isSending) return;
  isSending = true;
  while (isMore) {
    isMore = false;
    // One tab at a time, where browsers can tell; elsewhere the ids keep a report from counting twice.
    if (navigator.locks) await navigator.locks.request(PREFIX, sendAll);
    else await sendAll();
  }
  isSending = false;
}

async function sendAll() {
  let most = Infinity;
  for (let entries = kept(); entries.length && navigator.onLine && !closed; entries = kept()) {
    // Reports go before what takes them back.
    const reports = entries.filter((entry) => !entry.isBack);
    const batch = reports.length ? fitting(reports.slice(0, most)) : entries.slice(0, 1);
    // From now on the service may have them.
    for (const entry of batch) keep({ ...entry, isTried: true });
    const answer = await post(batch);
    isSilent = !answer;
    if (answer?.status === 404) closed = listTexts.dead_link;
    else if (answer?.ok) {
      const found = await answer.json();
      // After 50001 a report is to be sent again: a deal was running all the time.
      const open = batch.filter((entry, index) => {
        const { outcome, refusal, code } = reports.length ? found.items[index] : { outcome: found };
        if (code === 50001) return true;
        finish(entry, outcome ? { notice: outcome.notice } : { refusal });
        return false;
      });
      if (open.length) { isSilent = true; break; }
    } else if ([400, 413, 422].includes(answer?.status)) {
      // One of several may be at fault, so each goes by itself.
      if (batch.length === 1) finish(batch[0], { refusal: (await answer.json()).detail });
      most = 1;
    } else {
      // There is no connection, or the service is busy: later.
      isSilent = true;
      break;
    }
  }
  showWaiting();
}

function fitting(entries) {
  let bytes = 0;
  return entries.filter((entry, index) => {
    bytes += new Blob([JSON.stringify(entry.body)]).size + 1;
    return bytes < MOST_BYTES || index === 0;
  });
}

async function post(batch) {
  const [address, body] = batch[0].isBack
    ? [own.dataset.backAddress, batch[0].body]
    : [own.dataset.reportsAddress, { reports: batch.map((entry) => entry.body) }];
  try {
    return await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout?.(60_000),
    });
  } catch {
    return null;
  }
}

// ---- What is new

async function ask() {
  if (navigator.onLine && !closed) {
    try {
      const answer = await fetch(own.dataset.stateAddress);
      const answeredAt = Date.now();
      if (answer.status === 404) closed = listTexts.dead_link;
      if (answer.ok) {
        state = await answer.json();
        // Too early by the time that the answer took, and never too late: what was tapped before a deal is kept.
        behind = Date.parse(state.now) - answeredAt;
      }
    } catch {
      // Without a connection, what was known before goes on.
    }
  }
  showNews();
}

// How many people on this page do not want to be called; each has left the assignments.
const countGone = () => own.querySelectorAll('li[data-outcome="opted_out"]').length;
const goneBefore = countGone();

function showNews() {
  const until = state.next_at ? Date.parse(state.next_at) - serverNow() : Infinity;
  const isReplaced = state.run_id !== loaded.run_id;
  const isRenamed = state.agent !== loaded.agent;
  const hasLess = !isReplaced && state.leads < loaded.leads - countGone() + goneBefore;
  let text = "";
  if (closed) text = closed;
  else if (isReplaced) text = state.news.replaced;
  else if (until <= 0) text = state.news.overdue;
  else if (hasLess) text = listTexts.less;
  else if (until <= WARN_BEFORE) text = state.news.soon;
  if (isRenamed && !closed) text = `${text} ${listTexts.renamed.replace("{agent}", () => state.agent)}`.trim();
  if (lists && (closed || isReplaced)) {
    lists.toggleAttribute("inert", true);
    toast.replaceChildren();
  }
  // A text that is the same is not read out again.
  if (news.dataset.text === text) return;
  news.dataset.text = text;
  news.replaceChildren(text);
  if (closed || !(isReplaced || hasLess || isRenamed)) return;
  const link = document.createElement("a");
  link.href = location.pathname;
  link.textContent = listTexts.show;
  news.append(" ", link);
}

function showWaiting() {
  if (!waiting) return;
  const isStuck = isSilent || closed || !navigator.onLine;
  const entries = isStuck ? kept() : [];
  let until = navigator.onLine ? "service" : "connection";
  if (closed) until = "link";
  const text = listTexts.waiting[entries.length === 1 ? 0 : 1][until];
  waiting.textContent = entries.length ? text.replace("{n}", number.format(entries.length)) : "";
  const stuck = new Set(entries.map(rowOf));
  for (const row of rows.values()) row.classList.toggle("waits", stuck.has(row));
}

function wakeUp() {
  if (document.hidden) return;
  ask();
  send();
}

// Another tab kept an entry, or ended it.
addEventListener("storage", (event) => {
  if (event.key?.startsWith(PREFIX) && event.newValue) {
    const entry = JSON.parse(event.newValue);
    if (entry.answer) showAnswer(entry);
    else if (rowOf(entry) && !entry.isTried) showRow(rowOf(entry), entry, !entry.isBack);
  }
  showWaiting();
});
document.addEventListener("visibilitychange", wakeUp);
addEventListener("online", wakeUp);
addEventListener("offline", showWaiting);
setInterval(wakeUp, ASK_EVERY);

takeOver();
for (const entry of kept()) if (rowOf(entry)) showRow(rowOf(entry), entry, !entry.isBack);
ask();
send();
