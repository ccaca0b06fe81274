// Shows the article beside its text while it is being written: presses Preview whenever the typing pauses.
// Without this file the button does the same when a person presses it.
"use strict";

const PAUSE = 700; // milliseconds without a key
const button = document.querySelector(".rh-preview button");
const frame = document.querySelector(".rh-preview iframe");

if (button) {
  let waiting = 0;
  let scrolled = 0;
  button.form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      scrolled = frame.contentWindow.scrollY;
      button.form.requestSubmit(button);
    }, PAUSE);
  });
  frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, scrolled));
}
