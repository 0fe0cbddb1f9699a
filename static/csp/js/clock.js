/* Clocks: the server renders words and thresholds, this keeps them true. It never reorders a list. */
import { fill, words } from "./words.js";

const MINUTE = 60000;
const EVERY = 30000;
const NBSP = "\u00a0";

/* Counted from the server's time, since the clock of a visitor's machine may be wrong. */
const ahead = Date.parse(document.documentElement.dataset.now) - Date.now();
export const now = () => Date.now() + (Number.isNaN(ahead) ? 0 : ahead);

const parts = (length) => {
  const minutes = Math.floor(Math.abs(length) / MINUTE);
  return { days: Math.floor(minutes / 1440), hours: Math.floor((minutes % 1440) / 60), minutes: minutes % 60 };
};

/** The short form of a length in milliseconds, as csp.clockface.short writes it. */
export const short = (length) => {
  const { d, h, m } = words.units;
  const { days, hours, minutes } = parts(length);
  let said;
  if (days) said = [days, d, ...(hours && days < words.days_only_from ? [hours, h] : [])];
  else if (hours) said = [hours, h, ...(minutes ? [String(minutes).padStart(2, "0"), m] : [])];
  else said = minutes ? [minutes, m] : ["<", 1, m];
  return said.join(NBSP);
};

const voice = Intl.DurationFormat && new Intl.DurationFormat(document.documentElement.lang, { style: "long" });

const spoken = (length) => {
  if (!voice) return short(length).replaceAll(NBSP, " ");
  const { days, hours, minutes } = parts(length);
  if (days) return voice.format(days < words.days_only_from ? { days, hours } : { days });
  return hours || minutes ? voice.format({ hours, minutes }) : words.none;
};

/** The state of a running clock: thresholds are instants, and each holds only *after* its instant. */
export const stateAt = ({ due, soon, urgent }, at) =>
  at > Date.parse(due) ? "over" : at > Date.parse(urgent) ? "urgent" : at > Date.parse(soon) ? "soon" : "ample";

const turn = (face, at) => {
  const { due, when, verbIs: verb } = face.dataset;
  const left = Date.parse(due) - at;
  const state = stateAt(face.dataset, at);
  face.querySelector("time").textContent = short(left);
  const said = face.querySelector("[data-said]");
  if (said) said.textContent = `, ${fill(words.said[state], { time: spoken(left), when, verb })}`;
  if (state === face.dataset.state) return;
  face.dataset.state = state;
  const head = face.querySelector("[data-head]");
  if (head && state === "over") head.textContent = words.overdue;
  const late = face.querySelector("[data-late]");
  if (late && state === "over") late.textContent = `, ${words.overdue.toLowerCase()} `;
  if (state === "over") blunt(face.querySelector(".clock__ring"));
  /* Passing into the last hour is announced once, for the matter in view only. */
  if (state === "urgent" && face.closest("[data-announce]"))
    document.dispatchEvent(new CustomEvent("csp:toast", { detail: { text: fill(words.urgent_now, { verb, when }) } }));
};

/* The overdue ring is another shape, as the server draws it. */
const blunt = (ring) => {
  if (!ring) return;
  const make = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  ring.replaceChildren(
    make("circle", { class: "solid", cx: 8, cy: 8, r: 8 }),
    make("path", { class: "cut", d: "M8 4.2v4.6M8 11.6v.1" }),
  );
};

export const turnAll = () => {
  const at = now();
  for (const face of document.querySelectorAll("[data-due]")) turn(face, at);
};

/* Every half minute, and at the very instant when a clock changes its state. */
let alarm = 0;
const wind = () => {
  clearTimeout(alarm);
  if (document.hidden) return;
  turnAll();
  const at = now();
  const instants = [...document.querySelectorAll("[data-due]")]
    .flatMap(({ dataset: { due, soon, urgent } }) => [due, soon, urgent].map((instant) => Date.parse(instant) + 1))
    .filter((instant) => instant > at);
  alarm = setTimeout(wind, Math.max(1, Math.min(EVERY, ...instants.map((instant) => instant - at))));
};
document.addEventListener("visibilitychange", wind);
document.addEventListener("htmx:afterSettle", wind);
if (words.units) wind();
