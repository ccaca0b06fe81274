// Gives a page made for paper a Print button; without this file the browser's own menu prints it.
"use strict";

const button = document.querySelector("#print");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
