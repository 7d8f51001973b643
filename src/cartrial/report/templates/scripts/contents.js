"use strict";
// Marks in the contents which section is read, and keeps that mark in view where the contents are a strip.
(() => {
  const links = new Map([...document.querySelectorAll("nav a[href^='#']")].map(link => [link.getAttribute("href").slice(1), link]));
  if (!links.size || !("IntersectionObserver" in window)) return;
  const seen = new Set(), strip = document.querySelector("nav ol");
  const mark = () => {
    // between two sections the mark stays; above the first it is the first
    const now = [...links.keys()].find(id => seen.has(id)) || document.querySelector("nav a[aria-current]")?.hash.slice(1) || links.keys().next().value;
    for (const [id, link] of links) {
      if (id !== now) { link.removeAttribute("aria-current"); continue; }
      if (link.hasAttribute("aria-current")) continue;
      link.setAttribute("aria-current", "true");
      if (strip.scrollWidth > strip.clientWidth) strip.scrollTo({left: link.offsetLeft - strip.offsetLeft - 24});
    }
  };
  const watch = new IntersectionObserver(list => {
    for (const one of list) one.isIntersecting ? seen.add(one.target.id) : seen.delete(one.target.id);
    mark();
  }, {rootMargin: "-15% 0px -70% 0px"});
  for (const section of document.querySelectorAll("main > section")) watch.observe(section);
})();
