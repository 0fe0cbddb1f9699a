/* Composer: each kind of writing has its own text, so a note can never be sent as a reply. A draft is kept two seconds
   after typing stops, Ctrl+Enter sends. Markup: form.composer[data-draft-url] with radios name="kind" and, for each
   kind, [data-for=kind] holding a textarea of that name; [data-draft-status] tells about the draft. */
import { fill, words } from "./words.js";

const REST = 2000;
const forms = () => document.querySelectorAll("form.composer");
const kindOf = (form) => form.querySelector("[name=kind]:checked")?.value;
const textOf = (form) => form.querySelector(`[data-for="${kindOf(form)}"] textarea`) ?? form.querySelector("textarea");
const pending = new Map();

const tell = (form, sentence) => {
  const status = form.querySelector("[data-draft-status]");
  if (status) status.textContent = sentence;
};

/* Files stay behind: a draft is words. */
const draftOf = (form) => {
  const draft = new FormData();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") draft.append(name, value);
  return draft;
};

const keep = async (form) => {
  clearTimeout(pending.get(form));
  pending.delete(form);
  try {
    const answer = await fetch(form.dataset.draftUrl, {
      method: "POST", body: draftOf(form), keepalive: true, credentials: "same-origin",
    });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const time = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    tell(form, fill(words.draft_kept, { time: time.format(new Date()) }));
  } catch {
    tell(form, words.draft_lost);
    pending.set(form, setTimeout(() => keep(form), REST * 5));
  }
};

document.addEventListener("input", ({ target }) => {
  const form = target.closest?.("form[data-draft-url]");
  if (!form || target.name === "kind") return;
  clearTimeout(pending.get(form));
  pending.set(form, setTimeout(() => keep(form), REST));
});

/* What was sent is no draft any more. */
const drop = (form) => {
  clearTimeout(pending.get(form));
  pending.delete(form);
};
document.addEventListener("submit", ({ target }) => drop(target));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const form of [...pending.keys()]) if (form.isConnected) keep(form);
});

/* A key or the mouse goes on to the text; arrow keys among the kinds stay there. */
const goOn = ({ target }) => {
  if (target.name === "kind" && target.closest("form.composer")) textOf(target.form)?.focus();
};
document.addEventListener("csp:key", goOn);
document.addEventListener("click", (event) => { if (event.detail > 0) goOn(event); });

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form.composer, form[data-draft-url]");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("[type=submit]:not([hidden])"));
  }
});

/* A canned response goes in at the caret of the text in view, and stays editable. */
document.addEventListener("click", ({ target }) => {
  const source = target.closest?.("[data-insert]");
  const form = source?.closest("form.composer") ?? (source && forms()[0]);
  const text = form && textOf(form);
  if (!text) return;
  text.setRangeText(source.dataset.insert, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  const menu = source.closest("details.menu");
  if (menu) menu.open = false;
  text.focus();
});
