// What the address says is what is shown; search narrows all three tables at once.
"use strict";

(function () {
  const { make, index, lists, number, link } = explorer;
  const at = (id) => document.getElementById(id);
  const NAMES = { features: "Features", concepts: "Concepts", proteins: "Proteins" };
  const tables = new Map(); // made when first looked at
  const tabs = new Map();
  const found = new Map();
  let current = "features";
  let turn = 0; // of the page that was asked for last

  const title = `${index.atlas.name} ${index.atlas.version}`;
  at("title").textContent = title;

  function table(kind) {
    if (!tables.has(kind)) {
      const made = lists[kind](index);
      const name = `${index.atlas.name}-${kind}.tsv`;
      made.frame = make("div", { class: "framed", hidden: true }, made.node,
        make("p", { class: "buttons" }, explorer.downloadButton(
          "Download these rows (TSV)", name, "text/tab-separated-values", () => made.toTsv())));
      at("list").append(made.frame);
      tables.set(kind, made);
    }
    return tables.get(kind);
  }

  function makeTabs() {
    for (const [kind, name] of Object.entries(NAMES)) {
      const count = make("span", { class: "count" });
      tabs.set(kind, { link: make("a", { href: `#${kind}` }, name, " ", count), count });
    }
    tabs.set("about", { link: make("a", { href: "#about" }, "About") });
    at("tabs").append(...[...tabs.values()].map((tab) => make("li", {}, tab.link)));
  }

  function markTab(kind) {
    for (const [name, tab] of tabs) {
      if (name === kind) tab.link.setAttribute("aria-current", "page");
      else tab.link.removeAttribute("aria-current");
    }
  }

  function search() {
    const text = at("search").value;
    for (const kind of Object.keys(NAMES)) {
      found.set(kind, table(kind).filter(text));
      tabs.get(kind).count.textContent = number(found.get(kind));
    }
    const counts = Object.keys(NAMES).map((kind) => `${number(found.get(kind))} ${kind}`);
    at("found").textContent = text.trim() ? `${counts.join(", ")} match` : counts.join(", ");
  }

  function showList(kind) {
    current = kind;
    turn++; // a page that is still on its way comes too late
    at("page").hidden = true;
    at("list").hidden = false;
    for (const name of Object.keys(NAMES)) table(name).frame.hidden = name !== kind;
    table(kind).wake();
    document.title = `${NAMES[kind]} – ${title}`;
    markTab(kind);
  }

  function neighbours(kind, i, address) {
    const [before, after] = table(kind).around(i);
    const step = (to, words) => (to === null ? null : make("a", { href: address(to) }, words));
    return make("nav", { class: "steps", "aria-label": "Neighbours in the table" },
      make("a", { href: `#${kind}` }, `All ${kind}`), step(before, "← Previous"),
      step(after, "Next →"));
  }

  async function showPage(kind, content, steps) {
    const mine = ++turn;
    let nodes;
    try {
      nodes = await content();
    } catch (error) {
      nodes = [make("h2", { tabindex: "-1" }, "Not to be shown"), make("p", {}, error.message)];
    }
    if (mine !== turn) return; // another page was asked for meanwhile
    at("page").replaceChildren(...[steps, ...nodes].filter(Boolean));
    at("list").hidden = true;
    at("page").hidden = false;
    window.scrollTo(0, 0);
    const head = at("page").querySelector("h2");
    document.title = `${head.textContent} – ${title}`;
    head.focus({ preventScroll: true });
    markTab(kind);
    at("page").dataset.shown = location.hash;
  }

  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };

  const missing = (words) => async () =>
    [make("h2", { tabindex: "-1" }, "Not here"), make("p", {}, words)];

  function showItem(kind, i, page, address, words) {
    if (i < 0) return showPage(kind, missing(words), null);
    current = kind;
    return showPage(kind, () => page(i), neighbours(kind, i, address));
  }

  function route() {
    const hash = decoded(location.hash.slice(1));
    const [, concept] = /^concept=(.*)$/s.exec(hash) || [];
    const [, protein] = /^protein=(.*)$/s.exec(hash) || [];
    const [, words] = /^search=(.*)$/s.exec(hash) || [];
    const [, atlas, feature] = /^(?:(.*)\/)?f(\d{1,9})$/s.exec(hash) || [];
    turn++;
    if (concept !== undefined) {
      const i = index.concepts.id.indexOf(concept);
      showItem("concepts", i, explorer.conceptPage, (n) => link.concept(index.concepts.id[n]),
        `The atlas ${index.atlas.name} has no concept ${concept}.`);
    } else if (protein !== undefined) {
      const names = index.proteins.accession;
      showItem("proteins", names.indexOf(protein), explorer.proteinPage,
        (n) => link.protein(names[n]), `This site has no protein ${protein}.`);
    } else if (words !== undefined) {
      at("search").value = words;
      search();
      showList(current);
    } else if (feature !== undefined) {
      const own = (atlas ?? index.atlas.name) === index.atlas.name;
      const there = own && Number(feature) < index.features.name.length;
      showItem("features", there ? Number(feature) : -1, explorer.featurePage, link.feature,
        `The atlas ${index.atlas.name} has no feature ${hash}.`);
    } else if (hash === "about") {
      showPage("about", explorer.aboutPage, null);
    } else {
      showList(Object.hasOwn(NAMES, hash) ? hash : "features");
    }
  }

  // search is kept in the address, so that a list can be sent; the history is left alone
  function typed() {
    search();
    const text = at("search").value;
    if (at("list").hidden) showList(current);
    history.replaceState(null, "", text ? link.search(text) : `#${current}`);
  }

  function keys(event) {
    const inField = event.target instanceof HTMLInputElement;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "/" && !inField) at("search").focus();
    else if (event.key === "Escape" && !inField && at("list").hidden) location.hash = current;
    else if ((event.key === "Enter" || event.key === "ArrowDown") && event.target === at("search")) {
      if (at("list").hidden) showList(current);
      table(current).node.focus();
    } else return;
    event.preventDefault();
  }

  at("search").addEventListener("input", typed);
  at("skip").addEventListener("click", (event) => {
    event.preventDefault();
    if (at("list").hidden) showList(current);
    table(current).node.focus();
  });
  document.addEventListener("keydown", keys);
  window.addEventListener("hashchange", () => {
    const focused = document.activeElement;
    const lost = focused === document.body || at("page").contains(focused);
    route();
    if (!at("list").hidden && lost) table(current).node.focus();
  });
  makeTabs();
  search();
  route();
  document.body.dataset.ready = "yes";
})();
