// Draws the calendar as a grid, and lets visits be dragged there. Without this file the list below the grid says the
// same, and “Move…” in it does the same. Every sentence comes from the server; what people typed is only ever text.
"use strict";

const SLOT = 20; // pixels for a quarter of an hour
const WIDE = "(min-width: 60rem)"; // narrower, the list reads better than a grid

const grid = document.querySelector(".rh-cal-grid");
const said = document.querySelector(".rh-cal-said");
const list = document.querySelector(".rh-cal-list");
const dialog = document.querySelector(".rh-cal-ask");
const token = document.querySelector(".rh-cal-token input").value;

if (window.matchMedia(WIDE).matches) {
  drawn();
}

async function drawn() {
  const shown = await fetched();
  if (!shown) {
    return;
  }
  grid.hidden = false;
  document.querySelector(".rh-cal-key").hidden = false;
  list.open = false;
  const calendar = EventCalendar.create(grid, {
    view: shown.view,
    date: shown.date,
    hiddenDays: shown.hidden,
    timeZone: shown.offset, // whatever zone the browser is in
    resources: shown.columns,
    events: boxes(shown),
    headerToolbar: {start: "", center: "", end: ""},
    allDaySlot: false,
    datesAboveResources: shown.view === "resourceTimeGridWeek",
    columnWidth: "minmax(8.5rem, 1fr)",
    slotMinTime: shown.opens,
    slotMaxTime: shown.closes,
    scrollTime: shown.opens,
    slotDuration: "00:15",
    slotLabelInterval: "01:00",
    snapDuration: "00:05",
    slotHeight: SLOT,
    slotEventOverlap: false,
    eventResizableFromStart: false,
    nowIndicator: true,
    slotLabelFormat: (at) => clock(at, shown),
    dayHeaderFormat: (on) => shown.days[day(on)]?.[0] ?? "",
    eventContent: (info) => ({domNodes: content(info.event, shown)}),
    eventDrop: (info) => dropped(info, again),
    eventResize: (info) => stretched(info, again),
    dateClick: (info) => book(info, shown),
    viewDidMount: () => plain(),
  });
  plain();
  let known = JSON.stringify(shown.events);

  // Boxes are drawn anew only if something has changed; the focus stays on its visit.
  async function again() {
    const now = dialog.open ? null : await fetched();
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

async function fetched() {
  try {
    const answer = await fetch(grid.dataset.events, {headers: {Accept: "application/json"}});
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the list is there
  }
}

function boxes(shown) {
  return shown.events.map((event) => ({
    start: event.start,
    end: event.end,
    resourceIds: [event.column],
    display: event.bands ? "auto" : "background",
    startEditable: Boolean(event.canMove),
    durationEditable: Boolean(event.canStretch),
    classNames: [
      `rh-box-${event.kind}`,
      ...(event.status ? [`rh-box-${event.status}`] : []),
      ...(event.isOver ? ["rh-box-over"] : []),
    ],
    extendedProps: event,
  }));
}

// The library names its parts as those of a table, which boxes that lie over it are not; as plain text it reads well.
function plain() {
  for (const element of grid.querySelectorAll("[role], [aria-colindex], [aria-colspan]")) {
    for (const name of ["role", "aria-colindex", "aria-colspan"]) {
      element.removeAttribute(name);
    }
  }
}

// --- What a box shows ----------------------------------------------------------------------------------------------

function content(event, shown) {
  const facts = event.extendedProps;
  if (!facts.bands) {
    return facts.title ? [made("span", "rh-box-away", facts.title)] : [];
  }
  const bands = made("span", "rh-box-bands");
  for (const [minutes, isBusy, name] of facts.bands) {
    const band = made("span", isBusy ? "rh-band rh-band-busy" : "rh-band", isBusy ? "" : name);
    band.style.flexGrow = minutes;
    bands.append(band);
  }
  bands.setAttribute("aria-hidden", "true");
  const text = made(facts.page ? "a" : "span", "rh-box-text");
  if (facts.page) {
    text.href = facts.page;
    text.draggable = false;
  }
  const isPlaced = facts.start === `${day(event.start)}T${minute(event.start)}`;
  const isUsual = facts.status === "booked" || facts.status === "";
  text.append(
    made("span", "rh-box-when", isPlaced ? facts.at : clock(event.start, shown)),
    made("b", "", facts.title),
    made("span", "rh-box-details", facts.details),
    made("span", isUsual ? "rh-vh" : "rh-box-details", facts.state),
    made("span", "rh-vh", `${facts.when}. ${facts.remark}`),
  );
  return [bands, text];
}

function made(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
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

// --- Times: the library hands over wall times as if they were the browser's own ------------------------------------

function day(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function minute(at) {
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

function clock(at, shown) {
  const hour = at.getHours();
  return `${hour % 12 || 12}:${two(at.getMinutes())}\u00a0${shown.halves[hour < 12 ? 0 : 1]}`;
}

function two(number) {
  return String(number).padStart(2, "0");
}
