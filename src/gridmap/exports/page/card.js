// The card of what was picked: its figures, and links to what it belongs to.
const cardBox = document.getElementById("card");

const nameOf = {
  areas: (i) => areas.name[i] || areas.code[i],
  grids: (i) => grids.name[i] || grids.code[i],
  gaps: (i) => gaps.place[language][i],
  facilities: (i) => facilities.name[i] || facilities.code[i],
  cells: (i) => cellId(i),
  sets: (i) => sets.name[i] || sets.code[i],
  units: (i) => (baseUnits.name[i] && baseUnits.name[i] !== baseUnits.code[i] ? `${baseUnits.name[i]} ${baseUnits.code[i].split("-")[1] ?? ""}`.trim() : baseUnits.code[i]),
};
const codeOf = { sets: (i) => sets.code[i], areas: (i) => areas.code[i], grids: (i) => grids.code[i], gaps: (i) => gaps.code[i], facilities: (i) => facilities.code[i], cells: cellId, units: (i) => baseUnits.code[i] };

function linkTo(layer, i, label) {
  if (i === undefined || i < 0) return NOTHING;
  return el("button", { type: "button", class: "link", onclick: () => pick({ layer, i }, true) }, label ?? nameOf[layer](i));
}

const yes = (answer) => word("answer", answer ? "yes" : "no");
const service = (served) => el("span", { class: served ? "tag" : "tag bad" }, t(served ? "class_covered" : "class_uncovered"));
const listOf = (nodes, none = NOTHING) => (nodes.length ? nodes.flatMap((node, k) => (k ? [el("br"), node] : [node])) : none);

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
      ["unit", unitOfCell.length ? linkTo("units", unitOfCell[i]) : null],
      ["within", linkTo("areas", cells.area[i])],
      ["gap", cells.gap[i] < 0 ? null : linkTo("gaps", cells.gap[i], gaps.code[cells.gap[i]])],
    ];
  },
  grids: (i) => [
    ["code", grids.code[i]],
    ["demand", unit() === "m2" ? null : amount(grids.demand[i])],
    ["target", missing(grids.target_demand[i]) ? null : amount(grids.target_demand[i])],
    ["deviation", missing(grids.deviation[i]) ? null : el("span", { class: Math.abs(grids.deviation[i]) > DATA.tolerance + 1e-9 ? "tag bad" : "tag" }, signed(grids.deviation[i]))],
    ["manager", grids.manager[i] || (grids.manager_missing[i] ? el("span", { class: "tag bad" }, t("missing")) : null)],
    ["officers", officersOf(i)],
    ["primary_outlet", linkTo("facilities", grids.outlet[i])],
    ["cooperating", listOf(grids.cooperating[i].map((outlet) => linkTo("facilities", outlet)))],
    ["kind", grids.locked[i] ? [word("grid", grids.kind[i]), " ", el("span", { class: "tag" }, t("locked"))] : word("grid", grids.kind[i])],
    ["level", grids.level[i] ? word("level", grids.level[i]) : null],
    ["parent", grids.parent[i] < 0 ? null : parentLink(grids.parents.code[grids.parent[i]])],
    ["within", grids.area[i] < 0 ? null : linkTo("areas", grids.area[i])],
    ["settlement", word("settlement", grids.settlement[i])],
    ["has_outlet", yes(grids.has_outlet[i])],
    ["cash_points", count(grids.rural_cash_points[i])],
    ["covered_share", percent(grids.covered_share[i])],
    ["area", area(grids.area_m2[i])],
    ["cells", count(grids.cells[i])],
    ["parts", grids.parts[i] > 1 || grids.holes[i] > 0 ? t("parts_and_holes", { parts: count(grids.parts[i]), holes: count(grids.holes[i]) }) : null],
    ["sub_grids", listOf(sets.code.map((_, k) => k).filter((k) => sets.grid[k] === i && sets.level[k] === "sub").map((k) => linkTo("sets", k, sets.code[k])), null)],
    ["compactness", missing(grids.compactness[i]) ? null : grouped(grids.compactness[i], 2)],
    ["grid_radius", missing(grids.radius_m[i]) ? null : distance(grids.radius_m[i])],
  ],
  sets: (i) => [
    ["code", sets.code[i]],
    ["level", word("level", sets.level[i])],
    ["demand", unit() === "m2" ? null : amount(sets.demand[i])],
    ["area", area(sets.area_m2[i])],
    ["cells", count(sets.cells[i])],
    ["grids", sets.level[i] === "super" ? count(sets.grids[i]) : null],
    ["parent", sets.parent_code[i] ? parentLink(sets.parent_code[i]) : null],
  ],
  units: (i) => [
    ["code", baseUnits.code[i]],
    ["kind", t(`base_${baseUnits.kind[i]}`)],
    ["settlement", word("settlement", baseUnits.settlement[i])],
    ["demand", unit() === "m2" ? null : amount(baseUnits.demand[i])],
    ["area", area(baseUnits.area_m2[i])],
    ["cells", count(baseUnits.cells[i])],
    ["grid", baseUnits.grid[i] < 0 ? t("several_grids") : linkTo("grids", baseUnits.grid[i])],
    ["within", linkTo("areas", baseUnits.area[i])],
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

// The set above a grid or sub-grid: a super-grid, a grid or an area.
function parentLink(code) {
  const set = sets.code.indexOf(code), grid = grids.code.indexOf(code), area = areas.code.lastIndexOf(code);
  return set >= 0 ? linkTo("sets", set) : grid >= 0 ? linkTo("grids", grid) : area >= 0 ? linkTo("areas", area) : code;
}

function officersOf(i) {
  const lack = grids.officers_missing[i] > 0 ? [el("span", { class: "tag bad" }, t("missing_n", { n: count(grids.officers_missing[i]) }))] : [];
  const all = [...grids.officers[i], ...lack];
  return all.length ? listOf(all) : null;
}

// Rules that name a grid, by its code.
const rulesOf = new Map();
for (const rule of DATA.rules) {
  if (rule.result !== "broken" && rule.result !== "look") continue;
  for (const code of rule.broken_by) rulesOf.set(code, [...(rulesOf.get(code) ?? []), rule]);
}
const ruleName = (rule) => DATA.texts[language][`rules.${rule.rule}`] ?? rule.rule;

// Under the figures: the rules it breaks, and what could not be met.
function notesOf({ layer, i }) {
  if (layer !== "grids") return null;
  const rules = rulesOf.get(grids.code[i]) ?? [], short = DATA.shortfalls.filter((one) => one.grid === i);
  if (!rules.length && !short.length) return null;
  return el("ul", { class: "notes" },
    rules.map((rule) => el("li", {}, el("button", { type: "button", class: "link", onclick: () => showRule(rule.rule) }, `${rule.result === "broken" ? "✕" : "!"} ${ruleName(rule)}`))),
    short.map((one) => el("li", { class: "muted" }, one.text[language])));
}

function showCard() {
  cardBox.hidden = !state.picked;
  if (!state.picked) {
    fitCard();
    return cardBox.replaceChildren();
  }
  const { layer, i } = state.picked;
  const rows = figuresOf[layer](i).filter(([, value]) => value !== null);
  cardBox.replaceChildren(
    el("header", {},
      el("div", {}, el("p", { class: "type" }, t(`one_${layer}`)), el("h2", {}, nameOf[layer](i))),
      el("button", { type: "button", "aria-label": t("close"), title: t("close"), onclick: () => pick(null) }, "×")),
    el("dl", {}, rows.flatMap(([key, value]) => [el("dt", {}, t(`field_${key}`)), el("dd", { "data-field": key }, value)])),
    notesOf(state.picked) ?? "");
  fitCard();
}

// Card and legend share the height, so that neither covers the other: the legend scrolls first, then the card.
const LEGEND_SHARE = 0.42, LEAST_CARD_PIXELS = 240;
function fitCard() {
  const legend = document.getElementById("legend");
  legend.style.maxHeight = state.picked && view.width > 760 ? `${Math.round(LEGEND_SHARE * view.height)}px` : "";
  const room = view.height - legend.offsetHeight - 48;
  cardBox.style.maxHeight = room >= LEAST_CARD_PIXELS ? `${room}px` : "";
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
    const share = { cells: 0.06, gaps: 0.5, grids: 0.6, sets: 0.6, units: 0.5, areas: 0.7, facilities: 0.7 }[thing.layer];
    lookAt(boundsOf(thing), share);
  }
  showCard();
  redraw();
}
