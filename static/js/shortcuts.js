// Goes through the requests and visits of Today by j and k, and presses the button of the one that has the focus by a
// letter. Without this file Tab reaches all of it. The keys can be switched off in their list, for those whose speech
// or hand presses letters unawares; this browser remembers it.
const OFF = "shortcuts-off"; // in localStorage
const PLACE = "today-place"; // in sessionStorage: the list and the place in it from which a key led away
const IN_FIELDS = "input, select, textarea, [contenteditable]";

const dialog = document.querySelector("#shortcuts");
const opener = document.querySelector("#show-shortcuts");
const isOn = document.querySelector("#shortcuts-on");

opener.hidden = false;
isOn.checked = localStorage.getItem(OFF) === null;
opener.addEventListener("click", () => dialog.showModal());
isOn.addEventListener("change", () => {
  if (isOn.checked) {
    localStorage.removeItem(OFF);
  } else {
    localStorage.setItem(OFF, "yes");
  }
});
document.addEventListener("keydown", (event) => {
  const isMeant = !(event.ctrlKey || event.altKey || event.metaKey || event.isComposing);
  const isFree = isOn.checked && !dialog.open && !event.target.closest(IN_FIELDS);
  if (isMeant && isFree && (!event.repeat || "jk".includes(event.key)) && press(event.key)) {
    event.preventDefault();
  }
});
goOn();

function press(key) {
  if (key === "?") {
    dialog.showModal();
    return true;
  }
  const items = [...document.querySelectorAll("#lists [data-item]")];
  const item = document.activeElement.closest("[data-item]");
  if (key === "j" || key === "k") {
    const next = item ? items[items.indexOf(item) + (key === "j" ? 1 : -1)] : items[0];
    next?.focus();
    return Boolean(next);
  }
  const button = /^[a-z]$/.test(key) && item?.querySelector(`[data-key=${key}]`);
  if (button) {
    const list = listOf(item);
    const at = items.filter((one) => listOf(one) === list).indexOf(item);
    sessionStorage.setItem(PLACE, JSON.stringify({list, at}));
    button.click();
  }
  return Boolean(button);
}

function listOf(item) {
  return item.matches("[data-request]") ? "requests" : "visits";
}

// After an act the page is shown anew: the focus is where it was, which is on the next request if one was answered.
function goOn() {
  const place = JSON.parse(sessionStorage.getItem(PLACE));
  sessionStorage.removeItem(PLACE);
  if (!place) {
    return;
  }
  const items = [...document.querySelectorAll("#lists [data-item]")].filter((one) => listOf(one) === place.list);
  const heading = document.querySelector(place.list === "requests" ? "#waiting" : "#visits");
  (items[Math.min(place.at, items.length - 1)] ?? heading).focus();
  const done = document.querySelector(".messagelist");
  if (done) {
    document.querySelector("#news").textContent = done.textContent.trim();
  }
}
