// An agent's own list: the bar at the top, which says where one is, and finds a number in all
// parts of the page.

const find = document.getElementById("find");
const unfind = document.getElementById("unfind");
// Where the page was before a search:
let placeBefore = 0;

// Up to four digits are looked for in the last four, and more at the end.
function isFound(row, digits) {
  const all = digitsOfRow(row);
  return digits.length > 4 ? all.endsWith(digits) : all.slice(-4).includes(digits);
}

function search() {
  const digits = digitsOf(find.value);
  const wasOn = own.classList.contains("is-searched");
  if (digits && !wasOn) placeBefore = scrollY;
  own.classList.toggle("is-searched", Boolean(digits));
  unfind.hidden = !find.value;
  for (const row of lists.querySelectorAll("li")) row.classList.toggle("is-elsewhere", !isFound(row, digits));
  hideEmpty();
  document.getElementById("none-found").hidden = Boolean(lists.querySelector("li:not(.is-elsewhere)"));
  if (!digits && wasOn) scrollTo(0, placeBefore);
}

function endSearch() {
  find.value = "";
  search();
}

// ---- The heading whose rows are at the top now, with how many it has

function showWhere() {
  const top = bar.getBoundingClientRect().bottom + 8;
  const shown = [...lists.querySelectorAll("section")].filter((section) => !section.hidden);
  const section = shown.findLast((each) => each.getBoundingClientRect().top <= top) ?? shown[0];
  const where = document.getElementById("where");
  const amount = number.format(section?.querySelectorAll("li:not(.is-elsewhere)").length ?? 0);
  const text = section?.id === "done-ones" ? amount : listTexts.to_call.replace("{n}", amount);
  const said = section ? `${section.querySelector("h2").textContent} · ${text}` : "";
  if (where.textContent !== said) where.textContent = said;
}

let isLooking = false;
function lookWhere() {
  if (isLooking) return;
  isLooking = true;
  requestAnimationFrame(() => {
    isLooking = false;
    showWhere();
  });
}

if (find) {
  addEventListener("scroll", lookWhere, { passive: true });
  addEventListener("resize", lookWhere);
  document.getElementById("whereabouts").hidden = false;
  find.addEventListener("input", search);
  unfind.addEventListener("click", endSearch);
  // Rows move from one heading to another.
  new MutationObserver(lookWhere).observe(lists, { childList: true, subtree: true, attributeFilter: ["hidden", "class"] });
  // A browser may fill it in again.
  search();
}
