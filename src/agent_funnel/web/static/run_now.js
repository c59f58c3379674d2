// Says in a sentence what the run did. Without script, the form posts by itself and the browser shows the JSON.
const form = document.querySelector("form");
const button = form.querySelector("button");
const outcome = document.querySelector("#outcome");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  outcome.textContent = "Dealing …";
  try {
    const response = await fetch(form.action, { method: "POST" });
    const body = await response.json();
    outcome.textContent = response.ok
      ? `Run ${body.run_id}: ${body.assigned} of ${body.pool} leads to ${body.agents} agents, ` +
        `${body.smallest_share} to ${body.largest_share} each, ${body.left_over} left over.`
      : body.detail;
  } catch {
    outcome.textContent = "The service did not answer; reload this page to see whether the run happened.";
  }
  button.disabled = false;
});
