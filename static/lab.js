// The lab's page while it measures: rows as they come, a bar, and the results in the end. Without this script the form
// brings the finished page.
"use strict";

const form = document.getElementById("measure");
const stop = document.getElementById("stop");
const live = document.getElementById("live");
const bar = live.querySelector("progress");
const now = document.getElementById("now");
const others = document.getElementById("others");
const rows = document.getElementById("rows");
const failed = document.getElementById("failed");
const results = document.getElementById("results");

/** The events of the run that is watched, if one is. */
let events = null;

function end() {
  events?.close();
  events = null;
  stop.hidden = true;
  live.hidden = true;
}

function fail(why) {
  end();
  failed.textContent = why;
  failed.hidden = false;
}

function begin() {
  end();
  failed.hidden = others.hidden = true;
  bar.value = 0;
  now.textContent = rows.textContent = results.textContent = "";
  live.hidden = stop.hidden = false;

  const query = new URLSearchParams(new FormData(form));
  if (!query.has("concurrency")) query.set("concurrency", "");
  let begun = false;
  events = new EventSource(`${form.dataset.events}?${query}`);
  const on = (name, act) => events.addEventListener(name, (event) => act(JSON.parse(event.data)));
  on("begin", ({ own, who, what }) => {
    begun = true;
    others.hidden = own;
    others.textContent = `Somebody else (${who}) is measuring now: ${what}. You see that run; then it is your turn.`;
  });
  on("progress", ({ part, what }) => {
    bar.value = part;
    now.textContent = what;
  });
  on("row", ({ html }) => rows.insertAdjacentHTML("beforeend", html));
  on("failed", ({ why }) => fail(`The measuring came to nothing: ${why}.`));
  on("done", ({ html }) => {
    end();
    results.innerHTML = html;
    showCopies();
  });
  events.onerror = () => {
    if (begun) return fail("The connection was lost. Measure again?");
    // Refused before it began: the page itself says why.
    end();
    location.search = query;
  };
}

function showCopies() {
  for (const button of document.querySelectorAll("[data-copies]")) button.hidden = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});

stop.addEventListener("click", () => {
  end();
  results.textContent = "";
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(text.value);
    button.textContent = "Copied";
  } catch {
    // No clipboard over plain http from another machine: it is selected, for a key of yours to copy it.
    text.select();
    button.textContent = "Selected";
  }
});

showCopies();
