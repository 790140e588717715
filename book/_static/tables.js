// Sorts and filters tables of class "sortable" (common/tables.py writes them). Does nothing on a page that has none.
"use strict";

function prepare(box) {
  const [search, choice, count] = ["input", "select", "output"].map((name) => box.querySelector(name));
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  const buttons = [...box.querySelectorAll("thead button")];

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase().replaceAll("\u2212", "-"); // a minus sign, as it is typed
      row.hidden = (choice.value && row.dataset.group !== choice.value) || !words.every((word) => text.includes(word));
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  }

  function compare(first, second, column) {
    const [a, b] = [first, second].map((row) => row.cells[column]);
    if (a.dataset.value !== undefined) return a.dataset.value - b.dataset.value;
    return a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  }

  function sort(column) {
    const head = buttons[column].parentElement;
    const down = head.getAttribute("aria-sort") === "ascending"; // so the first press sorts upwards
    for (const button of buttons) button.parentElement.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((a, b) => compare(a, b, column) * (down ? -1 : 1));
    body.append(...rows);
  }

  buttons.forEach((button, column) => {
    button.disabled = false;
    button.addEventListener("click", () => sort(column));
  });
  for (const control of [search, choice]) control.addEventListener("input", filter);
  box.querySelector(".controls").hidden = false;
  filter(); // a browser may have kept what was typed before
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".sortable").forEach(prepare));
