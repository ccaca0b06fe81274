// Draws days of the calendar as a grid: boxes with their phases in columns. What people typed is only ever text.
"use strict";

const SLOT = 20; // pixels for a quarter of an hour
const WIDE = "(min-width: 60rem)"; // narrower, a list reads better than a grid

async function fetched(address) {
  try {
    const answer = await fetch(address, {headers: {Accept: "application/json"}});
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the list is there
  }
}

// What is alike in every grid: days, hours, columns, and how times read.
function frame(grid, shown) {
  return {
    view: shown.view,
    date: shown.date,
    hiddenDays: shown.hidden,
    timeZone: shown.offset, // whatever zone the browser is in
    resources: shown.columns,
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
    viewDidMount: () => plain(grid),
  };
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
function plain(grid) {
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
