// Lets visits be dragged in the grid of the calendar. Without this file the list below the grid says the same, and
// “Move…” in it does the same. Every sentence comes from the server.
"use strict";

const grid = document.querySelector(".rh-cal-grid");
const said = document.querySelector(".rh-cal-said");
const list = document.querySelector(".rh-cal-list");
const dialog = document.querySelector(".rh-cal-ask");
const token = document.querySelector(".rh-cal-token input").value;

if (window.matchMedia(WIDE).matches) {
  drawn();
}

async function drawn() {
  const shown = await fetched(grid.dataset.events);
  if (!shown) {
    return;
  }
  grid.hidden = false;
  document.querySelector(".rh-cal-key").hidden = false;
  list.open = false;
  const calendar = EventCalendar.create(grid, {
    ...frame(grid, shown),
    events: boxes(shown),
    eventContent: (info) => ({domNodes: content(info.event, shown)}),
    eventDrop: (info) => dropped(info, again),
    eventResize: (info) => stretched(info, again),
    dateClick: (info) => book(info, shown),
  });
  plain(grid);
  let known = JSON.stringify(shown.events);

  // Boxes are drawn anew only if something has changed; the focus stays on its visit.
  async function again() {
    const now = dialog.open ? null : await fetched(grid.dataset.events);
    if (!now || JSON.stringify(now.events) === known) {
      return;
    }
    const page = grid.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    known = JSON.stringify(now.events);
    calendar.setOption("events", boxes(now));
    if (page) {
      requestAnimationFrame(() => grid.querySelector(`a[href="${page}"]`)?.focus());
    }
  }

  window.addEventListener("focus", again);
}

// --- Moving --------------------------------------------------------------------------------------------------------

async function dropped(info, again) {
  const {pk, version, column} = info.event.extendedProps;
  const sent = {
    version,
    key: crypto.randomUUID(),
    at: `${day(info.event.start)}T${minute(info.event.start)}`,
    column: info.newResource?.id ?? info.event.resourceIds[0] ?? column,
  };
  const asked = await post(grid.dataset.drag, pk, sent);
  if (asked.asks && !(await isMeant(asked.asks))) {
    info.revert();
    return;
  }
  const answer = asked.asks ? await post(grid.dataset.drag, pk, {...sent, sure: "on"}) : asked;
  if (!answer.isDone) {
    info.revert();
  }
  say(answer.says, answer.isDone);
  await again();
}

async function stretched(info, again) {
  const {pk, version} = info.event.extendedProps;
  const sent = {version, key: crypto.randomUUID(), longer_by: info.endDelta.seconds / 60};
  const answer = await post(grid.dataset.stretch, pk, sent);
  if (!answer.isDone) {
    info.revert();
  }
  say(answer.says, answer.isDone);
  await again();
}

async function post(address, pk, facts) {
  try {
    const answer = await fetch(address.replace("/0/", `/${pk}/`), {
      method: "POST",
      headers: {"X-CSRFToken": token, Accept: "application/json"},
      body: new URLSearchParams(facts),
    });
    return {...(await answer.json()), isDone: answer.ok};
  } catch {
    return {says: grid.dataset.lost, isDone: false};
  }
}

function isMeant(asks) {
  dialog.querySelector("h2").textContent = asks.question;
  for (const place of dialog.querySelectorAll("[data-ask]")) {
    place.textContent = asks[place.dataset.ask];
  }
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "sure"), {once: true});
  });
}

function say(text, isDone) {
  said.textContent = text;
  said.classList.toggle("is-refused", !isDone);
}

// --- Booking -------------------------------------------------------------------------------------------------------

function book(info, shown) {
  if (!grid.dataset.book || !info.resource) {
    return;
  }
  const address = new URL(grid.dataset.book, location.href);
  const wall = `${day(info.date)}T${minute(info.date)}`.replace(/[-:]/g, "");
  address.searchParams.set("start", wall + shown.days[day(info.date)][1]);
  if (grid.dataset.by === "practitioner") {
    address.searchParams.set("practitioner", info.resource.id);
  }
  location.assign(address);
}
