// Words and figures in the language of the reader. Text of the plan reaches the page as text nodes only.
const DATA = JSON.parse(document.getElementById("plan-data").textContent);
const LANGUAGES = [["zh", "中文"], ["en", "EN"]];
const NOTHING = "–";
let language = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";

function t(key, values) {
  const wording = DATA.texts[language][key];
  return values ? wording.replace(/\{(\w+)\}/g, (_, name) => String(values[name])) : wording;
}

// Name of a value of a closed vocabulary, or the value itself.
function word(group, value) {
  if (value === null || value === undefined || value === "") return NOTHING;
  return DATA.texts[language][`exports.${group}_${value}`] ?? String(value);
}

const missing = (value) => value === null || value === undefined || Number.isNaN(value);
const grouped = (value, digits = 0) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const count = (value) => (missing(value) ? NOTHING : grouped(value));
const unit = () => DATA.indicators.demand.unit;

function percent(share) {
  if (missing(share)) return NOTHING;
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return grouped(100 * share, 1) + " %";
}

const signed = (share) => (missing(share) ? NOTHING : (share > 0 ? "+" : share < 0 ? "-" : "±") + grouped(100 * Math.abs(share), 1) + " %");

function area(squareMetres) {
  if (missing(squareMetres)) return NOTHING;
  if (squareMetres < 1e4) return grouped(squareMetres) + " m²";
  return grouped(squareMetres / 1e6, squareMetres >= 1e7 ? 1 : 2) + " km²";
}

function distance(metres) {
  if (missing(metres)) return NOTHING;
  return metres < 999.5 ? grouped(metres) + " m" : grouped(metres / 1000, metres >= 99950 ? 0 : 1) + " km";
}

function amount(demand) {
  if (missing(demand)) return NOTHING;
  return unit() === "m2" ? area(demand) : `${grouped(demand, demand < 10 && demand % 1 ? 1 : 0)} ${word("unit", unit())}`;
}

// An element: attributes by name, `on…` listeners, children as nodes or text.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}
