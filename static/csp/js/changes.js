/* Changes: asks every two seconds (thirty when hidden) what is new since the cursor. The server answers 204, or
   {"cursor": "...", "text": "3 new", "refresh": true}. New things come behind a bar, so the list never jumps under the
   hand; only an element marked data-changes-auto, with nobody typing in it, is reloaded at once, unless the answer says
   "hold": to show a customer's message is to have read it, and that is a person's act. */
import { words } from "./words.js";
import { say } from "./toasts.js";

const SEEN = 2000;
const HIDDEN = 30000;

const watch = (bar) => {
  let timer = 0;
  let misses = 0;

  const show = (text) => {
    bar.querySelector("[data-changes-text]").textContent = text;
    bar.hidden = false;
  };

  const isBusy = () => {
    const target = document.querySelector(bar.dataset.changesTarget);
    return target?.contains(document.activeElement) && document.activeElement.matches("input,textarea,select");
  };

  const take = ({ cursor, text, refresh, hold }) => {
    if (cursor !== undefined) bar.dataset.changesCursor = cursor;
    if (!refresh) return say(text);
    if (!hold && bar.hidden && bar.hasAttribute("data-changes-auto") && window.htmx && !isBusy()) return bar.querySelector("[data-changes-link]").click();
    return show(text);
  };

  const ask = async () => {
    clearTimeout(timer);
    if (!bar.isConnected) return;
    const url = new URL(bar.dataset.changesUrl, location.href);
    url.searchParams.set("since", bar.dataset.changesCursor);
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (answer.redirected || answer.status === 401) return show(words.signed_out);
      if (answer.status === 200) take(await answer.json());
      misses = answer.status < 500 ? 0 : misses + 1;
    } catch {
      misses += 1;
    }
    /* A server in trouble is asked less and less often, and never less than a hidden page asks. */
    timer = setTimeout(ask, document.hidden ? HIDDEN : Math.min(HIDDEN, SEEN * 2 ** misses));
  };

  bar.querySelector("[data-changes-link]").addEventListener("click", () => { bar.hidden = true; });
  document.addEventListener("visibilitychange", () => {
    if (!bar.isConnected) return;
    clearTimeout(timer);
    timer = setTimeout(ask, document.hidden ? HIDDEN : 0);
  });
  timer = setTimeout(ask, SEEN);
};

const watched = new WeakSet();
const look = () => {
  for (const bar of document.querySelectorAll("[data-changes-url]")) {
    if (watched.has(bar)) continue;
    watched.add(bar);
    watch(bar);
  }
};
look();
document.addEventListener("htmx:afterSettle", look);
