// What is chosen, and how every part of the page follows it. Charts are Vega-Lite; each is told of a
// choice by its parameters, maps of cells by their buttons.
"use strict";

const page = JSON.parse(document.getElementById("json").textContent);
const choice = { ...page.choice, chosen: "" };
const views = new Map();
const followers = []; // functions that are called after each change

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function look() {
  const text = { labelColor: style("--muted"), titleColor: style("--ink") };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: style("--line") },
    axis: { ...text, gridColor: style("--line"), domainColor: style("--line"), tickColor: style("--line"),
      labelFontSize: 11.5, titleFontSize: 12, titleFontWeight: "normal" },
    rule: { color: style("--muted") },
    point: { color: style("--accent") },
  };
}

async function draw(chart) {
  const place = document.getElementById(chart.id);
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  const options = { actions: false, renderer: "svg", ast: true, config: look(), defaultStyle: false,
    tooltip: { theme: dark ? "dark" : "light" } };
  views.get(chart.id)?.view.finalize();
  const params = chart.spec.params.map(({ name, value }) => ({ name, value: valueOf(chart, name, value) }));
  const { view } = await vegaEmbed(place, { ...chart.spec, params }, options);
  view.addEventListener("click", (event, item) => choose(item?.datum?.cell ?? ""));
  views.set(chart.id, { view, chart });
}

// A chart that has nothing of the chosen dataset, as without truth, stays with the first it has.
const lacks = (chart) => chart.datasets.length > 0 && !chart.datasets.includes(choice.dataset);
const valueOf = (chart, name, value) => (name === "dataset" && lacks(chart) ? value : choice[name]);

const drawAll = () => Promise.all(page.charts.map(draw)).then(follow);

function follow() {
  for (const panel of document.querySelectorAll("[data-dataset]")) {
    const { dataset, variant } = panel.dataset;
    panel.hidden = dataset !== choice.dataset || (variant !== undefined && variant !== choice.variant);
  }
  for (const button of document.querySelectorAll("button.cell")) {
    button.setAttribute("aria-pressed", button.dataset.cell === choice.chosen);
  }
  for (const { view, chart } of views.values()) {
    const said = document.getElementById(chart.id).parentElement.querySelector(".other");
    said.textContent = lacks(chart) ? ` (${chart.datasets[0]}; there is none of ${choice.dataset})` : "";
    for (const { name, value } of chart.spec.params) view.signal(name, valueOf(chart, name, value));
    view.runAsync();
  }
  document.getElementById("chosen").value = choice.chosen || "none";
  document.getElementById("clear").hidden = !choice.chosen;
  followers.forEach((each) => each());
}

function choose(cell) {
  choice.chosen = cell === choice.chosen ? "" : cell;
  follow();
}

for (const select of document.querySelectorAll("[data-choice]")) {
  select.value = choice[select.dataset.choice];
  select.addEventListener("change", () => {
    choice[select.dataset.choice] = select.value;
    follow();
  });
}
document.getElementById("clear").addEventListener("click", () => choose(""));
document.getElementById("look").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.look = dark ? "light" : "dark";
  drawAll();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.cell");
  if (button) choose(button.dataset.cell);
});
const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && choice.chosen) return choose("");
  const from = event.target.closest?.("button.cell"), step = steps[event.key];
  if (!from || !step) return;
  event.preventDefault();
  const rows = [...from.closest("tbody").rows].map((row) => [...row.cells].slice(1));
  let y = rows.findIndex((row) => row.includes(from.parentElement)), x = rows[y].indexOf(from.parentElement);
  do { // over what is not applicable
    y += step[0];
    x += step[1];
  } while (rows[y]?.[x] && !rows[y][x].querySelector("button"));
  rows[y]?.[x]?.querySelector("button").focus();
});
