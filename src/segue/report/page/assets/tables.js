// Tables: unpacked when they are opened, sorted by a column, filtered, and downloaded as they are.
"use strict";

async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// Rows of a CSV file: fields may be in quotes, which are doubled inside.
function rowsOf(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
    if (end === "") break;
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}

const shortened = (text) => {
  const number = Number(text);
  return text === "" || Number.isNaN(number) || Number.isInteger(number) ? text : String(Number(number.toPrecision(4)));
};

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function tableOf([header, ...rows]) {
  const body = rows.map((row) => element("tr", {}, ...row.map((text) => {
    const cell = element("td", { textContent: shortened(text) });
    cell.dataset.value = text;
    return cell;
  })));
  const head = element("tr", {}, ...header.map((textContent) => element("th", { textContent })));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return sortable(table);
}

const keyOf = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;

function compare(a, b) {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en") : x - y;
}

// Empty fields come last, whichever way a column is sorted.
function sort(table, column) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const down = heads[column].ariaSort === "ascending";
  heads.forEach((each) => each.removeAttribute("aria-sort"));
  heads[column].ariaSort = down ? "descending" : "ascending";
  const keyed = [...body.rows].map((row) => [keyOf(row, column), row]);
  keyed.sort(([a], [b]) => (down && a !== "" && b !== "" ? -1 : 1) * compare(a, b));
  body.append(...keyed.map(([, row]) => row));
}

function sortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = element("button", { type: "button", textContent: head.textContent });
    button.addEventListener("click", () => sort(table, column));
    head.replaceChildren(button);
    head.scope = "col";
  });
  return table;
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: url, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

async function open(details) {
  const name = details.dataset.table, place = details.querySelector(".place");
  if (!details.open || place.childElementCount) return;
  const text = await unpacked(page.tables[name]);
  const table = tableOf(rowsOf(text));
  const save = element("button", { type: "button", className: "download", textContent: `Download ${name}.csv` });
  save.addEventListener("click", () => download(name, text));
  const words = element("input", { type: "search", placeholder: "words that rows have" });
  words.setAttribute("aria-label", `Rows of ${name} to show`);
  words.addEventListener("input", () => {
    const wanted = words.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const said = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => said.includes(word));
    }
  });
  const scroll = element("div", { className: "scroll", tabIndex: 0 }, table);
  place.append(element("div", { className: "tools" }, save, words), scroll);
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll("details.table").forEach((each) => each.addEventListener("toggle", () => open(each)));
