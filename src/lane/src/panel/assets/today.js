// What the lane has done today: three counts and a bar for each of the last hours.

import { make } from "./dom.js";
import { fill, timeOfDay } from "./say.js";

const SVG = "http://www.w3.org/2000/svg";
const HIGH = 30;
const WIDE = 8;

/** How many came in an hour. */
export const allOf = ({ admit, refer, refuse }) => admit + refer + refuse;

/** The counts as one line. */
export function counts(words, { today }) {
  return ["admit", "refer", "refuse"].map((verdict) => fill(words.today[verdict], { n: today[verdict] })).join(" · ");
}

/** The hours as bars; who was not let in is the hatched part on top. */
export function plot(words, { hours }, offsetMin) {
  const svg = document.createElementNS(SVG, "svg");
  const most = Math.max(1, ...hours.map(allOf));
  svg.setAttribute("viewBox", `0 0 ${hours.length * WIDE} ${HIGH}`);
  svg.setAttribute("role", "img");
  const said = hours.filter((hour) => allOf(hour) > 0);
  const told = said.map((hour) => fill(words.today.hour, { from: timeOfDay(hour.from, offsetMin), n: allOf(hour) }));
  svg.setAttribute("aria-label", [words.today.plot, ...told].join(" · "));
  hours.forEach((hour, at) => {
    const [all, admitted] = [allOf(hour), hour.admit].map((n) => (n / most) * (HIGH - 2));
    if (all > 0) bar(svg, "others", at, HIGH - all, all - admitted);
    bar(svg, "admitted", at, HIGH - Math.max(admitted, 1), Math.max(admitted, 1));
  });
  return svg;
}

function bar(svg, name, at, top, high) {
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("class", name);
  for (const [key, value] of Object.entries({ x: at * WIDE + 1, y: top, width: WIDE - 2, height: high })) {
    rect.setAttribute(key, value);
  }
  svg.append(rect);
}

/** Draws both into an element of the panel. */
export function drawToday(element, { words, today, info }) {
  const key = JSON.stringify([words.name, today]);
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  const line = make("p", "counts");
  line.append(make("span", "label", words.today.title), make("span", "", counts(words, today)));
  element.replaceChildren(line, plot(words, today, info?.utc_offset_min ?? 0));
}
