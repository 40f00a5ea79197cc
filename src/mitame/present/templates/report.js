"use strict";
// One reader per sequence: slider, hold-to-blink and outlines. Without scripts the page is
// complete but for the slider; the overview shows its slices then.
document.documentElement.classList.add("scripted");

class Reader {
  constructor(block) {
    this.block = block;
    this.slices = JSON.parse(block.querySelector("script").textContent);
    this.slider = block.querySelector("input[type=range]");
    this.output = block.querySelector("output");
    this.slider.addEventListener("input", () => this.show());
    block.addEventListener("pointerenter", () => { Reader.active = this; });
    block.addEventListener("focusin", () => { Reader.active = this; });
    for (const name of ["blink", "original"]) this.holdable(name);
    this.marks = block.querySelector("[data-act=marks]");
    this.marks.addEventListener("click", () => this.toggleMarks());
    this.show();
  }

  holdable(name) {
    const button = this.block.querySelector(`[data-act=${name}]`);
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.hold(name, true);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      button.addEventListener(end, () => this.hold(name, false));
    button.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") {
        event.preventDefault();
        this.hold(name, true);
      }
    });
    button.addEventListener("keyup", () => this.hold(name, false));
    button.addEventListener("blur", () => this.hold(name, false));
  }

  hold(name, on) {
    this.block.querySelector(`[data-act=${name}]`).setAttribute("aria-pressed", on);
    for (const figure of this.block.querySelectorAll(`[data-on=${name}]`))
      figure.classList.toggle("other", on);
  }

  toggleMarks() {
    const hidden = this.block.classList.toggle("nomarks");
    this.marks.setAttribute("aria-pressed", !hidden);
  }

  step(by) {
    this.slider.value = Number(this.slider.value) + by;
    this.show();
  }

  show() {
    const slice = this.slices[this.slider.value];
    this.output.textContent = slice.name;
    this.slider.setAttribute("aria-valuetext", slice.name);
    for (const image of this.block.querySelectorAll("img[data-panel]")) {
      image.src = slice.images[image.dataset.panel];
      image.alt = image.dataset.alt.replace("{slice}", slice.name);
    }
    for (const svg of this.block.querySelectorAll("svg")) this.drawMarks(svg, slice.marks);
  }

  drawMarks(svg, marks) {
    const { width, height } = svg.viewBox.baseVal;
    const at = ([x, y]) => `${x * width},${y * height}`;
    svg.replaceChildren();
    for (const mark of marks) {
      const path = document.createElementNS(svg.namespaceURI, "path");
      path.setAttribute("d", mark.lines.map((line) => `M${line.map(at).join("L")}Z`).join(""));
      svg.append(path);
      if (!mark.label) continue;
      const text = document.createElementNS(svg.namespaceURI, "text");
      text.setAttribute("x", mark.label[0] * width);
      text.setAttribute("y", mark.label[1] * height);
      text.textContent = mark.number;
      svg.append(text);
    }
  }
}

const readers = [...document.querySelectorAll(".reader-block")].map((block) => new Reader(block));
Reader.active = readers[0];

const keys = { b: "blink", p: "original" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !Reader.active) return;
  const key = event.key.toLowerCase();
  if (key in keys) Reader.active.hold(keys[key], true);
  else if (key === "m" && !event.repeat) Reader.active.toggleMarks();
  else if (event.target.type !== "range" && (key === "arrowleft" || key === "arrowright")) {
    event.preventDefault();
    Reader.active.step(key === "arrowleft" ? -1 : 1);
  }
});
document.addEventListener("keyup", (event) => {
  const name = keys[event.key.toLowerCase()];
  if (name && Reader.active) Reader.active.hold(name, false);
});
window.addEventListener("blur", () => {
  for (const reader of readers) for (const name of Object.values(keys)) reader.hold(name, false);
});
