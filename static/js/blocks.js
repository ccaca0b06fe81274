// Puts a card or figure into the article's text where the cursor is, on lines of its own, ready to be filled in.
// Without this file the buttons stay hidden, and the same pieces can be copied from the reference below the field.
"use strict";

for (const editor of document.querySelectorAll(".rh-editor")) {
  const field = editor.querySelector("textarea");
  const buttons = editor.querySelector(".rh-blocks");
  buttons.hidden = false;
  buttons.addEventListener("click", (event) => {
    const button = event.target.closest("[data-puts]");
    if (button) {
      put(field, document.getElementById(button.dataset.puts).textContent);
    }
  });
}

// What is selected stays: the piece goes behind it. Its own heading is selected then, to be typed over.
function put(field, piece) {
  const at = field.selectionEnd;
  const before = field.value.slice(0, at);
  const after = field.value.slice(at);
  const lead = before.trim() ? "\n\n".slice(Math.min(2, before.match(/\n*$/)[0].length)) : "";
  const trail = after.trim() ? "\n\n".slice(Math.min(2, after.match(/^\n*/)[0].length)) : "\n";
  field.focus();
  field.setSelectionRange(at, at);
  // Deprecated, but the only way that Undo takes back; it tells the preview too.
  if (!document.execCommand("insertText", false, lead + piece + trail)) {
    field.setRangeText(lead + piece + trail, at, at, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const begin = at + lead.length;
  const heading = begin + piece.indexOf(" ", 4) + 1;
  field.setSelectionRange(heading, begin + piece.indexOf("\n"));
}
