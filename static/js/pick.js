// Free times are picked on a drawing of the day. Without this file the list below it has the same times. The list is the
// form: what is pressed on the drawing is ticked there, and what is ticked there is drawn. Every sentence comes from
// the server.
"use strict";

const form = document.querySelector(".rh-pick");
const drawing = form.querySelector(".rh-pick-grid");
const grid = drawing.querySelector(".rh-cal-grid");
const said = drawing.querySelector(".rh-cal-said");
const steps = drawing.querySelectorAll("[data-step]");
let calendar, shown;

if (window.matchMedia(WIDE).matches) {
  begin();
}

async function begin() {
  await show(drawing.dataset.on);
  if (!shown) {
    return; // the list is there
  }
  form.addEventListener("change", (event) => event.target.name === "pick" && redraw());
  for (const step of steps) {
    step.addEventListener("click", () => show(shown[step.dataset.step]));
  }
  for (const listed of form.querySelectorAll("details.rh-day")) {
    listed.open = false; // whoever wants the list opens its days
  }
}

async function show(on) {
  const address = new URL(drawing.dataset.openings, location.href);
  address.searchParams.set("on", on);
  const found = await fetched(address);
  if (!found) {
    say(drawing.dataset.lost, false);
    return;
  }
  shown = found;
  drawing.hidden = false;
  drawing.querySelector("h2").textContent = shown.title;
  for (const step of steps) {
    step.disabled = !shown[step.dataset.step];
  }
  if (calendar) {
    EventCalendar.destroy(calendar);
  }
  calendar = EventCalendar.create(grid, {
    ...frame(grid, shown),
    slotHeight: SLOT * 0.75, // the whole day without scrolling inside it
    events: drawn(),
    eventContent: ({event}) => ({domNodes: event.extendedProps.value ? [taken(event)] : content(event, shown)}),
    dateClick: (info) => press(`${day(info.date)}T${minute(info.date)}`, info.resource.id),
  });
  plain(grid);
  say(picked(), true);
}

// What stands there, where the visit could begin, and what is picked; nothing of it leads away from the form.
function drawn() {
  const standing = shown.events.map((event) => ({...event, page: ""}));
  const marks = shown.marks.map((mark) => ({...mark, kind: "open"}));
  return boxes({events: [...standing, ...marks, ...inputs().map(box)]});
}

function redraw() {
  calendar.setOption("events", drawn());
  say(picked(), true);
}

function inputs() {
  return [...form.querySelectorAll("input[name=pick]:checked")];
}

function box(input) {
  const [start, column] = input.value.split("/");
  const [, year, month, on, hour, min] = start.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/);
  const at = new Date(Date.UTC(year, month - 1, on, hour, min));
  const end = new Date(at.getTime() + shown.minutes * 60_000);
  return {
    kind: "picked",
    column,
    value: input.value,
    start: at.toISOString().slice(0, 16),
    end: end.toISOString().slice(0, 16),
    bands: [],
  };
}

function taken(event) {
  const button = made("button", "rh-box-text");
  button.type = "button";
  button.append(made("span", "rh-box-when", clock(event.start, shown)), made("b", "", drawing.dataset.chosen));
  button.addEventListener("click", ({detail}) => {
    const input = toggle(event.extendedProps.value);
    if (detail === 0) { // pressed with a key: the button is gone, and this is what it stood for
      input.closest("details")?.setAttribute("open", "");
      input.focus();
    }
  });
  return button;
}

// --- Picking -------------------------------------------------------------------------------------------------------

function press(at, column) {
  const isFree = shown.marks.some((mark) => mark.column === column && mark.start <= at && at < mark.end);
  const start = shown.free.findLast((free) => free.column === column && free.start <= at);
  if (!isFree || !start) {
    say(drawing.dataset.notFree, false);
    return;
  }
  toggle(start.value, start);
}

function toggle(value, start) {
  const input = form.querySelector(`input[name=pick][value="${value}"]`) ?? listed(start);
  if (!input.checked && input.type === "checkbox" && inputs().length >= drawing.dataset.most) {
    say(drawing.dataset.full, false);
  } else {
    input.checked = !input.checked;
    redraw();
  }
  return input;
}

// A time that the list does not have, such as one with somebody else: it is put beside the drawing.
function listed(start) {
  const label = drawing.querySelector("template").content.cloneNode(true).firstElementChild;
  const input = label.querySelector("input");
  input.value = start.value;
  label.querySelector("[data-says]").textContent = start.says;
  drawing.querySelector("[data-besides]").append(label);
  return input;
}

function picked() {
  const said = inputs().map(words);
  return said.length ? `${drawing.dataset.picked} ${said.join("; ")}` : drawing.dataset.none;
}

function words(input) {
  const on = input.closest("details")?.querySelector("summary").firstChild.textContent.trim();
  const at = input.labels[0].textContent.trim();
  return on ? `${on}, ${at}` : at;
}

function say(text, isDone) {
  said.textContent = text;
  said.classList.toggle("is-refused", !isDone);
}
