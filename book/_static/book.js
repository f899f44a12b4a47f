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

/* Nothing is cut: wrapped code keeps its indent, tables and formulas fit their column. */
(function () {
  "use strict";

  // Tables that the stylesheet sets as cards by itself.
  const OWN = ".ledger, .symbols, .totals, .scales, .status, .questions";
  const LOOKS = [[], ["compact"], ["compact", "wide"], ["stacked"]];
  const SMALLEST = 0.6; // of a formula's size

  function lines() {
    for (const pre of document.querySelectorAll(".bd-article :is(.highlight-ipython3, .highlight-python) pre")) {
      const rows = pre.innerHTML.replace(/\n$/, "").split("\n");
      pre.innerHTML = rows.map((row) => {
        const indent = row.match(/^(?:<[^>]*>| )*/)[0].replace(/<[^>]*>/g, "").length;
        return `<span class="line" style="--indent: ${Math.min(indent, 12)}ch">${row}\n</span>`;
      }).join("");
    }
  }

  /* The name of its column in every cell but the first, for the card that a row may become. */
  function name(table) {
    const heads = Array.from(table.tHead ? table.tHead.rows[table.tHead.rows.length - 1].cells : []);
    for (const row of Array.from(table.tBodies).flatMap((body) => Array.from(body.rows))) {
      if (row.cells.length !== heads.length) continue;
      Array.from(row.cells).slice(1).forEach((cell, k) => {
        const [of, value] = [document.createElement("span"), document.createElement("span")];
        of.className = "of";
        of.setAttribute("aria-hidden", "true");
        of.append(...heads[k + 1].cloneNode(true).childNodes);
        value.append(...cell.childNodes);
        cell.append(of, value);
      });
    }
    // As cards, the rows of a table would no longer be one to a screen reader.
    const roles = { table: [table], row: table.rows, rowgroup: [...table.tBodies] };
    for (const [role, nodes] of Object.entries(roles)) {
      for (const node of nodes) node.setAttribute("role", role);
    }
    for (const cell of table.querySelectorAll("th, td")) {
      cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.scope === "row" ? "rowheader" : "columnheader");
    }
  }

  function fit() {
    for (const table of document.querySelectorAll(`.bd-article table:not(${OWN})`)) {
      if (!table.getClientRects().length) continue;
      const room = () => table.parentElement.clientWidth + 1;
      for (const look of LOOKS) {
        if (look[0] === "stacked" && !table.querySelector(".of")) name(table);
        table.classList.remove("compact", "wide", "stacked");
        table.classList.add(...look);
        if (table.offsetWidth <= room() && table.scrollWidth <= room()) break;
      }
    }
    for (const formula of document.querySelectorAll(".bd-article div.math mjx-container[display]")) {
      formula.style.removeProperty("font-size");
      const share = formula.clientWidth / formula.scrollWidth;
      if (share < 1) formula.style.setProperty("font-size", `${Math.max(103 * share, 103 * SMALLEST)}%`, "important");
    }
  }

  function start() {
    lines();
    fit();
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (window.innerWidth !== width) requestAnimationFrame(fit);
      width = window.innerWidth;
    });
    document.addEventListener("toggle", () => requestAnimationFrame(fit), true);
    document.fonts.ready.then(fit);
    window.addEventListener("load", () => window.MathJax?.startup?.promise?.then(fit));
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
