"use strict";
// Looks at the page that it is put into, and writes what is wrong, or "ok", where the browser's output shows it.
(() => {
  const wrong = [];
  addEventListener("error", event => wrong.push(`a script failed: ${event.message}`));
  const ratio = (a, b) => {
    const light = ([red, green, blue]) => [[red, .2126], [green, .7152], [blue, .0722]].reduce((sum, [part, weight]) => {
      const share = part / 255;
      return sum + weight * (share <= .03928 ? share / 12.92 : ((share + .055) / 1.055) ** 2.4);
    }, 0);
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + .05) / (low + .05);
  };
  const colour = text => text.match(/[\d.]+/g).map(Number);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  addEventListener("load", () => {
    const root = document.documentElement;
    if (!root.classList.contains("js")) wrong.push("its script did not run");
    if (root.scrollWidth > innerWidth) wrong.push(`it is ${root.scrollWidth} wide in a window of ${innerWidth}`);
    const [shown, all] = document.querySelector("output").textContent.split(" of ");
    if (shown !== all || all < 100) wrong.push(`the filter shows ${shown} of ${all}`);
    const search = document.querySelector("input[type=search]");
    search.value = "nothing has these words";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    if (document.querySelector("#events tbody tr:not([hidden])")) wrong.push("the filter hides nothing");
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));

    const boxes = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.textContent.trim() || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const { left, right, top, bottom, width } of range.getClientRects()) {
        if (width > 0) boxes.push({ left, right, top, bottom, text: node.textContent.trim() });
      }
      const contrast = ratio(colour(getComputedStyle(element).color), behind(element));
      if (contrast < 4.5) wrong.push(`"${node.textContent.trim()}" has a contrast of ${contrast.toFixed(1)}`);
    }
    boxes.sort((a, b) => a.top - b.top);
    boxes.forEach((a, at) => {
      for (let other = at + 1; other < boxes.length && boxes[other].top < a.bottom - 3; other++) {
        const b = boxes[other];
        if (a.left < b.right - 1 && b.left < a.right - 1) wrong.push(`"${a.text}" lies on "${b.text}"`);
      }
    });
    root.dataset.probe = wrong.length ? wrong.slice(0, 5).join("; ") : "ok";
  });
})();
