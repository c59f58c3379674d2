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

// What the row says in bold, also when it is back in its place, and what goes along with an outcome: what was typed, or
// emptied, and otherwise the note with which it was put off.
function noteOf(row) {
  const { typed, later, note } = jottingOf(row);
  return typed ?? later?.note ?? note ?? "";
}
// The time comes first, since a long text is cut off at its end.
function sayLater(row, ...words) {
  const { later } = jottingOf(row);
  return [later?.time && shortTime(dueAt(later)), ...words, noteOf(row).trim()].filter(Boolean).join(" · ");
}

// The lead that is due first comes first, and those without a time come last.
function insertLater(row) {
  const { later } = jottingOf(row);
  const after = [...laterList.children].find((other) => {
    const its = jottingOf(other).later;
    return other !== row && (dueAt(its) > dueAt(later) || (dueAt(its) === dueAt(later) && its.at > later.at));
  });
  laterList.insertBefore(row, after ?? null);
}

// Shows the time and the note of a row that is put off, and the button that ends this. The note stays when the row is
// back in its place, as long as it is to call. It is in its field, too, so that it goes along with an outcome whether
// More is open or not.
function showLater(row, isLater) {
  row.querySelector(".put-off")?.remove();
  row.classList.remove("is-due");
  if (row.classList.contains("is-done")) return;
  row.querySelector("form.report").elements.note.value = noteOf(row);
  if (!(isLater || noteOf(row).trim())) return;
  const line = document.createElement("p");
  const text = document.createElement("strong");
  const button = document.createElement("button");
  line.className = "put-off";
  text.textContent = sayLater(row);
  line.append(text);
  row.querySelector("form.report").before(line);
  if (!isLater) return;
  button.type = "button";
  button.className = "outline noprint";
  button.textContent = listTexts.back_to_list;
  button.addEventListener("click", () => {
    const before = jottingOf(row);
    putOff(row, null, noteOf(row));
    showPlace(row);
    say(listTexts.back_to_list, row, listTexts.undo, () => {
      putOff(row, before.later, before.note, before.typed);
      say(listTexts.taken_back, row);
      showPlace(row);
    });
  });
  line.append(button);
}

function putOff(row, later, note, typed) {
  jot(row, { later, note, typed });
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

// A lead is not put off past the next deal: by then it is perhaps somebody else's, and this phone has forgotten it. The
// button says so, and is there again when the form is emptied.
function checkTime(box) {
  const [button, time, tooLate] = box.children;
  // The clocks differ by some milliseconds at least.
  const changesAt = state.next_at ? Math.round((Date.parse(state.next_at) - behind) / 60_000) * 60_000 : Infinity;
  button.disabled = Boolean(time.value) && dueAt({ time: time.value, at: new Date() }) >= changesAt;
  tooLate.textContent = button.disabled ? listTexts.too_late.replace("{time}", shortTime(changesAt)) : "";
  return !button.disabled;
}

// Fills in the time to which the lead is put off, if it is still to come.
function fillTime(box, later) {
  const [, time] = box.children;
  if (later?.time && !time.value && dueAt(later) > Date.now()) time.value = later.time;
  if (!checkTime(box)) time.value = "";
  checkTime(box);
}

// Puts the button into More, when it is opened, with the time that the row has already.
function offerLater(row) {
  const form = row.querySelector("form.report");
  const { note } = form.elements;
  let box = form.querySelector(".until");
  if (!box) {
    const button = document.createElement("button");
    const time = document.createElement("input");
    const tooLate = document.createElement("small");
    box = document.createElement("div");
    box.className = "until";
    button.type = "button";
    button.textContent = listTexts.later;
    time.type = "time";
    time.setAttribute("aria-label", listTexts.time_of_day);
    tooLate.setAttribute("role", "status");
    box.append(button, time, tooLate);
    time.addEventListener("input", () => checkTime(box));
    form.addEventListener("reset", () => queueMicrotask(() => checkTime(box)));
    button.addEventListener("click", () => {
      // More may have been open for a while.
      if (!checkTime(box)) return;
      const next = neighbourOf(row);
      const before = jottingOf(row);
      const reported = reportedOf(row);
      const later = { note: note.value.trim(), time: time.value, at: new Date().toISOString() };
      putOff(row, later);
      say(sayLater(row, listTexts.later), row, listTexts.undo, () => {
        putOff(row, before.later, before.note, before.typed);
        if (reported) tellAgain(row, reported);
        else say(listTexts.taken_back, row);
        showPlace(row);
      });
      goOnWith(next, row);
    });
    form.querySelector("label.note").after(box);
  }
  fillTime(box, jottingOf(row).later);
}

// Says in the bar which leads are due, until they are done or put off again, or leave the list.
const dueLine = document.getElementById("due");
function lookForDue() {
  const isDue = (row) => !lists.inert && !row.inert && dueAt(jottingOf(row).later) <= Date.now();
  const due = [...laterList.children].filter(isDue);
  for (const row of laterList.children) row.classList.toggle("is-due", due.includes(row));
  let text = "";
  if (due.length > 1) text = listTexts.several_due.replace("{n}", number.format(due.length));
  else if (due.length) {
    const end = digitsOfRow(due[0]).slice(-4);
    const time = shortTime(dueAt(jottingOf(due[0]).later));
    text = listTexts.one_due.replace("{time}", time).replace("{number}", `…${end}`);
  }
  // A text that is the same is not read out again.
  if (dueLine.dataset.text === text) return;
  dueLine.dataset.text = text;
  dueLine.replaceChildren(text);
  if (!text) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = listTexts.show_row;
  button.addEventListener("click", () => showPlace(laterList.querySelector(".is-due")));
  dueLine.append(button);
}

for (const row of rows.values()) {
  const isKept = jottingOf(row).later || noteOf(row);
  if (isKept && !row.classList.contains("is-done")) move(row, false);
}
if (lists) {
  hideEmpty();
  lookForDue();
  setInterval(lookForDue, ASK_EVERY);
  document.addEventListener("visibilitychange", lookForDue);
  // The page that asks whether the rest of the list goes back says how many of these go, too.
  const goingHome = document.getElementById("going-home");
  goingHome?.addEventListener("click", () => {
    const count = lists.inert ? 0 : laterList.querySelectorAll("li:not(.has-left)").length;
    goingHome.search = count ? `?put_off=${count}` : "";
  });
  new MutationObserver(lookForDue).observe(laterList, { childList: true });
}
