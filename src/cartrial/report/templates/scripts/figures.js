"use strict";
// Draws the page's figures from their documents and puts their controls above them. It computes no number.
(() => {
  const source = document.getElementById("figure-documents");
  if (!source) return;
  const documents = JSON.parse(source.textContent), views = new Map(), widths = new Map();
  const make = (tag, parent, more = {}) => { const node = Object.assign(document.createElement(tag), more); parent.append(node); return node; };

  // What stands under the pointer, kept within the window; text alone, whatever the data hold.
  const reading = make("div", document.body, {id: "reading", hidden: true});
  reading.setAttribute("role", "status");
  function read(_, event, item, value) {
    // a finger that is lifted leaves the words it asked for, until it taps elsewhere or scrolls
    if (!value && event && event.pointerType === "touch") return;
    reading.hidden = !value;
    if (!value) return;
    reading.textContent = value;
    const {width, height} = reading.getBoundingClientRect(), edge = document.documentElement;
    const above = event.clientY + 18 + height > edge.clientHeight;
    reading.style.left = Math.max(6, Math.min(event.clientX + 14, edge.clientWidth - width - 6)) + "px";
    reading.style.top = Math.max(6, above ? event.clientY - height - 14 : event.clientY + 18) + "px";
  }

  // a tap does not move, and Vega reads on moving alone
  addEventListener("click", event => {
    const data = event.target.closest(".plot svg") && event.target.__data__, item = Array.isArray(data) ? data[0] : data;
    if (item && item.tooltip) read(null, event, item, item.tooltip);
  });
  addEventListener("pointerdown", event => { if (!event.target.closest(".plot svg")) reading.hidden = true; });
  addEventListener("scroll", () => { reading.hidden = true; }, {passive: true});

  function set(name, signal, value) {
    const view = views.get(name);
    if (view) view.signal(signal, value).runAsync();
  }

  // Boxes that show and hide series: what the legend of Vega can do by mouse alone, these do by keyboard too.
  function boxes(name, control, field, value) {
    const series = Array.isArray(control.series) ? control.series : control.series[value] || [];
    field.replaceChildren();
    field.hidden = series.length < 2;
    make("legend", field, {textContent: control.label});
    const hidden = new Set();
    series.forEach((words, k) => {
      const label = make("label", field), box = make("input", label, {type: "checkbox", checked: true});
      const swatch = make("span", label, {className: "swatch"});
      swatch.style.background = control.colours[k % control.colours.length];
      label.append(words);
      box.addEventListener("change", () => { box.checked ? hidden.delete(words) : hidden.add(words); set(name, control.signal, [...hidden]); });
    });
  }

  // A menu of what is opened elsewhere, and the button that opens it: marks of a figure cannot be reached by keyboard.
  function opener(control, bar) {
    const label = make("label", bar, {textContent: control.label}), menu = make("select", label);
    menu.dataset.opens = "";
    for (const [value, words] of control.options) make("option", menu, {value, textContent: words});
    make("button", label, {type: "button", textContent: "Open"}).addEventListener("click", () => { location.href = menu.value; });
  }

  // Parts of one long figure are sorted as one: each takes the rows whose places in the order are its own.
  function deal(name, signal, order) {
    const {of} = documents[name].usermeta.part;
    const parts = Object.keys(documents).filter(other => (documents[other].usermeta || {}).part && documents[other].usermeta.part.of === of);
    for (const other of parts) {
      const {place, size} = documents[other].usermeta.part, view = views.get(other);
      if (!view) continue;
      for (const rows of ["bars", "marks"]) {
        const all = parts.flatMap(part => documents[part].datasets[rows]);
        view.change(rows, vega.changeset().remove(() => true).insert(all.filter(row => Math.floor(row[order] / size) === place).map(row => ({...row}))));
      }
      view.signal(signal, order).runAsync();
      const menu = document.querySelector(`[data-figure="${other}"] [data-signal="${signal}"]`);
      if (menu) menu.value = order;
    }
  }

  function controls(name, list, place) {
    const bar = make("div", place, {className: "controls"});
    const toggles = list.filter(control => control.kind === "toggles").map(control => [control, document.createElement("fieldset")]);
    for (const control of list) {
      if (control.kind === "open") opener(control, bar);
      if (control.kind !== "choice") continue;
      const label = make("label", bar, {textContent: control.label}), menu = make("select", label);
      menu.dataset.signal = control.signal;
      for (const [value, words] of control.options) make("option", menu, {value, textContent: words});
      menu.addEventListener("change", () => {
        for (const [other, field] of toggles) if (other.of === control.signal) { set(name, other.signal, []); boxes(name, other, field, menu.value); }
        set(name, control.signal, menu.value);
        if (documents[name].usermeta.part) deal(name, control.signal, menu.value);
      });
    }
    for (const [control, field] of toggles) {
      bar.append(field);
      const first = list.find(other => other.signal === control.of);
      boxes(name, control, field, first ? first.value : "");
    }
    return bar;
  }

  // The words that a pointer reads, as a table: for who reads by keyboard or ear. They are those of the document.
  function table(name, spec, place) {
    const rows = spec.datasets.reading || [];
    if (!rows.length) return;
    const folded = make("details", place, {className: "numbers"}), pick = () => { const menu = place.querySelector("[data-signal]"); return menu ? menu.value : ""; };
    make("summary", folded, {textContent: "Read as a table"});
    const box = make("div", folded, {className: "scroll", tabIndex: 0});
    const fill = () => {
      box.replaceChildren();
      const own = rows.filter(row => row.of === pick()).map(row => row.tip.split("\n")), sheet = make("table", box);
      if (!own.length) return;
      // a line is "name: words" where there are several curves
      const several = own[0].length > 2, cut = words => several ? [words.slice(0, words.indexOf(": ")), words.slice(words.indexOf(": ") + 2)] : ["All", words];
      const head = make("tr", make("thead", sheet)), body = make("tbody", sheet);
      for (const words of ["From", ...own[0].slice(1).map(words => cut(words)[0])]) make("th", head, {textContent: words, scope: "col"});
      for (const [from, ...lines] of own) {
        const line = make("tr", body);
        for (const words of [from.replace("From ", ""), ...lines.map(words => cut(words)[1])]) make("td", line, {textContent: words});
      }
    };
    folded.addEventListener("toggle", () => { if (folded.open) fill(); });
    place.addEventListener("change", event => { if (event.target.tagName === "SELECT" && folded.open) fill(); });
  }

  // Panels one beneath the other do not take the width of their place by themselves.
  function fitted(spec, place) {
    if (!spec.vconcat) return spec;
    const width = Math.max(160, Math.min(place.clientWidth, 960) - (spec.usermeta.aside || 80));
    return {...spec, vconcat: spec.vconcat.map(panel => ({...panel, width}))};
  }

  async function draw(name, place) {
    const spec = documents[name], inner = place.querySelector(".plot");
    widths.set(name, place.clientWidth);
    const result = await vegaEmbed(inner, fitted(spec, place), {
      ast: true, renderer: "svg", mode: "vega-lite", tooltip: read, loader: {target: "_self"}, downloadFileName: name,
      actions: {export: {png: true, svg: true}, source: false, compiled: false, editor: false}, scaleFactor: {png: 3, svg: 1},
    });
    if (views.has(name)) views.get(name).finalize();
    views.set(name, result.view);
    const svg = inner.querySelector("svg.marks");
    if (svg) { svg.setAttribute("role", "img"); svg.setAttribute("aria-label", spec.description); }
    const menu = inner.querySelector("summary");
    if (menu) { menu.setAttribute("aria-label", "Save this figure"); menu.title = "Save this figure"; }
  }

  async function start() {
    const began = performance.now();
    for (const place of document.querySelectorAll("[data-figure]")) {
      const name = place.dataset.figure, spec = documents[name];
      try {
        const list = (spec.usermeta && spec.usermeta.controls) || [];
        if (list.length) controls(name, list, place);
        make("div", place, {className: spec.title ? "plot" : "plot bare"});
        await draw(name, place);
        table(name, spec, place);
      } catch (error) {
        make("p", place, {className: "note", textContent: "This figure could not be drawn: " + error.message});
        console.error(name, error);
      }
    }
    document.documentElement.dataset.drawn = (performance.now() - began).toFixed(0);
  }

  // A figure that is drawn when what it stands in is opened.
  window.cartrialDraw = async (name, spec, place) => {
    documents[name] = spec;
    place.dataset.later = name;
    make("div", place, {className: spec.title ? "plot" : "plot bare"});
    await draw(name, place);
  };

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const place of document.querySelectorAll("[data-figure], [data-later]")) {
        const name = place.dataset.figure || place.dataset.later;
        if (documents[name].vconcat && place.clientWidth && widths.get(name) !== place.clientWidth) draw(name, place);
      }
    }, 200);
  });
  // A sheet of paper is narrower than a screen: figures are laid out for it, so that their letters keep their size.
  const PAPER = 660, HALF = 325, paper = name => document.getElementById("figure-" + name)?.closest(".half") ? HALF : PAPER;
  const lay = width => { for (const [name, view] of views) if (!documents[name].vconcat) view.width(width(view, name)).run(); };
  addEventListener("beforeprint", () => lay((_, name) => paper(name)));
  addEventListener("afterprint", () => lay(view => view.container().clientWidth));
  window.cartrialFigures = views;
  start();
})();
