// An agent's own list: the taps.

function report(form, outcome) {
  const row = form.closest("li");
  const isChange = row.classList.contains("is-done");
  const next = isChange ? row : neighbourOf(row);
  const before = reportedOf(row);
  if (isChange) withdraw(row, row.querySelector("form.back").elements.report.value);
  const { call_back_on: day, same_agent: same, note } = form.elements;
  const fields = { outcome };
  if (outcome === "call_back") Object.assign(fields, { call_back_on: day.value, same_agent: same.checked });
  if (note.value.trim()) fields.note = note.value.trim();
  const { typed } = jottingOf(row);
  if (typed !== undefined) jot(row, { typed: undefined });
  form.reset();
  const entry = tell(row, fields);
  say(`${entry.said}${entry.more}`, row, listTexts.undo, () => {
    if (before) {
      withdraw(row, entry.id);
      tellAgain(row, before);
      return;
    }
    if (typed !== undefined) jot(row, { typed });
    takeBack(row, entry.id);
  });
  goOnWith(next, row);
  send();
}

// Keeps the outcome of a row, with its day and note, and shows it.
function tell(row, fields) {
  const { outcome, call_back_on: day, note } = fields;
  const at = nextMoment();
  const body = { ...fields, report: newId(), number: numberOf(row), run_id: loaded.run_id, reported_at: at };
  const said = day ? listTexts.call_back_on.replace("{day}", shortDay(day)) : labels[outcome];
  const more = note ? `: ${note}` : "";
  const entry = { id: body.report, run: loaded.run_id, number: body.number, at, outcome, said, more, body };
  keep(entry);
  showRow(row, entry, true);
  return entry;
}

// Reports the outcome that a row had before it was changed.
function tellAgain(row, fields) {
  const { said, more } = tell(row, fields);
  say(`${said}${more}`, row);
  send();
}

// What was reported of a row that is done, as far as the page knows it.
function reportedOf(row) {
  const isKnown = row.classList.contains("is-done") && row.dataset.reported;
  return isKnown ? JSON.parse(row.dataset.reported) : null;
}

// The row that comes into the place of another one.
function neighbourOf(row) {
  const others = [...row.parentElement.children].filter((each) => !each.classList.contains("is-elsewhere"));
  const place = others.indexOf(row);
  return others[place + 1] ?? others[place - 1] ?? row;
}

// One goes on with the next row, which an open row may have pushed out of sight.
function goOnWith(next, row) {
  const target = next.classList.contains("is-done") ? ".change" : "a[href], button:not([hidden])";
  next.querySelector(target)?.focus({ preventScroll: true });
  if (next !== row) next.scrollIntoView({ block: "nearest" });
}

// Keeps that a report is taken back.
function withdraw(row, id) {
  const before = kept().find((entry) => entry.id === id);
  const at = nextMoment();
  const entry = {
    id: newId(), run: loaded.run_id, number: row.querySelector("form.report").elements.number.value, at, isBack: true,
    outcome: row.dataset.outcome, ...saidOf(row), body: { report: id, taken_back_at: at },
  };
  // What was never sent is not there to take back.
  if (before && !before.isTried) end(before, { isUndone: true });
  else keep(entry);
  return entry;
}

function takeBack(row, id) {
  showRow(row, withdraw(row, id), false);
  // The row is back where it was, which may be far away.
  say(listTexts.taken_back, row, listTexts.show_row, () => showPlace(row));
  send();
}

function showPlace(row) {
  if (row.classList.contains("is-elsewhere")) endSearch();
  row.scrollIntoView({ block: "start" });
  row.querySelector("a[href], button:not([hidden])")?.focus({ preventScroll: true });
}

function say(text, row, offer, act) {
  clearTimeout(say.timer);
  const what = document.createElement("span");
  const said = document.createElement("i");
  const whose = document.createElement("b");
  said.textContent = text;
  whose.textContent = row.querySelector(".tel").textContent.trim();
  what.append(said, " ", whose);
  toast.replaceChildren(what);
  if (offer) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = offer;
    button.addEventListener("click", () => {
      // It is done once.
      toast.replaceChildren();
      act();
    });
    toast.append(button);
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
  const row = details.closest("li");
  if (!details.open) {
    // What was typed is in sight, since it goes along with an outcome.
    showLater(row, Boolean(jottingOf(row).later));
    lookForDue();
    return;
  }
  offerLater(row);
  for (const other of own.querySelectorAll("form.report details[open]")) other.open = other === details;
  const { call_back_on: day, same_agent: same } = details.closest("form").elements;
  same.checked = Boolean(remembered("same_agent"));
  const { first, last, choices } = state.days;
  Object.assign(day, { min: first, max: last });
  showHint(day);
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
  // Below the bar at the top, and not where the screen ends.
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  details.closest("li").scrollIntoView({ block: "start", behavior: isCalm ? "auto" : "smooth" });
}, true);

// A call-back on a day without a deal comes with the next one.
function showHint(day) {
  const hint = day.closest("fieldset").querySelector(":scope > small");
  hint.dataset.usual ??= hint.textContent;
  hint.setAttribute("role", "status");
  const next = nextDealOf(day.value);
  hint.textContent = next === day.value ? hint.dataset.usual : listTexts.no_deal.replace("{day}", shortDay(next));
}

// The first day from this one on that has a deal, or the day itself, if none is known.
function nextDealOf(day) {
  const { off, known } = state.days;
  const next = day ? new Date(`${day}T12:00:00Z`) : null;
  const written = () => next.toISOString().slice(0, 10);
  while (next && off.includes(written())) next.setUTCDate(next.getUTCDate() + 1);
  return next && written() <= known ? written() : day;
}

own.addEventListener("input", ({ target }) => {
  if (target.name === "call_back_on") showHint(target);
});

own.addEventListener("change", (event) => {
  if (event.target.name === "same_agent") remember("same_agent", event.target.checked);
});

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

// Rows stop below the bar at the top, which has more lines at some times than at others.
const bar = own.querySelector(".progress");
if (bar) {
  new ResizeObserver(() => own.style.setProperty("--bar", `${Math.ceil(bar.getBoundingClientRect().height)}px`)).observe(bar);
}
