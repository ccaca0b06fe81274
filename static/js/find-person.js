// Shows who could be meant while a name or number is being typed: asks what the Find button asks, without the page.
// Without this file the button does it.
"use strict";

const PAUSE = 150; // milliseconds without a key
const field = document.querySelector("#q");
const found = document.querySelector("#found");

if (field) {
  const somebodyNew = document.querySelector("#somebody-new");
  let waiting = 0;
  let asked = new AbortController();

  const find = async () => {
    asked.abort();
    asked = new AbortController();
    const body = new FormData(field.form);
    try {
      const answer = await fetch(found.dataset.address + location.search, { method: "POST", body, signal: asked.signal });
      if (answer.ok && !answer.redirected) found.innerHTML = await answer.text();
    } catch {
      // Given up for the next letter, or no connection: the button is still there.
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, PAUSE);
  });

  // The arrow keys go through the people found; Tab does too.
  field.form.addEventListener("keydown", (event) => {
    const places = [field, ...found.querySelectorAll("a")];
    const at = places.indexOf(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && places[at] && places[at + step]) {
      event.preventDefault();
      places[at + step].focus();
    }
  });

  // What nobody was found by is the name, number or address of somebody new.
  somebodyNew.addEventListener("toggle", () => {
    const typed = field.value.trim();
    const name = typed.includes("@") ? "email" : /\p{L}/u.test(typed) ? "name" : "phone";
    const own = somebodyNew.querySelectorAll("[name=name], [name=phone], [name=email]");
    if (somebodyNew.open && ![...own].some((one) => one.value)) field.form.elements[name].value = typed;
  });
}
