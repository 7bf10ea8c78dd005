// Data of the site. A page opened from a disk may fetch nothing but can load scripts, so the data
// are scripts: each calls explorer.receive once.
"use strict";

(function () {
  const waiting = new Map(); // name of a file -> its promise
  const arrive = new Map();

  explorer.receive = (name, content) => {
    if (name === "index") explorer.index = content;
    else if (arrive.has(name)) arrive.get(name)(content);
  };

  function file(name) {
    if (!waiting.has(name)) {
      waiting.set(name, new Promise((resolve, reject) => {
        arrive.set(name, resolve);
        const failed = () => {
          waiting.delete(name);
          reject(new Error(`data/${name}.js cannot be read`));
        };
        document.head.append(
          explorer.make("script", { src: `data/${name}.js`, error: failed }));
      }));
    }
    return waiting.get(name);
  }

  // record `number` of a kind: f (features), c (concepts), p (proteins with a page)
  explorer.record = async (kind, number) => {
    const size = explorer.index.sizes[kind];
    return (await file(`${kind}${Math.floor(number / size)}`))[number % size];
  };

  explorer.link = {
    feature: (number) => `#${encodeURIComponent(explorer.index.atlas.name)}/f${number}`,
    concept: (id) => `#concept=${encodeURIComponent(id)}`,
    protein: (accession) => `#protein=${encodeURIComponent(accession)}`,
    search: (words) => `#search=${encodeURIComponent(words)}`,
  };

  // number of a feature in an address such as unirep/f12
  explorer.numberOf = (address) => Number(address.slice(address.lastIndexOf("/f") + 2));

  // the one place where files' text becomes the address of another site: known accessions alone
  explorer.elsewhere = (id) => {
    const known = [
      [/^pfam:(PF\d{5})$/, "https://www.ebi.ac.uk/interpro/entry/pfam/"],
      [/^(IPR\d{6})$/, "https://www.ebi.ac.uk/interpro/entry/InterPro/"],
      [/^(GO:\d{7})$/, "https://amigo.geneontology.org/amigo/term/"],
      [/^prosite:(PS\d{5})$/, "https://prosite.expasy.org/"],
      [/^([OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2})$/,
        "https://www.uniprot.org/uniprotkb/"],
    ];
    for (const [pattern, start] of known) {
      const found = pattern.exec(id);
      if (found) return start + found[1];
    }
    return null;
  };
})();
