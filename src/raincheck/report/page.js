"use strict";
// Everything that the page's controls do. Names come in as text of elements and are never read as markup.
document.body.classList.add("scripted");

// Checkboxes of a legend show and hide their rows in the charts below it.
for (const box of document.querySelectorAll(".legend input")) {
  const view = box.closest(".view");
  box.addEventListener("change", () => {
    for (const line of view.querySelectorAll(`.chart [data-series="${box.value}"]`)) line.classList.toggle("off", !box.checked);
  });
}

// Of the tables of differences, the one from the chosen row is shown.
for (const choice of document.querySelectorAll("select.against")) {
  const tables = choice.closest(".card").querySelectorAll("table");
  const show = () => tables.forEach((table, index) => table.classList.toggle("off", index !== choice.selectedIndex));
  choice.addEventListener("change", show);
  show();
}

// A stage shows two pictures of one frame, the left one up to the cut; the pictures are those of the list below it.
for (const viewer of document.querySelectorAll(".viewer")) {
  const pictures = new Map();
  for (const image of viewer.querySelectorAll(".frames img")) pictures.set(`${image.dataset.frame} ${image.dataset.layer}`, image);
  const find = (selector) => viewer.querySelector(selector);
  const [left, right, time, play, wipe] = ["left", "right", "time", "play", "wipe"].map((name) => find(`.${name}`));
  const [under, over, stage, number] = [".under", ".over", ".stage", ".number"].map(find);
  const numbers = time.dataset.frames.split(" ");
  const put = (image, choice) => {
    const picture = pictures.get(`${time.value} ${choice.value}`);
    image.classList.toggle("off", !picture);
    if (picture) [image.src, image.alt] = [picture.src, picture.alt];
  };
  const show = () => {
    put(under, right);
    put(over, left);
    number.textContent = numbers[time.value];
    time.setAttribute("aria-valuetext", `frame ${numbers[time.value]}`);
    stage.style.setProperty("--cut", `${wipe.value}%`);
    wipe.setAttribute("aria-valuetext", `${wipe.value} % ${left.selectedOptions[0].text}`);
  };
  let playing = 0;
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = "Play";
  };
  play.addEventListener("click", () => {
    if (playing) return stop();
    play.textContent = "Pause";
    playing = setInterval(() => {
      time.value = (Number(time.value) + 1) % numbers.length;
      show();
    }, 200);
  });
  time.addEventListener("input", stop);
  for (const control of [left, right, time, wipe]) control.addEventListener("input", show);
  show();
}
