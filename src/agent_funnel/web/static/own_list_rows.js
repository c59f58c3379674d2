// An agent's own list: the rows.

const rows = new Map();
for (const form of own.querySelectorAll("form.report")) rows.set(form.elements.number.value, form.closest("li"));
// An entry of an older list has no row here, also if the lead is on this one, too.
const rowOf = (entry) => (entry.run === loaded.run_id ? rows.get(entry.number) : undefined);
const digitsOf = (text) => text.replace(/\D/g, "");
const digitsOfRow = (row) => digitsOf(row.querySelector(".tel").textContent);

function move(row, isDone) {
  row.classList.toggle("is-done", isDone);
  const isLater = !isDone && Boolean(jottingOf(row).later);
  showLater(row, isLater);
  if (isDone) { doneList.prepend(row); return; }
  if (isLater) { insertLater(row); return; }
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
  countAgain(row.dataset.outcome, isDone ? entry.outcome : "");
  row.dataset.outcome = isDone ? entry.outcome : "";
  if (isDone && !entry.isBack) row.dataset.reported = JSON.stringify(entry.body);
  row.querySelector("form.report").hidden = isDone;
  if (isDone) offerChange(row);
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
  showDone(progress.value);
  document.getElementById("to-call").textContent = number.format(progress.max - progress.value);
  // Those that were handed back are done with, but not by the agent.
  lists.querySelector(".all-done")?.toggleAttribute("hidden", progress.value < progress.max);
  hideEmpty();
}

// How many are done. In Portuguese, 0 has the form of 1.
const plural = new Intl.PluralRules(language);
function showDone(count) {
  const [before, after] = listTexts.done[plural.select(count) === "one" ? 0 : 1].split("{n}");
  const amount = document.createElement("b");
  amount.textContent = number.format(count);
  document.getElementById("done").replaceChildren(before, amount, after);
}

// How many have each outcome, for the end of the evening; not after a hand-back.
const tally = document.getElementById("tally");
const amounts = tally ? new Map(JSON.parse(tally.dataset.amounts)) : new Map();
function countAgain(before, after) {
  if (amounts.has(before)) amounts.set(before, amounts.get(before) - 1);
  if (amounts.has(after)) amounts.set(after, amounts.get(after) + 1);
  const shown = [...amounts].filter(([, amount]) => amount);
  if (tally) tally.textContent = shown.map(([outcome, amount]) => `${labels[outcome]} ${number.format(amount)}`).join(" · ");
}

// Rows that a search does not show do not count.
function hideEmpty() {
  for (const section of lists.querySelectorAll("section")) section.hidden = !section.querySelector("li:not(.is-elsewhere)");
}

// A row that is done has a button that opens its outcomes, where it is. What is tapped there takes the place of the
// outcome before.
function offerChange(row) {
  const back = row.querySelector("form.back");
  const form = row.querySelector("form.report");
  let button = back.querySelector(".change");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.className = "outline secondary change";
    button.append(listTexts.change, back.querySelector("button .hidden").cloneNode(true));
    button.addEventListener("click", () => {
      form.reset();
      form.hidden = !form.hidden;
      button.setAttribute("aria-expanded", String(!form.hidden));
      if (form.hidden) return;
      form.elements.note.value = saidOf(row).more.replace(/^: /, "");
      form.querySelector("button:not([hidden])").focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    });
    back.prepend(button);
  }
  button.setAttribute("aria-expanded", "false");
}

// What the row says of its outcome, and after that.
function saidOf(row) {
  const line = row.querySelector(".said");
  const said = line.querySelector("strong").textContent;
  return { said, more: line.textContent.trim().replace(said, "") };
}

for (const row of rows.values()) if (row.classList.contains("is-done")) offerChange(row);
