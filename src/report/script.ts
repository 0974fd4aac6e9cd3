/** What a report does when it is looked at: light or dark, and the values under the pointer. It runs without a network. */

export const SCRIPT = `'use strict';
(() => {
  const root = document.documentElement;
  const button = document.querySelector('button.theme');
  const names = ['auto', 'light', 'dark'];
  const read = () => { try { return localStorage.getItem('datalab-theme') || 'auto'; } catch { return 'auto'; } };
  let theme = read();
  const show = () => {
    if (theme === 'auto') root.removeAttribute('data-theme'); else root.setAttribute('data-theme', theme);
    button.textContent = 'Theme: ' + theme;
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    theme = names[(names.indexOf(theme) + 1) % names.length];
    try { localStorage.setItem('datalab-theme', theme); } catch { /* A file may have no storage. */ }
    show();
  });
  if (!names.includes(theme)) theme = 'auto';
  show();

  for (const plot of document.querySelectorAll('.plot')) {
    const svg = plot.querySelector('svg');
    const cursor = plot.querySelector('.cursor');
    const { width, names: series, colours, places } = JSON.parse(plot.querySelector('script').textContent);
    if (places.length === 0) continue;
    const tip = document.createElement('div');
    tip.className = 'tip';
    tip.hidden = true;
    plot.append(tip);
    svg.addEventListener('pointermove', (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * width;
      let low = 0;
      let high = places.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (places[middle].at < at) low = middle; else high = middle;
      }
      const place = at - places[low].at < places[high].at - at ? places[low] : places[high];
      tip.replaceChildren();
      const title = document.createElement('b');
      title.textContent = place.label;
      tip.append(title);
      for (const [index, value] of place.values) {
        const line = document.createElement('span');
        const colour = document.createElement('i');
        colour.className = colours[index];
        line.append(colour, (series.length > 1 ? series[index] + '  ' : '') + value);
        tip.append(line);
      }
      tip.hidden = false;
      const left = (place.at / width) * box.width;
      const beside = left + 14 + tip.offsetWidth > box.width ? left - 14 - tip.offsetWidth : left + 14;
      tip.style.left = Math.max(0, beside) + 'px';
      cursor.setAttribute('x1', place.at);
      cursor.setAttribute('x2', place.at);
    });
    svg.addEventListener('pointerleave', () => {
      tip.hidden = true;
      cursor.setAttribute('x1', -9);
      cursor.setAttribute('x2', -9);
    });
  }
})();
`;
