import { allSettings, loadRecipe, METHOD_NAMES, purposeOf, remarksOf, shippedRecipes } from 'chronotope';

/** The recipes whose values the page shows: a small one, and where there is one, that of the published settings. */
const SHOWN = {
  timebalance: ['timebalance-small', 'timebalance-ucf101'],
  ccl: ['ccl-small', 'ccl-r2v2'],
  frames: ['frames-small', 'frames-ucf101-frozen'],
  clip: ['clip-tiny'],
  lss: ['lss-tiny', 'lss-k400'],
  tracker: ['tracker-small', 'tracker-ccl'],
};

/** Groups of at least so many settings that are alike get one table. */
const LARGE = 6;

const INTRODUCTION = `# Recipes: every setting

<!-- Written by npm run docs:recipes from the schemas and the shipped recipes. Change those, not this page. -->

A recipe is a YAML file with every setting of a training. This page lists them all, by method and group: what a setting means,
which values it takes, its value in a small recipe of ours and in one of published settings, and what the latter remarks on it,
which is mostly where the value is from: *code* (the published program), *paper*, *note* (our reading of both) or *ours*; in LSS
*svt*, *clip* and *must* name the programs that it builds on. Methods: ${METHOD_NAMES.map((name) => `[${name}](#method-${name})`).join(', ')}.

The same texts are at hand on the command line:

\`\`\`sh
chronotope recipe list                                  # the recipes that come with the program
chronotope recipe explain student --method timebalance  # a group; or one setting: student.steps
chronotope recipe show timebalance-small > mine.yaml    # a recipe with the meaning beside every setting
chronotope recipe validate mine.yaml
\`\`\`

Single settings are changed with \`--set\`, as often as you like; the value is YAML. Names are dotted, as in the tables:

\`\`\`sh
chronotope train timebalance --data ./videos --out ./runs/mine --set student.steps=400 --set student.augment.crop='[0.8, 1]'
\`\`\`

A file of your own can take over another recipe, by name or file, and holds only what it changes, at any depth (lists are
replaced as a whole):

\`\`\`yaml
extends: timebalance-small
clips: { stride: 2 }
student: { steps: 400, augment: { flip: 0.5 } }
\`\`\`

A name that no recipe has is an error, with the one that may have been meant. *If not given* names the value of a setting that a
recipe leaves out; the others must be given, by the recipe or by the one that it extends. Groups that hold the same settings in
several places share a table, whose names continue those of the places.
`;

/** The reference of all recipes as Markdown. */
export function recipeReference() {
  return `${[INTRODUCTION.trimEnd(), ...METHOD_NAMES.map(methodSection)].join('\n\n')}\n`;
}

function methodSection(method) {
  const recipes = SHOWN[method].map((name) => ({ name, values: loadRecipe(name), remarks: remarksOf(name) }));
  const settings = allSettings(method).filter(({ key }) => key !== 'method');
  const list = shippedRecipes(method).map((name) => `- \`${name}\`: ${firstSentence(purposeOf(name))}`);
  const tables = tablesOf(settings).map((table) => renderTable(table, recipes));
  return [`## Method ${method}`, list.join('\n'), ...tables].join('\n\n');
}

/**
 * Sorts settings and groups, listed as `allSettings` lists them, into tables: one of what has no group, one of each group, and
 * one of each large group inside another that is at several places.
 *
 * @returns {{ places: { key: string, description: string }[], rows: { name: string, values?: string, description: string }[] }[]}
 *   a key is that of a place and a row's name; the places of a table are alike. Small groups are rows without values.
 */
export function tablesOf(settings) {
  const isGroup = ({ values }) => values === undefined;
  const below = (key) => settings.filter((setting) => setting.key.startsWith(`${key}.`));
  const rowsOf = (key, members) => members.map(({ key: own, ...row }) => ({ name: own.slice(key.length + 1), ...row }));
  const groups = settings.filter(isGroup);
  const large = groups.filter(({ key }) => below(key).filter((setting) => !isGroup(setting)).length >= LARGE);
  const alike = groupBy(large, ({ key }) => JSON.stringify(rowsOf(key, below(key))));
  const repeated = [...alike.values()].filter((places) => places.length > 1);
  const withTable = groups.filter((group) => !group.key.includes('.') || repeated.flat().includes(group));
  const tableOf = ({ key }) => withTable.findLast((group) => key.startsWith(`${group.key}.`));

  const withoutGroup = settings.filter((setting) => !isGroup(setting) && !setting.key.includes('.'));
  const tables = [{ places: [], rows: withoutGroup.map(({ key, ...row }) => ({ name: key, ...row })) }];
  for (const group of withTable) {
    const places = repeated.find((found) => found.includes(group)) ?? [group];
    const members = below(group.key).filter((member) => tableOf(member) === group && !withTable.includes(member));
    if (places[0] === group && members.length > 0) tables.push({ places, rows: rowsOf(group.key, members) });
  }
  return tables;
}

function renderTable({ places, rows }, recipes) {
  const published = recipes[1];
  const keysOf = (name) => (places.length === 0 ? [name] : places.map(({ key }) => `${key}.${name}`));
  const header = ['setting', 'meaning', 'values', ...recipes.map(({ name }) => code(name)), 'its remark'];
  const lines = rows.map(({ name, values, description }) => {
    const keys = keysOf(name);
    return [
      code(keys.length === 1 ? keys[0] : name),
      description,
      values ?? '',
      ...recipes.map((recipe) => (values === undefined ? '' : valueCell(keys, places, recipe))),
      published ? remarkCell(keys, published) : '',
    ];
  });
  const shown = published ? header.length : header.length - 1;
  return [...heading(places, published), markdownTable([header, ...lines].map((cells) => cells.slice(0, shown)))].join(
    '\n\n',
  );
}

/** The group's name, what it is, and what the published recipe remarks on all of it. */
function heading(places, published) {
  if (places.length === 0) return [];
  const text = ({ key, description }) => {
    const remark = published?.remarks.get(key);
    return `${description}${remark ? `. \`${published.name}\`: ${remark}` : ''}`;
  };
  if (places.length === 1) return [`### ${places[0].key}`, sentence(text(places[0]))];
  const names = places.map(({ key }) => key);
  const last = new Set(names.map((name) => name.split('.').at(-1)));
  const title = last.size === 1 ? `${[...last][0]}, in ${names.length} places` : names.join(', ');
  const alike = [...groupBy(places, text)].map(
    ([line, own]) => `- ${own.map(({ key }) => code(key)).join(', ')}: ${line}`,
  );
  return [`### ${title}`, alike.join('\n')];
}

/** A recipe's value, or where places differ, each with its places. */
function valueCell(keys, places, { values }) {
  const byText = groupBy(keys.keys(), (index) =>
    valueText(keys[index].split('.').reduce((node, part) => node?.[part], values)),
  );
  if (byText.size === 1) return [...byText.keys()][0];
  const all = placeNames(places);
  return [...byText]
    .map(
      ([text, chosen]) =>
        `${text} (${some(
          chosen.map((index) => all[index]),
          all,
        )})`,
    )
    .join(', ');
}

/** The keys of places, without the last name where that is the same for all. */
function placeNames(places) {
  const names = places.map(({ key }) => key.split('.'));
  const isShared = names.every((name) => name.length > 1 && name.at(-1) === names[0].at(-1));
  return names.map((name) => (isShared ? name.slice(0, -1) : name).join('.'));
}

/** Some names out of all of them; `a.*` where those are all below a. */
function some(chosen, all) {
  const parts = chosen.map((name) => {
    const parent = `${name.split('.').slice(0, -1).join('.')}.`;
    const siblings = all.filter((other) => other.startsWith(parent));
    const isWhole = parent !== '.' && siblings.length > 1 && siblings.every((other) => chosen.includes(other));
    return code(isWhole ? `${parent}*` : name);
  });
  return [...new Set(parts)].join(', ');
}

function valueText(value) {
  if (value === undefined) return 'not given';
  const text = (part) => {
    if (Array.isArray(part)) return `[${part.map(text).join(', ')}]`;
    return typeof part === 'object' && part !== null ? JSON.stringify(part) : String(part);
  };
  return code(text(value));
}

function remarkCell(keys, { remarks }) {
  return [...new Set(keys.map((key) => remarks.get(key)))].filter(Boolean).join('; ');
}

/** As `Map.groupBy`, which Node.js 20 does not have. */
function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

const code = (text) => `\`${text}\``;
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
const firstSentence = (text) => /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;

function markdownTable([header, ...lines]) {
  const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(header), `|${header.map(() => '---').join('|')}|`, ...lines.map(row)].join('\n');
}
