/* Theme, dialogs, menus, focus after a swap, and rows that light up their pin. */
const root = document.documentElement;

for (const control of document.querySelectorAll("[data-needs-scripts]")) control.hidden = false;

/* The theme changes at once and is stored by the form that would otherwise reload the page. */
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form) return;
  event.preventDefault();
  const isDark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = isDark ? "light" : "dark";
  const chosen = new FormData(form);
  chosen.set("theme", root.dataset.theme);
  fetch(form.action, { method: "POST", body: chosen, credentials: "same-origin", redirect: "manual" }).catch(() => {});
});

/* <a href="/page/" data-dialog="id">: the link is the way without scripts. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (!dialog?.showModal || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (dialog.open) return;
  dialog.showModal();
  dialog.dispatchEvent(new Event("csp:open"));
});

document.addEventListener("click", ({ target }) => {
  if (target.matches?.("dialog.dialog")) target.close();
  const closer = target.closest?.("[data-close]");
  if (closer) closer.closest("dialog")?.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});

/* Where a dialog begins: at its first field (of radios, the chosen one), so that words typed after its key arrive. */
const beginning = (pane) => {
  const first = pane.querySelector(".dialog__b :is(input:not([type=hidden]),select,textarea):not(:disabled)");
  return first?.type === "radio" ? pane.querySelector(`[name="${CSS.escape(first.name)}"]:checked`) ?? first : first;
};

/* When a pane is replaced its heading says data-focus; errors do too, and before it. The page does not scroll away from
   the reader. */
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const marked = target.matches?.("[data-focus]") ? target : target.querySelector?.(".errsum[data-focus]") ?? target.querySelector?.("[data-focus]");
  const field = marked?.matches("dialog h2") ? beginning(marked.closest("dialog")) : null;
  (field ?? marked)?.focus({ preventScroll: true });
  if (field?.tagName === "TEXTAREA") field.setSelectionRange(field.value.length, field.value.length);
});
document.querySelector(".errsum[data-focus]")?.focus();

for (const [name, isHot] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]])
  document.addEventListener(name, ({ target }) => {
    const row = target.closest?.("[data-pin-for]");
    if (row) document.querySelector(`[data-pin="${CSS.escape(row.dataset.pinFor)}"]`)?.classList.toggle("is-hot", isHot);
  });

for (const pane of document.querySelectorAll("[data-scroll-end]")) pane.scrollTop = pane.scrollHeight;

/* How many are marked: <form id="bulk"> with <span data-count-of="t"> counts its boxes of that name, on the page or not. */
const count = (form) => {
  const shown = form?.querySelector("[data-count-of]");
  if (shown) shown.textContent = new FormData(form).getAll(shown.dataset.countOf).length;
};
document.addEventListener("change", ({ target }) => count(target.form));
document.addEventListener("reset", ({ target }) => setTimeout(() => count(target)));
for (const shown of document.querySelectorAll("[data-count-of]")) count(shown.closest("form"));
