// Keeps the lists of Today up to date while somebody looks at them. Without this file the browser's reload does it.
// The server does not count it as somebody being there: who leaves the desk is signed out as always, and the lists go.
const EVERY = 60_000; // milliseconds
const PASSING = "[data-passing]"; // what only tells how time goes by
const IN_FIELDS = "input, select, textarea";

const news = document.querySelector("#news");
let lists = document.querySelector("#lists");
let known = gist(lists);
let asked = Date.now();
const timer = setInterval(keepUp, EVERY);

document.addEventListener("visibilitychange", () => {
  if (Date.now() - asked >= EVERY) {
    keepUp();
  }
});

async function keepUp() {
  if (isInUse()) {
    return;
  }
  asked = Date.now();
  news.textContent = ""; // so that the same words are said again when they are true again
  const address = new URL(news.dataset.address, location.href);
  for (const item of lists.querySelectorAll("[data-request]")) {
    address.searchParams.append("known", item.dataset.request);
  }
  let answer;
  let text;
  try {
    answer = await fetch(address, {redirect: "manual"});
    text = await answer.text();
  } catch {
    return; // no connection: the heading says of when the lists are
  }
  if (answer.type === "opaqueredirect" || answer.status === 403) {
    leave();
  } else if (answer.ok && !isInUse()) {
    show(new DOMParser().parseFromString(text, "text/html").querySelector("#lists"));
  }
}

// Nothing changes under the hands of somebody who types, marks something to copy it, or reads a dialog.
function isInUse() {
  return document.hidden || document.activeElement.matches(IN_FIELDS) || !getSelection().isCollapsed
    || document.querySelector("dialog[open]") !== null;
}

function show(fresh) {
  document.querySelector("#content h1").textContent = fresh.dataset.day;
  if (gist(fresh) === known) {
    const before = lists.querySelectorAll(PASSING);
    fresh.querySelectorAll(PASSING).forEach((one, at) => before[at].replaceWith(one));
    return;
  }
  known = gist(fresh);
  const place = lists.contains(document.activeElement) ? placeOf(document.activeElement) : null;
  lists.replaceWith(fresh);
  lists = fresh;
  if (place) {
    (place.map((one) => lists.querySelector(one)).find(Boolean) ?? lists.querySelector("#waiting")).focus();
  }
  news.textContent = fresh.dataset.news;
}

// Where the focus is to be found again: on the same control, on the same request or visit, in the same list.
function placeOf(element) {
  const named = ["formaction", "href"].filter((name) => element.hasAttribute(name));
  const item = element.closest("[data-item]");
  return [
    ...named.map((name) => `#${item?.id ?? "lists"} [${name}="${CSS.escape(element.getAttribute(name))}"]`),
    ...(item ? [`#${item.id}`, item.matches("[data-request]") ? "#waiting" : "#visits"] : []),
  ];
}

// What is shown, without what passes and without the token that differs from one answer to the next.
function gist(shown) {
  const copy = shown.cloneNode(true);
  for (const one of copy.querySelectorAll(`${PASSING}, [name=csrfmiddlewaretoken]`)) {
    one.remove();
  }
  return copy.innerHTML;
}

function leave() {
  clearInterval(timer);
  const told = document.querySelector("#signed-out");
  told.hidden = false;
  if (lists.contains(document.activeElement)) {
    told.querySelector("a").focus();
  }
  lists.remove();
  document.querySelector(".messagelist")?.remove(); // it may name a patient
  news.textContent = told.textContent.trim();
}
