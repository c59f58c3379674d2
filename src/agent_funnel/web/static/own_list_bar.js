// An agent's own list: the bar at the top, which finds a number in all parts of the page.

const find = document.getElementById("find");
const unfind = document.getElementById("unfind");
// Where the page was before a search:
let placeBefore = 0;

const digitsOf = (text) => text.replace(/\D/g, "");

// Up to four digits are looked for in the last four, and more at the end.
function isFound(row, digits) {
  const all = digitsOf(row.querySelector(".tel").textContent);
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

if (find) {
  document.getElementById("whereabouts").hidden = false;
  find.addEventListener("input", search);
  unfind.addEventListener("click", () => {
    find.value = "";
    search();
  });
  // A browser may fill it in again.
  search();
}
