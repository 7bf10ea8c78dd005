// A table of any length: only the rows in sight are in the document. Sorted by its heads, moved
// through with the arrow keys.
"use strict";

(function () {
  const ROW = 28; // pixels, as in explorer.css
  const SPARE = 8; // rows drawn beyond either edge
  let tables = 0;

  class VirtualTable {
    // columns: {title, width, number, value(i), text(i)?}; the first cell links to address(i)
    constructor({ label, columns, count, words, address, sort }) {
      Object.assign(this, { label, columns, count, address, id: `t${++tables}` });
      this.words = Array.from({ length: count }, (_, i) => words(i).toLowerCase());
      this.order = Array.from({ length: count }, (_, i) => i);
      this.shown = this.order;
      this.active = 0;
      this.pool = [];
      this.build();
      this.sortBy(sort, columns[sort].number);
    }

    build() {
      const { make, styled } = explorer;
      const widths = this.columns.map((c) => c.width).join(" ");
      this.heads = this.columns.map((column, i) => {
        const button = make("button",
          { type: "button", title: column.help, click: () => this.turn(i) },
          column.title, make("span", { class: "arrow", "aria-hidden": "true" }));
        return make("div",
          { role: "columnheader", class: column.number ? "number" : null }, button);
      });
      const head = make("div", { role: "row", class: "head", "aria-rowindex": 1 }, this.heads);
      this.space = make("div", { class: "space", role: "rowgroup" });
      this.node = make("div", {
        role: "grid", class: "grid", tabindex: "0", "aria-label": this.label,
        "aria-colcount": this.columns.length, "aria-readonly": "true",
        keydown: (event) => this.key(event), scroll: () => this.wake(),
      }, head, this.space);
      styled(this.node, { "--columns": widths });
      new ResizeObserver(() => this.wake()).observe(this.node);
    }

    // show the rows whose words hold all of these
    filter(text) {
      const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
      this.shown = wanted.length
        ? this.order.filter((i) => wanted.every((word) => this.words[i].includes(word)))
        : this.order;
      this.wanted = text;
      this.active = 0;
      this.node.scrollTop = 0;
      this.redraw();
      return this.shown.length;
    }

    turn(column) {
      const numbers = this.columns[column].number;
      this.sortBy(column, this.sorted === column ? !this.down : Boolean(numbers));
    }

    sortBy(column, down) {
      const { value } = this.columns[column];
      const keys = Array.from({ length: this.count }, (_, i) => {
        const key = value(i);
        return typeof key === "string" ? key.toLowerCase() : key;
      });
      const none = (key) => key === null || key === undefined || key === "";
      const sign = down ? -1 : 1;
      this.order = Array.from({ length: this.count }, (_, i) => i).sort((a, b) => {
        const [x, y] = [keys[a], keys[b]];
        if (none(x) || none(y)) return none(x) - none(y) || a - b; // what is missing comes last
        return x < y ? -sign : x > y ? sign : a - b;
      });
      [this.sorted, this.down] = [column, down];
      this.heads.forEach((head, i) => {
        const how = i === column ? (down ? "descending" : "ascending") : "none";
        head.setAttribute("aria-sort", how);
        head.querySelector(".arrow").textContent = i === column ? (down ? " ▼" : " ▲") : "";
      });
      this.filter(this.wanted || "");
    }

    redraw() {
      this.node.setAttribute("aria-rowcount", this.shown.length + 1);
      explorer.styled(this.space, { height: `${this.shown.length * ROW}px` });
      for (const row of this.pool) row.at = -1;
      this.draw();
    }

    wake() {
      if (this.asleep) return;
      this.asleep = true;
      requestAnimationFrame(() => {
        this.asleep = false;
        this.draw();
      });
    }

    draw() {
      const height = this.node.clientHeight || 600;
      const first = Math.max(0, Math.floor(this.node.scrollTop / ROW) - SPARE);
      const last = Math.min(this.shown.length, first + Math.ceil(height / ROW) + 2 * SPARE);
      const wanted = Math.ceil(height / ROW) + 2 * SPARE;
      while (this.pool.length < wanted) this.pool.push(this.newRow());
      const size = this.pool.length;
      for (const row of this.pool) row.used = false;
      for (let at = first; at < last; at++) {
        const row = this.pool[at % size];
        row.used = true;
        if (row.at !== at) this.bind(row, at);
      }
      for (const row of this.pool) {
        if (row.node.hidden === row.used) row.node.hidden = !row.used;
        if (!row.used && row.at >= 0) {
          row.at = -1;
          row.node.removeAttribute("id");
        }
      }
      this.mark();
    }

    newRow() {
      const { make } = explorer;
      const link = make("a", { tabindex: "-1" });
      const cells = this.columns.map((column, i) =>
        make("div", { role: "gridcell", class: column.number ? "number" : null }, i ? null : link));
      const node = make("div", { role: "row", class: "row-of-grid", hidden: true }, cells);
      const row = { node, link, cells, at: -1, used: false };
      node.addEventListener("click", (event) => {
        this.active = row.at;
        if (event.target !== link) this.open();
      });
      this.space.append(node);
      return row;
    }

    bind(row, at) {
      const i = this.shown[at];
      row.at = at;
      row.node.id = `${this.id}-${at}`;
      row.node.setAttribute("aria-rowindex", at + 2);
      row.node.classList.toggle("odd", at % 2 === 1);
      row.node.style.transform = `translateY(${at * ROW}px)`;
      this.columns.forEach((column, c) => {
        const text = this.text(column, i);
        const cell = c ? row.cells[c] : row.link;
        if (cell.textContent !== text) cell.textContent = text;
      });
      row.link.setAttribute("href", this.address(i));
    }

    text(column, i) {
      const value = column.text ? column.text(i) : column.value(i);
      return value === null || value === undefined || value === "" ? "–" : String(value);
    }

    mark() {
      let drawn = false;
      for (const row of this.pool) {
        const is = row.used && row.at === this.active;
        drawn ||= is;
        if (row.marked === is) continue;
        row.marked = is;
        row.node.classList.toggle("active", is);
        row.node.setAttribute("aria-selected", is ? "true" : "false");
      }
      const name = `${this.id}-${this.active}`;
      if (drawn) this.node.setAttribute("aria-activedescendant", name);
      else this.node.removeAttribute("aria-activedescendant"); // out of sight, or no row
    }

    key(event) {
      if (event.target !== this.node || event.altKey || event.ctrlKey || event.metaKey) return;
      const page = Math.max(1, Math.floor(this.node.clientHeight / ROW) - 2);
      const end = this.shown.length - 1;
      const moves = {
        ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page,
        PageUp: this.active - page, Home: 0, End: end,
      };
      if (event.key === "Enter") this.open();
      else if (event.key in moves) this.move(Math.max(0, Math.min(end, moves[event.key])));
      else return;
      event.preventDefault();
    }

    move(at) {
      this.active = at;
      const top = at * ROW;
      const room = this.node.clientHeight - 2 * ROW; // less the head
      if (top < this.node.scrollTop) this.node.scrollTop = top;
      else if (top > this.node.scrollTop + room) this.node.scrollTop = top - room;
      this.draw();
    }

    open() {
      if (this.shown.length) location.hash = this.address(this.shown[this.active]);
    }

    // neighbours of an item in the order that is shown
    around(i) {
      const at = this.shown.indexOf(i);
      return at < 0 ? [null, null] : [this.shown[at - 1] ?? null, this.shown[at + 1] ?? null];
    }

    toTsv() {
      const head = this.columns.map((column) => column.title);
      return explorer.toTsv([head,
        ...this.shown.map((i) => this.columns.map((column) => (column.raw || column.value)(i)))]);
    }
  }

  explorer.VirtualTable = VirtualTable;
})();
