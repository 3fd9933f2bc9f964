// Makes a piece of the page what another one is.
"use strict";
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
