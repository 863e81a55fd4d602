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
  const parsed = (term) => {
    const not = term[0] === "-" && term.length > 1, plain = not ? term.slice(1) : term, [, name, value = ""] = /^([a-z]+):(.*)$/i.exec(plain) ?? [];
    return { not, name, value: value.replaceAll('"', "").toLowerCase(), i: book.columns.indexOf(name), word: plain.replaceAll('"', "").toLowerCase() };
  };
  const free = (r, word) => (named(at(r, "law")) + " " + where(r) + " " + at(r, "verdict")).toLowerCase().includes(word);
  const test = ({ not, name, value, i, word }) => {
    const is = i < 0 ? (r) => free(r, word) : i < WORDS ? (r) => same(at(r, name).toLowerCase(), value) : (r) => r[i] !== null && compared(r[i], value);
    return not ? (r) => !is(r) : is;
  };

  // ---- what a filter must have been meant to say: names with the same letters in order, or with few changed
  const changed = (a, b) => {
    let line = [...Array(b.length + 1).keys()];
    for (let i = 1; i <= a.length; i++) line = line.reduce((now, up, j) => (now.push(j ? Math.min(up + 1, now[j - 1] + 1, line[j - 1] + (a[i - 1] !== b[j - 1])) : i), now), []);
    return line[b.length];
  };
  const within = (a, b) => [...b].reduce((i, c) => i + (c === a[i]), 0) === a.length;
  const meant = (word, names) => {
    const [near] = names.map((n) => [changed(word, n.toLowerCase()), n]).filter(([far, n]) => within(word, n.toLowerCase()) || far <= Math.max(1, word.length / 3)).sort((x, y) => x[0] - y[0]);
    return near ? `; did you mean ${near[1]}?` : names.length <= book.columns.length ? `; there is ${names.join(", ")}` : "";
  };
  const wrong = ({ name, value, i, word }) => { // [what is wrong with a term, whether it is left out]
    if (i < 0) return book.rows.some((r) => free(r, word)) ? null : name ? [`no such word: ${name}${meant(name.toLowerCase(), book.columns)}`, true] : [`nothing here says ${word}`, false];
    if (!value) return [`${name}: which one?`, true];
    if (i >= WORDS) return Number.isNaN(parseFloat(value.replace(/^[<>]?=?/, ""))) ? [`${name} needs a number, as ${name}:>0.9`, true] : null;
    const names = [...new Set(book.rows.map((r) => at(r, name)).filter(Boolean))].sort(), no = value.split(",").find((v) => v && !names.some((n) => same(n.toLowerCase(), v)));
    return no ? [`no ${name} is ${no}${meant(no, names)}`, false] : null;
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
  // ---- what a filter leaves is counted anew: words of cells, dots of drawings; without one all is as it was
  const stood = new Map(), put = (e, words, name) => { if (!e) return; stood.set(e, [[...e.childNodes], e.className]); e.replaceChildren(words); if (name !== undefined) e.className = name; };
  const dotted = all("path[data-v]").filter((p) => /^[\d |]+$/.test(p.dataset.v)).map((path) => {
    const d = path.getAttribute("d"), v = path.dataset.v, next = path.nextElementSibling, hole = next && !next.dataset.v && next.getAttribute("d") === d ? next : null;
    return { path, hole, marks: d.match(/M[^M]+/g), rows: v.split("|").map((n) => n.split(" ").map(Number)) };
  });
  let drawings = 0; // how often they were changed
  const draw = (kept) => {
    const seen = new Map();
    for (const { path, hole, marks, rows } of dotted) {
      const left = rows.map((mine, i) => [marks[i], mine.filter((n) => kept.has(n))]).filter((x) => x[1].length);
      path.dataset.v = left.map((x) => x[1].join(" ")).join("|");
      [path, hole].forEach((e) => e?.setAttribute("d", left.map((x) => x[0]).join("")));
      const figure = path.closest("figure");
      if (figure) seen.set(figure, seen.get(figure) || left.length > 0);
    }
    seen.forEach((any, figure) => (figure.hidden = !any));
    drawings++;
  };
  const VERDICTS = ["violated", "holds", "inconclusive", "outside"];
  const short = (x) => (x === "inf" || x === null ? x ?? "-" : Math.abs(x) >= 0.001 && Math.abs(x) < 100 ? x.toFixed(3) : String(+x.toPrecision(3)));
  const size = (r) => (typeof at(r, "spent") === "number" ? at(r, "spent") : Infinity);
  const worst = (line, mine, orders) => {
    const judged = mine.filter((i) => at(book.rows[i], "spent") !== null).map((i) => book.rows[i]), off = (r) => Math.abs(at(r, "measured") - at(r, "predicted"));
    if (!judged.length) return "-";
    if (line.dataset.kind === "bitwise") { const n = judged.filter((r) => at(r, "spent") !== 0).length; return n ? `${n} differ` : "equal"; }
    const sloped = line.dataset.kind === "order" ? mine.filter((i) => orders.has(i)).map((i) => book.rows[i]) : [];
    if (sloped.length) { const r = sloped.reduce((a, b) => (off(b) > off(a) ? b : a)); return `${at(r, "measured").toFixed(3)} of ${+at(r, "predicted").toPrecision(3)}`; }
    return short(Math.max(...judged.map(size)) === Infinity ? "inf" : Math.max(...judged.map(size)));
  };
  const recount = (kept, real) => {
    const by = (name) => real.filter((i) => !name || at(book.rows[i], "verdict") === name).length;
    all("[data-count]").forEach((e) => put(e, `${by(e.dataset.count)} of ${e.textContent}`));
    all("[data-if]").forEach((e) => (e.hidden = !by(e.dataset.if)));
    all("[data-rows] .places").forEach((e) => put(e, `${e.closest("[data-rows]").dataset.rows.split(" ").filter((i) => kept.has(+i)).length} of ${e.textContent}`));
    for (const line of all(".overview tr[data-law]")) {
      const mine = real.filter((i) => at(book.rows[i], "law") === line.dataset.law), counts = VERDICTS.map((v) => mine.filter((i) => at(book.rows[i], "verdict") === v).length);
      const rest = VERDICTS.map((v, k) => (v !== "holds" && counts[k] ? `${counts[k]} ${v}` : "")).filter(Boolean).join(", "), v = VERDICTS[counts.findIndex(Boolean)];
      const told = v ? `${book.symbol[v]} ${v}` : "–";
      put(line.querySelector(".verdict"), told, `verdict ${v ?? ""}`);
      put(document.getElementById(line.dataset.law)?.querySelector("summary .verdict"), told, `verdict ${v ?? ""}`);
      put(line.querySelector(".counted"), `${mine.length}${rest ? ` (${rest})` : ""}`);
      const orders = new Set(dotted.filter((x) => line.contains(x.path)).flatMap((x) => x.rows.flat()));
      put(line.querySelector(".now"), worst(line, mine, orders));
    }
  };
  const filter = () => {
    const input = form.querySelector("input"), output = form.querySelector("output"), asked = (input.value.match(/[^\s"]*"[^"]*"|\S+/g) ?? []).map(parsed);
    const faulty = asked.map(wrong), terms = asked.filter((_, k) => !faulty[k]?.[1]), tests = terms.map(test), every = book.rows.map((_, i) => i);
    found = every.filter((i) => tests.every((t) => t(book.rows[i])));
    const kept = new Set(found), real = found.filter((i) => !at(book.rows[i], "fault")), on = terms.length > 0;
    const laws = new Set(found.map((i) => at(book.rows[i], "law"))), faults = new Set(found.map((i) => at(book.rows[i], "fault")));
    const show = (e, yes) => (e.hidden = on && !yes);
    stood.forEach(([nodes, name], e) => { e.replaceChildren(...nodes); e.className = name; });
    stood.clear();
    document.body.classList.toggle("filtered", on);
    all("[data-if]").forEach((e) => (e.hidden = false));
    all("[data-law]").forEach((e) => show(e, laws.has(e.dataset.law)));
    all("[data-fault]").forEach((e) => show(e, faults.has(e.dataset.fault)));
    all("[data-rows]").forEach((e) => show(e, e.dataset.rows.split(" ").some((i) => kept.has(+i))));
    all("details.subject").forEach((e) => show(e, all("details.law", e).some((l) => !l.hidden)));
    draw(kept);
    if (on) recount(kept, real);
    const of = new Set(real.map((i) => at(book.rows[i], "law"))).size, said = faulty.filter(Boolean).map((x) => x[0]).join("; ");
    const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`, planted = found.length - real.length;
    output.textContent = [on ? (real.length || !planted ? `${many(real.length, "verdict")} of ${many(of, "law")}` : `${many(planted, "verdict")} on planted faults`) : "", said].filter(Boolean).join(": ");
    output.className = said ? "unsure" : "";
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
  const rows = (p) => (/^\d[\d ]*$/.test(p.value) ? p.value.split(" ").map((i) => book.rows[+i]) : []);
  const apart = (r) => { const [a, b] = ["spent", "bound"].map((n) => at(r, n)); return typeof a === "number" && typeof b === "number" ? a * b : null; };
  const says = (svg, p) => {
    const [r, ...others] = rows(p), [x, y] = p.value.split(",");
    if (r) return `${named(at(r, "law"))}\n${where(r)}: ${at(r, "verdict")}\n${["measured", "predicted"].map((n) => `${n} ${told(at(r, n))}\n`).join("")}difference ${told(apart(r))}\nbound ${told(at(r, "bound"))}\nspent ${told(at(r, "spent"))}${others.length ? `\nand ${others.length} more here` : ""}`;
    return svg.dataset.x ? `${p.name}\n${svg.dataset.x} ${x}\n${svg.dataset.y} ${y}` : p.name ? `${p.name}\n${p.value}` : p.value;
  };
  const csv = (svg) => {
    const cell = (x) => (/[",\n]/.test(String(x ?? "")) ? `"${String(x).replaceAll('"', '""')}"` : String(x ?? "")), found = points(svg), records = found.flatMap(rows);
    const lines = records.length ? [book.columns, ...records.map((r) => book.columns.map((n) => at(r, n)))]
      : svg.dataset.x ? [["series", svg.dataset.x, svg.dataset.y], ...found.map((p) => [p.name, ...p.value.split(",")])] : [["series", "value"], ...found.map((p) => [p.name, p.value])];
    return lines.map((l) => l.map(cell).join(",")).join("\n") + "\n";
  };
  for (const figure of all("figure:has(path[data-v])")) {
    const svg = figure.querySelector("svg"), label = svg.getAttribute("aria-label");
    let seen = null, at_ = -1, drawn = drawings;
    const dots = () => (drawn !== drawings && ((seen = null), (drawn = drawings)), seen ??= points(svg).filter((p) => !Number.isNaN(p.x)).sort((a, b) => a.x - b.x || a.y - b.y));
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
      if (dots()[at_]) show(dots()[at_]);
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
