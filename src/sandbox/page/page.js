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
  if (kept("knows")) root.classList.add("knows");
  if (kept("theme")) root.dataset.theme = kept("theme");

  const by = (id) => document.getElementById(id);
  const make = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  };

  // ---- Pieces -------------------------------------------------------------------------------------------------------

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

  // A dialog that came open is made modal: it takes the focus, keeps it, and gives it back. Its first field may come
  // later, when the app has filled it.
  function dress(element) {
    const dialogs = element?.matches?.("dialog") ? [element] : element?.querySelectorAll?.("dialog[open]") ?? [];
    for (const dialog of dialogs) {
      if (!dialog.dressed) {
        dialog.dressed = true;
        dialog.opener = lastUsed;
        dialog.close();
        dialog.showModal();
        dialog.focus();
        dialog.addEventListener("cancel", (event) => {
          event.preventDefault();
          dialog.querySelector("form[data-dismiss]")?.requestSubmit();
        });
      }
      const field = dialog.querySelector(".view :is(input:not([type=hidden]), textarea, select)");
      if (field && !dialog.aimed) {
        dialog.aimed = true;
        field.focus();
      }
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
  }

  let live = null;
  function listen() {
    live?.close();
    live = new EventSource(document.body.dataset.live);
    live.addEventListener("change", (event) => apply(JSON.parse(event.data)));
    // All of it, at the beginning and after a break.
    live.addEventListener("page", (event) => {
      const change = JSON.parse(event.data);
      const stays = new Set(change.put.map((piece) => piece.id));
      const regions = ["side", "head", "home", "messages", "thread", "windows", "panel", "logbook"].map(by);
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

  // A browser opens six connections to a host: a window that nobody sees leaves them to the others.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) live?.close();
    else listen();
  });

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

  // The message box grows and offers commands with what is in it.
  function write(field, text) {
    field.value = text;
    field.dispatchEvent(new Event("written"));
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
    write(field, "");
    by("messages")?.closest("[data-stick]")?.scrollTo(0, 1e9);
    field.focus();
    if (!(await sent) && field.value === "") {
      write(field, text);
    }
  });

  document.addEventListener("input", (event) => {
    if (isField(event.target)) event.target.dataset.touched = "";
  });
  document.addEventListener("change", (event) => {
    if (event.target.dataset.suggest !== undefined) return;
    const place = event.target.closest("[data-autosubmit]");
    const button = place?.querySelector(".b-send") ?? place?.parentElement?.querySelector(".b-send");
    if (!button) return;
    button.form.requestSubmit(button);
    delete event.target.dataset.touched;
  });

  // ---- Elements that act without a form -----------------------------------------------------------------------------

  // The form around an element, sent elsewhere: it says which message or view is meant.
  function ask(path, element, more) {
    const form = element.closest("form");
    const to = new URL(form.action);
    to.pathname = path;
    const body = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(more)) body.append(name, value);
    return fetch(to, { method: "POST", headers: { "x-live": "1" }, body, keepalive: true });
  }

  // The browser follows a button's address, and the app hears of the click.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-press]");
    if (!link?.closest("form")) return;
    const menu = link.closest("details[open]");
    if (menu?.matches(".b-menu")) menu.open = false;
    ask("/act", link, { [link.dataset.press]: link.dataset.value })
      .then(async (answer) => { if (!answer.ok) say(await answer.text()); })
      .catch(() => say("The sandbox does not answer: has it ended?"));
  });

  // The app's choices replace those that were there; what is chosen already stays.
  function fill(menu, fresh) {
    const isSelect = menu.nodeName === "SELECT";
    const chosen = [...menu.querySelectorAll(isSelect ? "option:checked:not([value=''])" : "label:has(:checked)")];
    const value = (item) => (isSelect ? item : item.querySelector("input")).value;
    const kept = new Set(chosen.map(value));
    for (const item of fresh.querySelectorAll(isSelect ? "option" : "label")) if (kept.has(value(item))) item.remove();
    const before = menu.value;
    menu.replaceChildren(...fresh.childNodes, ...chosen);
    // Options that leave one menu for another choose themselves; then to choose one would be no change.
    if (isSelect) menu.value = before;
    menu.dataset.touched = "";
  }

  let asked = 0;
  document.addEventListener("input", (event) => {
    const field = event.target;
    const name = field.dataset.suggest;
    if (name === undefined || field.value.length < Number(field.dataset.least)) return;
    asked += 1;
    const mine = asked;
    setTimeout(async () => {
      if (mine !== asked) return;
      try {
        const answer = await ask("/suggest", field, { suggest: name, typed: field.value });
        const text = await answer.text();
        if (mine !== asked) return;
        if (answer.ok) fill(field.nextElementSibling, make(text));
        else say(text);
      } catch { say("The sandbox does not answer: has it ended?"); }
    }, 150);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.dataset?.suggest !== undefined) event.preventDefault();
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

  // ---- The beginning ------------------------------------------------------------------------------------------------

  document.addEventListener("DOMContentLoaded", () => {
    const theme = document.querySelector("[data-theme-switch]");
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept("theme", root.dataset.theme);
    });
    document.addEventListener("click", (event) => {
      if (!event.target.closest?.("[data-dismiss-hint]")) return;
      root.classList.add("knows");
      kept("knows", "1");
    });
    for (const box of document.querySelectorAll("[data-stick]")) box.scrollTop = box.scrollHeight;
    dress(by("windows"));
    listen();
    if (matchMedia("(min-width: 700px)").matches) by(document.querySelector(".thread") ? "reply" : "composer")?.focus();
  });
})();
