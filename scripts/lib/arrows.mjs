import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { sourceFiles } from './source-files.mjs';

// The arrows. A package or folder may import what its row names, itself, and nothing else of this repository.

/** Folders of packages/, the package each one is, and the packages it may know. Binding for tests as well. */
export const PACKAGES = {
  torch: { name: '@chronotope/torch', mayImport: [] },
  video: { name: '@chronotope/video', mayImport: [] },
  chronotope: { name: 'chronotope', mayImport: ['@chronotope/torch', '@chronotope/video'] },
};

const TORCH = '@chronotope/torch';
const VIDEO = '@chronotope/video';
const EVERYTHING = '*';

/**
 * Folders (and single files) of packages/chronotope/src.
 * `imports`: folders and Chronotope packages it may import. `types`: folders it may import with `import type` only.
 * `libraries`: if given, the only other npm packages and Node modules allowed.
 * Test files are exempt, except that nothing imports the command line.
 */
export const FOLDERS = {
  errors: { imports: [] },
  mapping: { imports: [] },
  random: { imports: [] },
  losses: { imports: [TORCH] },
  models: { imports: [TORCH] },
  augment: { imports: [TORCH] },
  language: { imports: [TORCH, 'models'] },
  data: { imports: [VIDEO, TORCH, 'augment'], types: ['training'] },
  recipes: { imports: [], types: [EVERYTHING], libraries: ['zod', 'yaml', 'node:fs', 'node:path', 'node:url'] },
  training: { imports: [TORCH, VIDEO, 'data'] },
  evaluation: { imports: [TORCH, 'data', 'models'] },
  methods: {
    imports: [TORCH, 'losses', 'models', 'training', 'augment', 'evaluation', 'data', 'language'],
    types: ['recipes'],
  },
  explain: { imports: [TORCH, 'data', 'models', 'evaluation'], types: ['training'] },
  deploy: { imports: [TORCH, VIDEO, 'data', 'models', 'augment', 'evaluation'] },
  demo: { imports: [VIDEO, 'data', 'training'] },
  doctor: { imports: [TORCH, VIDEO] },
  runs: {
    imports: [TORCH, VIDEO, 'data', 'evaluation', 'explain', 'language', 'methods', 'models', 'recipes', 'training'],
  },
  pipeline: { imports: [EVERYTHING] },
  index: { imports: [EVERYTHING] },
  cli: { imports: [EVERYTHING] },
  testing: { imports: [TORCH, VIDEO, 'data', 'demo', 'methods', 'recipes'] },
};

/** Known to every folder. */
export const FOR_EVERYONE = ['errors', 'mapping', 'random'];

/** `testing` holds helpers of tests; only tests may import it. `cli` is the top: nothing imports it but itself. */
const FOR_TESTS = 'testing';
const TOP = 'cli';

/** What is learnt never opens a file or starts a process. */
const WITHOUT_FILES = ['losses', 'models', 'methods'];
const FILE_MODULES = /^(node:)?(fs|fs\/promises|child_process)$/;

/**
 * Imports of a TypeScript source: static imports, re-exports and `import('…')`, each with its line.
 * Static ones are looked for at the start of a line, where Biome puts them; so examples in comments are no imports.
 */
export function importsOf(text) {
  const imports = [];
  const lineAt = (offset) => text.slice(0, offset).split('\n').length;
  const statics = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s*)?'([^']+)'/gm;
  for (const match of text.matchAll(statics)) {
    imports.push({ specifier: match[2], typeOnly: match[1] !== undefined, line: lineAt(match.index) });
  }
  const dynamics = /^(?!\s*(?:\/\/|\*)).*?\bimport\(\s*['"]([^'"]+)['"]/gm;
  for (const match of text.matchAll(dynamics)) {
    imports.push({ specifier: match[1], typeOnly: false, line: lineAt(match.index) });
  }
  return imports;
}

/** All imports against the arrows in the repository at `root`: `{ file, line, rule, advice }`, in order of file. */
export function findViolations(root) {
  const violations = [];
  for (const folder of readdirSync(join(root, 'packages'))) {
    if (!(folder in PACKAGES)) {
      const rule = `The package ${folder} has no row in the table of arrows.`;
      violations.push({
        file: join('packages', folder),
        line: 1,
        rule,
        advice: `Add one to PACKAGES in scripts/lib/arrows.mjs.`,
      });
      continue;
    }
    const sources = join(root, 'packages', folder, 'src');
    for (const path of sourceFiles(sources, ['.ts'])) {
      for (const found of importsOf(readFileSync(path, 'utf8'))) {
        const where = { packageFolder: folder, sources, path, isTest: path.endsWith('.test.ts') };
        const broken = brokenPackageRule(where, found) ?? brokenFolderRule(where, found);
        if (broken) violations.push({ file: relative(root, path), line: found.line, ...broken });
      }
    }
  }
  return violations;
}

function brokenPackageRule({ packageFolder, path, sources }, { specifier }) {
  const { name, mayImport } = PACKAGES[packageFolder];
  if (specifier.startsWith('.')) {
    const inPackage = relative(dirname(sources), join(dirname(path), specifier));
    if (!inPackage.startsWith(`..${sep}`)) return undefined;
    return {
      rule: `'${specifier}' leaves the package ${name}.`,
      advice: `Import another package by its name, and only through what it exports.`,
    };
  }
  const imported = Object.values(PACKAGES).find((known) => isOf(specifier, known.name));
  if (!imported || mayImport.includes(imported.name)) return undefined;
  return {
    rule: `${name} must not know ${imported.name}.`,
    advice: `It may import ${listed(mayImport)}. Pass in what it needs, or move this code to a package that knows both.`,
  };
}

function brokenFolderRule({ packageFolder, sources, path, isTest }, { specifier, typeOnly }) {
  if (packageFolder !== 'chronotope') return undefined;
  const from = topOf(relative(sources, path));
  const to = specifier.startsWith('.') ? targetOf(sources, path, specifier) : chronotopePackage(specifier);

  if (to === TOP && from !== TOP) {
    return {
      rule: `${from} imports ${TOP}.`,
      advice: `Nothing imports the command line: move the shared code out of it.`,
    };
  }
  if (isTest) return undefined;
  const row = FOLDERS[from];
  if (!row) {
    return {
      rule: `${from} has no row in the table of arrows.`,
      advice: `Add one to FOLDERS in scripts/lib/arrows.mjs.`,
    };
  }
  if (to === FOR_TESTS && from !== FOR_TESTS) {
    return { rule: `${from} imports ${FOR_TESTS}.`, advice: `Only *.test.ts files may import helpers of tests.` };
  }
  if (WITHOUT_FILES.includes(from) && FILE_MODULES.test(specifier)) {
    return {
      rule: `${from} must not import ${specifier}.`,
      advice: `Losses, models and methods open no file and start no process: let the caller pass the contents in.`,
    };
  }
  if (to === undefined) return brokenLibraryRule(from, row, specifier, typeOnly);
  if (to === from || FOR_EVERYONE.includes(to) || allows(row.imports, to)) return undefined;
  if (typeOnly && allows(row.types, to)) return undefined;
  return {
    rule: `${from} must not import ${to}.`,
    advice:
      typeOnly || !allows(row.types, to) ? adviceFor(from, row) : `It may import its types only: use 'import type'.`,
  };
}

function brokenLibraryRule(from, { libraries }, specifier, typeOnly) {
  if (!libraries || typeOnly || specifier.startsWith('.')) return undefined;
  if (libraries.some((library) => isOf(specifier, library))) return undefined;
  return { rule: `${from} must not import ${specifier}.`, advice: `It may import ${listed(libraries)}.` };
}

function adviceFor(from, { imports, types = [] }) {
  const typesToo = types.length > 0 ? `, and types of ${listed(types)}` : '';
  return `${from} may import ${listed([...imports, ...FOR_EVERYONE])}${typesToo}. Pass in what it needs, or move the code.`;
}

/** The folder (or the file without its ending) of packages/chronotope/src in which `path` lies. */
const topOf = (path) => path.split(sep)[0].replace(/(\.test)?\.[jt]s$/, '');

function targetOf(sources, path, specifier) {
  const target = relative(sources, join(dirname(path), specifier));
  return target.startsWith('..') ? undefined : topOf(target);
}

const isOf = (specifier, name) => specifier === name || specifier.startsWith(`${name}/`);
const chronotopePackage = (specifier) => [TORCH, VIDEO].find((name) => isOf(specifier, name));
const allows = (list, name) => list !== undefined && (list.includes(EVERYTHING) || list.includes(name));
const listed = (names) =>
  names.length === 0 ? 'none of this repository' : names.join(', ').replace('*', 'everything');
