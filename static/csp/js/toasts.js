/* Toasts: short news of what went well, and the truth when htmx could not do it. Never the only place a message is. */
import { words } from "./words.js";

const STAYS = 8000;
const box = document.getElementById("toasts");

const leaveLater = (toast) => {
  const leave = () => (toast.matches(":hover,:focus-within") ? setTimeout(leave, 2000) : toast.remove());
  setTimeout(leave, STAYS);
};

/** Says a sentence; `undo` is the address of a POST that takes the act back. */
export const say = (text, undo = "") => {
  if (!box || !text) return;
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.append(text);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words.undo;
    button.addEventListener("click", () => {
      window.htmx?.ajax("POST", undo, { swap: "none" });
      toast.remove();
    });
    toast.append(" ", button);
  }
  box.append(toast);
  leaveLater(toast);
};

box?.querySelectorAll(".toast").forEach(leaveLater);

document.addEventListener("csp:toast", ({ detail }) => say(detail.text ?? detail.value, detail.undo));
document.addEventListener("htmx:sendError", () => say(words.offline));
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const known = { 401: words.signed_out, 403: words.forbidden, 409: words.conflict };
  say(known[xhr.status] ?? words.failed);
});
