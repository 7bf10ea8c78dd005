// A protein drawn as InterPro's pages do: ruler, domains, motifs, sites, and how features fire.
"use strict";

(function () {
  const { make, makeSvg, styled, fixed, number } = explorer;
  const GROUPS = { domain: "Domains and regions", motif: "Motifs", site: "Sites" };

  const row = (label, content, kind = "row") =>
    make("div", { class: kind }, make("span", { class: "label", title: label }, label),
      make("div", { class: "lane" }, content));

  function ruler(protein) {
    const ticks = protein.ticks.map((place) => {
      const last = place === protein.length && place > 1;
      const tick = make("span", { class: last ? "tick last" : "tick" }, make("span", {}, place));
      return styled(tick, { left: `${(100 * (place - 0.5)) / protein.length}%` });
    });
    const node = row("residue", ticks, "row ruler");
    node.setAttribute("aria-hidden", "true");
    return node;
  }

  function bar(call, length, target) {
    const left = (100 * (call.start - 1)) / length;
    const kind = ["call", call.group, left > 50 ? "right" : ""].join(" ");
    const node = make("a", {
      class: kind, href: explorer.link.concept(call.concept), "aria-label": call.words,
    });
    return styled(node, {
      left: `${left}%`, width: `${(100 * (call.end - call.start + 1)) / length}%`,
      "--c": call.color,
    });
  }

  function heat(track, length) {
    const cells = track.cells.map(([start, end, level]) =>
      makeSvg("rect", { x: start, width: end - start, height: 1, class: `h${level}` }));
    const words = `f${track.feature} is strongest, ${fixed(track.peak)}, at residue ` +
      `${track.position}; its maximum anywhere is ${fixed(track.maximum)}`;
    const node = makeSvg("svg", {
      class: "heat", viewBox: `0 0 ${length} 1`, preserveAspectRatio: "none", role: "img",
      "aria-label": words,
    }, cells);
    return styled(node, { "--c": track.color });
  }

  explorer.tracks = (protein) => {
    const rows = [ruler(protein)];
    for (const [group, title] of Object.entries(GROUPS)) {
      const concepts = new Map();
      for (const call of protein.calls.filter((c) => c.group === group)) {
        if (!concepts.has(call.concept)) concepts.set(call.concept, []);
        concepts.get(call.concept).push(call);
      }
      if (concepts.size) rows.push(make("h3", {}, title));
      for (const calls of concepts.values()) {
        rows.push(row(calls[0].name, calls.map((call) => bar(call, protein.length))));
      }
    }
    if (protein.tracks.length) rows.push(make("h3", {}, "Features"));
    for (const track of protein.tracks) {
      const node = row("", heat(track, protein.length));
      node.firstChild.replaceWith(make("a", {
        class: "label", href: explorer.link.feature(track.feature),
        title: `peak ${number(track.peak)} at residue ${track.position}`,
      }, `f${track.feature}`));
      rows.push(node);
    }
    return make("div", { class: "tracks" }, rows);
  };

  explorer.sequence = (letters) => {
    const lines = [];
    const width = String(letters.length).length;
    for (let start = 0; start < letters.length; start += 60) {
      lines.push(`${String(start + 1).padStart(width)} ${letters.slice(start, start + 60)}\n`);
    }
    return make("details", {}, make("summary", {}, "Sequence"), make("pre", {}, lines.join("")));
  };
})();
