"use strict";
// One reader per sequence: slider, hold-to-blink and rings. Without scripts the page is
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
    this.rings = block.querySelector("[data-act=rings]");
    this.rings.addEventListener("click", () => this.toggleRings());
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

  toggleRings() {
    const hidden = this.block.classList.toggle("norings");
    this.rings.setAttribute("aria-pressed", !hidden);
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
    for (const svg of this.block.querySelectorAll("svg")) this.drawRings(svg, slice.rings);
  }

  drawRings(svg, rings) {
    const { width, height } = svg.viewBox.baseVal;
    svg.replaceChildren();
    for (const ring of rings) {
      const radius = ring.radius * height;
      const circle = document.createElementNS(svg.namespaceURI, "circle");
      for (const [key, value] of [["cx", ring.x * width], ["cy", ring.y * height], ["r", radius]])
        circle.setAttribute(key, value);
      const text = document.createElementNS(svg.namespaceURI, "text");
      text.setAttribute("x", ring.x * width + 0.75 * radius + 3);
      text.setAttribute("y", ring.y * height - 0.75 * radius - 3);
      text.textContent = ring.number;
      svg.append(circle, text);
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
  else if (key === "m" && !event.repeat) Reader.active.toggleRings();
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
