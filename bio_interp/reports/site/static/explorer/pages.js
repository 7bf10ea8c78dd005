// Pages of one feature, one concept, one protein, and of the atlas.
"use strict";

(function () {
  const { make, number, fixed, percent, plainTable, downloadButton } = explorer;
  const FEW = 15; // test clusters; figures on fewer are marked

  const section = (title, ...content) =>
    make("section", { class: "part" }, make("h3", {}, title), content);

  const note = (words) => make("p", { class: "note" }, words);

  const figure = (words, picture) =>
    make("figure", {}, picture, make("figcaption", { class: "note" }, words));

  const conceptLink = (id, name) =>
    make("a", { href: explorer.link.concept(id), title: id }, name || id);

  const featureLink = (address) => {
    const index = explorer.numberOf(address);
    return make("a", { href: explorer.link.feature(index) }, `f${index}`);
  };

  function proteinLink(accession) {
    return make("a", { href: explorer.link.protein(accession) }, accession);
  }

  function elsewhere(id) {
    const address = explorer.elsewhere(id);
    const marks = { href: address, rel: "noreferrer noopener", class: "elsewhere" };
    return address ? make("a", marks, id) : id;
  }

  const heading = (title, ...rest) =>
    make("h2", { tabindex: "-1" }, title, rest.length ? [" ", make("small", {}, rest)] : null);

  const buttons = (...content) => make("p", { class: "buttons" }, content);

  const known = (ids, names) =>
    ids.flatMap((id, i) => [i ? ", " : "", conceptLink(id, names[i])]);

  // filled when the site has a 3D view of this feature or protein
  function view(kind, index, title) {
    if (!explorer.index.views[kind].includes(index)) return null;
    const frame = make("iframe", {
      src: `views/${kind}${index}.html`, sandbox: "allow-scripts", title, loading: "lazy",
    });
    return make("section", { class: "part view" }, make("h3", {}, "3D view"), frame);
  }

  function firing(s) {
    if (!s) return "The atlas was packed without statistics of its features.";
    if (!s.proteins) return `Never fires in ${number(s.of_proteins)} proteins.`;
    return `Fires at ${percent(s.density)} of residues, in ${number(s.proteins)} of ` +
      `${number(s.of_proteins)} proteins; median ${number(s.q50)}, maximum ${number(s.maximum)}.`;
  }

  const marked = (clusters) => `${number(clusters)}${clusters < FEW ? " *" : ""}`;

  function linksTable(feature) {
    const columns = ["concept", "id", "link type", "#threshold", "#select F1", "#test F1",
      "#precision", "#recall", "#predicted", "#true", "#test clusters"];
    const rows = feature.links.map((l) => [
      conceptLink(l.concept, l.name), elsewhere(l.concept), l.link_type.replaceAll("_", " "),
      fixed(l.threshold), fixed(l.select_f1), fixed(l.test_f1), fixed(l.test_precision),
      fixed(l.test_recall), number(l.test_predicted), number(l.test_true),
      marked(l.test_clusters)]);
    const few = feature.links.some((l) => l.test_clusters < FEW);
    return section("Links",
      rows.length
        ? plainTable("Chosen on the select fold; what held on unseen test clusters", columns, rows)
        : note("No link: the best feature of no concept by any link type."),
      few ? note(`* fewer than ${FEW} test clusters: F1 is a rough figure.`) : null);
  }

  function examplesOf(feature) {
    if (!feature.examples.length) {
      return section("Top proteins", note(
        "Examples are kept only of features that take part in links or calls."));
    }
    const rows = feature.examples.map((e) => [
      proteinLink(e.accession), e.fold, number(e.length), number(e.position), fixed(e.peak),
      explorer.windowOf(e), known(e.concepts, e.names)]);
    const columns = ["protein", "fold", "#length", "#position", "#peak", "residues around the peak",
      "known there"];
    const fasta = () => feature.examples.map((e) =>
      `>${e.accession.replace(/\s+/g, " ")}/${e.start}-${e.start + e.window.length - 1}\n` +
      `${e.window}\n`).join("");
    return section("Top proteins",
      plainTable("Capitals: it fires; outlined: the peak; darker: nearer to the peak's activation. " +
        "The line below shows where in the protein this is.", columns, rows),
      buttons(downloadButton("Download windows (FASTA)", `${feature.feature}.fasta`, "text/plain",
        fasta)));
  }

  function logoOf(feature) {
    const logo = feature.logo;
    if (!logo) return null;
    const picture = explorer.logo(logo);
    return section("Motif",
      figure(`${logo.consensus} – ${fixed(logo.bits, 1)} bits in ${logo.windows} clusters. Letters ` +
        "are as high as their share of the position's information.", picture),
      buttons(downloadButton("Download logo (SVG)", `${feature.feature}-logo.svg`, "image/svg+xml",
        () => explorer.svgText(picture))));
  }

  explorer.featurePage = async (index) => {
    const feature = await explorer.record("f", index);
    const s = feature.statistics;
    const name = explorer.index.features.name[index];
    const portrait = feature.portrait.length
      ? make("table", { class: "portrait" }, make("caption", {}, "Portrait"), make("tbody", {},
        feature.portrait.map(([subject, words]) =>
          make("tr", {}, make("th", { scope: "row" }, subject), make("td", {}, words)))))
      : null;
    const counts = s && s.proteins && s.histogram;
    return [
      heading(feature.feature, name || "without a name"), make("p", {}, firing(s)),
      buttons(downloadButton("Download feature (JSON)", `${feature.feature}.json`,
        "application/json", () => explorer.toJson(feature))),
      view("f", index, `3D view of ${feature.feature}`), portrait,
      counts ? section("Activations", figure("Residues where it fires, by activation",
        explorer.histogram(s.histogram, s.maximum))) : null,
      logoOf(feature), linksTable(feature),
      feature.calls.length ? section("Takes part in the calls of", plainTable(
        "It is on where its activation is the threshold or more",
        ["concept", "id", "#threshold"], feature.calls.map((c) => [
          conceptLink(c.concept, c.name), elsewhere(c.concept), fixed(c.threshold)]))) : null,
      examplesOf(feature),
      feature.cofires.length ? section("Fires together with", plainTable(
        "Share: residues of both over residues of either", ["feature", "#share", "linked with"],
        feature.cofires.map((c) => [
          featureLink(c.feature), fixed(c.share), known(c.concepts, [])]))) : null,
    ];
  };

  explorer.conceptPage = async (index) => {
    const c = await explorer.record("c", index);
    const pairs = (list) => known(list.map((p) => p.concept), list.map((p) => p.name));
    const spans = c.level === "residue" ? "Sites of single residues" : "Spans";
    const world = c.world === "closed" ? "the source lists all of them"
      : "the source is incomplete: precision is at least what it says";
    const refs = [c.concept, ...(c.xrefs || [])].filter((x) => c.xrefs?.includes(x) ||
      explorer.elsewhere(x)).flatMap((x, i) => [i ? ", " : "", elsewhere(x)]);
    const facts = (title, list) =>
      list.length ? [make("dt", {}, title), make("dd", {}, pairs(list))] : null;
    return [
      heading(c.name || c.concept, c.concept), make("p", {}, `${spans}; ${world}.`),
      make("dl", {},
        refs.length ? [make("dt", {}, "See also"), make("dd", {}, refs)] : null,
        facts("Members", c.members), facts("Member of", c.groups)),
      buttons(downloadButton("Download concept (JSON)", `${c.concept}.json`, "application/json",
        () => explorer.toJson(c))),
      section("Links", plainTable("The best feature by each measure, chosen on the select fold",
        ["link type", "feature", "#select F1", "#test F1", "#precision", "#recall", "#clusters"],
        c.links.map((l) => [l.link_type.replaceAll("_", " "), featureLink(l.feature),
          fixed(l.select_f1), fixed(l.test_f1), fixed(l.test_precision), fixed(l.test_recall),
          marked(l.test_clusters)])),
      c.links.some((l) => l.test_clusters < FEW)
        ? note(`* fewer than ${FEW} test clusters: F1 is a rough figure.`) : null),
      c.callers.length ? section("Calls", plainTable(
        `Runs of ${c.shortest_call} or more residues where any of these is on`,
        ["feature", "#threshold"], c.callers.map((l) => [
          featureLink(l.feature), fixed(l.threshold)]))) : null,
      c.calibration.length ? section("What a call is worth",
        figure("Precision on homology clusters kept for calibration, with its 95 % interval",
          explorer.curve(c.calibration)),
        plainTable("The same in numbers",
          ["#strength from", "#precision", "#low", "#high", "#calls", "#clusters (weighted)"],
          c.calibration.map((r) => [fixed(r.strength), fixed(r.precision), fixed(r.low),
            fixed(r.high), number(r.n), number(r.clusters)]))) : null,
    ];
  };

  function callsOf(p) {
    const rows = p.calls.map((c) => [
      number(c.start), number(c.end), conceptLink(c.concept, c.name), elsewhere(c.concept),
      c.link_type.replaceAll("_", " "), fixed(c.precision, 3),
      c.precision === null ? "–" : `${fixed(c.precision_low, 3)} to ${fixed(c.precision_high, 3)}`,
      number(c.n), fixed(c.peak),
      c.features.flatMap((f, i) => [i ? ", " : "", featureLink(f)]), c.exposure,
      c.flags.join(", ")]);
    const columns = ["#start", "#end", "concept", "id", "link type", "#precision",
      "#95 % interval", "#n", "#peak", "features", "exposure", "flags"];
    return section("Calls",
      rows.length ? plainTable("Firing residues are evidence, not a predicted extent", columns, rows)
        : note("No call at the precision that was asked for."));
  }

  function callsTsv(p) {
    const fields = ["accession", "start", "end", "concept", "name", "link_type", "precision",
      "precision_low", "precision_high", "n", "peak", "features", "exposure", "flags"];
    return explorer.toTsv([fields, ...p.calls.map((c) =>
      fields.map((f) => (Array.isArray(c[f]) ? c[f].join(",") : c[f])))]);
  }

  function pageOf(p) {
    return [
      p.note ? note(p.note) : null,
      buttons(
        downloadButton("Download calls (TSV)", `${p.accession}.tsv`, "text/plain", () => callsTsv(p)),
        downloadButton("Download sequence (FASTA)", `${p.accession}.fasta`, "text/plain",
          () => `>${p.accession.replace(/\s+/g, " ")}\n${p.sequence}\n`),
        downloadButton("Download protein (JSON)", `${p.accession}.json`, "application/json",
          () => explorer.toJson(p))),
      section("Tracks", explorer.tracks(p),
        note("A bar is a call. The lowest rows show how features fire, in fifths of each one's " +
          "peak in this protein. Positions are 1-based and inclusive.")),
      callsOf(p), explorer.sequence(p.sequence)];
  }

  explorer.proteinPage = async (index) => {
    const { accession, length, status, record, features } = explorer.index.proteins;
    const name = accession[index];
    const page = record[index] === null ? [] : pageOf(await explorer.record("p", record[index]));
    const rows = [];
    for (const feature of features[index]) {
      const { examples } = await explorer.record("f", feature);
      for (const e of examples.filter((one) => one.accession === name)) {
        rows.push([featureLink(`/f${feature}`), explorer.index.features.name[feature] || "–",
          number(e.position), fixed(e.peak), explorer.windowOf(e), known(e.concepts, e.names)]);
      }
    }
    const facts = `${number(length[index])} residues${status[index] ? `, ${status[index]}` : ""}`;
    return [
      heading(elsewhere(name), facts), view("p", index, `3D view of ${name}`), ...page,
      rows.length ? section("A top protein of", plainTable(
        "Features of which this is one of the proteins where they fire most",
        ["feature", "name", "#position", "#peak", "residues around the peak", "known there"],
        rows)) : null,
    ];
  };

  explorer.aboutPage = async () => {
    const { atlas, files } = explorer.index;
    const pairs = [
      ["Atlas", `${atlas.name} ${atlas.version}`], ["Model", `${atlas.model}, ${atlas.site}`],
      ["Licence", atlas.licence], ...atlas.citation.map((c) => ["Cite", c]),
      ...atlas.data.map((d) => ["Data", Object.values(d).join("; ")]),
      ...Object.entries(atlas.decoys).map(([kind, rate]) =>
        [`Calls per 1,000 decoys, ${kind.replaceAll("_", " ")}`, number(rate)]),
      ...atlas.notes.map((n) => ["Note", n]), ["Software", `bio_interp ${atlas.software}`]];
    return [
      heading("About this atlas"),
      make("dl", {}, pairs.map(([name, words]) => [make("dt", {}, name), make("dd", {}, words)])),
      section("Files", make("ul", {}, files.map((file) =>
        make("li", {}, make("a", { href: `files/${file}`, download: file }, file))))),
      section("Keys", make("dl", {},
        make("dt", {}, make("kbd", {}, "/")), make("dd", {}, "to the search"),
        make("dt", {}, make("kbd", {}, "Enter"), ", ", make("kbd", {}, "↓"), " in the search"),
        make("dd", {}, "to the table"),
        make("dt", {}, make("kbd", {}, "↑"), " ", make("kbd", {}, "↓"), ", Page, Home, End"),
        make("dd", {}, "through the table"),
        make("dt", {}, make("kbd", {}, "Enter")), make("dd", {}, "opens the row"),
        make("dt", {}, make("kbd", {}, "Esc")), make("dd", {}, "back to the table"))),
    ];
  };
})();
