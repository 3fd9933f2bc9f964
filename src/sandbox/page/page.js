// Sends the page's forms without leaving it, and puts in place what the sandbox pushes.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const kept = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* Storage may be forbidden; then nothing is remembered. */ }
    return null;
  };
  if (kept("theme")) root.dataset.theme = kept("theme");

  const by = (id) => document.getElementById(id);
  const make = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  };

  // ---- Pieces -------------------------------------------------------------------------------------------------------

  const isField = (node) => /^(INPUT|TEXTAREA|SELECT)$/.test(node.nodeName);
  const isTouched = (node) =>
    node === document.activeElement || node.dataset.touched !== undefined;

  // Makes `old` what `fresh` is, without touching what stays: focus, half-typed text and open menus survive.
  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.isEqualNode(fresh)) return;
    for (const { name } of [...old.attributes]) {
      const isOpen = name === "open" || name === "data-touched";
      if (!fresh.hasAttribute(name) && !isOpen) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    if (isField(old)) {
      if (isTouched(old)) return;
      if (old.nodeName === "INPUT" && /^(checkbox|radio)$/.test(old.type)) old.checked = fresh.checked;
      if (old.nodeName === "SELECT") {
        old.replaceChildren(...fresh.childNodes);
        return;
      }
    }
    const olds = [...old.childNodes];
    const named = new Map(olds.filter((node) => node.id).map((node) => [node.id, node]));
    let place = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const same = (next.id && named.get(next.id)) || place;
      if (!same || (!next.id && same.id && fresh.querySelector(`:scope > #${CSS.escape(same.id)}`))) {
        old.insertBefore(next, place);
        continue;
      }
      if (same !== place) old.insertBefore(same, place);
      place = same.nextSibling;
      morph(same, next);
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  function put({ region, id, html, after }) {
    const home = by(region);
    const fresh = make(html);
    if (!home || !fresh) return;
    const old = by(id);
    if (old) {
      morph(old, fresh);
    } else {
      const before = after === null ? null : by(after);
      home.insertBefore(fresh, before ? before.nextSibling : home.firstChild);
    }
    dress(by(id));
  }

  function remove(element) {
    if (!element) return;
    const dialog = element.matches("dialog") ? element : null;
    const opener = dialog?.opener;
    element.remove();
    if (dialog && opener?.isConnected) opener.focus();
    else if (dialog) by("composer")?.focus();
  }

  // ---- Windows ------------------------------------------------------------------------------------------------------

  let lastUsed = null;

  // A dialog that came open is made modal: it takes the focus, keeps it, and gives it back.
  function dress(element) {
    const dialogs = element?.matches?.("dialog") ? [element] : element?.querySelectorAll?.("dialog[open]") ?? [];
    for (const dialog of dialogs) {
      if (dialog.dressed) continue;
      dialog.dressed = true;
      dialog.opener = lastUsed;
      dialog.close();
      dialog.showModal();
      const field = dialog.querySelector(".view :is(input:not([type=hidden]), textarea, select)");
      (field ?? dialog.querySelector("footer button"))?.focus();
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        dialog.querySelector("form[data-dismiss]")?.requestSubmit();
      });
    }
  }

  // ---- What is pushed -----------------------------------------------------------------------------------------------

  const sticky = () =>
    [...document.querySelectorAll("[data-stick]")].map((box) => [
      box,
      box.scrollHeight - box.scrollTop - box.clientHeight < 60,
    ]);

  function apply(change) {
    const boxes = sticky();
    for (const id of change.gone) remove(by(id));
    for (const piece of change.put) put(piece);
    for (const [box, isAtEnd] of boxes) if (isAtEnd) box.scrollTop = box.scrollHeight;
    menus();
  }

  function listen() {
    const live = new EventSource(document.body.dataset.live);
    live.addEventListener("change", (event) => apply(JSON.parse(event.data)));
    // All of it, at the beginning and after a break.
    live.addEventListener("page", (event) => {
      const change = JSON.parse(event.data);
      const stays = new Set(change.put.map((piece) => piece.id));
      const regions = ["side", "head", "home", "messages", "thread", "windows", "panel"].map(by);
      for (const region of regions) {
        for (const child of [...(region?.children ?? [])]) {
          if (!stays.has(child.id)) change.gone.push(child.id);
        }
      }
      apply(change);
      root.dataset.live = "on";
    });
    live.onerror = () => { root.dataset.live = "off"; };
  }

  // ---- Forms --------------------------------------------------------------------------------------------------------

  let toastEnds = 0;
  function say(text) {
    const toast = by("toast");
    toast.textContent = text;
    toast.classList.toggle("shown", text !== "");
    clearTimeout(toastEnds);
    if (text) toastEnds = setTimeout(() => say(""), 6000);
  }

  async function send(form, submitter) {
    const fields = new FormData(form, submitter?.name ? submitter : undefined);
    const used = submitter ?? form;
    lastUsed = submitter ?? document.activeElement;
    used.setAttribute("aria-busy", "true");
    const menu = submitter?.closest("details[open]");
    if (menu) {
      menu.open = false;
      lastUsed = menu.querySelector("summary");
    }
    try {
      const to = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
      const answer = await fetch(to, {
        method: "POST",
        headers: { "x-live": "1" },
        body: new URLSearchParams(fields),
      });
      if (answer.ok) say("");
      else say(await answer.text());
      return answer.ok;
    } catch {
      say("The sandbox does not answer: has it ended?");
      return false;
    } finally {
      used.removeAttribute("aria-busy");
    }
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    if (form.dataset.composer === undefined) {
      await send(form, event.submitter);
      return;
    }
    const field = form.querySelector("textarea");
    const text = field.value;
    const sent = send(form, form.querySelector("button"));
    field.value = "";
    grow(field);
    by("messages")?.closest("[data-stick]")?.scrollTo(0, 1e9);
    field.focus();
    if (!(await sent) && field.value === "") {
      field.value = text;
      grow(field);
    }
  });

  document.addEventListener("input", (event) => {
    if (isField(event.target)) event.target.dataset.touched = "";
  });
  document.addEventListener("change", (event) => {
    const place = event.target.closest("[data-autosubmit]");
    const button = place?.querySelector(".b-send") ?? place?.parentElement?.querySelector(".b-send");
    if (!button) return;
    button.form.requestSubmit(button);
    delete event.target.dataset.touched;
  });

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
  function menus() {
    for (const menu of document.querySelectorAll("details:is(.b-menu, .b-confirm)")) {
      if (menu.dressed) continue;
      menu.dressed = true;
      menu.addEventListener("toggle", () => {
        if (!menu.open) return;
        for (const other of document.querySelectorAll("details[open]")) {
          if (other.dressed && other !== menu && !other.contains(menu)) other.open = false;
        }
        const list = menu.lastElementChild;
        const box = menu.closest("[data-stick], dialog, main")?.getBoundingClientRect();
        const space = (box?.bottom ?? innerHeight) - menu.getBoundingClientRect().bottom;
        menu.classList.toggle("up", list.offsetHeight + 12 > space);
        menu.classList.remove("left");
        menu.classList.toggle("left", list.getBoundingClientRect().right > innerWidth - 8);
      });
    }
  }

  document.addEventListener("click", (event) => {
    const close = event.target.closest?.("button[data-close]");
    if (close) close.closest("details").open = false;
    for (const menu of document.querySelectorAll("details[open]")) {
      if (menu.dressed && !menu.contains(event.target)) menu.open = false;
    }
    if (!event.target.closest?.(".composer")) {
      const field = document.querySelector("textarea[aria-expanded=true]");
      if (field) hide(field);
    }
  });

  // A link to a message that is here goes there, and shows which one it is.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-here]");
    const message = link && by(new URL(link.href).hash.slice(1));
    if (!message) return;
    event.preventDefault();
    message.scrollIntoView({ block: "center" });
    message.classList.remove("meant");
    requestAnimationFrame(() => message.classList.add("meant"));
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details[open]");
    if (!menu?.dressed) return;
    const items = [...menu.querySelectorAll("button")];
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

  // ---- The beginning ------------------------------------------------------------------------------------------------

  document.addEventListener("DOMContentLoaded", () => {
    for (const field of document.querySelectorAll(".composer textarea")) {
      field.setAttribute("role", "combobox");
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-controls", "commands");
      field.setAttribute("aria-expanded", "false");
      field.addEventListener("keydown", keys);
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
    const theme = document.querySelector("[data-theme-switch]");
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept("theme", root.dataset.theme);
    });
    for (const box of document.querySelectorAll("[data-stick]")) box.scrollTop = box.scrollHeight;
    dress(by("windows"));
    menus();
    listen();
    if (matchMedia("(min-width: 700px)").matches) by(document.querySelector(".thread") ? "reply" : "composer")?.focus();
  });
})();
