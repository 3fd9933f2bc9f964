// The message box with its commands, and the menus of messages: how keys and clicks walk them.
"use strict";
(() => {
  const by = (id) => document.getElementById(id);

  // ---- The message box and its commands -----------------------------------------------------------------------------

  const grow = (field) => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
  };
  let chosen = -1;
  const shown = () => [...by("commands").querySelectorAll("li:not([hidden])")];

  function offer(field) {
    const list = by("commands");
    const typed = field.value.trimStart().toLowerCase();
    for (const item of list.children) {
      const command = item.dataset.command.toLowerCase();
      item.hidden = !(typed.startsWith("/") && (command.startsWith(typed) || typed.startsWith(`${command} `)));
    }
    const items = shown();
    // What is typed longer than others is what is meant: only its usage is shown.
    const longest = items.filter((item) => typed.startsWith(`${item.dataset.command.toLowerCase()} `));
    for (const item of longest.slice(0, -1)) item.hidden = items.length > 1;
    list.hidden = shown().length === 0;
    if (!list.hidden) {
      field.closest(".composer").append(list);
      mark(field, -1);
    }
    field.setAttribute("aria-expanded", String(!list.hidden));
  }

  function mark(field, index) {
    const items = shown();
    chosen = items.length ? (index + items.length + 1) % (items.length + 1) : -1;
    if (chosen === items.length) chosen = -1;
    for (const item of by("commands").children) item.setAttribute("aria-selected", "false");
    const item = items[chosen];
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) field.setAttribute("aria-activedescendant", item.id);
    else field.removeAttribute("aria-activedescendant");
  }

  function take(field, item) {
    field.value = `${item.dataset.command} `;
    field.focus();
    offer(field);
  }

  function hide(field) {
    by("commands").hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function keys(event) {
    const field = event.target;
    if (event.isComposing) return;
    const isOffered = !by("commands").hidden;
    const items = shown();
    if (isOffered && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? chosen + 1 : chosen === -1 ? items.length - 1 : chosen - 1;
      mark(field, step);
    } else if (isOffered && event.key === "Escape") {
      event.preventDefault();
      hide(field);
    } else if (isOffered && event.key === "Tab" && !event.shiftKey && field.value.trim() !== "") {
      const item = items[chosen] ?? items[0];
      if (!field.value.startsWith(`${item.dataset.command} `)) {
        event.preventDefault();
        take(field, item);
      }
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (isOffered && chosen >= 0) {
        take(field, items[chosen]);
      } else if (field.value.trim()) {
        hide(field);
        field.form.requestSubmit();
      }
    }
  }

  // ---- Menus --------------------------------------------------------------------------------------------------------

  // One menu at a time; the arrows walk it, Escape closes it, and it opens upwards where there is no room below.
  const MENU = "details:is(.b-menu, .b-confirm)";
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.(`${MENU}[open]`)) return;
    for (const other of document.querySelectorAll(`${MENU}[open]`)) {
      if (other !== menu && !other.contains(menu)) other.open = false;
    }
    const list = menu.lastElementChild;
    const box = menu.closest("[data-stick], dialog, main")?.getBoundingClientRect();
    const space = (box?.bottom ?? innerHeight) - menu.getBoundingClientRect().bottom;
    menu.classList.toggle("up", list.offsetHeight + 12 > space);
    menu.classList.remove("left");
    menu.classList.toggle("left", list.getBoundingClientRect().right > innerWidth - 8);
  }, true);

  document.addEventListener("click", (event) => {
    const close = event.target.closest?.("button[data-close]");
    if (close) close.closest("details").open = false;
    for (const menu of document.querySelectorAll(`${MENU}[open]`)) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (!event.target.closest?.(".composer")) {
      const field = document.querySelector("textarea[aria-expanded=true]");
      if (field) hide(field);
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(`${MENU}[open]`);
    if (!menu) return;
    const items = [...menu.querySelectorAll("button, a")];
    const at = items.indexOf(document.activeElement);
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.stopPropagation();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      items[(at + step + items.length) % items.length]?.focus();
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const field of document.querySelectorAll(".composer textarea")) {
      field.setAttribute("role", "combobox");
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-controls", "commands");
      field.setAttribute("aria-expanded", "false");
      field.addEventListener("keydown", keys);
      field.addEventListener("written", () => grow(field));
      field.addEventListener("input", () => {
        grow(field);
        offer(field);
      });
    }
    by("commands").addEventListener("mousedown", (event) => {
      const item = event.target.closest("li");
      const field = by("commands").closest(".composer")?.querySelector("textarea");
      event.preventDefault();
      if (item && field) take(field, item);
    });
  });
})();
