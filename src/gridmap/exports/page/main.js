// Bring it to life: pointers, wheel, keys, languages, light and dark.
const CLICK_PIXELS = 5, KEY_PIXELS = 80, KEY_ZOOM = 1.4;
const pointers = new Map();
let moved = 0;

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  if (pointers.size === 1) moved = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const here = [event.offsetX, event.offsetY], other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  moved += Math.hypot(here[0] - before[0], here[1] - before[1]);
  if (other) {
    const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    zoomAt((here[0] + other[0]) / 2, (here[1] + other[1]) / 2, apart(here) / Math.max(apart(before), 1));
    panBy((here[0] - before[0]) / 2, (here[1] - before[1]) / 2);
  } else panBy(here[0] - before[0], here[1] - before[1]);
  pointers.set(event.pointerId, here);
  redraw(false);
});
canvas.addEventListener("pointerup", (event) => {
  const alone = pointers.size === 1;
  pointers.delete(event.pointerId);
  if (alone && moved < CLICK_PIXELS) pick(thingAt(event.offsetX, event.offsetY));
});
canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 30 : 1;
  zoomAt(event.offsetX, event.offsetY, Math.exp((-event.deltaY * lines) / 500));
  redraw(false);
}, { passive: false });
canvas.addEventListener("dblclick", (event) => { zoomAt(event.offsetX, event.offsetY, 2); redraw(); });

const KEYS = {
  ArrowLeft: () => panBy(KEY_PIXELS, 0),
  ArrowRight: () => panBy(-KEY_PIXELS, 0),
  ArrowUp: () => panBy(0, KEY_PIXELS),
  ArrowDown: () => panBy(0, -KEY_PIXELS),
  "+": () => zoomAt(view.width / 2, view.height / 2, KEY_ZOOM),
  "=": () => zoomAt(view.width / 2, view.height / 2, KEY_ZOOM),
  "-": () => zoomAt(view.width / 2, view.height / 2, 1 / KEY_ZOOM),
  0: () => lookAt(everything),
  Enter: () => pick(thingAt(view.width / 2, view.height / 2)),
};
canvas.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
  redraw(event.key === "Enter" || event.key === "0");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.picked && event.target !== searchBox) { pick(null); canvas.focus(); }
});
const hintBox = document.getElementById("hint");
canvas.addEventListener("focus", () => { hintBox.hidden = !canvas.matches(":focus-visible"); });
canvas.addEventListener("blur", () => { hintBox.hidden = true; });

function showZoom() {
  const button = (sign, key, act) => el("button", { type: "button", "aria-label": t(key), title: t(key), onclick: () => { act(); redraw(); } }, sign);
  document.getElementById("zoom").setAttribute("aria-label", t("zoom"));
  document.getElementById("zoom").replaceChildren(
    button("+", "zoom_in", KEYS["+"]), button("−", "zoom_out", KEYS["-"]), button("⤢", "zoom_fit", KEYS[0]));
}

function speak(code) {
  language = code;
  showHeader();
  showPanel();
  showLegend();
  showZoom();
  showCard();
  hintBox.textContent = t("keys");
  searchBox.placeholder = t("search");
  searchBox.setAttribute("aria-label", t("search"));
  canvas.setAttribute("aria-label", t("map_label", { name: DATA.plan.name }));
  redraw();
}

legendBox.addEventListener("toggle", fitCard);
dark.addEventListener("change", () => { showLegend(); redraw(); });
if (innerWidth < 820) legendBox.open = false;
speak(language);
resize();
lookAt(everything);
new ResizeObserver(resize).observe(canvas);
new ResizeObserver(fitCard).observe(legendBox);
