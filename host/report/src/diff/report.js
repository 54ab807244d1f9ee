'use strict';
(() => {
  const list = document.getElementById('list');
  const body = list.tBodies[0];
  const rows = Array.from(body.rows, (row, at) => ({row, at, text: row.textContent.toLowerCase(), shown: true}));
  const tools = document.getElementById('tools');
  const [search, kind, count] = ['search', 'kind', 'count'].map(id => document.getElementById(id));
  let waits = false;
  const show = () => {
    waits = false;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const it of rows) {
      const fits = (!kind.value || it.row.dataset.k === kind.value) && words.every(word => it.text.includes(word));
      if (fits !== it.shown) it.row.hidden = !(it.shown = fits);
      if (fits) found++;
    }
    count.textContent = found + ' of ' + rows.length + ' shown';
  };
  const soon = () => {
    if (!waits) { waits = true; requestAnimationFrame(show); }
  };
  search.addEventListener('input', soon);
  kind.addEventListener('change', soon);
  const heads = Array.from(list.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const before = head.getAttribute('aria-sort');
      for (const other of heads) other.removeAttribute('aria-sort');
      // The third click is the order of the catalogue again.
      const sign = before === 'ascending' ? -1 : before === 'descending' ? 0 : 1;
      if (sign) head.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
      const key = it => it.row.cells[column].textContent;
      const compare = new Intl.Collator(undefined, {numeric: true}).compare;
      const keyed = rows.map(it => [sign ? key(it) : '', it]);
      keyed.sort((a, b) => sign * compare(a[0], b[0]) || a[1].at - b[1].at);
      const all = document.createDocumentFragment();
      for (const [, it] of keyed) all.append(it.row);
      body.append(all);
    });
  });
  tools.hidden = false;
  show();
})();
