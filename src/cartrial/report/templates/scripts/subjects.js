"use strict";
// Opens a subject's sheet: draws its figure when it is first shown, keeps the keyboard within it, and leads back to where the reader was.
(() => {
  const source = document.getElementById("subject-courses");
  if (!source) return;
  const courses = JSON.parse(source.textContent), page = document.querySelectorAll("body > header, body > .page");
  let from = null, top = 0, shown = null;

  const CAPTION = "Statuses by reader, treatments and samples over one axis, which is the subject's own; the other axes are those of every subject. Triangles: at most (pointing down) or at least (pointing up) what is drawn; where there is no number, on the foot or the head of the axis. What it shows stands in words below.";

  // A row is a list of its columns; what is a word is its place among the words.
  function unpacked(columns, row) {
    const found = {};
    row.forEach((value, k) => { if (value !== null) found[columns[k]] = courses.worded.includes(columns[k]) ? courses.words[value] : value; });
    return found;
  }

  function figure(name) {
    const own = courses.subjects[name], datasets = {};
    for (const [set, rows] of Object.entries(own.rows)) datasets[set] = rows.map(row => unpacked(courses.columns[set], row));
    return {...courses.document, description: "Course of subject " + own.label, datasets,
      params: courses.document.params.map(param => ({...param, value: own.signals[param.name]}))};
  }

  async function show() {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    const sheet = target && target.classList.contains("sheet") ? target : null;
    if (sheet && !shown) top = scrollY;
    const closed = shown && !sheet;
    shown = sheet;
    const reading = document.getElementById("reading");
    if (reading) reading.hidden = true;
    document.body.classList.toggle("held", !!sheet);
    for (const part of page) part.inert = !!sheet;
    if (closed) {
      scrollTo({top, behavior: "instant"});
      if (from && from.isConnected) from.focus({preventScroll: true});
      return;
    }
    if (!sheet) return;
    sheet.scrollTop = 0;
    sheet.focus({preventScroll: true});
    const place = sheet.querySelector("[data-course]");
    if (!place || place.dataset.done) return;
    place.dataset.done = "1";
    await window.cartrialDraw(sheet.id, figure(sheet.id), place);
    place.after(Object.assign(document.createElement("figcaption"), {textContent: CAPTION}));
  }

  function close(event) { if (event) event.preventDefault(); location.hash = "#listing"; }

  // the browser has moved the focus before it tells of the new address
  addEventListener("focusin", event => { if (!event.target.closest(".sheet")) from = event.target; });
  addEventListener("hashchange", show);
  addEventListener("click", event => {
    if (event.target.classList.contains("sheet")) return close(event);  // beside the leaf
    if (shown && event.target.closest(".sheet .close")) close(event);
  });
  addEventListener("keydown", event => {
    if (!shown || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return close(event);
    if (event.key === "Tab") {
      // the sheet is the page while it is open
      const able = [...shown.querySelectorAll("a[href], button, summary, select, input, [tabindex='0']")].filter(node => node.getClientRects().length);
      const first = able[0], last = able[able.length - 1];
      if (event.shiftKey && (document.activeElement === first || document.activeElement === shown)) { event.preventDefault(); last.focus(); }
      else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first.focus(); }
      return;
    }
    const side = {ArrowLeft: "before", ArrowRight: "after"}[event.key], inside = document.activeElement;
    if (!side || inside.closest(".scroll, select, input, .vis")) return;
    const all = [...document.querySelectorAll(".sheet")], next = all[all.indexOf(shown) + (side === "after" ? 1 : -1)];
    if (next) { event.preventDefault(); location.hash = "#" + next.id; }
  });
  show();
})();
