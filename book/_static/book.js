/* The filter of the ledger page. Without scripts the form stays hidden and every row shows. */
(function () {
  "use strict";

  function start() {
    const form = document.getElementById("ledger-filter");
    if (!form) return;
    const rows = Array.from(document.querySelectorAll("table.ledger tbody tr"));
    // Before MathJax replaces the formulas, so that their TeX can be searched as well.
    const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

    function apply() {
      const chosen = new FormData(form);
      const wanted = chosen.get("words").toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (row) =>
        ["source", "verdict", "kind"].every((k) => !chosen.get(k) || row.dataset[k] === chosen.get(k)) &&
        wanted.every((word) => words.get(row).includes(word));
      let shown = 0;
      for (const row of rows) {
        row.hidden = !fits(row);
        shown += row.hidden ? 0 : 1;
      }
      for (const table of document.querySelectorAll("table.ledger")) {
        table.closest("section").hidden = !table.querySelector("tbody tr:not([hidden])");
      }
      form.querySelector("output").value = shown === 1 ? "1 row" : `${shown} rows`;
    }

    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    // A link to a row must find it, whatever the filter hides.
    window.addEventListener("hashchange", () => {
      const row = document.getElementById(location.hash.slice(1));
      if (row && row.hidden) {
        form.reset();
        apply();
        row.scrollIntoView();
      }
    });
    form.hidden = false;
    apply();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
