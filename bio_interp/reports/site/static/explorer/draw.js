// Pictures of features and concepts: histogram, logo, sequence windows, precision curve. Each says
// in words what it draws.
"use strict";

(function () {
  const { make, makeSvg, number, fixed } = explorer;

  const text = (x, y, anchor, content) =>
    makeSvg("text", { x, y, "text-anchor": anchor, class: "scale" }, content);

  const picture = (width, height, words, ...children) =>
    makeSvg("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words,
      class: "picture", xmlns: "http://www.w3.org/2000/svg",
    }, ...children);

  // firing residues by activation; heights are logarithms, as most residues fire weakly
  explorer.histogram = (counts, maximum) => {
    const [left, top, width, height] = [46, 8, 400, 110];
    const most = Math.max(...counts, 1);
    const step = width / counts.length;
    const up = (n) => (n ? (height * Math.log10(1 + n)) / Math.log10(1 + most) : 0);
    const bars = counts.map((n, i) => {
      const range = `${fixed((i * maximum) / counts.length)} to ` +
        `${fixed(((i + 1) * maximum) / counts.length)}: ${number(n)} residues`;
      const place = {
        x: left + i * step + 1, y: top + height - up(n), width: step - 2, height: up(n),
        class: "bar", fill: "#2f6fb0",
      };
      return makeSvg("rect", place, makeSvg("title", {}, range));
    });
    const base = top + height;
    const words = `Histogram of ${number(counts.reduce((a, b) => a + b, 0))} firing residues: ` +
      counts.map((n) => number(n)).join(", ");
    return picture(left + width + 10, base + 34, words, bars,
      makeSvg("path", { d: `M${left} ${top}V${base}H${left + width}`, class: "axis" }),
      text(left - 4, top + 8, "end", number(most)), text(left - 4, base, "end", "0"),
      text(left, base + 14, "middle", "0"),
      text(left + width, base + 14, "end", number(maximum)),
      text(left + width / 2, base + 30, "middle", "activation (residues: logarithmic)"));
  };

  // colours by chemistry, as WebLogo has them; the page's stylesheet has them for dark paper too
  const CHEMISTRY = [
    ["GSTYC", "polar", "#00802b"], ["NQ", "amide", "#8a2be2"], ["KRH", "basic", "#1f4fd8"],
    ["DE", "acidic", "#d01c1c"], ["AFILMPVW", "hydrophobic", "#222222"],
  ];
  const FONT = "bold 100px Arial, Helvetica, sans-serif";
  const boxes = new Map();

  // what a letter fills of its line, at 100 pixels
  function box(letter) {
    if (!boxes.has(letter)) {
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = FONT;
      const m = pen.measureText(letter);
      boxes.set(letter, {
        left: m.actualBoundingBoxLeft, width: m.actualBoundingBoxLeft + m.actualBoundingBoxRight,
        up: m.actualBoundingBoxAscent, down: m.actualBoundingBoxDescent,
      });
    }
    return boxes.get(letter);
  }

  explorer.logo = (logo) => {
    const [left, top, step, height] = [34, 6, 24, 120];
    const columns = logo.columns;
    const sum = ([, heights]) => heights.reduce((total, bits) => total + bits, 0);
    const most = Math.max(1, ...columns.map(sum)); // a weak logo is not drawn like a strong one
    const letters = [];
    columns.forEach(([stack, heights], place) => {
      let base = 0;
      [...stack].forEach((letter, i) => {
        letters.push(glyph(letter, left + place * step, base, heights[i]));
        base += heights[i];
      });
    });

    function glyph(letter, x, base, bits) {
      const [, name, color] = CHEMISTRY.find(([all]) => all.includes(letter));
      const m = box(letter);
      const room = Math.min(step - 1, (m.width * (step - 1)) / 50); // an I stays narrow
      const [sx, sy] = [room / m.width, (bits / most) * height / (m.up + m.down)];
      const foot = top + height - (base / most) * height - m.down * sy;
      const from = x + (step - room) / 2 + m.left * sx;
      const move = `translate(${from.toFixed(2)} ${foot.toFixed(2)}) ` +
        `scale(${sx.toFixed(4)} ${sy.toFixed(4)})`;
      return makeSvg("text", {
        transform: move, class: `letter ${name}`, fill: color, "font-size": 100,
        "font-weight": "bold", "font-family": "Arial, Helvetica, sans-serif",
      }, letter);
    }

    const middle = (columns.length - 1) / 2;
    const ticks = columns.map((_, i) => i - middle).filter((at) => at % 5 === 0).map((at) =>
      text(left + (at + middle + 0.5) * step, top + height + 16, "middle", number(at)));
    const base = top + height;
    const words = `Motif ${logo.consensus}, ${fixed(logo.bits, 1)} bits in ${logo.windows} clusters`;
    return picture(left + columns.length * step + 6, base + 36, words,
      makeSvg("path", { d: `M${left} ${top}V${base}H${left + columns.length * step}`, class: "axis" }),
      letters, ticks, text(left - 4, top + 8, "end", fixed(most, 1)), text(left - 4, base, "end", "0"),
      text(left + (columns.length * step) / 2, base + 32, "middle", "residues from the peak (bits)"));
  };

  // one place where a feature fires: letters, shaded by fifths of the peak; capitals fire
  explorer.windowOf = (example) => {
    const { window, activations, start, position, peak, length } = example;
    const at = position - start;
    const letters = [...window].map((letter, i) => {
      const value = activations[i];
      const level = value > 0 ? Math.min(5, Math.max(1, Math.ceil((5 * value) / peak))) : 0;
      const title = `${letter}${start + i}: ${value > 0 ? number(value) : "off"}`;
      const shape = `l${level}${i === at ? " peak" : ""}`;
      return make("span", { class: shape, title }, value > 0 ? letter : letter.toLowerCase());
    });
    const end = start + window.length - 1;
    const words = `residues ${start} to ${end}, peak ${number(peak)} at ${window[at]}${position}: ` +
      [...window].map((letter, i) => (activations[i] > 0 ? letter : letter.toLowerCase())).join("");
    const track = make("div", { class: "whole", "aria-hidden": "true" });
    const mark = explorer.styled(make("span", {}), {
      left: `${(100 * (start - 1)) / length}%`,
      width: `${(100 * window.length) / length}%`,
    });
    track.append(mark);
    return make("div", { class: "window" },
      make("span", { class: "edge" }, start),
      make("span", { class: "letters", role: "img", "aria-label": words }, letters),
      make("span", { class: "edge" }, end), track);
  };

  // precision of calls by strength: steps, with their 95 % interval
  explorer.curve = (steps) => {
    const [left, top, width, height] = [40, 8, 360, 120];
    const x = (value) => left + value * width;
    const y = (value) => top + (1 - value) * height;
    const ends = steps.map((row, i) => (i + 1 < steps.length ? steps[i + 1].strength : 1));
    const bands = steps.map((row, i) => makeSvg("rect", {
      x: x(row.strength), width: Math.max(0, x(ends[i]) - x(row.strength)), y: y(row.high),
      height: Math.max(0, y(row.low) - y(row.high)), class: "band", fill: "#2f6fb0",
      "fill-opacity": 0.25,
    }));
    const line = steps.map((row, i) =>
      `${i ? "L" : "M"}${x(row.strength)} ${y(row.precision)}H${x(ends[i])}`).join("");
    const words = "Precision of calls by their strength: " + steps.map((row) =>
      `from ${fixed(row.strength)}: ${fixed(row.precision)} (${fixed(row.low)} to ` +
      `${fixed(row.high)})`).join("; ");
    return picture(left + width + 12, top + height + 34, words, bands,
      makeSvg("path", { d: line, class: "line", fill: "none", stroke: "#2f6fb0" }),
      makeSvg("path", { d: `M${left} ${top}V${top + height}H${left + width}`, class: "axis" }),
      text(left - 4, top + 8, "end", "1"), text(left - 4, top + height, "end", "0"),
      text(left, top + height + 14, "middle", "0"),
      text(left + width, top + height + 14, "middle", "1"),
      text(left + width / 2, top + height + 30, "middle", "strength of a call"));
  };

  // the picture as a file, with the colours of light paper
  explorer.svgText = (node) => new XMLSerializer().serializeToString(node);
})();
