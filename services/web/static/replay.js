// The time slider of an incident: it stops where something happened, and says what. Without this file it is a slider
// over log positions with a button beside it.

const slider = document.querySelector("input[data-replay]");
const told = document.getElementById("moment-told");

if (slider && slider.list.options.length) {
  const moments = [...slider.list.options].map((option) => ({ seq: Number(option.value), says: option.label }));
  let byPointer = false;

  const show = () => {
    const wanted = Number(slider.value);
    const found = moments.findLast((moment) => moment.seq <= wanted) ?? moments[0];
    slider.value = found.seq;
    slider.setAttribute("aria-valuetext", found.says);
    told.textContent = found.says;
  };

  // From one event to the next: positions between them are those of other incidents.
  slider.addEventListener("keydown", (press) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[press.key];
    if (!step) return;
    press.preventDefault();
    const here = moments.findLastIndex((moment) => moment.seq <= Number(slider.value));
    slider.value = moments[Math.min(Math.max(here + step, 0), moments.length - 1)].seq;
    show();
  });
  slider.addEventListener("pointerdown", () => (byPointer = true));
  slider.addEventListener("input", show);
  // Letting go looks at once; whoever uses the keyboard presses Enter, or the page would be loaded with every key.
  slider.addEventListener("change", () => byPointer && slider.form.requestSubmit());
  show();
}
