"use strict";
// Draws the figure of a case and listens to keys. It computes no number, and everything can be done without it.
(() => {
  const source = document.getElementById("figure-documents");
  const documents = source ? JSON.parse(source.textContent) : {};
  const make = (tag, parent, more = {}) => { const node = Object.assign(document.createElement(tag), more); parent.append(node); return node; };
  const reading = make("div", document.body, {id: "reading", hidden: true});
  reading.setAttribute("role", "status");
  function read(_, event, item, value) {
    reading.hidden = !value;
    if (!value) return;
    reading.textContent = value;
    const {width, height} = reading.getBoundingClientRect(), edge = document.documentElement;
    reading.style.left = Math.max(6, Math.min(event.clientX + 14, edge.clientWidth - width - 6)) + "px";
    reading.style.top = Math.max(6, Math.min(event.clientY + 18, edge.clientHeight - height - 6)) + "px";
  }
  const widths = new Map();
  async function draw(place) {
    const spec = documents[place.dataset.figure];
    widths.set(place, place.clientWidth);
    const width = Math.max(140, place.clientWidth - spec.usermeta.aside - 8);
    const fitted = {...spec, vconcat: spec.vconcat.map(panel => ({...panel, width}))};
    try {
      // ast: expressions are read, never evaluated; no style is put into the page
      await vegaEmbed(place, fitted, {ast: true, renderer: "svg", mode: "vega-lite", tooltip: read, defaultStyle: false, actions: false});
      const svg = place.querySelector("svg");
      // to who does not see it the figure is one picture with one name; each value stands in the table
      if (svg) for (const part of svg.querySelectorAll("[role], [aria-roledescription], [aria-label]")) for (const name of ["role", "aria-roledescription", "aria-label"]) part.removeAttribute(name);
      if (svg) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", spec.description + ". Every value stands in the table below."); }
      document.documentElement.dataset.drawn = "yes";
    } catch (error) {
      place.replaceChildren();
      make("p", place, {className: "fact", textContent: "The figure could not be drawn: every value stands in the table below."});
      console.error(error);
    }
  }
  const places = [...document.querySelectorAll("[data-figure]")];
  places.forEach(draw);
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => places.filter(place => widths.get(place) !== place.clientWidth).forEach(draw), 200); });

  const typing = node => node && node.closest("textarea, input:not([type=radio]):not([type=checkbox]), select, [contenteditable]");
  addEventListener("keydown", event => {
    const box = document.getElementById("keys");
    if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target) || !box || !box.checked) return;
    const radios = [...document.querySelectorAll("input[name=call]")];
    const go = {r: () => document.getElementById("reason"), s: () => document.getElementById("name") || document.getElementById("password")};
    if (/^[1-9]$/.test(event.key) && radios[event.key - 1]) { radios[event.key - 1].click(); radios[event.key - 1].focus(); }
    else if (go[event.key] && go[event.key]()) go[event.key]().focus();
    else if (event.key === "n" || event.key === "p") { const link = document.querySelector(event.key === "n" ? "a[rel=next]" : "a[rel=prev]"); if (link) link.click(); else return; }
    else return;
    event.preventDefault();
  });
  // what was not kept is said
  const unsaved = words => { const place = document.getElementById("draft"); if (place) { let said = place.querySelector(".fault"); if (!said) said = make("p", place, {className: "fault"}); said.textContent = words; } };
  addEventListener("htmx:sendError", () => unsaved("Not saved: the workspace cannot be reached. Your text is still here."));
  addEventListener("htmx:responseError", event => { if (event.detail.xhr.status >= 500) unsaved("Not saved: the workspace failed. Your text is still here."); });
  const form = document.querySelector("form.read");
  if (form) setTimeout(() => unsaved("Your session ends in two minutes unless you save or load a page."), 28 * 60 * 1000);
})();
