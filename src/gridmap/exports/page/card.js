// The card of what was picked: its figures, and links to what it belongs to.
const cardBox = document.getElementById("card");

const nameOf = {
  areas: (i) => areas.name[i] || areas.code[i],
  grids: (i) => grids.name[i] || grids.code[i],
  gaps: (i) => gaps.place[language][i],
  facilities: (i) => facilities.name[i] || facilities.code[i],
  cells: (i) => cellId(i),
};
const codeOf = { areas: (i) => areas.code[i], grids: (i) => grids.code[i], gaps: (i) => gaps.code[i], facilities: (i) => facilities.code[i], cells: cellId };

function linkTo(layer, i, label) {
  if (i === undefined || i < 0) return NOTHING;
  return el("button", { type: "button", class: "link", onclick: () => pick({ layer, i }, true) }, label ?? nameOf[layer](i));
}

const yes = (answer) => word("answer", answer ? "yes" : "no");
const service = (served) => el("span", { class: served ? "tag" : "tag bad" }, t(served ? "class_covered" : "class_uncovered"));
const listOf = (nodes) => (nodes.length ? nodes.flatMap((node, k) => (k ? [el("br"), node] : [node])) : NOTHING);

const figuresOf = {
  cells: (i) => {
    const kinds = DATA.kinds.filter((_, bit) => cells.served[i] & (2 << bit));
    return [
      ["service", service(cells.served[i] & 1)],
      ["covered_share", percent(coveredShare(i))],
      ["covered_by", listOf(kinds.map((kind) => word("kind", kind)))],
      ["crossing", count(cells.crossing[i])],
      ["nearest", linkTo("facilities", cells.nearest[i])],
      ["nearest_distance", distance(cells.nearest_m[i])],
      ["primary_outlet", linkTo("facilities", cells.outlet[i])],
      ["distance", distance(cells.distance_m[i])],
      ["demand", unit() === "m2" ? null : amount(cells.demand[i])],
      ["area", area(cells.area_m2[i])],
      ["settlement", word("settlement", DATA.settlements[cells.settlement[i]])],
      ["grid", linkTo("grids", cells.grid[i])],
      ["within", linkTo("areas", cells.area[i])],
      ["gap", cells.gap[i] < 0 ? null : linkTo("gaps", cells.gap[i], gaps.code[cells.gap[i]])],
    ];
  },
  grids: (i) => [
    ["code", grids.code[i]],
    ["kind", word("grid", grids.kind[i])],
    ["settlement", word("settlement", grids.settlement[i])],
    ["demand", unit() === "m2" ? null : amount(grids.demand[i])],
    ["area", area(grids.area_m2[i])],
    ["cells", count(grids.cells[i])],
    ["covered_share", percent(grids.covered_share[i])],
    ["primary_outlet", linkTo("facilities", grids.outlet[i])],
    ["cooperating", listOf(grids.cooperating[i].map((outlet) => linkTo("facilities", outlet)))],
    ["has_outlet", yes(grids.has_outlet[i])],
    ["cash_points", count(grids.rural_cash_points[i])],
    ["manager", grids.manager_id[i] || null],
    ["officers", (grids.officer_ids[i] || []).length ? listOf(grids.officer_ids[i]) : null],
    ["compactness", missing(grids.compactness[i]) ? null : grouped(grids.compactness[i], 2)],
    ["within", linkTo("areas", grids.area[i])],
  ],
  areas: (i) => [
    ["code", areas.code[i]],
    ["level", word("level", areas.level[i])],
    ["settlement", word("settlement", areas.settlement[i])],
    ["demand", unit() === "m2" ? null : amount(areas.demand[i])],
    ["area", area(areas.area_m2[i])],
    ["covered_share", percent(areas.covered_share[i])],
    ["within", areas.parent[i] < 0 ? null : linkTo("areas", areas.parent[i])],
  ],
  gaps: (i) => [
    ["code", gaps.code[i]],
    ["rank", count(gaps.rank[i])],
    ["demand", unit() === "m2" ? null : amount(gaps.demand[i])],
    ["area", area(gaps.area_m2[i])],
    ["settlement", word("settlement", gaps.settlement[i])],
    ["nearest", linkTo("facilities", gaps.nearest[i])],
    ["nearest_distance", distance(gaps.nearest_distance_m[i])],
    ["kind_missing", word("kind", gaps.kind_missing[i])],
    ["within", linkTo("areas", gaps.area[i])],
  ],
  facilities: (i) => [
    ["code", facilities.code[i]],
    ["kind", word("kind", facilities.kind[i])],
    ["institution", facilities.institution[i] || null],
    ["radius", radiiOf(i).map(distance).join(" / ")],
    ["demand_in_reach", unit() === "m2" ? null : amount(facilities.demand_in_reach[i])],
    ["cells_in_reach", count(facilities.cells_in_reach[i])],
    ["grids_held", missing(facilities.grids_held[i]) ? null : count(facilities.grids_held[i])],
    ["demand_held", missing(facilities.demand_held[i]) || unit() === "m2" ? null : amount(facilities.demand_held[i])],
    ["capacity", missing(facilities.capacity[i]) ? null : amount(facilities.capacity[i])],
    ["within", facilities.area[i] < 0 ? t("outside") : linkTo("areas", facilities.area[i])],
  ],
};

function showCard() {
  cardBox.hidden = !state.picked;
  if (!state.picked) return cardBox.replaceChildren();
  const { layer, i } = state.picked;
  const rows = figuresOf[layer](i).filter(([, value]) => value !== null);
  cardBox.replaceChildren(
    el("header", {},
      el("div", {}, el("p", { class: "type" }, t(`one_${layer}`)), el("h2", {}, nameOf[layer](i))),
      el("button", { type: "button", "aria-label": t("close"), title: t("close"), onclick: () => pick(null) }, "×")),
    el("dl", {}, rows.flatMap(([key, value]) => [el("dt", {}, t(`field_${key}`)), el("dd", { "data-field": key }, value)])));
}

function boundsOf({ layer, i }) {
  if (layer !== "facilities") {
    const of = polygons[layer];
    return [of.west[i], of.north[i], of.east[i], of.south[i]];
  }
  const reach = Math.max(...radiiOf(i).filter((radius) => !missing(radius)), 300) / METRES_PER_UNIT;
  return [facilities.x[i] - reach, facilities.y[i] - reach, facilities.x[i] + reach, facilities.y[i] + reach];
}

function pick(thing, travel = false) {
  state.picked = thing;
  if (thing && travel) {
    const share = { cells: 0.06, gaps: 0.5, grids: 0.6, areas: 0.7, facilities: 0.7 }[thing.layer];
    lookAt(boundsOf(thing), share);
  }
  showCard();
  redraw();
}
