// An agent's own list: sending what is kept, and what is new.

function finish(entry, answer) {
  end(entry, answer);
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
  // A report that is refused is to be made again, and an outcome that could not be taken back is there again, unless
  // another one has taken its place.
  const isReplaced = entry.isBack && kept().some((other) => rowOf(other) === row && other.at > entry.at);
  if (refusal && !isReplaced) showRow(row, entry, Boolean(entry.isBack));
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
    const batch = nextBatch(entries, most);
    // From now on the service may have them.
    for (const entry of batch) keep({ ...entry, isTried: true });
    const answer = await post(batch);
    isSilent = !answer;
    if (answer?.status === 404) closed = listTexts.dead_link;
    else if (answer?.ok) {
      const found = await answer.json();
      // After 50001 a report is to be sent again: a deal was running all the time.
      const open = batch.filter((entry, index) => {
        const { outcome, refusal, code } = entry.isBack ? { outcome: found } : found.items[index];
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

// What goes next, in the order of the taps: several reports, or one that is taken back. It is never taken back before it
// has arrived.
function nextBatch(entries, most) {
  const reports = new Set(entries.filter((entry) => !entry.isBack).map((entry) => entry.id));
  const ready = entries.filter((entry) => !entry.isBack || !reports.has(entry.body.report));
  if (ready[0].isBack) return ready.slice(0, 1);
  const count = ready.findIndex((entry) => entry.isBack);
  return fitting(ready.slice(0, count < 0 ? most : Math.min(count, most)));
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

// Strikes through the leads that have left the list, so that nobody calls a person who has just asked not to be called.
// Where a list has several pages, leads move from one to another, so one page does not tell.
let struckAt = loaded.leads;
async function strikeThrough() {
  if (struckAt === state.leads || own.querySelector("nav")) return;
  struckAt = state.leads;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
    const list = page.getElementById("own-list");
    if (!list || JSON.parse(list.dataset.state).run_id !== loaded.run_id) return;
    const there = new Set([...list.querySelectorAll("form.report [name=number]")].map((each) => each.value));
    for (const [number, row] of rows) {
      row.inert = !there.has(number) && !row.classList.contains("is-done");
      row.classList.toggle("has-left", row.inert);
    }
    showNews();
  } catch {
    // Without a connection, the next change tells.
    struckAt = loaded.leads;
  }
}

function showNews() {
  const until = state.next_at ? Date.parse(state.next_at) - serverNow() : Infinity;
  const isReplaced = state.run_id !== loaded.run_id;
  const isRenamed = state.agent !== loaded.agent;
  const hasLess = !isReplaced && state.leads < loaded.leads - countGone() + goneBefore;
  if (hasLess && navigator.onLine && !closed) strikeThrough();
  let text = "";
  if (closed) text = closed;
  else if (isReplaced) text = state.news.replaced;
  else if (until <= 0) text = state.news.overdue;
  else if (hasLess) text = listTexts.less;
  else if (until <= WARN_BEFORE) text = state.news.soon;
  const putOffs = document.querySelectorAll("#later-ones li:not(.has-left)").length;
  if (putOffs && text && (isReplaced || text === state.news.soon)) {
    text = `${text} ${listTexts.put_off.replace("{n}", number.format(putOffs))}`;
  }
  if (isRenamed && !closed) text = `${text} ${listTexts.renamed.replace("{agent}", () => state.agent)}`.trim();
  if (lists && (closed || isReplaced)) {
    lists.toggleAttribute("inert", true);
    toast.replaceChildren();
  }
  if (lists) lookForDue();
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
  const said = [entries.length ? text.replace("{n}", number.format(entries.length)) : ""];
  // A browser that loads the page again without a connection has no list at all.
  if (!navigator.onLine) said.unshift(listTexts.offline);
  waiting.textContent = said.join(" ").trim();
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
