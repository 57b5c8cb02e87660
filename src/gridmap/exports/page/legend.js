// What colours the cells, what they mean, and which layers are shown.
const legendBox = document.getElementById("legend");

function showLegend() {
  const choice = el("select", { id: "measure", "aria-label": t("colour_by"), onchange: (event) => {
    state.measure = event.target.value;
    showLegend();
    document.getElementById("measure").focus();
    redraw();
  } }, MEASURES.map((name) => el("option", { value: name, selected: name === state.measure }, t(`measure_${name}`))));
  legendBox.replaceChildren(
    el("summary", {}, t("legend")), choice, el("div", { id: "classes" }, classRows()),
    el("h3", {}, t("layers")),
    ...["areas", "cells", "grids", "gaps", ...(polygons.units.n ? ["units"] : [])].map((layer) => layerSwitch(layer, t(`layer_${layer}`), polygons[layer].n)),
    ...["super", "sub"].map((level) => [level, sets.level.filter((other) => other === level).length]).filter(([, many]) => many)
      .map(([level, many]) => layerSwitch(level, word("level", level), many)),
    facilities.code.length ? el("h3", {}, t("layer_facilities")) : "",
    ...DATA.kinds.map((kind) => [kind, facilities.kind.filter((other) => other === kind).length]).filter(([, many]) => many)
      .map(([kind, many]) => layerSwitch(kind, word("kind", kind), many)));
}

function classRows() {
  const { classOf, classes, ofGrids } = measure(state.measure), many = new Uint32Array(256);
  for (const k of ofGrids ?? classOf) many[k]++;
  const rows = classes().map(({ colour, label }, k) => [colour, label, many[k]]).filter(([, label, n]) => label !== null && n > 0);
  const swatch = (colour) => {
    const box = el("i");
    box.style.background = colour;
    return box;
  };
  if (GROUPED.includes(state.measure)) {
    const row = el("div", { class: "class" }, palette().grids.slice(0, 5).map(swatch));
    return [row, el("p", {}, t("group_colours")), ...rows.map(([colour, label, n]) => classRow(swatch(colour), label, n))];
  }
  const shown = rows.map(([colour, label, n]) => classRow(swatch(colour), label, n, ofGrids));
  return state.measure === "deviation" ? [...shown, el("p", {}, t("deviation_colours", { tolerance: percent(DATA.tolerance) }))] : shown;
}

const classRow = (box, label, n, ofGrids) => el("div", { class: "class" }, box, el("span", {}, label),
  el("span", { title: t(ofGrids ? "grids_of_class" : "cells_of_class") }, count(n)));

function layerSwitch(name, label, many) {
  const box = el("input", { type: "checkbox", "data-layer": name, onchange: (event) => {
    state.layers[name] = event.target.checked;
    redraw();
  } });
  box.checked = state.layers[name];
  return el("label", {}, box, sample(name), el("span", {}, label), el("span", { class: "n" }, count(many)));
}

// A small picture of how a layer is drawn.
function sample(name) {
  const picture = el("canvas", { width: Math.round(18 * ratio()), height: Math.round(16 * ratio()), "aria-hidden": "true" });
  const c = picture.getContext("2d");
  c.scale(ratio(), ratio());
  if (name in SYMBOLS) drawSymbol(c, name, 9, 8, 0.85);
  else if (name === "gaps") {
    c.fillStyle = hatch(c, style("--gap"));
    c.fillRect(1, 2, 16, 12);
    c.strokeStyle = style("--gap");
    c.strokeRect(1.5, 2.5, 15, 11);
  } else if (name === "cells") {
    c.beginPath();
    c.translate(9, 8);
    corners(c, 7, 6, 30);
    c.fillStyle = palette().steps[2];
    c.fill();
  } else {
    c.strokeStyle = style({ areas: "--ink", units: "--unit", sub: "--unit", super: "--accent" }[name] ?? "--border");
    c.lineWidth = { areas: 1.8, super: 2.2 }[name] ?? 0.9;
    c.strokeRect(2, 2.5, 14, 11);
  }
  return picture;
}
