(() => {
  "use strict";
  const all = (query, at = document) => [...at.querySelectorAll(query)];
  const make = (tag, words = "", props = {}) => Object.assign(document.createElement(tag), { textContent: words }, props);
  const stored = document.getElementById("book");
  const book = stored ? JSON.parse(stored.textContent) : { words: [], rows: [], columns: [], titles: {} };
  const WORDS = 8; // columns of a row that are places in the list of words; numbers follow
  const at = (row, name) => { const i = book.columns.indexOf(name); return i < WORDS ? book.words[row[i]] : row[i]; };
  const where = (row) => ["case", "symmetry", "rule", "precision", "backend", "fault"].map((n) => at(row, n)).filter(Boolean).join(" ");
  const named = (law) => (book.titles[law] ? `${law} ${book.titles[law]}` : law);
  const told = (x) => (x === null ? "–" : typeof x === "number" ? String(+x.toPrecision(4)) : x);

  // ---- a link to what is folded unfolds it
  const unfold = (e) => { for (; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true; };
  const arrive = () => { const e = document.getElementById(decodeURIComponent(location.hash.slice(1))); if (e) { unfold(e); e.scrollIntoView(); } };
  addEventListener("hashchange", arrive);
  if (location.hash) arrive();

  // ---- tables are sorted by their heads
  const key = (row, i) => { const c = row.cells[i], s = c ? (c.dataset.s ?? c.textContent.trim()) : ""; const x = parseFloat(s.replace("−", "-")); return [Number.isNaN(x) ? null : x, s]; };
  const before = (a, b) => (a[0] !== null && b[0] !== null ? a[0] - b[0] : (a[0] === null) - (b[0] === null) || a[1].localeCompare(b[1]));
  for (const table of all("table.sortable")) all("thead th:not(.still)", table).forEach((head) => {
    const button = make("button", head.textContent, { type: "button" });
    head.replaceChildren(button);
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending", i = head.cellIndex, body = table.tBodies[0];
      all("th", table.tHead).forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...[...body.rows].map((r) => [key(r, i), r]).sort((a, b) => (down ? -1 : 1) * before(a[0], b[0])).map((x) => x[1]));
    };
  });

  // ---- the filter: key:value, free words, - for not; commas are alternatives, * any ending
  const same = (word, value) => value.split(",").some((v) => (v.endsWith("*") ? word.startsWith(v.slice(0, -1)) : word === v || word.startsWith(v + "/")));
  const compared = (x, value) => { const m = /^(<=?|>=?|=)?(.+)$/.exec(value), y = parseFloat(m[2]), n = x === "inf" ? Infinity : x; return typeof n === "number" && ({ "<": n < y, "<=": n <= y, ">": n > y, ">=": n >= y }[m[1]] ?? n === y); };
  const test = (term) => {
    const not = term[0] === "-" && term.length > 1, [, name, value] = /^(\w+):(.+)$/.exec(not ? term.slice(1) : term) ?? [];
    const i = book.columns.indexOf(name), word = (not ? term.slice(1) : term).replaceAll('"', "").toLowerCase();
    const is = i < 0 ? (r) => (named(at(r, "law")) + " " + where(r) + " " + at(r, "verdict")).toLowerCase().includes(word)
      : i < WORDS ? (r) => same(at(r, name).toLowerCase(), value.replaceAll('"', "").toLowerCase()) : (r) => r[i] !== null && compared(r[i], value);
    return not ? (r) => !is(r) : is;
  };
  const form = document.querySelector("form.filter"), list = document.querySelector("#verdicts .wide");
  let found = book.rows.map((_, i) => i), shown = 0;
  const more = () => {
    const body = list.querySelector("tbody");
    for (const i of found.slice(shown, shown + 200)) {
      const r = book.rows[i], line = body.insertRow();
      [named(at(r, "law")), where(r), at(r, "verdict"), ...["spent", "measured", "predicted", "bound"].map((n) => told(at(r, n)))].forEach((w, k) => (line.insertCell().textContent = w, k > 2 && (line.cells[k].className = "n")));
    }
    shown += 200;
    list.querySelector(".more").hidden = shown >= found.length;
  };
  const fill = () => {
    if (!list || !list.closest("details").open) return;
    const table = make("table"), head = table.createTHead().insertRow();
    ["law", "where", "verdict", "spent", "measured", "predicted", "bound"].forEach((w, k) => head.append(make("th", w, { scope: "col", className: k > 2 ? "n" : "" })));
    table.createTBody();
    list.replaceChildren(table, make("button", "more", { type: "button", className: "more", onclick: more }));
    shown = 0; more();
  };
  const filter = () => {
    const terms = form.querySelector("input").value.match(/[^\s"]*"[^"]*"|\S+/g) ?? [], tests = terms.map(test);
    found = book.rows.map((_, i) => i).filter((i) => tests.every((t) => t(book.rows[i])));
    const kept = new Set(found), laws = new Set(found.map((i) => at(book.rows[i], "law"))), faults = new Set(found.map((i) => at(book.rows[i], "fault")));
    const show = (e, yes) => (e.hidden = terms.length > 0 && !yes);
    all("[data-law]").forEach((e) => show(e, laws.has(e.dataset.law)));
    all("[data-fault]").forEach((e) => show(e, faults.has(e.dataset.fault)));
    all("[data-rows]").forEach((e) => show(e, e.dataset.rows.split(" ").some((i) => kept.has(+i))));
    all("details.subject").forEach((e) => show(e, all("details.law", e).some((l) => !l.hidden)));
    form.querySelector("output").textContent = terms.length ? `${found.filter((i) => !at(book.rows[i], "fault")).length} verdicts of ${laws.size} law${laws.size === 1 ? "" : "s"}` : "";
    fill();
  };
  if (form) {
    form.hidden = false;
    form.oninput = filter;
    form.onsubmit = (e) => { e.preventDefault(); const d = document.getElementById("verdicts"); d.open = true; d.scrollIntoView(); };
    addEventListener("keydown", (e) => { if (e.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) { e.preventDefault(); form.querySelector("input").focus(); } });
    list.closest("details").ontoggle = fill;
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) { form.querySelector("input").value = asked; filter(); }
  }

  // ---- values on every dot, with a pointer or with arrow keys, and the data of a figure as CSV
  const tip = make("div", "", { className: "tip", hidden: true });
  tip.setAttribute("role", "status");
  const points = (svg) => all("path[data-v]", svg).flatMap((path) => {
    const xy = [...path.getAttribute("d").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)];
    return path.dataset.v.split("|").map((value, i) => ({ x: +(xy[i]?.[1]), y: +(xy[i]?.[2]), value, name: path.dataset.n ?? "" }));
  });
  const row = (p) => (/^\d+$/.test(p.value) ? book.rows[+p.value] : undefined);
  const says = (svg, p) => {
    const r = row(p), [x, y] = p.value.split(",");
    if (r) return `${named(at(r, "law"))}\n${where(r)}: ${at(r, "verdict")}\nspent ${told(at(r, "spent"))}; measured ${told(at(r, "measured"))}, predicted ${told(at(r, "predicted"))}, bound ${told(at(r, "bound"))}`;
    return svg.dataset.x ? `${p.name}\n${svg.dataset.x} ${x}\n${svg.dataset.y} ${y}` : p.name ? `${p.name}\n${p.value}` : p.value;
  };
  const csv = (svg) => {
    const cell = (x) => (/[",\n]/.test(String(x ?? "")) ? `"${String(x).replaceAll('"', '""')}"` : String(x ?? "")), found = points(svg), rows = found.map(row);
    const lines = rows.some(Boolean) ? [book.columns, ...rows.filter(Boolean).map((r) => book.columns.map((n) => at(r, n)))]
      : svg.dataset.x ? [["series", svg.dataset.x, svg.dataset.y], ...found.map((p) => [p.name, ...p.value.split(",")])] : [["series", "value"], ...found.map((p) => [p.name, p.value])];
    return lines.map((l) => l.map(cell).join(",")).join("\n") + "\n";
  };
  for (const figure of all("figure:has(path[data-v])")) {
    const svg = figure.querySelector("svg"), label = svg.getAttribute("aria-label");
    let seen = null, at_ = -1;
    const dots = () => (seen ??= points(svg).filter((p) => !Number.isNaN(p.x)).sort((a, b) => a.x - b.x || a.y - b.y));
    const scale = () => svg.clientWidth / svg.viewBox.baseVal.width || svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const hide = () => { tip.hidden = true; svg.querySelector(".here")?.remove(); };
    const show = (p) => {
      const k = scale(), mark = document.createElementNS(svg.namespaceURI, "circle");
      hide();
      for (const [n, v] of Object.entries({ cx: p.x, cy: p.y, r: 6, class: "here" })) mark.setAttribute(n, v);
      svg.append(mark); figure.append(tip);
      tip.textContent = says(svg, p); tip.hidden = false;
      tip.style.left = `${Math.max(0, Math.min(p.x * k + 12, svg.getBoundingClientRect().width - tip.offsetWidth))}px`;
      tip.style.top = `${p.y * k + 14}px`;
    };
    figure.tabIndex = 0; figure.setAttribute("aria-label", `${label}; arrow keys tell the values`);
    svg.onpointermove = (e) => {
      const box = svg.getBoundingClientRect(), k = scale(), x = (e.clientX - box.left) / k, y = (e.clientY - box.top) / k;
      const near = dots().reduce((best, p) => { const d = (p.x - x) ** 2 + (p.y - y) ** 2; return d < best[0] ? [d, p] : best; }, [196, null])[1];
      near ? show(near) : hide();
    };
    svg.onpointerleave = hide; figure.onblur = hide;
    figure.onkeydown = (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[e.key];
      if (e.key === "Escape") hide();
      if (step === undefined || e.target !== figure) return;
      e.preventDefault();
      at_ = Math.max(0, Math.min(dots().length - 1, at_ + step));
      show(dots()[at_]);
    };
    const button = make("button", "CSV", { type: "button", className: "csv", title: "the data of this figure" });
    button.setAttribute("aria-label", `CSV: ${label}`);
    button.onclick = () => {
      const url = URL.createObjectURL(new Blob([csv(svg)], { type: "text/csv" }));
      make("a", "", { href: url, download: `${label.replace(/[^\w-]+/g, "-").slice(0, 60)}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    };
    figure.append(button);
  }
})();
