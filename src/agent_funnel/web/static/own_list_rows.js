// An agent's own list: the rows.

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
