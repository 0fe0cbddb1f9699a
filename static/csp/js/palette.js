/* Palette: typing filters what is there, arrows move, Enter goes. Its form works without any of this. */
import { registered } from "./keys.js";

const input = document.querySelector("[data-palette]");
const dialog = input?.closest("dialog");

const links = () => [...dialog.querySelectorAll("li a")];
const visible = () => links().filter((link) => !link.parentElement.hidden);
const mark = (chosen) => links().forEach((link) => link.toggleAttribute("data-active", link === chosen));

const filter = () => {
  const query = input.value.trim().toLowerCase();
  for (const link of links()) {
    const isAnswer = link.closest("#palette-found");
    link.parentElement.hidden = !isAnswer && !link.textContent.toLowerCase().includes(query);
  }
  for (const heading of dialog.querySelectorAll(".palette__g")) {
    let any = false;
    for (let item = heading.nextElementSibling; item && !item.matches(".palette__g"); item = item.nextElementSibling)
      any ||= !item.hidden;
    heading.hidden = !any;
  }
  mark(visible()[0]);
};

/* Commands are the controls that the page registers by key and that are not already places. */
const offerCommands = () => {
  const heading = dialog.querySelector("[data-palette-commands]");
  dialog.querySelectorAll("[data-command]").forEach((item) => item.remove());
  for (const { key, label, control } of registered()) {
    if (!control || /[ +]/.test(key) || control.closest("dialog,#nav")) continue;
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = control.href ?? "#";
    link.textContent = label;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
      control.click();
    });
    item.dataset.command = key;
    item.append(link);
    heading.parentElement.append(item);
  }
};

if (dialog) {
  dialog.addEventListener("csp:open", () => {
    offerCommands();
    input.select();
    filter();
  });
  input.addEventListener("input", filter);
  dialog.addEventListener("htmx:afterSettle", filter);
  input.addEventListener("keydown", (event) => {
    const all = visible();
    const here = all.findIndex((link) => link.hasAttribute("data-active"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = all[Math.max(0, Math.min(all.length - 1, here + (event.key === "ArrowDown" ? 1 : -1)))];
      mark(next);
      next?.scrollIntoView({ block: "nearest" });
    }
    if (event.key === "Enter" && all[here]) {
      event.preventDefault();
      all[here].click();
    }
  });
}
