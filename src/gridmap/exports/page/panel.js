// The side panel: what the plan comes to, its gaps and its rules.
const panelBox = document.getElementById("panel"), tabsBox = document.getElementById("tabs");
const TABS = ["overview", "gaps", "rules"];
const CLASSES = ["all", ...DATA.settlements];
let openTab = "overview";

const broken = () => DATA.rules.filter((rule) => rule.result === "broken").length;
const brokenBy = (name) => DATA.rules.filter((rule) => rule.rule === name).reduce((sum, rule) => sum + rule.broken_by.length, 0);

function showTabs() {
  const numbers = { gaps: gaps.code.length, rules: broken() };
  tabsBox.setAttribute("aria-label", t("tabs"));
  tabsBox.replaceChildren(...TABS.map((name) => el("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === openTab), "aria-controls": "panel",
    tabindex: name === openTab ? "0" : "-1",
    onclick: () => { openTab = name; showPanel(); },
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      openTab = TABS[(TABS.indexOf(name) + step + TABS.length) % TABS.length];
      showPanel();
      document.getElementById(`tab-${openTab}`).focus();
    },
  }, t(`tab_${name}`), name in numbers ? el("span", { class: "n" }, count(numbers[name])) : null)));
}

function showPanel() {
  showTabs();
  panelBox.setAttribute("aria-labelledby", `tab-${openTab}`);
  panelBox.replaceChildren(...{ overview, gaps: gapRows, rules: ruleRows }[openTab]());
  panelBox.scrollTop = 0;
}

function bar(share) {
  const fill = el("i");
  fill.style.width = `${100 * (share || 0)}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}

function tile(number, label, bad = false) {
  return el("div", { class: bad ? "bad" : null }, el("b", {}, count(number)), el("span", {}, label));
}

function table(heads, rows) {
  return el("table", {},
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell))))));
}

function overview() {
  const { balance, counts, coverage, coverage_by_kind: byKind, demand, grids: ofGrids, crossing, villages } = DATA.indicators;
  const withDemand = !demand.stands_in;
  const withBar = (share) => [percent(share), bar(share)];
  const hero = [el("div", {}, el("b", { id: "ground-covered" }, percent(coverage.all.covered_area_share)), el("span", {}, t("of_ground")))];
  if (withDemand) hero.unshift(el("div", {}, el("b", { id: "demand-covered" }, percent(coverage.all.covered_demand_share)), el("span", {}, t("of_demand", { unit: word("unit", demand.unit) }))));
  const columns = withDemand ? ["demand", "ground"] : ["ground"];
  const shares = (figures) => (withDemand ? [withBar(figures.covered_demand_share)] : []).concat([withBar(figures.covered_area_share)]);
  const unmanaged = grids.manager_missing.filter(Boolean).length;
  const noCash = brokenBy("rural_cash_point_per_village"), over = brokenBy("capacity_not_exceeded");
  return [
    el("div", { class: "hero" }, hero),
    el("div", { class: "tiles" },
      tile(counts.grids, t("tile_grids")), tile(counts.cells, t("tile_cells")), tile(counts.gaps, t("tile_gaps"), counts.gaps > 0),
      tile(counts.outlets, t("tile_outlets")), tile(counts.devices, t("tile_devices")), tile(noCash, t(villages.all.total ? "tile_no_cash" : "tile_no_cash_grids"), noCash > 0),
      tile(over, t("tile_over"), over > 0), tile(crossing.max, t("tile_crossing")),
      el("div", {}, el("b", {}, percent(ofGrids.entry_rate)), el("span", {}, t("tile_entry"))),
      tile(broken(), t("tile_rules"), broken() > 0), tile(unmanaged, t("tile_unmanaged"), unmanaged > 0),
      tile(balance.grids ? balance.grids - balance.within_tolerance : null, t("tile_unbalanced", { tolerance: percent(DATA.tolerance) }), balance.grids > balance.within_tolerance)),
    ...balanceRows(),
    el("h2", {}, t("by_class")),
    table(["", ...columns.map((name) => t(`head_${name}`)), t("head_p95")],
      CLASSES.filter((name) => coverage[name].cells > 0).map((name) => [word("settlement", name), ...shares(coverage[name]), distance(coverage[name].p95_distance_m)])),
    el("h2", {}, t("by_kind")),
    table(["", t("head_facilities"), ...columns.map((name) => t(`head_${name}`))],
      DATA.kinds.filter((kind) => byKind[kind].facilities > 0).map((kind) => [word("kind", kind), count(byKind[kind].facilities), ...shares(byKind[kind].all)])),
    el("h2", {}, t("warnings")),
    DATA.warnings.length ? el("ul", { class: "plain" }, DATA.warnings.map((line) => el("li", {}, line))) : el("p", { class: "muted" }, t("none")),
    el("h2", {}, t("reading")),
    el("p", { class: "muted" }, t("reading_text", { resolution: DATA.plan.resolution })),
  ];
}

const MOST_PARENTS = 12;

// How grids come to their targets, the worst parents first.
function balanceRows() {
  const { balance } = DATA.indicators;
  const drawn = grids.code.map((_, i) => i).filter((i) => !missing(grids.deviation[i]));
  if (!drawn.length) return [];
  const worst = drawn.reduce((a, b) => (Math.abs(grids.deviation[b]) > Math.abs(grids.deviation[a]) ? b : a));
  const named = balance.by_parent.filter(({ code }) => code).sort((a, b) => b.max - a.max || (a.code < b.code ? -1 : 1)).slice(0, MOST_PARENTS);
  return [
    el("h2", {}, t("balance")),
    el("p", { class: "muted" }, t("balance_worst", { deviation: signed(grids.deviation[worst]) }), " ", linkTo("grids", worst)),
    named.length < 2 ? null : table(["", t("tile_grids"), t("head_within"), t("head_largest")], named.map((one) => [
      parentLink(one.code), count(one.grids), [percent(one.within_tolerance_share), bar(one.within_tolerance_share)], percent(one.max)])),
  ].filter(Boolean);
}

function gapRows() {
  if (!gaps.code.length) return [el("p", { class: "muted" }, t("no_gaps"))];
  const order = gaps.rank.map((_, i) => i).sort((a, b) => gaps.rank[a] - gaps.rank[b]);
  const total = DATA.indicators.gaps, much = (i) => (unit() === "m2" ? area(gaps.area_m2[i]) : amount(gaps.demand[i]));
  return [
    el("h2", {}, unit() === "m2" ? t("gaps_total_area", { area: area(total.area_m2) }) : t("gaps_total", { demand: amount(total.demand), area: area(total.area_m2) })),
    el("ul", { class: "rows" }, order.map((i) => el("li", {}, el("button", { type: "button", class: "row", "data-gap": gaps.code[i], onclick: () => pick({ layer: "gaps", i }, true) },
      el("span", { class: "rank" }, count(gaps.rank[i])),
      el("span", { class: "what" }, nameOf.gaps(i)),
      el("span", { class: "much" }, much(i)),
      el("small", {}, `${area(gaps.area_m2[i])} · ${word("settlement", gaps.settlement[i])} · ` + (gaps.nearest[i] < 0 ? t("no_facility")
        : t("nearest_is", { name: nameOf.facilities(gaps.nearest[i]), distance: distance(gaps.nearest_distance_m[i]) }))))))),
  ];
}

const MOST_BREAKERS = 200;

function ruleRows() {
  return [...shortfallRows(), el("ul", { class: "rows" }, DATA.rules.map((rule) => {
    const name = ruleName(rule), meaning = DATA.texts[language][`rules.${rule.rule}_meaning`];
    const shown = rule.broken_by.slice(0, MOST_BREAKERS);
    return el("li", { class: `rule ${rule.result}`, "data-rule": rule.rule },
      el("span", { class: "sign", "aria-hidden": "true" }, { holds: "✓", look: "!", broken: "✕", empty: "–" }[rule.result]),
      el("span", {}, name), el("span", { class: "muted" }, t(`rule_${rule.result}`)),
      meaning ? el("small", {}, meaning) : null,
      rule.broken_by.length ? el("details", {},
        el("summary", {}, t("broken_by", { n: count(rule.broken_by.length), checked: count(rule.checked) })),
        el("ul", {}, shown.map((code) => el("li", {}, ...breaker(code)))),
        shown.length < rule.broken_by.length ? el("p", { class: "muted" }, t("and_more", { n: count(rule.broken_by.length - shown.length) })) : null) : null);
  }))];
}

// What was asked of the grids and cannot be, with the grid and the base unit that stands in the way.
function shortfallRows() {
  if (!DATA.shortfalls.length) return [];
  const called = (layer, i) => linkTo(layer, i, `${t(`one_${layer}`)} ${nameOf[layer](i)}`);
  const links = (one) => [one.grid < 0 ? null : called("grids", one.grid), unitRow(one.unit, called)].filter(Boolean);
  return [
    el("h2", {}, t("not_met", { n: count(DATA.shortfalls.length) })),
    el("ul", { class: "plain", id: "shortfalls" }, DATA.shortfalls.slice(0, MOST_BREAKERS).map((one) => el("li", {}, one.text[language],
      el("span", { class: "stack left" }, links(one))))),
    el("h2", {}, t("tab_rules")),
  ];
}

function unitRow(code, called) {
  const i = code === null ? -1 : baseUnits.code.indexOf(code), area = code === null ? -1 : areas.code.lastIndexOf(code);
  return i >= 0 ? called("units", i) : area >= 0 ? called("areas", area) : null;
}

function showRule(name) {
  openTab = "rules";
  showPanel();
  const row = panelBox.querySelector(`[data-rule="${name}"]`);
  row?.querySelector("details")?.setAttribute("open", "");
  row?.scrollIntoView({ block: "center" });
}

function breaker(code) {
  const thing = thingOf(code);
  return thing ? [linkTo(thing.layer, thing.i), thing.layer === "cells" ? "" : el("span", { class: "code" }, code)] : [code];
}

// Whatever has this code. Areas go first: a rule about villages names village codes.
function thingOf(code) {
  for (const [layer, codes] of [["areas", areas.code], ["grids", grids.code], ["facilities", facilities.code], ["units", baseUnits.code], ["sets", sets.code]]) {
    const i = codes.lastIndexOf(code);
    if (i >= 0) return { layer, i };
  }
  const i = cellOf(code);
  return i < 0 ? null : { layer: "cells", i };
}

function cellOf(id) {
  if (!/^[0-9a-f]{15,16}$/.test(id)) return -1;
  const low = parseInt(id.slice(-8), 16), high = parseInt(id.slice(0, -8), 16);
  return cells.id_low.findIndex((part, i) => part === low && cells.id_high[i] === high);
}

function showHeader() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.getElementById("plan-name").textContent = DATA.plan.name;
  const proof = el("span", { class: DATA.plan.exact ? "proof" : "proof bad", title: DATA.plan.digest },
    t(DATA.plan.exact ? "exact" : "not_exact", { digest: DATA.plan.digest.slice(0, 8) }));
  document.getElementById("plan-line").replaceChildren(DATA.plan.institution, proof);
  const choice = document.getElementById("languages");
  choice.setAttribute("aria-label", t("language"));
  choice.replaceChildren(...LANGUAGES.map(([code, label]) => el("button", {
    type: "button", lang: code, "data-language": code, "aria-pressed": String(code === language), onclick: () => speak(code),
  }, label)));
}
