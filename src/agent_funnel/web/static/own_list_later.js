// An agent's own list: leads that are put off to later on this list. Only this phone knows of them.

const laterList = document.querySelector("#later-ones .calls");

// When a lead is due that was put off to a time of day, which may be tomorrow; Infinity without a time.
function dueAt({ time, at }) {
  if (!time) return Infinity;
  const due = new Date(at);
  due.setHours(...time.split(":"), 0, 0);
  if (due < new Date(at)) due.setDate(due.getDate() + 1);
  return due.getTime();
}

const sayLater = (later) => [later.time && shortTime(dueAt(later)), later.note].filter(Boolean).join(" · ");

// The lead that is due first comes first, and those without a time come last.
function insertLater(row) {
  const { later } = jottingOf(row);
  const after = [...laterList.children].find((other) => {
    const its = jottingOf(other).later;
    return other !== row && (dueAt(its) > dueAt(later) || (dueAt(its) === dueAt(later) && its.at > later.at));
  });
  laterList.insertBefore(row, after ?? null);
}

// Shows the time and the note of a row that is put off, and the button that ends this; or takes them away.
function showLater(row, isLater) {
  row.querySelector(".put-off")?.remove();
  row.classList.remove("is-due");
  if (!isLater) return;
  const line = document.createElement("p");
  const text = document.createElement("strong");
  const button = document.createElement("button");
  line.className = "put-off";
  text.textContent = sayLater(jottingOf(row).later);
  button.type = "button";
  button.className = "outline noprint";
  button.textContent = listTexts.call_now;
  button.addEventListener("click", () => {
    putOff(row, null);
    showPlace(row);
  });
  line.append(text, button);
  row.querySelector("form.report").before(line);
}

function putOff(row, later) {
  jot(row, { later });
  const form = row.querySelector("form.report");
  form.reset();
  form.querySelector("details").open = false;
  if (row.classList.contains("is-done")) {
    showRow(row, withdraw(row, row.querySelector("form.back").elements.report.value), false);
    send();
  } else {
    move(row, false);
    hideEmpty();
  }
}

// Puts the button into More, when it is opened, with the note and the time that the row has already.
function offerLater(row) {
  const form = row.querySelector("form.report");
  const { note } = form.elements;
  let box = form.querySelector(".until");
  if (!box) {
    const button = document.createElement("button");
    const time = document.createElement("input");
    box = document.createElement("div");
    box.className = "until";
    button.type = "button";
    button.textContent = listTexts.later;
    time.type = "time";
    time.setAttribute("aria-label", listTexts.time_of_day);
    button.addEventListener("click", () => {
      const next = neighbourOf(row);
      const before = jottingOf(row).later ?? null;
      const later = { note: note.value.trim(), time: time.value, at: new Date().toISOString() };
      putOff(row, later);
      say([listTexts.later, sayLater(later)].filter(Boolean).join(" · "), row, listTexts.undo, () => {
        putOff(row, before);
        showPlace(row);
      });
      goOnWith(next, row);
    });
    box.append(button, time);
    form.querySelector("label.note").after(box);
  }
  const { later } = jottingOf(row);
  if (!later || note.value) return;
  note.value = later.note;
  box.querySelector("input").value = later.time;
}

// A note that stays on the phone is not sent with an outcome that is tapped after More was closed again.
own.addEventListener("toggle", ({ target }) => {
  const { note } = target.closest("form.report")?.elements ?? {};
  if (note && !target.open && note.value === jottingOf(target.closest("li")).later?.note) note.value = "";
}, true);

// Says once that a lead is due now.
function lookForDue() {
  for (const row of laterList.children) {
    const { later } = jottingOf(row);
    if (dueAt(later) > Date.now() || row.classList.contains("is-due")) continue;
    row.classList.add("is-due");
    say(sayLater(later), row, listTexts.show_row, () => showPlace(row));
  }
}

for (const row of rows.values()) if (jottingOf(row).later && !row.classList.contains("is-done")) move(row, false);
if (lists) {
  hideEmpty();
  lookForDue();
  setInterval(lookForDue, ASK_EVERY);
}
