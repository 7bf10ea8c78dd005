// Scenes on the viewers that py3Dmol made: colours, legend, hover text, the sequence below.
// Text out of files is only ever set as text; nothing here writes HTML.
(function () {
  "use strict";
  const GREY = "#8f969e", PALE = "#ece6d8", FAINT = 0.22, TOP = 30;
  const [CHAIN, AUTHOR, NAME, LETTER, PROTEIN, POSITION, UNSURE, PLDDT, ATOMS, MARKED] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const byId = (id) => document.getElementById(id);
  const panels = JSON.parse(byId("bio-interp-scenes").textContent).panels;
  const hidden = new Set();  // entries of the legend that were switched off
  let style = panels[0].style;

  const make = (parent, tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    parent.append(made);
    return made;
  };
  const bytes = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const mix = (from, to, share) => {
    const end = bytes(to);
    return "#" + bytes(from).map((low, i) => Math.round(low + (end[i] - low) * share))
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const isDark = (color) => {
    const [red, green, blue] = bytes(color);
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
  };
  const key = (layer) => `${layer.label}\n${layer.color}`;

  // What is known at a position: the colour of the layer that is nearest to its full value.
  const look = (panel, protein, position) => {
    let best = null, known = false;
    const values = [];
    for (const layer of panel.layers) {
      if (layer.protein !== protein || position === null) continue;
      const value = layer.values[position - 1];
      if (value === null) continue;
      values.push({ layer, value });
      if (hidden.has(key(layer))) continue;
      known = true;
      const share = Math.min(value / layer.full, 1);
      if (share > 0 && (best === null || share > best.share)) best = { layer, share };
    }
    const share = best ? best.share : 0;
    const color = best ? mix(PALE, best.layer.color, FAINT + (1 - FAINT) * share) : PALE;
    return { color: known ? color : GREY, share, values };
  };
  const paint = (panel) => {
    panel.looks = panel.residues.map((residue) => {
      const found = look(panel, residue[PROTEIN], residue[POSITION]);
      // a prediction that is not sure of the place must not look as sure as the rest
      return residue[UNSURE] ? { ...found, color: mix(found.color, "#ffffff", 0.6) } : found;
    });
    const shares = [...panel.looks.map((one) => one.share)].sort((a, b) => b - a);
    const least = Math.max(shares[0] / 2 || Infinity, shares[Math.min(TOP, shares.length) - 1]);
    panel.top = panel.looks.map((one) => one.share > 0 && one.share >= least);
    if (!panel.atoms) return;
    for (const atom of panel.atoms) {
      const n = atom.properties.residue;
      if (n !== undefined) atom.properties.color = panel.looks[n].color;
    }
  };
  const describe = (panel, residue) => {
    const [number, position] = [residue[AUTHOR], residue[POSITION]];
    const parts = [`${residue[NAME]} ${number || "(no number)"} of chain ${residue[CHAIN]}`];
    if (position === null) parts.push("no position in the protein");
    else parts.push(`position ${position} of ${panel.proteins[residue[PROTEIN]].accession}`);
    if (residue[PLDDT] !== null) parts.push(`pLDDT ${residue[PLDDT]}`);
    return parts.concat(describeValues(panel, residue[PROTEIN], position)).join(" · ");
  };
  const describeValues = (panel, protein, position) => {
    const values = look(panel, protein, position).values;
    if (!values.length) return ["no value"];
    return values.map(({ layer, value }) => {
      const share = ` (${Math.round(100 * value / layer.full)} %)`;
      return `${layer.label}: ${value}${share}${layer.concept ? ` [${layer.concept}]` : ""}`;
    });
  };

  // The sequence of each protein, a letter a residue; those not in the structure are underlined.
  const letters = new Map();  // "panel/protein/position" to the element
  const buildTracks = () => {
    panels.forEach((panel, p) => panel.proteins.forEach((protein, q) => {
      if (!panel.residues.some((residue) => residue[PROTEIN] === q)) return;
      const name = panels.length > 1 ? `${protein.accession}: ${panel.title}` : protein.accession;
      make(byId("tracks"), "h2", name);
      const track = make(byId("tracks"), "div", "", { class: "track", tabindex: "0" });
      track.setAttribute("aria-label", `Sequence of ${protein.accession}; arrows move along it`);
      const seen = new Map();
      panel.residues.forEach((residue, n) => {
        if (residue[PROTEIN] === q) seen.set(residue[POSITION], residue);
      });
      let ten = null;
      [...protein.sequence].forEach((letter, index) => {
        if (index % 10 === 0) {
          ten = make(track, "span", "", { class: "ten" });
          make(ten, "small", String(index + 1));
        }
        const one = make(ten, "i", letter);
        const residue = seen.get(index + 1);
        if (!residue) one.classList.add("absent");
        else if (residue[MARKED]) one.classList.add("marked");
        Object.assign(one.dataset, { panel: p, protein: q, position: index + 1 });
        letters.set(`${p}/${q}/${index + 1}`, one);
      });
      const place = (one) => [+one.dataset.panel, +one.dataset.protein, +one.dataset.position];
      track.addEventListener("mouseover", (event) => {
        if (event.target.dataset.position) point(...place(event.target), false);
      });
      track.addEventListener("mouseleave", () => clear());
      track.addEventListener("click", (event) => {
        if (event.target.dataset.position) point(...place(event.target), true);
      });
      let at = 0;
      track.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        at = Math.min(Math.max(at + step, 1), protein.sequence.length);
        point(p, q, at, false);
      });
    }));
  };
  const paintTracks = () => {
    for (const one of letters.values()) {
      const { panel, protein, position } = one.dataset;
      const { color } = look(panels[panel], +protein, +position);
      one.style.background = color === GREY ? "" : color;
      one.style.color = color === GREY ? "inherit" : isDark(color) ? "#ffffff" : "";
    }
  };
  const tell = (text) => { byId("told").textContent = text || "\u00a0"; };

  // Point at a residue, in the sequence and in all panels that show its protein.
  let pointed = [];
  const clear = () => {
    for (const one of pointed) one.classList.remove("here");
    pointed = [];
    for (const panel of panels) {
      if (!panel.viewer || !panel.marks) continue;
      panel.viewer.removeAllShapes();
      panel.marks = 0;
      panel.viewer.render();
    }
    tell("");
  };
  const point = (p, q, position, near) => {
    clear();
    const accession = panels[p].proteins[q].accession;
    const words = [];
    panels.forEach((panel, other) => {
      const protein = panel.proteins.findIndex((one) => one.accession === accession);
      const one = letters.get(`${other}/${protein}/${position}`);
      if (one) { one.classList.add("here"); pointed.push(one); }
      const found = panel.residues.findIndex(
        (residue) => residue[PROTEIN] === protein && residue[POSITION] === position);
      if (other === p && found < 0) {
        const letter = panel.proteins[q].sequence[position - 1];
        words.push(`${letter}, position ${position} of ${accession}`, "not seen in the structure",
          ...describeValues(panel, q, position));
      } else if (other === p) words.push(describe(panel, panel.residues[found]));
      if (panel.viewer) mark(panel, (n) => panel.residues[n][PROTEIN] === protein
        && panel.residues[n][POSITION] === position, near);
    });
    tell(words.join(" · "));
  };
  const mark = (panel, wanted, near) => {
    const atoms = panel.atoms.filter((atom) => atom.properties.first
      && wanted(atom.properties.residue));
    panel.marks = atoms.length;
    for (const { x, y, z } of atoms) {
      panel.viewer.addSphere({ center: { x, y, z }, radius: 2.1, color: "#ffd21f", opacity: 0.75 });
    }
    if (near && atoms.length) {  // to one of the copies; all of them may be far apart
      panel.viewer.zoomTo({ serial: atoms[0].serial });
      panel.viewer.zoom(0.4);
    }
    panel.viewer.render();
  };
  const hover = (p, atom, near) => {
    const n = atom.properties.residue;
    if (n === undefined) return tell(`${atom.resn} (${atom.elem})`);
    const residue = panels[p].residues[n];
    if (residue[PROTEIN] !== null) point(p, residue[PROTEIN], residue[POSITION], near);
    tell(describe(panels[p], residue));
    if (pointed.length) pointed[0].scrollIntoView({ block: "nearest" });
    return undefined;
  };

  const draw = (panel) => {
    const { viewer } = panel;
    const colorfunc = (atom) => atom.properties.color || GREY;
    const residue = (atom) => atom.properties.residue;
    viewer.removeAllSurfaces();
    viewer.setStyle({ hetflag: false }, { cartoon: { colorfunc } });
    viewer.setStyle({ hetflag: true }, {
      stick: { radius: 0.14, color: GREY }, sphere: { scale: 0.22, color: GREY },
    });
    const sticks = (atom) => residue(atom) !== undefined
      && (panel.residues[residue(atom)][MARKED] || (style === "sticks" && panel.top[residue(atom)]));
    viewer.addStyle({ hetflag: false, predicate: sticks }, { stick: { radius: 0.2, colorfunc } });
    if (style === "surface") {
      const kind = $3Dmol.SurfaceType.VDW;
      viewer.addSurface(kind, { opacity: 1, colorfunc }, { hetflag: false })
        .then((id) => { panel.surface = id; });
    }
    viewer.render();
  };
  const redraw = () => {
    panels.forEach(paint);
    paintTracks();
    for (const panel of panels) if (panel.viewer) draw(panel);
  };

  const buildLegend = () => {
    const legend = byId("legend");
    const seen = new Set();
    for (const layer of panels.flatMap((panel) => panel.layers)) {
      if (seen.has(key(layer))) continue;
      seen.add(key(layer));
      const entry = make(legend, "button", "", { type: "button", "aria-pressed": "true" });
      const low = mix(PALE, layer.color, FAINT);
      make(entry, "span", "", { class: "bar" }).style.background =
        `linear-gradient(90deg, ${PALE} 8%, ${low} 8%, ${layer.color})`;
      make(entry, "span", `${layer.label}, 0 to ${+layer.full.toPrecision(3)}`);
      if (layer.concept) make(entry, "span", layer.concept, { class: "concept" });
      entry.addEventListener("click", () => {
        const on = hidden.delete(key(layer));
        if (!on) hidden.add(key(layer));
        entry.setAttribute("aria-pressed", String(on));
        redraw();
      });
    }
    const dot = (color, text) => {
      const entry = make(legend, "span", "");
      make(entry, "span", "", { class: "dot" }).style.background = color;
      make(entry, "span", text);
    };
    if (seen.size) dot(PALE, "0: does not fire");
    dot(GREY, "no value");
    if (panels.some((panel) => panel.predicted)) {
      dot(mix(GREY, "#ffffff", 0.6), "whitish: predicted with pLDDT under 70");
    }
  };
  const build = () => {
    byId("title").textContent = panels.map((panel) => panel.title).join(" | ");
    byId("panels").hidden = panels.length === 1;
    for (const panel of panels) make(byId("panels"), "span", panel.title);
    const notes = panels.flatMap((panel) => panel.notes);
    for (const note of new Set(notes)) make(byId("notes"), "p", note);
    buildLegend();
    buildTracks();
    const buttons = [...document.querySelectorAll("[data-style]")];
    const press = () => buttons.forEach(
      (one) => one.setAttribute("aria-pressed", String(one.dataset.style === style)));
    for (const one of buttons) {
      one.addEventListener("click", () => { style = one.dataset.style; press(); redraw(); });
    }
    press();
    byId("reset").addEventListener("click", () => {
      for (const panel of panels) if (panel.viewer) { panel.viewer.zoomTo(); panel.viewer.render(); }
    });
    redraw();
  };
  const connect = (panel, p, viewer) => {
    viewer.addModel(panel.model, "cif");
    panel.atoms = viewer.selectedAtoms({});
    let n = 0, left = panel.residues.length ? panel.residues[0][ATOMS] : 0;
    for (const atom of panel.atoms) {
      if (atom.hetflag || n >= panel.residues.length) continue;
      const residue = panel.residues[n];
      Object.assign(atom.properties, {
        residue: n, first: atom.atom === "CA" || atom.atom === "C1'", chain: residue[CHAIN],
        author: residue[AUTHOR], position: residue[POSITION],
      });
      left -= 1;
      if (left === 0) { n += 1; left = n < panel.residues.length ? panel.residues[n][ATOMS] : 0; }
    }
    viewer.setHoverDuration(60);
    viewer.setHoverable({}, true, (atom) => hover(p, atom, false), () => clear());
    viewer.setClickable({}, true, (atom) => hover(p, atom, true));
    panel.viewer = viewer;
    paint(panel);
    draw(panel);
    viewer.zoomTo();
    viewer.render();
  };

  build();
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  $3Dmolpromise.then(() => {
    // py3Dmol makes a grid, and keeps the first of its viewers by name
    const grid = window.viewer_scene.getConfig().viewers;
    $3Dmol.setSyncSurface(true);  // its workers would be scripts that the page does not allow
    const paper = () => grid[0].forEach(
      (viewer) => { viewer.setBackgroundColor(scheme.matches ? "#14171c" : "#ffffff"); });
    paper();
    scheme.addEventListener("change", paper);
    panels.forEach((panel, p) => connect(panel, p, grid[0][p]));
    window.bioInterpPanels = panels;
    byId("problem").hidden = true;
  }).catch((error) => {
    if (window.viewer_scene) console.error(error);
    byId("problem").textContent =
      "This browser does not draw in 3D (WebGL is off); the sequence below shows the same values.";
  }).finally(() => { document.body.dataset.ready = "yes"; });
})();
