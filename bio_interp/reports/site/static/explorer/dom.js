// Elements, numbers and files. Text reaches the document as text nodes and attributes only: nothing
// here, or in any other script of this folder, turns a string into HTML or into code.
"use strict";

const explorer = {};

(function () {
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    const shown = children.flat(2).filter((child) => child !== null && child !== undefined);
    node.append(...shown.map((child) => (child instanceof Node ? child : String(child))));
    return node;
  }

  // make("a", {href: "#x", click: f}, "text", otherNode)
  explorer.make = (tag, attributes, ...children) =>
    fill(document.createElement(tag), attributes, children);

  explorer.makeSvg = (tag, attributes, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  // a style that the page's policy allows: set by script, never written in an attribute
  explorer.styled = (node, styles) => {
    for (const [name, value] of Object.entries(styles)) node.style.setProperty(name, value);
    return node;
  };

  explorer.number = (value, digits = 3) => {
    if (value === null || value === undefined) return "–";
    if (Number.isInteger(value)) return value.toLocaleString("en");
    return String(Number(value.toPrecision(digits)));
  };

  explorer.fixed = (value, digits = 2) =>
    value === null || value === undefined ? "–" : value.toFixed(digits);

  explorer.percent = (value) => {
    if (value === null || value === undefined) return "–";
    return `${Number((100 * value).toPrecision(3))} %`;
  };

  // a table with a head; cells are text, numbers or nodes
  explorer.plainTable = (caption, columns, rows) => {
    const { make } = explorer;
    const right = (column) => (column.startsWith("#") ? "number" : null);
    const head = columns.map((c) =>
      make("th", { scope: "col", class: right(c) }, c.replace(/^#/, "")));
    const body = rows.map((row) =>
      make("tr", {}, row.map((cell, i) => make("td", { class: right(columns[i]) }, cell))));
    const table = make("table", {},
      make("caption", {}, caption), make("thead", {}, make("tr", {}, head)),
      make("tbody", {}, body));
    const place = { class: "scroll", role: "region", tabindex: "0", "aria-label": caption };
    return make("div", place, table);
  };

  // a button that hands out a file made on this page
  explorer.downloadButton = (label, name, kind, content) =>
    explorer.make("button", { type: "button", click: () => download(name, kind, content()) }, label);

  function download(name, kind, content) {
    const address = URL.createObjectURL(new Blob([content], { type: kind }));
    const link = explorer.make("a", { href: address, download: name.replace(/[^\w.-]+/g, "_") });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  // cells of a TSV hold no tabs or line ends, and none starts a formula in a spreadsheet
  explorer.toTsv = (rows) => {
    const cell = (value) => {
      if (value === null || value === undefined || value === "") return "-";
      const text = String(value).replace(/\s+/g, " ");
      return typeof value !== "number" && /^[=+@-]/.test(text) ? `'${text}` : text;
    };
    return rows.map((row) => row.map(cell).join("\t") + "\n").join("");
  };

  explorer.toJson = (value) => JSON.stringify(value, null, 1) + "\n";
})();
