// An agent's own list: what stays on this phone until there is a new list, and is never sent.

// An entry for each lead. They are those of a link and a run.
const PHONE = `agent-funnel-row ${SITE} `;
const ROWS = `${PHONE}${own.dataset.link} ${loaded.run_id} `;
const jotted = new Map();

const numberOf = (row) => row.querySelector("form.report")?.elements.number.value;
const jottingOf = (row) => ({ taps: [], ...jotted.get(numberOf(row)) });

function jot(row, change) {
  const entry = { ...jottingOf(row), ...change, agent: loaded.agent };
  jotted.set(numberOf(row), entry);
  try {
    localStorage.setItem(ROWS + numberOf(row), JSON.stringify(entry));
  } catch {
    // It lasts as long as the page.
  }
}

// Takes over what the agent kept of this list with a link that was replaced, and forgets older lists.
function readJotted() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PHONE)) continue;
      const entry = JSON.parse(localStorage.getItem(key));
      const [link, run, lead] = key.slice(PHONE.length).split(" ");
      if (link !== own.dataset.link && entry.agent !== loaded.agent) continue;
      if (run === String(loaded.run_id)) {
        jotted.set(lead, entry);
        localStorage.setItem(ROWS + lead, JSON.stringify(entry));
      }
      if (!key.startsWith(ROWS)) localStorage.removeItem(key);
    }
  } catch {
    // Nothing is kept.
  }
}

// ---- When a lead was called and written to

// In the time of the phone, as it shows it; a list may be open for several days.
function shortTime(at) {
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { weekday: "short" };
  return new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
}

function showTrace(row) {
  const { taps } = jottingOf(row);
  if (!taps.length) return;
  let line = row.querySelector(".from");
  if (!line) {
    line = document.createElement("small");
    line.className = "from";
    row.querySelector(".who-to-call").append(line);
  }
  let trace = line.querySelector(".trace");
  if (!trace) {
    trace = document.createElement("span");
    trace.className = "trace";
    if (line.textContent.trim()) line.append(" · ");
    line.append(trace);
  }
  trace.textContent = taps.map(({ way, at }) => listTexts[way].replace("{time}", shortTime(at))).join(" · ");
}

// Tints the row of the last call or message.
function tintLast() {
  const lastOf = (row) => jottingOf(row).taps.at(-1)?.at ?? "";
  const tapped = [...rows.values()].filter(lastOf).sort((one, other) => lastOf(one).localeCompare(lastOf(other)));
  own.querySelector(".is-last")?.classList.remove("is-last");
  tapped.at(-1)?.classList.add("is-last");
}

own.addEventListener("click", (event) => {
  const link = event.target.closest("a.tel[href], a.chat");
  const row = link?.closest("li");
  if (!row || !numberOf(row)) return;
  const way = link.matches(".chat") ? "messaged" : "called";
  jot(row, { taps: [...jottingOf(row).taps, { way, at: new Date().toISOString() }] });
  showTrace(row);
  tintLast();
});

// A note that waits for its outcome.
own.addEventListener("input", ({ target }) => {
  const row = target.closest("li");
  if (target.name === "note" && !row.classList.contains("is-done")) jot(row, { typed: target.value });
});

// Another tab jotted something down.
addEventListener("storage", (event) => {
  if (!event.key?.startsWith(ROWS) || !event.newValue) return;
  const lead = event.key.slice(ROWS.length);
  const before = jotted.get(lead);
  jotted.set(lead, JSON.parse(event.newValue));
  const row = rows.get(lead);
  if (!row) return;
  showTrace(row);
  tintLast();
  if (row.classList.contains("is-done")) return;
  const laterOf = (entry) => JSON.stringify([entry?.later ?? null, entry?.note ?? "", entry?.typed ?? null]);
  if (laterOf(before) === laterOf(jotted.get(lead))) return;
  move(row, false);
  hideEmpty();
});

readJotted();
for (const row of rows.values()) showTrace(row);
tintLast();
