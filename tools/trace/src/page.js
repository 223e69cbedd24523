"use strict";
document.documentElement.classList.add("js");

// Which events are shown.
const form = document.querySelector("form");
const rows = [...document.querySelectorAll("#events tbody tr")];
const texts = rows.map(row => row.textContent.toLowerCase());
function choose() {
  const classes = new Set([...form.querySelectorAll("input[name=class]:checked")].map(box => box.value));
  const set = form.elements.set.value;
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(word => word);
  let shown = 0;
  rows.forEach((row, at) => {
    const fits = classes.has(row.dataset.class) && (set === "" || row.dataset.set === set)
      && words.every(word => texts[at].includes(word));
    row.hidden = !fits;
    shown += fits;
  });
  form.querySelector("output").textContent = `${shown} of ${rows.length}`;
}
if (form) {
  form.addEventListener("input", choose);
  form.addEventListener("submit", event => event.preventDefault());
  choose();
}

// What a set had where the pointer is.
for (const plot of document.querySelectorAll(".plot[data-steps]")) {
  const steps = JSON.parse(plot.dataset.steps);
  const chart = plot.querySelector(".chart");
  const said = plot.querySelector(".said");
  chart.addEventListener("pointermove", event => {
    const box = chart.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const from = Number(plot.dataset.from);
    const at = Math.round(from + part * (Number(plot.dataset.to) - from));
    const step = steps.findLast(([since]) => since <= at);
    said.textContent = step ? `time ${at}: ${step[1]} of ${step[2]}` : "";
  });
  chart.addEventListener("pointerleave", () => { said.textContent = ""; });
}
