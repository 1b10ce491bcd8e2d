// Images: pictures lie in sprites, a row for each image; what is shown, and in which order, is chosen.
"use strict";

const RATERS = ["#ff4d4d", "#39d353", "#4da3ff", "#ffb000", "#d78bff", "#00d5d5", "#fff04d", "#ff8ac4"];
const DASHES = ["", "2 1", "0.8 0.8", "3 1 0.8 1"];
const control = (id) => document.getElementById(id);
const urls = new Map();

// One file for each sprite, made when it is first seen.
function urlOf(sprite) {
  if (!urls.has(sprite)) {
    const bytes = Uint8Array.from(atob(sprite), (letter) => letter.charCodeAt(0));
    urls.set(sprite, URL.createObjectURL(new Blob([bytes], { type: "image/webp" })));
  }
  return urls.get(sprite);
}

// A picture of a sprite, by column and row; all have the same size, so shares of the whole are exact.
function tile({ sprite, columns, rows }, column, row, said, size) {
  const share = (at, count) => (count > 1 ? `${(at * 100) / (count - 1)}%` : "0");
  const box = element("div", { role: "img" });
  box.setAttribute("aria-label", said);
  box.style.aspectRatio = `${size[1]} / ${size[0]}`;
  box.style.backgroundImage = `url(${urlOf(sprite)})`;
  box.style.backgroundSize = `${columns.length * 100}% ${rows * 100}%`;
  box.style.backgroundPosition = `${share(column, columns.length)} ${share(row, rows)}`;
  return element("figure", { className: "tile" }, box, element("figcaption", { textContent: columns[column] }));
}

function outlined(figure, outlines, size) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `-0.5 -0.5 ${size[1]} ${size[0]}`);
  outlines.forEach((d, rater) => {
    const path = document.createElementNS(svg.namespaceURI, "path");
    for (const [name, value] of Object.entries({ d, stroke: RATERS[rater % RATERS.length],
      "stroke-dasharray": DASHES[rater % DASHES.length] })) path.setAttribute(name, value);
    svg.append(path);
  });
  figure.firstChild.append(svg);
  figure.lastChild.textContent = "image, raters";
}

function strip(data, place, cell) {
  const { split, index, outlines } = data.entries[place];
  const made = element("div", { className: "strip" });
  const add = (pictures, row, whose) => pictures.columns.map((name, column) => {
    const said = `${name}${whose}, ${split}, image ${index}`;
    made.append(tile(pictures, column, row, said, data.size));
    return made.lastChild;
  });
  if (!cell) {
    const [image] = add(data.source, place, "");
    if (control("lines").checked) outlined(image, outlines, data.size);
    return made;
  }
  const { values, samples, ...maps } = data.cells[cell];
  const said = Object.entries(values).map(([name, each]) => `${name} ${each[place] ?? "–"}`);
  made.append(element("b", { textContent: `${cell}: ${said.join(", ")}` }));
  add(maps, place, ` of ${cell}`);
  if (samples?.owners[place] !== undefined) add(samples, samples.owners[place], ` of ${cell}`);
  return made;
}

function entryOf(data, place) {
  const entry = data.entries[place], cells = [control("cell-a").value, control("cell-b").value].filter(Boolean);
  const places = [place];
  if (control("original").checked && entry.original !== null) places.push(entry.original);
  const made = element("div", { className: "entry" });
  for (const each of places) {
    const { split, index, name } = data.entries[each];
    const said = each === place ? "" : " (of the same name)";
    made.append(element("h3", { textContent: `${split}, image ${index}${said} ` }, element("small", { textContent: name })));
    const right = element("div", {}, ...cells.map((cell) => strip(data, each, cell)));
    made.append(element("div", { className: "pair" }, ...(data.source ? [strip(data, each, "")] : []), right));
  }
  return made;
}

function options(select, names, texts = names) {
  const before = select.value;
  select.replaceChildren(...names.map((value, i) => element("option", { value, textContent: texts[i] })));
  if (names.includes(before)) select.value = before;
}

function show() {
  const data = page.images[choice.dataset];
  control("gallery").replaceChildren();
  if (!data) return void (control("scales").textContent = "No maps of this dataset are here.");
  const cells = Object.keys(data.cells);
  options(control("cell-a"), cells);
  options(control("cell-b"), ["", ...cells], ["nothing", ...cells]);
  options(control("split"), [...new Set(data.entries.map((entry) => entry.split))]);
  const { values, eu } = data.cells[control("cell-a").value];
  options(control("order"), ["", ...Object.keys(values)], ["place in the split", ...Object.keys(values)]);
  const places = data.entries.flatMap((entry, place) => (entry.split === control("split").value ? [place] : []));
  const keys = values[control("order").value];
  const sign = control("descending").checked ? -1 : 1;
  if (keys) places.sort((a, b) => (keys[a] === null) - (keys[b] === null) || sign * (keys[a] - keys[b]));
  control("gallery").append(...places.map((place) => entryOf(data, place)));
  const thin = data.step > 1 ? ` Of ${data.step} × ${data.step} pixels one is shown.` : "";
  const other = data.cells[control("cell-b").value];
  control("scales").textContent = `TU and AU: black 0 to bright ${data.most} nats. EU: black 0 to bright ${eu} nats (its 99.5 % quantile)`
    + `${other ? `, and ${other.eu} beside it` : ""}. Sorted by ${control("cell-a").value}.${thin}`;
}

if (page.images && control("gallery")) {
  for (const id of ["split", "cell-a", "cell-b", "order", "descending", "original", "lines"]) {
    control(id).addEventListener("change", show);
  }
  followers.push(() => {
    if (choice.chosen && page.images[choice.dataset]?.cells[choice.chosen]) control("cell-a").value = choice.chosen;
    show();
  });
}
drawAll().then(() => document.documentElement.setAttribute("data-drawn", ""));
