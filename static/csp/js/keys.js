/* Keyboard. What a page can do by key is written on its controls: data-key="n", "g q", "ctrl+k", with data-key-label.
   Single keys never fire inside fields or dialogs, and can be turned off (WCAG 2.1.4). */
import { words } from "./words.js";

const PAUSE = 1200;
const root = document.documentElement;
const FIELDS = "input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable],dialog";

const isShown = (control) => control.checkVisibility?.() ?? control.offsetParent !== null;

/* A control in a fold or behind a drawer still answers to its key; of two, the one in sight wins. */
const controlFor = (key) => {
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
  return all.find(isShown) ?? all[0];
};

const act = (control) => {
  if (!control) return false;
  if (control.matches("input:not([type=checkbox]):not([type=radio]),textarea,select")) control.focus();
  else {
    control.click();
    control.dispatchEvent(new Event("csp:key", { bubbles: true }));
  }
  return true;
};

const links = () => [...document.querySelectorAll("[data-rows] .row__t")];

/** Moves along a list: the row with the focus, else the current one, is where we are. */
const move = (step) => {
  const all = links();
  if (!all.length) return false;
  const focused = all.indexOf(document.activeElement);
  const here = focused < 0 ? all.findIndex((link) => link.closest("[aria-current=true]")) : focused;
  const next = all[Math.max(0, Math.min(all.length - 1, here + step + (here < 0 && step < 0 ? 1 : 0)))];
  for (const row of document.querySelectorAll("[data-rows] [aria-current=true]")) row.removeAttribute("aria-current");
  next.closest(".row").setAttribute("aria-current", "true");
  next.focus();
  return true;
};

const select = () => act(document.querySelector("[data-rows] [aria-current=true] > input[type=checkbox]"));
const clauseHere = () => document.querySelector(".serves .clause");
const builtIn = { ".": () => act(clauseHere()), j: () => move(1), k: () => move(-1), x: select };

let first = "";
let firstAt = 0;

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (event.key === "Escape" && !closeMenus() && event.target.closest?.(FIELDS)) event.target.blur();
  if (event.ctrlKey || event.metaKey) {
    if (!event.altKey && act(controlFor(`ctrl+${key}`))) event.preventDefault();
    return;
  }
  if (root.dataset.keys === "off" || event.altKey || event.target.closest?.(FIELDS)) return;
  const pair = first && Date.now() - firstAt < PAUSE ? `${first} ${key}` : "";
  first = "";
  if (pair && act(controlFor(pair))) return event.preventDefault();
  if (act(controlFor(key)) || builtIn[key]?.()) return event.preventDefault();
  if (document.querySelector(`[data-key^="${CSS.escape(key)} "]`)) {
    first = key;
    firstAt = Date.now();
  }
});

/* Esc hides tooltips for a moment and closes menus, giving the focus back; else it leaves the field. */
const closeMenus = () => {
  const open = document.querySelectorAll("details.menu[open]");
  root.dataset.esc = "";
  setTimeout(() => delete root.dataset.esc, PAUSE);
  for (const menu of open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  return open.length > 0;
};

/* The visible words of a control, without the key cap on it. */
const wordsOf = (control) => {
  const copy = control.cloneNode(true);
  for (const cap of copy.querySelectorAll("kbd")) cap.remove();
  return copy.textContent.trim();
};

/** What the page registers, once each: [{ key, label, control }]. */
export const registered = () => {
  const seen = new Map();
  for (const control of document.querySelectorAll("[data-key]")) {
    const { key, keyLabel } = control.dataset;
    const label = keyLabel || control.getAttribute("aria-label") || wordsOf(control);
    if (!seen.has(key)) seen.set(key, { key, label, control });
  }
  if (links().length)
    for (const [key, label] of [["j", words.list_down], ["k", words.list_up], ["x", words.list_select]])
      if (!seen.has(key)) seen.set(key, { key, label, control: null });
  if (clauseHere() && !seen.has(".")) seen.set(".", { key: ".", label: words.clause_here, control: null });
  return [...seen.values()];
};

/* The help is made when it is opened, so that it tells what this page can do now. */
const list = document.querySelector("[data-keys-list]");
list?.closest("dialog").addEventListener("csp:open", () => {
  list.replaceChildren(
    ...registered().map(({ key, label }) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const keys = document.createElement("dd");
      term.textContent = label;
      for (const part of key.split(/[ +]/)) {
        const cap = document.createElement("kbd");
        cap.textContent = part.length > 1 ? part[0].toUpperCase() + part.slice(1) : part.toUpperCase();
        keys.append(cap);
      }
      row.append(term, keys);
      return row;
    }),
  );
});
