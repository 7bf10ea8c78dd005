// The tables of features, concepts and proteins: columns, and the words that search looks at.
"use strict";

(function () {
  const { fixed, number, percent, link } = explorer;
  const words = (text) => (text || "").replaceAll("_", " ");

  // a column of the index as a column of a table; what no row has is not shown
  const column = (data, key, title, width, more = {}) =>
    ({ title, width, value: (i) => data[key][i], key, ...more });

  const measured = (data, columns) =>
    columns.filter(({ key }) => !key || data[key].some((v) => v !== null && v !== ""));

  function features({ features: f, concepts: c }) {
    const figure = (key, title, width, text, help) =>
      column(f, key, title, width, { number: true, text: (i) => text(f[key][i]), help });
    const columns = [
      { title: "feature", width: "5.5rem", number: false, value: (i) => i, text: (i) => `f${i}`,
        raw: (i) => `${explorer.index.atlas.name}/f${i}`, help: "number of the feature" },
      column(f, "name", "name", "minmax(10rem, 2fr)",
        { help: "concept of its best link, where F1 on the select fold is 0.5 or more" }),
      column(f, "type", "link type", "8rem", { text: (i) => words(f.type[i]) }),
      figure("f1", "test F1", "5.5rem", fixed, "of that link, on unseen test clusters"),
      { title: "concepts", width: "6rem", number: true, value: (i) => f.concepts[i].length,
        help: "concepts that it is linked with or calls" },
      figure("density", "fires at", "6rem", percent, "share of residues"),
      figure("proteins", "proteins", "6rem", number, "where it fires at all"),
      figure("clusters", "clusters", "6rem", number, "homology clusters where it fires"),
      figure("maximum", "maximum", "6rem", number, "largest activation"),
      column(f, "extent", "extent", "7rem", { help: "how far it reaches along a protein" }),
      column(f, "motif", "motif", "13rem", { help: "letters around its peaks" }),
      figure("stability", "stability", "6rem", fixed, "best cosine in other seeds"),
    ];
    const about = (i) => [`f${i}`, `${explorer.index.atlas.name}/f${i}`, f.name[i], f.extent[i],
      f.motif[i], words(f.type[i]), ...f.concepts[i].map((n) => `${c.id[n]} ${c.name[n]}`)].join(" ");
    return new explorer.VirtualTable({
      label: "Features", columns: measured(f, columns), count: f.name.length, words: about,
      address: link.feature, sort: 1,
    });
  }

  function concepts({ concepts: c }) {
    const figure = (key, title, help) =>
      column(c, key, title, "7rem", { number: true, text: (i) => fixed(c[key][i]), help });
    const columns = [
      column(c, "id", "concept", "minmax(9rem, 1fr)"),
      column(c, "name", "name", "minmax(12rem, 2fr)"),
      column(c, "level", "level", "6rem"),
      { title: "feature", width: "6rem", number: false, key: "feature", value: (i) => c.feature[i],
        text: (i) => (c.feature[i] === null ? null : `f${c.feature[i]}`),
        help: "of the link with the highest F1 on the select fold" },
      column(c, "type", "link type", "8rem", { text: (i) => words(c.type[i]) }),
      figure("f1", "test F1", "of that link, on unseen test clusters"),
      figure("low", "precision", "highest lower bound of precision that a call can reach"),
    ];
    return new explorer.VirtualTable({
      label: "Concepts", columns: measured(c, columns), count: c.id.length,
      words: (i) => `${c.id[i]} ${c.name[i]} ${c.more[i]}`, address: (i) => link.concept(c.id[i]),
      sort: 0,
    });
  }

  function proteins({ proteins: p, features: f }) {
    const columns = [
      column(p, "accession", "protein", "minmax(9rem, 1fr)"),
      column(p, "length", "length", "6rem", { number: true, text: (i) => number(p.length[i]) }),
      column(p, "status", "status", "10rem", { text: (i) => words(p.status[i]) }),
      column(p, "calls", "calls", "6rem", { number: true }),
      { title: "top protein of", width: "minmax(12rem, 2fr)", number: false,
        value: (i) => p.features[i].length,
        text: (i) => p.features[i].map((n) => `f${n}`).join(" "),
        raw: (i) => p.features[i].map((n) => `f${n}`).join(" "),
        help: "features that fire most in this and few others" },
    ];
    return new explorer.VirtualTable({
      label: "Proteins", columns: measured(p, columns), count: p.accession.length,
      words: (i) => [p.accession[i], ...p.features[i].map((n) => `f${n} ${f.name[n] || ""}`)].join(" "),
      address: (i) => link.protein(p.accession[i]), sort: 0,
    });
  }

  explorer.lists = { features, concepts, proteins };
})();
