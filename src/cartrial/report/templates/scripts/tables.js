"use strict";
// Puts every table of the page on the clipboard or into a file: title, numbers as printed, notes, and the rows of the results behind them.
(() => {
  const precise = document.getElementById("result-values"), values = precise ? JSON.parse(precise.textContent) : {rows: {}};
  const words = node => node ? node.textContent.trim().replace(/\s+/g, " ") : "";
  // On a phone a table of four columns and more is a block a row, as wide ones are without scripts; one of many lines is scrolled.
  const FEWEST = 4, MOST = 30;
  for (const figure of document.querySelectorAll("figure.table:not(.stacked):not(.dense)")) {
    const heads = [...figure.querySelectorAll("thead th")].map(words), rows = [...figure.querySelectorAll("tbody tr")];
    if (heads.length < FEWEST || !heads[0] || rows.length > MOST) continue;
    for (const row of rows) [...row.cells].forEach((cell, k) => { if (k && cell.colSpan === 1) cell.dataset.h = heads[k]; });
    figure.classList.add("stacked");
  }
  // What a spreadsheet would run as a formula is text with an apostrophe before it; a number is a number.
  const NUMBER = /^[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?( ?%)?$/;
  const safe = text => /^[\s'"]*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !NUMBER.test(text) ? "'" + text : text;

  function cells(row) {
    const found = [];
    for (const cell of row.cells) {
      found.push(safe(words(cell)));
      for (let k = 1; k < cell.colSpan; k++) found.push("");
    }
    return found;
  }

  function about(figure) {
    const section = figure.closest("section, .sheet"), heading = section ? section.querySelector("h2") : null;
    const caption = figure.querySelector("figcaption"), band = document.querySelector(".band");
    const title = caption ? [...caption.childNodes].filter(node => !(node.classList && node.classList.contains("tools"))).map(node => node.textContent).join("") : "";
    return {
      head: [document.title, words(heading), title.trim().replace(/\s+/g, " "), words(band)].filter(Boolean),
      notes: [...figure.querySelectorAll(".note")].map(words).filter(Boolean),
    };
  }

  // The printed statistics of a table with all their digits, a row each as in results.json.
  const HEAD = ["Row of results.json", "Analysis", "Endpoint", "Variant", "By", "Level", "Statistic", "Unit", "Time (days)", "Value", "Printed"];
  function digits(figure) {
    const printed = new Map([...figure.querySelectorAll("[data-key]")].map(node => [node.dataset.key, words(node)]));
    return [...printed].filter(([key]) => key in values.rows).map(([key, text]) => {
      const row = values.rows[key];
      return [key, ...row.slice(0, 7).map(place => values.words[place]), ...row.slice(7), text];
    });
  }

  function lines(figure, whole) {
    const said = about(figure), rows = [...figure.querySelectorAll("table tr")].map(cells);
    const found = [...said.head.map(text => [safe(text)]), [], ...rows];
    if (said.notes.length) found.push([], ...said.notes.map(text => [safe(text)]));
    const more = whole ? digits(figure) : [];
    if (more.length) found.push([], HEAD, ...more.map(row => row.map(value => safe(value === null ? "" : String(value)))));
    return found;
  }

  const quoted = text => /[",;\r\n\t]/.test(text) || text !== text.trim() ? '"' + text.replaceAll('"', '""') + '"' : text;
  const csv = rows => "\ufeff" + rows.map(row => row.map(quoted).join(",")).join("\r\n") + "\r\n";
  const tabbed = rows => rows.map(row => row.map(text => text.replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");

  function name(figure) {
    const section = figure.closest("section, .sheet"), all = section ? [...section.querySelectorAll("figure.table")] : [figure];
    return [section ? section.id : "table", all.length > 1 ? all.indexOf(figure) + 1 : ""].filter(Boolean).join("-") + ".csv";
  }

  async function copy(figure, button) {
    const text = tabbed(lines(figure, false));
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // a page opened as a file may not be let near the clipboard that way
      const area = Object.assign(document.createElement("textarea"), {value: text, readOnly: true});
      area.style.cssText = "position:fixed;top:0;opacity:0";
      figure.append(area); area.select();
      const done = document.execCommand("copy");
      area.remove(); button.focus();
      if (!done) { button.textContent = "Not copied"; return; }
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function save(figure) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv(lines(figure, true))], {type: "text/csv;charset=utf-8"}));
    link.download = name(figure);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  for (const figure of document.querySelectorAll("figure.table")) {
    const tools = document.createElement("span");
    tools.className = "tools";
    const what = about(figure).head.slice(1).join(": ");
    for (const [text, act, why] of [["Copy", copy, "Copy the table"], ["CSV", save, "Save the table as CSV"]]) {
      const button = Object.assign(document.createElement("button"), {type: "button", textContent: text});
      button.setAttribute("aria-label", why + ": " + what);
      button.addEventListener("click", () => act(figure, button));
      tools.append(button);
    }
    (figure.querySelector("figcaption") || figure).append(tools);
  }
  window.cartrialTables = {lines, csv, tabbed};
})();
