// Sections as analyses give them: words, tables, charts, pictures, drawn without knowing what they are about.

function sectionNode(section) {
  const id = `section-${section.key}`;
  const charts = section.charts.map(chart => sectionChart(chart, lookAt));
  return el('section', { id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, section.title),
    section.lead ? el('p', { class: 'lead' }, section.lead) : '',
    section.not_computed ? el('p', { class: 'note absent-note' }, sentence(section.not_computed)) : '',
    warningBox(section.warnings, 'Before you use these numbers'),
    ...section.tables.map(sectionTable),
    charts.length ? el('div', { class: `charts ${charts.length > 1 ? 'two' : 'one'}` }, ...charts) : '',
    section.pictures.length ? el('div', { class: 'pictures' }, ...section.pictures.map(pictureFigure)) : '',
    fold('Definitions', section.definitions.map(d => ({ term: d.term, text: sentence(d.text) }))),
    fold('How it was computed', section.provenance));
}

const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

function warningBox(warnings, title) {
  if (!warnings.length) return '';
  return el('div', { class: 'warnings', role: 'note' }, el('b', {}, title), el('ul', {}, ...warnings.map(w => el('li', {}, sentence(w)))));
}

function sectionTable(table) {
  const columns = table.columns.map((column, i) => {
    const cells = table.rows.map(row => row[i]).filter(cell => cell !== null);
    const text = cells.some(cell => typeof cell === 'string' && !/^-?Infinity$/.test(cell));
    const whole = cells.every(Number.isInteger);
    return {
      title: column.title, text,
      value: row => text ? row[i] : number(row[i]),
      show: row => text ? row[i] ?? '–' : format(row[i], whole ? 0 : column.digits),
      best: column.higher_is_better === null ? null : column.higher_is_better ? 'high' : 'low',
    };
  });
  return el('div', { class: 'block' }, el('p', {}, sentence(table.title)), sortableTable(table.title, columns, table.rows));
}

function pictureFigure(picture) {
  return el('figure', { class: picture.wide ? 'wide' : '' }, el('img', { src: picture.image, alt: picture.title }),
    el('figcaption', {}, el('b', {}, picture.title), ` ${picture.caption}`));
}

function fold(title, definitions) {
  if (!definitions.length) return '';
  return el('details', { class: 'fold' }, el('summary', {}, title), definitionList(definitions));
}

const definitionList = definitions =>
  el('dl', {}, ...definitions.flatMap(d => [el('dt', {}, d.term), el('dd', {}, d.text)]));
